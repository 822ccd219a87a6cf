"""The chain written out is the chain of the five systems, and the bridge stands in its slot."""

import sys
from typing import Any

import pytest
import structlog

from otel_bridge.demo import chain
from tests.conftest import Run

NAMES = """
import json, structlog
from otel_bridge.demo import chain
config = chain.{function}()
def name(processor):
    return getattr(processor, "__name__", type(processor).__name__)
running = [name(processor) for processor in structlog.get_config()["processors"]]
foreign = [name(processor) for processor in config["formatters"]["json"]["foreign_pre_chain"]]
levels = {{name: logger["level"] for name, logger in config["loggers"].items() if name in chain.LEVELS}}
print(json.dumps([running, foreign, levels]))
"""


@pytest.mark.skipif(not chain.is_real(), reason="open-api-framework needs Python 3.12")
def test_written_out(run: Run) -> None:
    """Written out, the chain differs from the real one by what only a debug setting or Django needs."""
    settings = {"DJANGO_SETTINGS_MODULE": "otel_bridge.demo.today"}
    real = run(f"import otel_bridge\n{NAMES.format(function='_real')}", **settings)
    written_out = run(NAMES.format(function="_written_out"))
    for only_there in ('"drop_user_agent_in_dev", ', '"ExtraAdder", '):
        real = real.replace(only_there, "")
    assert written_out == real


def test_is_real_from_3_12() -> None:
    """From Python 3.12 on the chain is the real one; before, it is said whose it is and what is missing."""
    if sys.version_info >= (3, 12):
        assert chain.described().startswith("the chain of the real open-api-framework 0.")
    else:
        assert chain.described().endswith("written out: the real one needs Python 3.12 or newer")


def test_slot(run: Run) -> None:
    """The settings put the bridge immediately before `format_exc_info`, and the handler beside each console handler."""
    output = run(
        """
        import otel_bridge, structlog
        from otel_bridge.demo import settings
        processors = structlog.get_config()["processors"]
        slot = processors.index(structlog.processors.format_exc_info) - 1
        print(isinstance(processors[slot], otel_bridge.LogBridge))
        print({"otel_bridge_console" in logger["handlers"] for logger in settings.LOGGING["loggers"].values()
               if "console" in logger.get("handlers", ())})
        """,
        DJANGO_SETTINGS_MODULE="otel_bridge.demo.settings",
    )
    assert output == "True\n{True}\n"


def test_spans_without_one() -> None:
    """Where no span is recorded, an event gets no ids."""
    event_dict: dict[str, Any] = {"event": "zaak_created"}
    assert chain.add_open_telemetry_spans(structlog.get_logger(), "info", event_dict) == {"event": "zaak_created"}
