"""Programs that log from unusual places, and what may be denied to a process."""

import asyncio
import atexit
import gc
import itertools
import logging
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from otel_bridge import LogBridgeHandler
from tests.export.faults.application import Application

LIMITS: Final[Mapping[str, Callable[[int], object]]] = {
    "file": lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
}
"""What a process may be denied: files of more than so many bytes."""


def in_asyncio(application: Application, *, tasks: int = 20, count: int = 20) -> None:
    """Log from tasks, and flush in a thread meanwhile."""

    async def log() -> None:
        for _ in range(count):
            application.log()
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*(log() for _ in range(tasks)), asyncio.to_thread(application.flush))

    asyncio.run(main())


def in_gevent(application: Application, *, tasks: int = 20, count: int = 20, way: str = "return") -> None:
    """Log from greenlets; gevent has replaced threads, locks and sockets before anything was imported."""
    import gevent  # type: ignore  # noqa: PLC0415 - it has no types, and may not be installed

    def log() -> None:
        for _ in range(count):
            application.log()
            gevent.sleep(0)

    # A greenlet is another thread than the main one, which alone may handle SIGTERM.
    application.log()
    gevent.joinall([gevent.spawn(log) for _ in range(tasks)])
    application.flush()
    application.log()
    application.tell()
    if way == "SIGTERM":
        os.kill(os.getpid(), signal.SIGTERM)
        gevent.sleep(10)


class _Last:
    """Logs when it is collected; it is in a cycle, so that it is collected wherever that happens to be."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._itself = self

    def __del__(self) -> None:
        # What is logged on the exporter's thread is not exported; the collector may run there.
        if threading.current_thread().name != "otel-bridge":
            self._application.log()


def in_finalisers(application: Application, *, count: int = 2000) -> None:
    """Log while objects are collected that log, on two threads."""
    gc.set_threshold(20)

    def log() -> None:
        for _ in range(count):
            _Last(application)
            application.log()

    thread = threading.Thread(target=log)
    thread.start()
    log()
    thread.join()
    # A collection does nothing while another one is at work, as on the exporter's thread.
    while any(isinstance(found, _Last) for found in gc.get_objects()):
        gc.collect()
    application.flush()
    application.tell()


KEPT: Final[list[_Last]] = []


def when_the_interpreter_ends(application: Application) -> None:
    """Leave an object behind that logs when the interpreter takes its modules apart."""
    application.log()
    KEPT.append(_Last(application))


def in_a_signal_handler(application: Application, *, count: int = 3000) -> None:
    """Log while a signal handler logs and flushes, some thousand times a second."""
    calls = itertools.count()
    application.log()

    depth = 0

    def handler(*_: object) -> None:
        nonlocal depth
        depth += 1
        # It interrupts itself, too.
        if depth <= 3:
            application.log("error")
            if next(calls) % 20 == 0:
                application.provider.force_flush(1000)
        depth -= 1

    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0005)
    for _ in range(count):
        application.log()
    signal.setitimer(signal.ITIMER_REAL, 0)
    application.flush()
    application.tell()


class Interruption(BaseException):
    """What a signal handler raises, as Ctrl-C does."""


def interrupted(application: Application, *, count: int = 5000) -> None:
    """Log while a signal handler raises, again and again, and go on."""
    application.log()
    interruptions = 0
    is_armed = False

    def handler(*_: object) -> None:
        nonlocal is_armed
        if is_armed:
            is_armed = False
            raise Interruption

    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0003)
    for _ in range(count):
        try:
            is_armed = True
            application.log()
            is_armed = False
        except Interruption:
            interruptions += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    application.note("interruptions", interruptions)
    application.flush()
    application.tell()


def at_exit(application: Application, *, is_first: bool, count: int = 5) -> None:
    """Log in an atexit hook that runs after the provider's own, or before there is one."""
    for _ in range(count):
        atexit.register(application.log)
    if not is_first:
        application.log()


def reading_statistics(application: Application) -> None:
    """Log, and read the statistics without end."""
    application.log()
    while True:
        application.provider.statistics()


def back_in_time(application: Application, *, count: int = 50) -> None:
    """Log while the clock jumps back an hour at each record."""
    moments = itertools.count(time.time_ns(), -3_600_000_000_000)
    for module in [module for module in sys.modules.values() if module.__name__.startswith(("otel_bridge", "time"))]:
        if hasattr(module, "time_ns"):
            vars(module)["time_ns"] = lambda: next(moments)
    for _ in range(count):
        application.log()
    application.flush()
    application.tell()


def with_urllib3_at_debug(application: Application, *, count: int = 50, seconds: float = 1.0) -> None:
    """Export everything that `logging` has, at the lowest level, that of the exporter's libraries too."""
    handler: Any = LogBridgeHandler(logger_provider=application.provider)
    logging.basicConfig(level=1, handlers=[handler])
    for _ in range(count):
        application.log()
        logging.getLogger("app").debug("of the application")
        logging.getLogger("urllib3").debug("of the application, too")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        application.flush()
        time.sleep(0.05)
    application.tell()


PROGRAMS: Final = (
    in_asyncio,
    in_gevent,
    in_finalisers,
    when_the_interpreter_ends,
    in_a_signal_handler,
    interrupted,
    at_exit,
    reading_statistics,
    back_in_time,
    with_urllib3_at_debug,
)
