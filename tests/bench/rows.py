"""What is measured, row by row."""

import socket
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from tests.bench import faults, instructions, latency
from tests.bench.application import BARE, HANDLER, OFFICIAL, OURS, UNREDACTED
from tests.bench.events import CREATED, EVENTS, FAILED, REQUEST, SHAPELESS
from tests.bench.processes import GRPC, HTTP, run, side_by_side
from tests.bench.receiver import Receiver
from tests.bench.table import Row


class Scale(NamedTuple):
    """How much is measured."""

    rounds: int
    calls: int
    """How often calls are timed in a round."""
    events: int
    """Events in each of those."""
    records: int
    """Records that are delivered in a round."""
    sizes: tuple[int, ...]
    """Records that are delivered at once, for how that scales."""
    burst: int
    waiting: int
    timeout: int
    """Seconds for one request where nothing answers."""
    requests: int
    """Requests of a site, in each turn."""
    turns: int
    outage: float
    """Seconds."""


Found = Mapping[str, Sequence[float]]

CALLS: Final = {
    CREATED: ("calling thread, p50, µs over bare", "≤ 3; spool ≤ 4"),
    REQUEST: ("of a query and a user agent, µs over bare", ""),
    SHAPELESS: ("of a number, a list and a dict, µs over bare", ""),
    FAILED: ("of an exception with a cause, µs over bare", ""),
}
"""Events to the row of what a call with them costs, and its goal."""
WAYS: Final = {
    "SIGTERM": ("lost at SIGTERM, of {:,}", "0"),
    "SIGKILL": ("lost at SIGKILL, of {:,}", "spool 0"),
    "os._exit": ("lost at os._exit, of {:,}", "spool 0"),
}


def rows(receiver: Receiver, variants: Sequence[str], scale: Scale, *, counts: bool) -> Iterator[Row]:
    """Measure, and return row after row."""
    exporting = [variant for variant in variants if variant != BARE]
    yield from _calls(receiver, variants, scale)
    if counts:
        yield from _instructions()
    yield from _delivered(receiver, variants, scale)
    yield from _scaled(receiver, exporting, scale)
    if latency.is_there():
        found = latency.p99(receiver.http, variants, scale.turns, scale.requests)
        yield Row("request p99, Django under uWSGI, ÷ bare", "≤ 1.1", latency.ratios(found), digits=2, spread=True)
        yield Row("request p99, ms", "", found, spread=True)
    yield Row(f"memory for {scale.waiting:,} waiting records, MB", "≤ 40", _memory(exporting, scale))
    yield Row(f"lost of a burst of {scale.burst:,} from 4 threads", "0", _lost(receiver, exporting, scale), digits=0)
    outage = faults.lost_in_an_outage(exporting, scale.outage)
    yield Row(f"lost in {scale.outage:g} s without a receiver, 500/s", "0", outage, digits=0)
    for way, (name, goal) in WAYS.items():
        # Less than a request, so that nothing was sent before.
        waiting = scale.records // 40
        lost = faults.lost_at_the_end(exporting, way, waiting)
        yield Row(name.format(waiting), goal, lost, digits=0)
    twice = faults.twice(exporting, scale.records // 10)
    yield Row(f"twice in Elasticsearch, {faults.CUT_OFF} answers cut off", "0", twice, digits=0)
    yield Row("exit with nothing answering, s", "≤ 5", _exit(exporting, scale))


def _calls(receiver: Receiver, variants: Sequence[str], scale: Scale) -> Iterator[Row]:
    calls: dict[str, dict[str, list[float]]] = {event: defaultdict(list) for event in EVENTS}
    for _ in range(scale.rounds):
        for variant in (*variants, UNREDACTED):
            found = run("calls", endpoint=receiver.http, variant=variant, rounds=scale.calls, events=scale.events)
            for event, medians in found.items():
                calls[event][variant] += medians
    for event, (name, goal) in CALLS.items():
        over = _over(calls[event])
        unredacted = over.pop(UNREDACTED)
        yield Row(name, goal, over)
        if event in {CREATED, REQUEST}:
            # Neither of the official ones redacts.
            official = {variant: over[variant] for variant in over if variant in {OFFICIAL, HANDLER}}
            yield Row("the same with redaction=None", "", official | {OURS: unredacted})


def _over(costs: dict[str, list[float]]) -> dict[str, list[float]]:
    """Return what is more than the bare chain's best round."""
    bare = min(costs.pop(BARE))
    return {variant: [cost - bare for cost in found] for variant, found in costs.items()}


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
        if threads == 1:
            yield Row(f"CPU, µs a record over bare, {protocol}", "≤ 6, ≤ 1/8", _over(cpu))
        if protocol == HTTP:
            name = f"records/s, through the chain, threads: {threads}"
            rates.append(Row(name, "≥ 50,000", _rates(seconds), digits=0, most=True))
    for threads in (1, 2, 4):
        alone = [variant for variant in variants if variant not in {BARE, HANDLER}]
        seconds, _ = _rounds(receiver, alone, scale, protocol=HTTP, threads=threads, chain=False)
        name = f"records/s, the processor alone, threads: {threads}"
        rates.append(Row(name, "", _rates(seconds), digits=0, most=True))
    yield from rates


def _scaled(receiver: Receiver, variants: Sequence[str], scale: Scale) -> Iterator[Row]:
    """Yield how many records a second are delivered, by how many there are."""
    for records in scale.sizes:
        # The official queue, which holds all, would take gigabytes.
        able = variants if records <= scale.burst else [OURS]
        how = {"records": records, "threads": 1, "chain": True}
        seconds = {variant: [_deliver(receiver, variant, HTTP, **how)["seconds"] / records * 1e6] for variant in able}
        yield Row(f"records/s, through the chain, of {records:,}", "flat", _rates(seconds), digits=0, most=True)


def _rates(seconds: Found) -> Found:
    return {variant: [1e6 / cost for cost in costs] for variant, costs in seconds.items()}


def _rounds(receiver: Receiver, variants: Sequence[str], scale: Scale, **how: Any) -> tuple[Any, Any]:
    """Return the µs a record, in time and in CPU, of each round of each variant."""
    seconds: dict[str, list[float]] = defaultdict(list)
    cpu: dict[str, list[float]] = defaultdict(list)
    for _ in range(scale.rounds):
        for variant in variants:
            found = _deliver(receiver, variant, records=scale.records, **how)
            seconds[variant].append(found["seconds"] / scale.records * 1e6)
            cpu[variant].append(found["cpu"] / scale.records * 1e6)
    return seconds, cpu


def _deliver(receiver: Receiver, variant: str, protocol: str, *, records: int, **how: Any) -> Any:
    receiver.taken()
    endpoint = receiver.grpc if protocol == GRPC else receiver.http
    found = run("delivery", endpoint=endpoint, protocol=protocol, variant=variant, records=records, **how)
    assert variant == BARE or receiver.taken() >= records, f"{variant} delivered too little"
    return found


def _memory(variants: Sequence[str], scale: Scale) -> Found:
    with socket.create_server(("127.0.0.1", 0)) as free:
        refusing = f"http://127.0.0.1:{free.getsockname()[1]}"
    return {
        variant: [run("memory", endpoint=refusing, variant=variant, records=scale.waiting)["bytes"] / 1e6]
        for variant in variants
    }


def _lost(receiver: Receiver, variants: Sequence[str], scale: Scale) -> Found:
    lost = {}
    for variant in variants:
        receiver.taken()
        run("burst", endpoint=receiver.http, variant=variant, records=scale.burst, threads=4)
        lost[variant] = [float(scale.burst - receiver.taken())]
    return lost


def _exit(variants: Sequence[str], scale: Scale) -> Found:
    """Let all variants wait side by side for a receiver that takes connections and says nothing."""
    environ = {"OTEL_EXPORTER_OTLP_TIMEOUT": str(scale.timeout)}

    def leave(variant: str) -> float:
        left = run("leave", endpoint=endpoint, environ=environ, variant=variant, records=100)["left"]
        return time.monotonic() - float(left)

    with _silent() as endpoint:
        return side_by_side(leave, variants)


@contextmanager
def _silent() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
