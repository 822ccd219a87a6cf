"""
What is measured, in a process of its own: `python -m tests.bench.subject TASK ARGUMENTS` prints what it found as JSON.

Tasks are the functions of this module that `TASKS` names; ARGUMENTS is a JSON object.
"""

import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.bench.application import application, in_threads

WARM: Final = 600
"""Events before a measurement: more than fill a request."""


def calls(variant: str, rounds: int, events: int) -> dict[str, list[float]]:
    """Return the median µs of a call, of each round."""
    running = application(variant)
    in_threads(running.log, WARM, 1)
    found = []
    for _ in range(rounds):
        running.flush()
        found.append(statistics.median(_nanoseconds(running.log) for _ in range(events)) / 1000)
    return {"medians": found}


def _nanoseconds(call: Callable[[], object]) -> int:
    start = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - start


def delivery(variant: str, records: int, threads: int, *, chain: bool) -> dict[str, float]:
    """
    Log and deliver, on one core, with a queue that holds everything.

    Returns:
        Seconds of CPU of the whole process, and seconds until everything was acknowledged.
    """
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    running = application(variant, queue=records + WARM)
    call = running.log if chain or running.process is None else running.process
    in_threads(call, WARM, 1)
    running.flush()
    cpu, start = time.process_time(), time.perf_counter()
    in_threads(call, records, threads)
    running.flush()
    return {"cpu": time.process_time() - cpu, "seconds": time.perf_counter() - start}


def burst(variant: str, records: int) -> dict[str, float]:
    """Log as fast as it goes with the queue that is the default, and deliver."""
    running = application(variant)
    in_threads(running.log, records, 1)
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


def leave(variant: str, records: int) -> dict[str, float]:
    """Log, and return when the program was left; what is measured is how long the process then lives."""
    running = application(variant)
    in_threads(running.log, records, 1)
    return {"left": time.monotonic()}


TASKS: Final[dict[str, Callable[..., Any]]] = {task.__name__: task for task in (calls, delivery, burst, memory, leave)}


if __name__ == "__main__":
    result = TASKS[sys.argv[1]](**json.loads(sys.argv[2]))
    print(json.dumps(result), flush=True)  # noqa: T201 - for its parent
    if sys.argv[1] != "leave":
        os._exit(0)
