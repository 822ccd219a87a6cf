"""
What is measured, in a process of its own: `python -m tests.bench.subject TASK ARGUMENTS` prints what it found as JSON.

Tasks are the functions of this module that `TASKS` names; ARGUMENTS is a JSON object.
"""

import gc
import json
import logging
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.bench.application import HANDLER, Application, application, in_threads
from tests.bench.events import CREATED, EVENTS
from tests.export.faults.programs import WAYS

WARM: Final = 600
"""Events before a measurement: more than fill a request."""


def calls(variant: str, rounds: int, events: int) -> dict[str, list[float]]:
    """Return the median µs of a call, of each round, by event."""
    running = application(variant)
    found: dict[str, list[float]] = {}
    for event in EVENTS:
        call = running.logs(event)
        in_threads(call, WARM, 1)
        found[event] = []
        for _ in range(rounds):
            running.flush()
            found[event].append(statistics.median(_nanoseconds(call) for _ in range(events)) / 1000)
    return found


def _nanoseconds(call: Callable[[], object]) -> int:
    start = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - start


def delivery(variant: str, records: int, threads: int, *, chain: bool) -> dict[str, float]:
    """
    Log and deliver, on one core, with a queue that holds everything.

    Returns:
        Seconds of CPU of the whole process, seconds until everything was acknowledged, and the bytes by which the
        process grew meanwhile.
    """
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    running = application(variant, queue=records + WARM)
    call = running.log if chain or running.process is None else running.process
    in_threads(call, WARM, 1)
    running.flush()
    before = _peak()
    cpu, start = time.process_time(), time.perf_counter()
    in_threads(call, records, threads)
    running.flush()
    return {
        "cpu": time.process_time() - cpu,
        "seconds": time.perf_counter() - start,
        "bytes": _peak() - before,
    }


def burst(variant: str, records: int, threads: int) -> dict[str, float]:
    """Log as fast as it goes with the queue that is the default, and deliver."""
    running = application(variant)
    in_threads(running.log, records, threads)
    return {"flushed": running.flush()}


def memory(variant: str, records: int) -> dict[str, float]:
    """Return the bytes by which the process grows while so many records wait."""
    running = application(variant, queue=records + WARM)
    in_threads(running.log, WARM, 1)
    gc.collect()
    before = _resident()
    in_threads(running.log, records, 1)
    gc.collect()
    return {"bytes": _resident() - before}


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def leave(variant: str, records: int) -> dict[str, float]:
    """Log, and return when the program was left; what is measured is how long the process then lives."""
    running = application(variant)
    in_threads(running.log, records, 1)
    return {"left": time.monotonic()}


def numbered(
    variant: str, numbers: tuple[int, int], rate: float = 0.0, way: str | None = None, spool: str | None = None
) -> dict[str, bool]:
    """Log a record for each number, *rate* a second or as fast as it goes; end as `WAYS` says, or flush."""
    running = application(variant, spool=spool)
    began = time.monotonic()
    for number in range(*numbers):
        if rate:
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
        log_numbered(running, variant, number)
    if way is not None:
        WAYS[way]()
    return {"flushed": running.flush()}


def log_numbered(running: Application, variant: str, number: int) -> None:
    """Log `zaak_created` with its number, in such a way that the record has it as an attribute."""
    keys = {"serial": f"{number}", **EVENTS[CREATED].keys}
    if variant == HANDLER:
        # It makes no attributes of an event dict, only of what `logging` was given.
        logging.getLogger(running.logger.name).info(CREATED, extra=keys)
    else:
        running.logger.info(CREATED, **keys)


TASKS: Final[dict[str, Callable[..., Any]]] = {
    task.__name__: task for task in (calls, delivery, burst, memory, leave, numbered)
}


if __name__ == "__main__":
    result = TASKS[sys.argv[1]](**json.loads(sys.argv[2]))
    print(json.dumps(result), flush=True)  # noqa: T201 - for its parent
    if sys.argv[1] != "leave":
        os._exit(0)
