"""What the operating system does to a process, and how an exporter lives with it."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any


def is_uwsgi_master() -> bool:
    """
    Tell whether this process is there to fork uWSGI's workers: it must start no thread, and send nothing.

    Without `--master` that is the first worker itself, as long as it loads the application.
    """
    uwsgi = sys.modules.get("uwsgi")
    return uwsgi is not None and uwsgi.worker_id() == 0 and uwsgi.masterpid() in (0, os.getpid())


def is_first_uwsgi_worker() -> bool:
    """Tell whether this is the worker that takes over what the master logged before it forked."""
    uwsgi = sys.modules.get("uwsgi")
    return uwsgi is not None and uwsgi.worker_id() == 1


def lacks_threads() -> bool:
    """Tell whether this worker of uWSGI runs no thread while it waits for requests: before 2.0.27 they are off."""
    uwsgi = sys.modules.get("uwsgi")
    return uwsgi is not None and not getattr(uwsgi, "has_threads", True)


def in_uwsgi_workers(call: Callable[[], object]) -> None:
    """Call *call* in each worker that this process, uWSGI's master, forks from now on."""
    # Whoever imports `uwsgidecorators` later takes this place away: then the first record of a worker has to do.
    uwsgi: Any = sys.modules["uwsgi"]
    uwsgi.post_fork_hook = _both(getattr(uwsgi, "post_fork_hook", None), call)


def at_end(deliver: Callable[[], object], when_free: Callable[[Callable[[], object]], object]) -> None:
    """
    Call *deliver* when the interpreter ends, and at SIGTERM.

    Forked children inherit both. SIGTERM is handled only where this is the main thread, as Python demands, and where
    nobody else does (uWSGI does, without Python knowing), or uvicorn, which dies of it in the end. Nothing can be done
    about `os._exit` and SIGKILL.

    Args:
        deliver: Delivers, and returns.
        when_free: Calls what it is given: now, or on another thread, where the signal has interrupted something that
            *deliver* would wait for.
    """
    atexit.register(deliver)
    if sys.modules.get("uwsgi") is not None or threading.current_thread() is not threading.main_thread():
        return
    theirs: Any = signal.getsignal(signal.SIGTERM)

    def deliver_and_die(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)

        def both() -> None:
            deliver()
            os.kill(os.getpid(), number)

        when_free(both)

    def deliver_too(number: int, frame: FrameType | None) -> None:
        theirs(number, frame)
        when_free(deliver)

    if theirs is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, deliver_and_die)
    elif getattr(theirs, "__module__", None) == "uvicorn.server":
        signal.signal(signal.SIGTERM, deliver_too)
        if theirs.__self__.should_exit:
            # The signal came while it was loading the application.
            deliver()


def at_end_of_child(deliver: Callable[[], object]) -> None:
    """Call *deliver* when this process ends as a child that never comes to `atexit`: multiprocessing, Celery, uWSGI."""
    if (signals := sys.modules.get("celery.signals")) is not None:
        signals.worker_process_shutdown.connect(lambda **_: deliver(), weak=False)
    if (util := sys.modules.get("multiprocessing.util")) is not None:
        util.Finalize(None, deliver, exitpriority=0)
    uwsgi: Any = sys.modules.get("uwsgi")
    if uwsgi is not None:
        uwsgi.atexit = _both(getattr(uwsgi, "atexit", None), _both(_hear_no_more, deliver))


def _hear_no_more() -> None:
    """Ignore signals: at a second one uWSGI ends a worker in the middle of what it does at its end."""
    # Only the main thread may do so, which most workers end on.
    with suppress(ValueError):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)


def _both(first: Callable[[], object] | None, second: Callable[[], object]) -> Callable[[], object]:
    def both() -> None:
        if first is not None:
            first()
        second()

    return both
