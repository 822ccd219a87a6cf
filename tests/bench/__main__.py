"""
What one record costs on the calling thread, over the bare chain: `zaak_created` with a request's context bound.

All variants take turns in one run, because a shared machine is now fast and now slow; the least of many rounds is
what the code costs.
"""

import io
import logging
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog
from opentelemetry._logs import Logger, LoggerProvider, LogRecord
from rich.console import Console
from rich.table import Table

from otel_bridge import LogBridge
from tests.chains import older

ROUNDS: Final = 40
EVENTS: Final = 500
KEYS: Final = {
    "uuid": "20d23f12-6743-486c-a1f2-c31c5c6a86f9",
    "identificatie": "ZAAK-2025-0000000001",
    "vertrouwelijkheidaanduiding": "openbaar",
}
CONTEXT: Final = {"request_id": "2f9e9a5b-d549-4faa-a411-594aa8a52eee", "user_id": "42", "source": "app"}


class Discard(LoggerProvider):
    """A provider that does nothing, so that what is measured is the bridge."""

    class _Logger(Logger):
        def emit(self, record: LogRecord | None = None, **fields: Any) -> None:
            """Do nothing."""

        def enabled(self, **_fields: Any) -> bool:
            """Say yes."""
            return True

    def get_logger(self, name: str, *_args: Any, **_kwargs: Any) -> Logger:
        """Return a logger that does nothing."""
        return self._Logger(name)


VARIANTS: Final[Mapping[str, Sequence[LogBridge]]] = {
    "bare chain": (),
    "bridge": (LogBridge(Discard()),),
    "bridge, redaction=None": (LogBridge(Discard(), redaction=None),),
}


def main() -> None:
    """Measure every variant in turns and print one table."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=structlog.processors.JSONRenderer()))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    structlog.contextvars.bind_contextvars(**CONTEXT)
    calls = {name: _call(bridges) for name, bridges in VARIANTS.items()}
    costs: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            costs[name].append(_microseconds(call))
    table = Table("", "µs an event, least", "median", "over the bare chain", title="On the calling thread")
    bare = min(costs["bare chain"])
    for name, cost in costs.items():
        table.add_row(name, f"{min(cost):.1f}", f"{statistics.median(cost):.1f}", f"{min(cost) - bare:+.1f}")
    Console().print(table)


def _call(bridges: Sequence[LogBridge]) -> Callable[[], object]:
    chain = older()
    processors = [*chain[:-3], *bridges, *chain[-3:]]
    logger = structlog.wrap_logger(logging.getLogger("openzaak"), processors, structlog.stdlib.BoundLogger).bind()
    return lambda: logger.info("zaak_created", **KEYS)


def _microseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter_ns()
    for _ in range(EVENTS):
        call()
    return (time.perf_counter_ns() - start) / EVENTS / 1000


if __name__ == "__main__":
    main()
