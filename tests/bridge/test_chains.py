"""The chains of the five systems, with the bridge in its slot."""

import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider

from otel_bridge import LogBridge, LogBridgeHandler
from tests.bridge.foreign import raised
from tests.otlp import Memory

pytest.importorskip("maykin_common", reason="maykin-common needs Python 3.12")

from tests.bridge import chains
from tests.bridge.chains import GENERATIONS

generations = pytest.mark.parametrize("generation", GENERATIONS.values(), ids=GENERATIONS)


def story() -> None:
    """Log what the five systems log: events with context, exceptions, stacks, arguments, and records of libraries."""
    logger = structlog.stdlib.get_logger("openzaak.zaken")
    structlog.contextvars.bind_contextvars(request_id="9c3d", user_id=None, source="app")
    logger.info("zaak_created", uuid="2f9e9a5b", identificatie="ZAAK-1", data={"bsn": "123456782"})
    logger.bind(client_id="x").warning("user %s of %d", "a", 2)
    logger.debug("below the level")
    try:
        raise KeyError("outer", 2)  # noqa: TRY301 - its traceback is printed
    except KeyError as exc:
        logger.exception("api.uncaught_exception")
        logger.error("api.handled_exception", exc_info=exc, code="error", status=500, title="x")  # noqa: TRY400
        logging.getLogger("django.request").error("Internal Server Error: %s", "/x", exc_info=True)  # noqa: G201
    logger.info("with_stack", stack_info=False)
    logging.getLogger("celery.worker").warning("foreign", extra={"data": {"id": 1}})
    structlog.contextvars.clear_contextvars()


@generations
@pytest.mark.parametrize("formatter", ["json", "plain_console"])
def test_stdout_is_the_same_with_and_without_the_bridge(
    generation: Callable[[], list[Any]], formatter: str, memory: Memory
) -> None:
    """Byte by byte, with the chain and the formatters of the five systems."""
    printed = []
    for bridge in (None, LogBridge(memory.provider)):
        chains.configure(generation(), bridge)
        stream = chains.console(formatter)
        if bridge:
            logging.getLogger().addHandler(LogBridgeHandler(logger_provider=memory.provider))
        story()
        # On stdout the traceback of a library's record is the address of an object.
        printed.append(re.sub(r"0x[0-9a-f]+", "", stream.getvalue()))
    assert printed[0] == printed[1] != ""
    assert len(memory.records) == 7


@generations
def test_every_line_of_stdout_arrives(generation: Callable[[], list[Any]], memory: Memory) -> None:
    """With the chain of the five systems and the handler for libraries: none twice, none lost."""
    chains.configure(generation(), LogBridge(memory.provider))
    stream = chains.console()
    logging.getLogger().addHandler(LogBridgeHandler(logger_provider=memory.provider))
    story()
    lines = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert sorted(record.body for record in memory.records) == sorted(lines)


@generations
def test_the_exception_is_whole_in_the_slot(generation: Callable[[], list[Any]], memory: Memory) -> None:
    """Before `format_exc_info`, its message is that of the instance."""
    chains.configure(generation(), LogBridge(memory.provider))
    chains.console()
    structlog.stdlib.get_logger("x").error("failed", exc_info=raised(KeyError("outer", 2)))
    assert memory.record.attributes["exception.message"] == "('outer', 2)"


@generations
def test_what_is_below_the_level_is_not_emitted(generation: Callable[[], list[Any]], memory: Memory) -> None:
    """The bridge stands after `filter_by_level`."""
    chains.configure(generation(), LogBridge(memory.provider))
    chains.console()
    structlog.stdlib.get_logger("x").debug("below")
    assert memory.records == []


@generations
def test_contextvars_arrive(generation: Callable[[], list[Any]], memory: Memory) -> None:
    """What django-structlog binds for a request."""
    chains.configure(generation(), LogBridge(memory.provider))
    chains.console()
    with structlog.contextvars.bound_contextvars(request_id="9c3d", user_id=42):
        structlog.stdlib.get_logger("x").info("zaak_created")
    attributes = memory.record.attributes
    assert (attributes["request_id"], attributes["user.id"]) == ("9c3d", "42")


def test_the_ids_of_the_maykin_chain_are_fields(memory: Memory) -> None:
    """`add_open_telemetry_spans` writes them into the event dict; the record says them once."""
    chains.configure(chains.newer(), LogBridge(memory.provider))
    stream = chains.console()
    tracer = TracerProvider().get_tracer("tests")
    with tracer.start_as_current_span("outer"), tracer.start_as_current_span("inner") as span:
        structlog.stdlib.get_logger("x").info("zaak_created")
    record, line = memory.record, json.loads(stream.getvalue())
    assert (record.trace_id, record.span_id) == (line["trace_id"], line["span_id"])
    assert (int(record.span_id, 16), record.flags) == (
        span.get_span_context().span_id,
        span.get_span_context().trace_flags,
    )
    assert record.attributes.keys() == {"source", "log.record.uid"}
