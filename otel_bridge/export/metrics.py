"""
What one provider measures of its own work, for the instruments of the application's MeterProvider.

Neither the threads that log nor the one that sends ever take a lock of a MeterProvider: in a child that was forked
while a collection was running, nobody would ever release it. So instruments are made on a thread that does nothing
else, and durations are handed over when they are collected. Before the application sets a MeterProvider, the API keeps
the instruments for it.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

from otel_bridge.diagnostics import diagnostics
from otel_bridge.export import instruments
from otel_bridge.export.endpoint import Endpoint
from otel_bridge.export.statistics import Statistics
from otel_bridge.export.transport import Answer, Outcome

Attributes = Mapping[str, str | int]

EXPORTERS: Final = {"http/protobuf": "otlp_http_log_exporter", "grpc": "otlp_grpc_log_exporter"}
"""Protocols to `otel.component.type`: https://opentelemetry.io/docs/specs/semconv/registry/attributes/otel/"""
OWN: Final = "otel_bridge.export.provider.LoggerProvider"
"""The type of what has none of those."""
OPERATIONS: Final = 4096
"""How many durations are kept until they are collected; beyond that the oldest go."""


class Operation(NamedTuple):
    """One request that was sent."""

    seconds: float
    attributes: Attributes


class Here:
    """What belongs to one process."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.in_flight = 0
        self.operations: deque[Operation] = deque(maxlen=OPERATIONS)


class Metrics:
    """
    Measures what one provider exports, in whichever process.

    Args:
        statistics: What became of the records of the process that asks.
        endpoint: Where they go; `None` where that is no OTLP receiver.
    """

    def __init__(self, statistics: Callable[[], Statistics], endpoint: Endpoint | None) -> None:
        number = next(_numbers)
        kind = OWN if endpoint is None else EXPORTERS[endpoint.protocol]
        self.statistics = statistics
        self.processor: Attributes = _component(OWN, number)
        self.exporter: Attributes = {**_component(kind, number), **_server(endpoint)}
        self._here = Here()
        _all[number] = self

    @property
    def here(self) -> Here:
        """What belongs to this process; it begins anew in a forked child."""
        if self._here.pid != os.getpid():
            self._here = Here()
        return self._here

    def measure(self, records: int, send: Callable[[], Answer]) -> Answer:
        """
        Send a request, and measure it.

        Args:
            records: How many it holds.
            send: Sends it.

        Returns:
            What *send* returned. Raises nothing of its own.
        """
        _register_once()
        here = self.here
        here.in_flight = records
        started = time.perf_counter()
        try:
            answer = send()
        finally:
            here.in_flight = 0
        here.operations.append(Operation(time.perf_counter() - started, {**self.exporter, **_failure(answer)}))
        return answer


_all: Final[WeakValueDictionary[int, Metrics]] = WeakValueDictionary()
_numbers: Final = count()
_begun_by: set[int] = set()
"""The process that makes the instruments; a child that it forks meanwhile has but half of them."""


def _register_once() -> None:
    if instruments.are_made() or os.getpid() in _begun_by:
        return
    _begun_by.add(os.getpid())
    # An interpreter that is ending has no more threads, and nobody collects any more.
    with suppress(RuntimeError):
        threading.Thread(target=_register, name="otel-bridge-metrics", daemon=True).start()


def _register() -> None:
    try:
        # A list of references is made at once, whatever other threads add meanwhile.
        instruments.make(lambda: [found for reference in _all.valuerefs() if (found := reference()) is not None])
    except Exception as exc:  # noqa: BLE001 - whatever a MeterProvider raises, the records must go on
        diagnostics.say(f"otel-bridge measures nothing of itself: {exc}.")


def _component(kind: str, number: int) -> Attributes:
    return {"otel.component.type": kind, "otel.component.name": f"{kind}/{number}"}


def _server(endpoint: Endpoint | None) -> Attributes:
    if endpoint is None:
        return {}
    parts = endpoint.parts
    return {"server.address": parts.hostname or "", "server.port": parts.port or 0}


def _failure(answer: Answer) -> Attributes:
    """Return the attributes of a request that was not wholly taken; none where it was."""
    if answer.outcome is Outcome.ACCEPTED and not answer.rejected:
        return {}
    kind = answer.error_type or answer.outcome.value
    found: dict[str, str | int] = {"error.type": kind}
    # Statuses of HTTP are numbers, those of gRPC are in capitals; the rest are names of classes.
    if kind.isdigit():
        found["http.response.status_code"] = int(kind)
    elif kind.isupper():
        found["rpc.response.status_code"] = kind
    return found
