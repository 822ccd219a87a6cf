"""What is done at the end of a process, and what uWSGI's master must not do."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, Final

import pytest

from otel_bridge.export import process

Run = Callable[..., str]
ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)


@pytest.mark.parametrize(
    ("worker", "master", "is_master", "is_first"),
    [
        (0, os.getpid(), True, False),
        (0, 1, False, False),
        (0, 0, True, False),
        (1, 1, False, True),
        (2, 1, False, False),
    ],
    ids=["master", "mule", "before the only worker", "first worker", "second worker"],
)
def test_uwsgi_tells_who_this_is(
    monkeypatch: pytest.MonkeyPatch, worker: int, master: int, *, is_master: bool, is_first: bool
) -> None:
    """Its module is there in its own processes only."""
    uwsgi = SimpleNamespace(worker_id=lambda: worker, masterpid=lambda: master)
    monkeypatch.setitem(sys.modules, "uwsgi", uwsgi)
    assert (process.is_uwsgi_master(), process.is_first_uwsgi_worker()) == (is_master, is_first)


@pytest.mark.parametrize(("has", "lacks"), [({"has_threads": 1}, False), ({"has_threads": 0}, True), ({}, False)])
def test_uwsgi_tells_whether_it_runs_threads(
    monkeypatch: pytest.MonkeyPatch, has: dict[str, int], *, lacks: bool
) -> None:
    """One that does not say so is believed to."""
    monkeypatch.setitem(sys.modules, "uwsgi", SimpleNamespace(**has))
    assert process.lacks_threads() == lacks


def test_outside_of_uwsgi_nobody_is_its_master() -> None:
    """Nor its first worker."""
    assert "uwsgi" not in sys.modules
    assert not process.is_uwsgi_master()
    assert not process.is_first_uwsgi_worker()
    assert not process.lacks_threads()


@pytest.fixture
def handlers() -> Iterator[None]:
    """Keep the handlers of this process's signals."""
    kept = {number: signal.getsignal(number) for number in ENDING}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_uwsgi_calls_what_was_there_and_then_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its `atexit` is one attribute, which the application may have set. From then on no signal disturbs it."""
    called: list[str] = []
    uwsgi: Any = SimpleNamespace(worker_id=lambda: 1, atexit=lambda: called.append("the application's"))
    monkeypatch.setitem(sys.modules, "uwsgi", uwsgi)
    monkeypatch.delitem(sys.modules, "multiprocessing.util", raising=False)
    process.at_end_of_child(lambda: called.append("ours"))
    uwsgi.atexit()
    assert called == ["the application's", "ours"]
    assert {signal.getsignal(number) for number in ENDING} == {signal.SIG_IGN}


def test_a_handler_of_the_application_stays(run: Run) -> None:
    """SIGTERM is ours only where nobody else handles it."""
    code = """
        import os, signal
        from otel_bridge.export import process
        signal.signal(signal.SIGTERM, lambda *_: print("the application's"))
        process.at_end(lambda: print("at exit"), lambda call: call())
        os.kill(os.getpid(), signal.SIGTERM)
        print("goes on")
    """
    assert run(code).splitlines() == ["the application's", "goes on", "at exit"]


def test_another_thread_installs_no_handler(run: Run) -> None:
    """Python lets the main thread alone; `atexit` works all the same."""
    code = """
        import signal, threading
        from otel_bridge.export import process
        thread = threading.Thread(target=process.at_end, args=(lambda: print("at exit"), lambda call: call()))
        thread.start()
        thread.join()
        print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
    """
    assert run(code).splitlines() == ["True", "at exit"]


def test_sigterm_delivers_once_and_then_kills(run: Run) -> None:
    """The parent sees a process that SIGTERM killed; the second one finds the default again."""
    code = """
        import os, signal
        from otel_bridge.export import process
        pid = os.fork()
        if pid == 0:
            process.at_end(lambda: os.write(1, b"delivered "), lambda call: call())
            os.kill(os.getpid(), signal.SIGTERM)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    assert run(code) == "delivered -15\n"
