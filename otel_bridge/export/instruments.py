"""
The instruments of OpenTelemetry's conventions for its SDKs, and what each observes.

https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/, with two things that follow from records that wait
instead of being lost: an export operation is one request, and a record counts as processed when it is settled.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Histogram, Observation

from otel_bridge.export.buffer import FULL
from otel_bridge.export.pipeline import SHUT_DOWN

if TYPE_CHECKING:
    from otel_bridge.export.metrics import Metrics, Operation

VERSION: Final = version("otel-bridge")
"""Read on the thread that imports this: a child forked during an import on another one could never import it."""
ERROR_TYPES: Final = {FULL: "queue_full", SHUT_DOWN: "already_shutdown"}
"""Reasons of drops to `error.type`."""
DURATION: Final = "otel.sdk.exporter.operation.duration"

_histogram: dict[None, Histogram] = {}
"""The last instrument, once there are all: forked children have them too."""


def are_made() -> bool:
    """Tell whether there are all, whichever process made them."""
    return bool(_histogram)


def make(measured: "Callable[[], list[Metrics]]") -> None:
    """
    Make the instruments, of the application's MeterProvider or of the one that it sets later.

    Args:
        measured: Returns what is measured in this process.

    Raises:
        Exception: Whatever a MeterProvider raises.
    """
    meter = metrics.get_meter("otel_bridge", VERSION)
    for name, (observe, description) in COUNTERS.items():
        meter.create_observable_counter(name, [_callback(observe, measured)], "{log_record}", description)
    for name, (observe, description) in UP_DOWN_COUNTERS.items():
        meter.create_observable_up_down_counter(name, [_callback(observe, measured)], "{log_record}", description)
    _histogram[None] = meter.create_histogram(DURATION, "s", "The duration of exporting a batch of telemetry records.")


def _callback(
    observe: "Callable[[list[Metrics]], Iterable[Observation]]", measured: "Callable[[], list[Metrics]]"
) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _: observe(measured())


def _created(measured: "list[Metrics]") -> Iterator[Observation]:
    yield Observation(sum(each.statistics().created for each in measured))


def _processed(measured: "list[Metrics]") -> Iterator[Observation]:
    for each in measured:
        found = each.statistics()
        dropped = dict.fromkeys(ERROR_TYPES.values(), 0)
        for (reason, _), number in found.dropped.items():
            kind = ERROR_TYPES.get(reason, reason)
            dropped[kind] = dropped.get(kind, 0) + number
        yield Observation(found.exported + found.rejected, each.processor)
        for kind, number in dropped.items():
            yield Observation(number, {**each.processor, "error.type": kind})


def _exported(measured: "list[Metrics]") -> Iterator[Observation]:
    for each in measured:
        found = each.statistics()
        yield Observation(found.exported, each.exporter)
        yield Observation(found.rejected, {**each.exporter, "error.type": "rejected"})


def _queued(measured: "list[Metrics]") -> Iterator[Observation]:
    for each in measured:
        yield Observation(max(each.statistics().waiting - each.here.in_flight, 0), each.processor)


def _in_flight(measured: "list[Metrics]") -> Iterator[Observation]:
    for each in measured:
        _hand_over(each.here.operations)
        yield Observation(each.here.in_flight, each.exporter)


def _hand_over(operations: "deque[Operation]") -> None:
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
