# Every target does its own set-up: nothing needs to be installed first but Python.
SHELL := /bin/bash
PYTHON ?= $(shell sh tools/python.sh)
VENV ?= .venv
BIN := $(VENV)/bin
STACK ?=
BENCH ?= build/bench
QUICK ?=

HAS_PYTHON = @test -n "$(PYTHON)" || { echo "No Python of 3.11 or newer was found; install one, or name it: make PYTHON=/path/to/python" >&2; exit 1; }

.DEFAULT_GOAL := help
.PHONY: help demo test unit soak matrix stack bench render lint lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/demo ## Log documented events through a Django application and find them (STACK=native, KEEP=1)
	STACK=$(STACK) $(BIN)/python -m otel_bridge.demo

test: $(VENV)/dev ## Run every test: units, then the real Collector, Loki and Elasticsearch
	$(BIN)/python -m pytest -m "not stack and not soak" --durations=5
	$(BIN)/python -m pytest -m "stack and not soak" --durations=10

unit: $(VENV)/dev ## Run the tests that need no servers
	$(BIN)/python -m pytest -m "not stack and not soak"

soak: $(VENV)/dev ## Run what takes long: long outages, many rounds, many records
	$(BIN)/python -m pytest -m soak --durations=10

matrix: $(VENV)/dev ## Run the unit tests beside older and newer OpenTelemetry, structlog, Django and Python
	$(BIN)/python -m pytest tests/matrix --durations=0

stack: $(VENV)/dev ## Build and start the real Collector, Loki and Elasticsearch until Ctrl-C
	$(BIN)/python -m stack

bench: $(BENCH)/ready ## Print what a record costs, beside the official pipelines (QUICK=1 to see that it runs)
	$(BENCH)/bin/python -m tests.bench $(if $(QUICK),--quick --no-instructions)

render: $(VENV)/dev ## Write again what is generated from the event catalogue
	$(BIN)/otel-bridge render .

lint: $(VENV)/dev ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lock: ## Resolve constraints.txt anew
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet --upgrade pip
	build/lock/bin/python -m pip install --quiet --group dev --group systems --editable '.[demo]'
	echo '# Resolved by make lock, on the Python that tools/python.sh prefers; an older one resolves for itself.' > constraints.txt
	build/lock/bin/python -m pip freeze --exclude-editable | sed "s/$$/; python_version >= '3.12'/" >> constraints.txt

clean: ## Remove what the other targets made here
	rm -rf $(VENV) build dist .stack .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/pip: constraints.txt
	$(HAS_PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade --constraint constraints.txt pip
	@touch $@

# An environment of its own: the official instrumentation of structlog may want older packages than constraints.txt has.
$(BENCH)/ready: pyproject.toml
	$(HAS_PYTHON)
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --upgrade pip
	$(BENCH)/bin/python -m pip install --quiet --group bench --editable '.[cli,django,grpc,sdk]'
	@touch $@

$(VENV)/demo: $(VENV)/pip pyproject.toml
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[demo]'
	@touch $@

$(VENV)/dev: $(VENV)/demo
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --group systems
	@touch $@
