"""What the application prints is the same with and without the bridge."""

import os
import re

import pytest

from otel_bridge.demo import visit
from otel_bridge.demo.application import running
from otel_bridge.demo.expected import lines
from otel_bridge.demo.receiver import Receiver

WITH, WITHOUT = "otel_bridge.demo.settings", "otel_bridge.demo.today"

FIXED = """
import itertools, sys
import structlog
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

class TimeStamper:
    def __init__(self, **_):
        self.ticks = itertools.count()

    def __call__(self, _logger, _method_name, event_dict):
        event_dict["timestamp"] = f"2025-06-16T14:09:20.{next(self.ticks):06}Z"
        return event_dict

def merge_contextvars(_logger, _method_name, event_dict):
    return dict(sorted(structlog.contextvars.get_contextvars().items())) | event_dict

structlog.processors.TimeStamper = TimeStamper
structlog.contextvars.merge_contextvars = merge_contextvars
ids = itertools.count(1)
RandomIdGenerator.generate_span_id = lambda _self: next(ids)

from otel_bridge.demo.serve import serve
serve("127.0.0.1", int(sys.argv[1]))
"""
"""
The application with a clock and ids that are the same in every run.

So is the order of what is bound: `contextvars` come in the order of their addresses, another one in each process.
"""

ADDRESS = re.compile(rb"(?<= at 0x)[0-9a-f]+(?=>)")
"""Where an object stands in memory, which the chain prints of a foreign traceback: never twice the same."""


def printed(settings: str, endpoint: str, requests: list[visit.Request]) -> bytes:
    """Run the application with *settings*, send *requests*, and return what it wrote, standard error included."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    own = {"DJANGO_SETTINGS_MODULE": settings, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_SERVICE_NAME": "demo"}
    with running(("-c", FIXED), {**environment, **own}) as started:
        for request in requests:
            started.send(request)
        return ADDRESS.sub(b"", started.log.read_bytes())


@pytest.fixture(scope="module")
def requests() -> list[visit.Request]:
    """The demo's own requests, with ids that are known."""
    return [request._replace(trace_id=f"{number:032x}") for number, request in enumerate(visit.requests("run"), 1)]


def test_byte_identical(embedded: Receiver, requests: list[visit.Request]) -> None:
    """Every byte that the application prints is the same; only with the bridge do its records arrive."""
    without = printed(WITHOUT, embedded.url, requests)
    assert embedded.memory.find({}) == []
    with_bridge = printed(WITH, embedded.url, requests)
    assert with_bridge == without
    assert len(lines(without.decode())) == len(embedded.memory.find({})) > 200
