"""
What runs in the processes under test.

As a module it is a zygote: for each order on its stdin it forks a process that has everything imported, and says on its
stdout how that ended. With an order as its argument it runs that alone.
"""

import ctypes
import faulthandler
import itertools
import json
import multiprocessing
import multiprocessing.util
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from importlib import import_module
from typing import Any, Final, NoReturn

import structlog

from tests.export.faults import lives, surroundings
from tests.export.faults.application import Application

PRELOADED: Final = ("otel_bridge.export.grpc", "otel_bridge.export.http", "encodings.idna")
"""What would be imported after the fork otherwise, each time."""

LIBC: Final = ctypes.PyDLL(None)
"""Keeps the GIL, as uWSGI does: a child would wait for it for ever otherwise, with any library or none."""


def hookless() -> int:
    """
    Fork in C: Python's hooks do not run.

    CPython itself fails in a child that is forked while another thread waits for the GIL: glibc's condition variable
    goes on waiting for that thread to leave it (`__condvar_quiesce_and_switch_g1` under `drop_gil`). Where three
    threads compete, 21 of 30 children hung that had imported nothing but `threading`. So who wants it gets it first.
    """
    time.sleep(0.02)
    pid: int = LIBC.fork()
    return pid


FORKS: Final[Mapping[str, Callable[[], int]]] = {"os.fork": os.fork, "C": hookless}


def _raise() -> NoReturn:
    raise RuntimeError("as the test asked")


WAYS: Final[Mapping[str, Callable[[], object]]] = {
    "return": lambda: None,
    "sys.exit": lambda: sys.exit(3),
    "exception": _raise,
    "os._exit": lambda: os._exit(4),
    "SIGTERM": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "SIGINT": lambda: os.kill(os.getpid(), signal.SIGINT),
    "SIGKILL": lambda: os.kill(os.getpid(), signal.SIGKILL),
}
"""How a process ends."""


def steady(
    application: Application,
    *,
    count: int = 100,
    rate: float = 0.0,
    threads: int = 1,
    levels: tuple[str, ...] = ("info",),
    poison: tuple[int, ...] = (),
    flush: float | None = None,
    way: str = "return",
) -> None:
    """Log *count* records on each of some threads, *rate* a second or as fast as it goes; flush, and end."""
    began = time.monotonic()

    def log() -> None:
        for number in range(count):
            if rate:
                time.sleep(max(0.0, began + number / rate - time.monotonic()))
            more = {"poison": "yes"} if number in poison else {}
            application.log(levels[number % len(levels)], **more)

    _on_threads(threads, log)
    if flush is not None:
        application.flush(flush)
    application.tell()
    WAYS[way]()


def _on_threads(number: int, work: Callable[[], object]) -> None:
    """Do *work* on so many threads, this one among them."""
    others = [threading.Thread(target=work) for _ in range(number - 1)]
    for thread in others:
        thread.start()
    work()
    for thread in others:
        thread.join()


def storm(
    application: Application, *, threads: int = 4, count: int | None = None, pause: float = 0.0005, way: str = "return"
) -> None:
    """Log on this thread, *count* records or without end, and without end on others; end while those go on."""
    application.log()

    def log() -> None:
        while True:
            application.log()
            time.sleep(pause)

    for _ in range(threads - 1):
        threading.Thread(target=log, daemon=True).start()
    for _ in range(count or sys.maxsize):
        application.log()
        time.sleep(pause)
    WAYS[way]()


def first_on_a_thread(application: Application) -> None:
    """Log the first record on another thread than the main one, then end by SIGTERM."""
    thread = threading.Thread(target=application.log)
    thread.start()
    thread.join()
    application.note("handler", signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
    WAYS["SIGTERM"]()


def sampled(application: Application, *, threads: int = 4, count: int = 2000, forks: int = 0) -> None:
    """Log on some threads, in forked children too, while another one reads the statistics all the time."""
    is_over = threading.Event()
    application.log()

    def sample() -> None:
        samples = wrong = 0
        while not is_over.is_set():
            found = application.provider.statistics()
            samples += 1
            settled = found.exported + found.rejected + sum(found.dropped.values())
            wrong += found.created + found.adopted != settled + found.waiting
        application.note("samples", json.dumps([samples, wrong]))

    sampler = threading.Thread(target=sample)
    sampler.start()
    children = [_child("os.fork", lambda: sampled(application, threads=threads, count=count)) for _ in range(forks)]
    _on_threads(threads, lambda: _log(application, count))
    application.flush(20)
    is_over.set()
    sampler.join()
    application.tell()
    for child in children:
        os.waitpid(child, 0)


def _log(application: Application, count: int) -> None:
    for _ in range(count):
        application.log()


def _child(fork: str, work: Callable[[], object]) -> int:
    """Do *work* in a forked child, which then ends at once."""
    pid = FORKS[fork]()
    if pid == 0:
        code = 1
        with suppress(BaseException):
            work()
            code = 0
        os._exit(code)
    return pid


def forking(
    application: Application, *, fork: str, threads: int = 4, forks: int = 5, count: int = 20, nested: bool = False
) -> None:
    """
    Fork on each of some threads while all of them log; the children log, flush and end without `atexit`.

    In C they do so in turn: see `hookless`. What waits in the buffer waits all the same.
    """
    application.log()
    turn = threading.Lock() if fork == "C" else nullcontext()
    all_here = threading.Barrier(threads)

    def log_in_child(depth: int) -> None:
        grandchild = _child(fork, lambda: log_in_child(depth - 1)) if depth else None
        _log(application, count)
        application.flush()
        application.tell()
        if grandchild is not None:
            application.note("child", os.waitpid(grandchild, 0)[1])

    def log_and_fork() -> None:
        all_here.wait()
        for _ in range(forks):
            with turn:
                _log(application, count)
                child = _child(fork, lambda: log_in_child(int(nested)))
                _log(application, count)
                application.note("child", os.waitpid(child, 0)[1])

    _on_threads(threads, log_and_fork)
    application.flush()
    application.tell()


def orphaned(application: Application, *, fork: str) -> None:
    """Fork, and end at once; the child goes on, and ends by `sys.exit` after its parent."""
    application.log()
    parent = os.getpid()
    if FORKS[fork]() == 0:
        application.log()
        while os.getppid() == parent:
            time.sleep(0.005)
        application.log()
        application.note("orphan", os.getpid())


def forked_at_once(application: Application, *, fork: str, after: float) -> None:
    """Fork while the sender of this process is just starting."""
    application.log()
    time.sleep(after)

    def log_in_child() -> None:
        application.log()
        application.flush()

    application.note("child", os.waitpid(_child(fork, log_in_child), 0)[1])


def pool(application: Application, *, method: str) -> None:
    """Log in processes of `multiprocessing`; they log, and return."""
    application.log()
    context: Any = multiprocessing.get_context(method)
    processes = [context.Process(target=_process, args=application.given) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(20)
        application.note("child", process.exitcode)


def _process(journal: str, options: Mapping[str, Any]) -> None:
    _log(Application(journal, options), 20)


def shut_down(application: Application, *, count: int = 10, seconds: float = 10.0) -> None:
    """Log, shut down, log again."""
    for _ in range(count):
        application.log()
    began = time.monotonic()
    is_delivered = application.provider.shutdown(int(seconds * 1000))
    application.note("flushed", json.dumps([is_delivered, time.monotonic() - began]))
    for _ in range(count):
        application.log()
    application.tell()


def audited(application: Application, *, count: int = 2000) -> None:
    """Log errors, and among them some records of the audit log."""
    audit = structlog.get_logger()
    for number in range(count):
        application.log("error")
        if number % (count // 50) == 0:
            audit.info("audit_record", logger="audit")
    application.tell()


def together(application: Application, *, threads: int) -> None:
    """Log the first records of a process on some threads at once, and be killed."""
    all_here = threading.Barrier(threads)

    order = itertools.count()

    def log() -> None:
        all_here.wait()
        time.sleep(next(order) * 0.0005)
        application.log()

    _on_threads(threads, log)
    WAYS["SIGKILL"]()


PROGRAMS: Final[Mapping[str, Callable[..., object]]] = {
    program.__name__: program
    for program in (
        steady,
        storm,
        first_on_a_thread,
        sampled,
        forking,
        orphaned,
        forked_at_once,
        pool,
        shut_down,
        audited,
        together,
        *surroundings.PROGRAMS,
        *lives.PROGRAMS,
    )
}


def run(order: Mapping[str, Any]) -> None:
    """Run one program."""
    os.setsid()
    error = os.open(order["stderr"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(error, sys.stderr.fileno())
    faulthandler.register(signal.SIGUSR1)
    # A shell that starts the tests in the background lets them ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(order["environ"])
    for kind, limit in order["limits"]:
        surroundings.LIMITS[kind](limit)
    PROGRAMS[order["program"]](Application(order["journal"], order["options"]), **order["arguments"])


def zygote() -> None:
    """Fork a process for each order on stdin; return in that process, and where there are no more orders."""
    for module in PRELOADED:
        import_module(module)
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    rest = b""
    while True:
        ready, _, _ = select.select([sys.stdin, heard], [], [])
        if heard in ready:
            os.read(heard, 4096)
            _say_ended()
        if sys.stdin in ready:
            data = os.read(sys.stdin.fileno(), 65_536)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    _to_nowhere(sys.stdin.fileno(), sys.stdout.fileno())
                    os.close(heard)
                    os.close(told)
                    run(json.loads(line))
                    return
                _say({"started": pid})


def _say_ended() -> None:
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            _say({"ended": ended[0], "code": os.waitstatus_to_exitcode(ended[1])})


def _say(said: Mapping[str, int]) -> None:
    os.write(sys.stdout.fileno(), json.dumps(said).encode() + b"\n")


def _to_nowhere(*descriptors: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(nowhere, descriptor)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(json.loads(sys.argv[1]))
    else:
        zygote()
