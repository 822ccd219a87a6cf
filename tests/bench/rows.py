"""What is measured, row by row."""

import json
import os
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, NamedTuple

from tests.bench import instructions
from tests.bench.application import BARE, OFFICIAL, OURS
from tests.bench.receiver import Receiver
from tests.bench.table import Row

HTTP: Final = "http/protobuf"
GRPC: Final = "grpc"


class Scale(NamedTuple):
    """How much is measured."""

    rounds: int
    calls: int
    """How often calls are timed in a round."""
    events: int
    """Events in each of those."""
    records: int
    """Records that are delivered in a round."""
    burst: int
    waiting: int
    timeout: int
    """Seconds for one request where nothing answers."""


Found = Mapping[str, Sequence[float]]


def rows(receiver: Receiver, variants: Sequence[str], scale: Scale, *, counts: bool) -> Iterator[Row]:
    """Measure, and return row after row."""
    calls: dict[str, list[float]] = defaultdict(list)
    for _ in range(scale.rounds):
        for variant in variants:
            found = _run("calls", endpoint=receiver.http, variant=variant, rounds=scale.calls, events=scale.events)
            calls[variant] += found["medians"]
    bare = min(calls.pop(BARE))
    over = {variant: [cost - bare for cost in costs] for variant, costs in calls.items()}
    yield Row("calling thread, p50, µs over bare", "≤ 3; spool ≤ 4", over)
    if counts:
        yield from _instructions()
    yield from _delivered(receiver, variants, scale)
    exporting = [variant for variant in variants if variant != BARE]
    yield Row(f"memory for {scale.waiting:,} waiting records, MB", "≤ 40", _memory(exporting, scale))
    yield Row(f"lost of a burst of {scale.burst:,} from 4 threads", "0", _lost(receiver, exporting, scale), digits=0)
    yield Row("exit with nothing answering, s", "≤ 5", _exit(exporting, scale))


def _instructions() -> Iterator[Row]:
    counted = instructions.count(instructions.known_cases())
    figures = {OURS: [counted[instructions.KNOWN]]}
    if OFFICIAL in counted:
        figures[OFFICIAL] = [counted[OFFICIAL]]
    yield Row("calling thread, instructions", "≤ 15,000", figures, digits=0)


def _delivered(receiver: Receiver, variants: Sequence[str], scale: Scale) -> Iterator[Row]:
    """Yield the CPU of records over HTTP and gRPC, and how many a second."""
    rates: list[Row] = []
    for protocol, threads in ((HTTP, 1), (GRPC, 1), (HTTP, 4)):
        seconds, cpu = _rounds(receiver, variants, scale, protocol=protocol, threads=threads, chain=True)
        bare = min(cpu.pop(BARE))
        if threads == 1:
            over = {variant: [cost - bare for cost in costs] for variant, costs in cpu.items()}
            yield Row(f"CPU, µs a record over bare, {protocol}", "≤ 6, ≤ 1/8", over)
        if protocol == HTTP:
            name = f"records/s, through the chain, threads: {threads}"
            rates.append(Row(name, "≥ 50,000", _rates(seconds), digits=0, most=True))
    for threads in (1, 4):
        alone = [variant for variant in variants if variant != BARE and "logging" not in variant]
        seconds, _ = _rounds(receiver, alone, scale, protocol=HTTP, threads=threads, chain=False)
        name = f"records/s, the processor alone, threads: {threads}"
        rates.append(Row(name, "", _rates(seconds), digits=0, most=True))
    yield from rates


def _rates(seconds: Found) -> Found:
    return {variant: [1e6 / cost for cost in costs] for variant, costs in seconds.items()}


def _rounds(receiver: Receiver, variants: Sequence[str], scale: Scale, **how: Any) -> tuple[Any, Any]:
    """Return the µs a record, in time and in CPU, of each round of each variant."""
    seconds: dict[str, list[float]] = defaultdict(list)
    cpu: dict[str, list[float]] = defaultdict(list)
    protocol = how.pop("protocol")
    endpoint = receiver.grpc if protocol == GRPC else receiver.http
    for _ in range(scale.rounds):
        for variant in variants:
            receiver.taken()
            arguments = {"variant": variant, "records": scale.records, **how}
            found = _run("delivery", endpoint=endpoint, protocol=protocol, **arguments)
            assert variant == BARE or receiver.taken() >= scale.records, f"{variant} delivered too little"
            seconds[variant].append(found["seconds"] / scale.records * 1e6)
            cpu[variant].append(found["cpu"] / scale.records * 1e6)
    return seconds, cpu


def _memory(variants: Sequence[str], scale: Scale) -> Found:
    with socket.create_server(("127.0.0.1", 0)) as free:
        refusing = f"http://127.0.0.1:{free.getsockname()[1]}"
    return {
        variant: [_run("memory", endpoint=refusing, variant=variant, records=scale.waiting)["bytes"] / 1e6]
        for variant in variants
    }


def _lost(receiver: Receiver, variants: Sequence[str], scale: Scale) -> Found:
    lost = {}
    for variant in variants:
        receiver.taken()
        _run("burst", endpoint=receiver.http, variant=variant, records=scale.burst)
        lost[variant] = [float(scale.burst - receiver.taken())]
    return lost


def _exit(variants: Sequence[str], scale: Scale) -> Found:
    """Let all variants wait side by side for a receiver that takes connections and says nothing."""
    with _silent() as endpoint, ThreadPoolExecutor(len(variants)) as pool:
        leave = partial(_leave, endpoint, scale.timeout)
        return dict(zip(variants, ([seconds] for seconds in pool.map(leave, variants)), strict=True))


def _leave(endpoint: str, timeout: int, variant: str) -> float:
    environ = {"OTEL_EXPORTER_OTLP_TIMEOUT": str(timeout)}
    left = _run("leave", endpoint=endpoint, environ=environ, variant=variant, records=100)["left"]
    return time.monotonic() - float(left)


@contextmanager
def _silent() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _run(
    task: str, *, endpoint: str, protocol: str = HTTP, environ: Mapping[str, str] | None = None, **arguments: Any
) -> Any:
    """Run a task of `tests.bench.subject` in a process of its own, and return what it found."""
    configured = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-m", "tests.bench.subject", task, json.dumps(arguments)],
        env={**os.environ, **configured, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
