"""
Instructions for one event, counted by valgrind: the same on a busy machine as on an idle one.

`python -m tests.bench.instructions CASE TIMES` is what runs under it. What starting up costs is taken away by counting
twice, with few events and with many.
"""

import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from opentelemetry.sdk._logs import LoggerProvider as OfficialProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

from otel_bridge import LogBridge, LoggerProvider
from otel_bridge.bridge.values import AnyValue
from otel_bridge.export.protobuf import span_fields
from otel_bridge.export.record import encode
from otel_bridge.export.transport import Answer, Outcome
from tests.bench.application import INSTRUMENTATION, OFFICIAL, is_installed
from tests.bench.events import IN_THE_CHAIN

KNOWN: Final = "calling thread"
"""`LogBridge` with our provider, for an event whose shape is known."""
VALUES: Final = "calling thread, a list among the values"
"""The same with a value that is no text."""
UNKNOWN: Final = "calling thread, no shape"
"""The same for an event that is no name, and so never of a known shape."""
ENCODING: Final = "encoding field by field"
"""`otel_bridge.export.record.encode` of the same attributes."""
OURS: Final = (KNOWN, VALUES, UNKNOWN, ENCODING)

OTHERWISE: Final[Mapping[str, Mapping[str, Any]]] = {
    VALUES: {"omschrijving": ["a", "list"]},
    UNKNOWN: {"event": "A zaak was created."},
}
"""What is not as in the first case."""

FEW: Final = 500
MANY: Final = 1500
TIMEOUT: Final = 240


class Nobody:
    """A transport, or an exporter, that is never asked."""

    def send(self, _request: bytes, _timeout: float) -> Answer:
        """Accept."""
        return Answer(Outcome.ACCEPTED)

    def close(self) -> None:
        """Do nothing."""


def is_there() -> bool:
    """Tell whether valgrind is installed."""
    return shutil.which("valgrind") is not None


def count(cases: tuple[str, ...]) -> Mapping[str, float]:
    """Return the instructions for one event, by case."""
    runs = [(case, times) for case in cases for times in (FEW, MANY)]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        totals = dict(zip(runs, pool.map(lambda run: _total(*run), runs), strict=True))
    return {case: (totals[case, MANY] - totals[case, FEW]) / (MANY - FEW) for case in cases}


def _total(case: str, times: int) -> int:
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", sys.executable]
    environ = {
        **os.environ,
        "PYTHONHASHSEED": "0",
        # The other thread shall find nothing to do.
        "OTEL_BLRP_SCHEDULE_DELAY": "1000000000",
        "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "1000000",
        "OTEL_BLRP_MAX_QUEUE_SIZE": "1000000",
    }
    done = subprocess.run(  # noqa: S603 - our own
        [*command, "-m", "tests.bench.instructions", case, str(times)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=True,
    )
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    assert found is not None, done.stderr
    return int(found[1].replace(",", ""))


def _case(name: str) -> Callable[[str], object]:
    """Return what takes a timestamp and is counted."""
    if name == ENCODING:
        attributes: dict[str, AnyValue] = {key: value for key, value in IN_THE_CHAIN.items() if key != "timestamp"}
        return lambda timestamp: encode(
            timestamp=1_747_663_760_339_166_000,
            observed_timestamp=1_747_663_760_339_166_000,
            severity_number=9,
            severity_text="info",
            body="zaak_created",
            attributes=[*attributes.items(), ("log.record.uid", timestamp)],
            event_name="zaak_created",
            span=span_fields(0, 0, 0),
            dropped_attributes_count=0,
        )
    processor = _processor(name)
    event: dict[str, Any] = {**IN_THE_CHAIN, **OTHERWISE.get(name, {})}
    return lambda timestamp: processor(None, "info", {**event, "timestamp": timestamp})


def _processor(case: str) -> Callable[[Any, str, Any], object]:
    if case == OFFICIAL:
        provider = OfficialProvider()
        nobody: Any = Nobody()
        provider.add_log_record_processor(BatchLogRecordProcessor(nobody))
        made: Callable[[Any, str, Any], object] = importlib.import_module(INSTRUMENTATION).StructlogProcessor(provider)
        return made
    return LogBridge(LoggerProvider(connect=Nobody))


def known_cases() -> tuple[str, ...]:
    """Return what can be counted here."""
    return (*OURS, OFFICIAL) if is_installed() else OURS


def work(case: str, times: int) -> None:
    """Do one case so many times, each with another timestamp, as a real chain has."""
    first = datetime(2025, 5, 19, 14, 9, 20, 339166, tzinfo=UTC)
    timestamps = [
        (first + timedelta(microseconds=37 * number)).isoformat().replace("+00:00", "Z") for number in range(MANY)
    ]
    call = _case(case)
    for timestamp in timestamps[:times]:
        call(timestamp)
    os._exit(0)


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]))
