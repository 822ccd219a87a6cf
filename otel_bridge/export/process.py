"""What the operating system does to a process, and how an exporter lives with it."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


def is_uwsgi_master() -> bool:
    """Tell whether this is uWSGI's master, or a mule: they must start no thread, and send nothing."""
    uwsgi = sys.modules.get("uwsgi")
    return uwsgi is not None and uwsgi.worker_id() == 0


def is_first_uwsgi_worker() -> bool:
    """Tell whether this is the worker that takes over what the master logged before it forked."""
    uwsgi = sys.modules.get("uwsgi")
    return uwsgi is not None and uwsgi.worker_id() == 1


def at_end(deliver: Callable[[], object], when_free: Callable[[Callable[[], object]], object]) -> None:
    """
    Call *deliver* when the interpreter ends, and at SIGTERM.

    Forked children inherit both. SIGTERM is handled only where nobody else handles it, and where this is the main
    thread, as Python demands. Nothing can be done about `os._exit` and SIGKILL.

    Args:
        deliver: Delivers, and returns.
        when_free: Calls what it is given: now, or on another thread, where the signal has interrupted something that
            *deliver* would wait for.
    """
    atexit.register(deliver)
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:

        def handler(number: int, _frame: FrameType | None) -> None:
            signal.signal(number, signal.SIG_DFL)

            def deliver_and_die() -> None:
                deliver()
                os.kill(os.getpid(), number)

            when_free(deliver_and_die)

        signal.signal(signal.SIGTERM, handler)


def at_end_of_child(deliver: Callable[[], object]) -> None:
    """Call *deliver* when this process ends as a child that never comes to `atexit`: multiprocessing, uWSGI."""
    if (util := sys.modules.get("multiprocessing.util")) is not None:
        util.Finalize(None, deliver, exitpriority=0)
    uwsgi: Any = sys.modules.get("uwsgi")
    if uwsgi is not None:
        uwsgi.atexit = _both(getattr(uwsgi, "atexit", None), deliver)


def _both(first: Callable[[], object] | None, second: Callable[[], object]) -> Callable[[], object]:
    def both() -> None:
        if first is not None:
            first()
        second()

    return both
