"""
What the exporter says of itself to the application's MeterProvider, by the conventions for OpenTelemetry's SDKs.

https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/, with two things that follow from records that wait
instead of being lost: an export operation is one request, and a record counts as processed when it is settled.

Neither the threads that log nor the one that sends ever take a lock of a MeterProvider: in a child that was forked
while a collection was running, nobody would ever release it. So instruments are made on a thread that does nothing
else, and durations are handed over when they are collected. Before the application sets a MeterProvider, the API keeps
the instruments for it.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from itertools import count
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Histogram, Observation

from otel_bridge.diagnostics import diagnostics
from otel_bridge.export.buffer import FULL
from otel_bridge.export.endpoint import Endpoint
from otel_bridge.export.pipeline import SHUT_DOWN
from otel_bridge.export.statistics import Statistics
from otel_bridge.export.transport import Answer, Outcome

Attributes = Mapping[str, str | int]

VERSION: Final = version("otel-bridge")
"""Read on the thread that imports this: a child forked during an import on another one could never import it."""
ERROR_TYPES: Final = {FULL: "queue_full", SHUT_DOWN: "already_shutdown"}
"""Reasons of drops to `error.type`."""
EXPORTERS: Final = {"http/protobuf": "otlp_http_log_exporter", "grpc": "otlp_grpc_log_exporter"}
"""Protocols to `otel.component.type`: https://opentelemetry.io/docs/specs/semconv/registry/attributes/otel/"""
OWN: Final = "otel_bridge.export.provider.LoggerProvider"
"""The type of what has none of those."""
DURATION: Final = "otel.sdk.exporter.operation.duration"
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
_histogram: dict[None, Histogram] = {}
"""The last instrument, once there are all: forked children have them too."""


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


def _register_once() -> None:
    if _histogram or os.getpid() in _begun_by:
        return
    _begun_by.add(os.getpid())
    # An interpreter that is ending has no more threads, and nobody collects any more.
    with suppress(RuntimeError):
        threading.Thread(target=_register, name="otel-bridge-metrics", daemon=True).start()


def _register() -> None:
    try:
        meter = metrics.get_meter("otel_bridge", VERSION)
        for name, (observe, description) in COUNTERS.items():
            meter.create_observable_counter(name, [_callback(observe)], "{log_record}", description)
        for name, (observe, description) in UP_DOWN_COUNTERS.items():
            meter.create_observable_up_down_counter(name, [_callback(observe)], "{log_record}", description)
        _histogram[None] = meter.create_histogram(
            DURATION, "s", "The duration of exporting a batch of telemetry records."
        )
    except Exception as exc:  # noqa: BLE001 - whatever a MeterProvider raises, the records must go on
        diagnostics.say(f"otel-bridge measures nothing of itself: {exc}.")


def _callback(
    observe: Callable[[list[Metrics]], Iterable[Observation]],
) -> Callable[[CallbackOptions], Iterable[Observation]]:
    # A list of references is made at once, whatever other threads add meanwhile.
    return lambda _: observe([found for reference in _all.valuerefs() if (found := reference()) is not None])


def _created(measured: list[Metrics]) -> Iterator[Observation]:
    yield Observation(sum(each.statistics().created for each in measured))


def _processed(measured: list[Metrics]) -> Iterator[Observation]:
    for each in measured:
        found = each.statistics()
        dropped = dict.fromkeys(ERROR_TYPES.values(), 0)
        for (reason, _), number in found.dropped.items():
            kind = ERROR_TYPES.get(reason, reason)
            dropped[kind] = dropped.get(kind, 0) + number
        yield Observation(found.exported + found.rejected, each.processor)
        for kind, number in dropped.items():
            yield Observation(number, {**each.processor, "error.type": kind})


def _exported(measured: list[Metrics]) -> Iterator[Observation]:
    for each in measured:
        found = each.statistics()
        yield Observation(found.exported, each.exporter)
        yield Observation(found.rejected, {**each.exporter, "error.type": "rejected"})


def _queued(measured: list[Metrics]) -> Iterator[Observation]:
    for each in measured:
        yield Observation(max(each.statistics().waiting - each.here.in_flight, 0), each.processor)


def _in_flight(measured: list[Metrics]) -> Iterator[Observation]:
    for each in measured:
        _hand_over(each.here.operations)
        yield Observation(each.here.in_flight, each.exporter)


def _hand_over(operations: deque[Operation]) -> None:
    histogram = _histogram.get(None)
    # Two readers may collect at once.
    with suppress(IndexError):
        while histogram is not None:
            operation = operations.popleft()
            histogram.record(operation.seconds, operation.attributes)


COUNTERS: Final = {
    "otel.sdk.log.created": (_created, "The number of logs submitted to enabled SDK Loggers."),
    "otel.sdk.processor.log.processed": (
        _processed,
        "The number of log records for which the processing has finished, either successful or failed.",
    ),
    "otel.sdk.exporter.log.exported": (
        _exported,
        "The number of log records for which the export has finished, either successful or failed.",
    ),
}
UP_DOWN_COUNTERS: Final = {
    "otel.sdk.processor.log.queue.size": (
        _queued,
        "The number of log records in the queue of a given instance of an SDK log processor.",
    ),
    "otel.sdk.exporter.log.inflight": (
        _in_flight,
        "The number of log records which were passed to the exporter, but that have not been exported yet.",
    ),
}
