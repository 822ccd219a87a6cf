"""Programs of processes with an unusual life: uWSGI's, ones that are shut down, and ones that get no thread."""

import json
import os
import resource
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Final

from tests.export.faults.application import Application

STACK: Final = 8 << 20
"""Bytes that a thread takes."""


def in_uwsgi(application: Application, *, count: int, flush: float | None = None) -> None:
    """Log in a master, and in its workers: the second one, and the first one three times, as uWSGI recycles it."""
    worker, master = 0, os.getpid()
    uwsgi = SimpleNamespace(worker_id=lambda: worker, masterpid=lambda: master)
    sys.modules["uwsgi"] = uwsgi  # type: ignore[assignment]  # it has what is asked of it
    for _ in range(count):
        application.log()
    for number in (2, 1, 1, 1):
        pid = os.fork()
        if not pid:
            worker = number
            uwsgi.post_fork_hook()
            application.log()
            if flush is not None:
                application.flush(flush)
            application.tell()
            os._exit(0)
        application.note("child", os.waitpid(pid, 0)[1])
    os._exit(0)


def shut_down_too_soon(application: Application, *, again: bool, seconds: float = 0.3, wait: float = 1.5) -> None:
    """Shut down before the receiver has answered, again if so asked, and live on until it has."""
    application.log()
    for _ in range(1 + again):
        began = time.monotonic()
        is_delivered = application.provider.shutdown(int(seconds * 1000))
        application.note("flushed", json.dumps([is_delivered, time.monotonic() - began]))
    time.sleep(wait)
    application.tell()
    os._exit(0)


def forked_after_shutdown(application: Application) -> None:
    """Shut down, then log in a child."""
    application.log()
    application.provider.shutdown()
    pid = os.fork()
    if not pid:
        application.log()
        application.flush()
        application.tell()
        os._exit(0)
    application.note("child", os.waitpid(pid, 0)[1])


def without_threads(application: Application) -> None:
    """Log where the system grants no thread, then where it does; never flush."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + STACK // 2, hard))
    application.log()
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    application.log()
    time.sleep(20)


def adopting(application: Application) -> None:
    """Log, wait until something is adopted, and write down how many descriptors are open then."""
    application.log()
    while not application.provider.statistics().adopted:
        time.sleep(0.01)
    # A round more.
    application.flush(0.3)
    application.note("descriptors", len(os.listdir("/proc/self/fd")))  # noqa: PTH208 - of this very process
    os._exit(0)


PROGRAMS: Final = (
    in_uwsgi,
    shut_down_too_soon,
    forked_after_shutdown,
    without_threads,
    adopting,
)
