"""Records that are logged where it is difficult: they arrive once, and nothing waits for ever."""

from pathlib import Path

import pytest

from tests.export.faults.receiver import HttpReceiver, silence
from tests.export.faults.runner import Run, Runner


def check(run: Run, receiver: HttpReceiver) -> None:
    """Check that it ended well, that all arrived once, and that the counts say so."""
    assert run.wait() == 0, run.said
    assert "Traceback" not in run.said
    assert run.returned <= receiver.serials <= run.started
    assert not receiver.twice
    assert receiver.again == 0
    for found in run.statistics:
        counts = found["exported"], found["waiting"], found["waiting_bytes"]
        assert counts == (found["created"], 0, 0), (run.flushes, run.said)


def test_threads(runner: Runner, healthy: HttpReceiver) -> None:
    """Eight of them, as fast as they can."""
    run = runner.run("steady", healthy, count=500, threads=8, flush=20)
    check(run, healthy)
    assert len(healthy.order) == 4000


def test_asyncio(runner: Runner, healthy: HttpReceiver) -> None:
    """Tasks log, and a flush waits on another thread."""
    check(runner.run("in_asyncio", healthy), healthy)
    assert len(healthy.order) == 400


@pytest.mark.parametrize(("way", "code"), [("return", 0), ("SIGTERM", -15)])
def test_gevent(runner: Runner, healthy: HttpReceiver, tmp_path: Path, way: str, code: int) -> None:
    """Greenlets log, of a program that gevent has patched before anything was imported; it ends in either way."""
    (tmp_path / "sitecustomize.py").write_text("import gevent.monkey\ngevent.monkey.patch_all()\n")
    paths = f"{tmp_path}:{Path(__file__).parents[3]}"
    run = runner.run("in_gevent", healthy, fresh=True, environ={"PYTHONPATH": paths}, way=way)
    assert run.wait() == code, run.said
    assert run.returned == healthy.serials
    assert len(run.returned) == 402
    assert not healthy.twice


def test_finalisers(runner: Runner, healthy: HttpReceiver) -> None:
    """`__del__` logs wherever the collector happens to run, in our own code too."""
    check(runner.run("in_finalisers", healthy), healthy)


def test_a_finaliser_while_the_interpreter_ends(runner: Runner, healthy: HttpReceiver) -> None:
    """It does not hang there; whether it still can be sent is not promised."""
    run = runner.run("when_the_interpreter_ends", healthy)
    assert run.wait(10) == 0, run.said
    assert len(healthy.serials) >= 1


def test_a_signal_handler(runner: Runner, healthy: HttpReceiver) -> None:
    """It logs and flushes, in the midst of our own code too; not one is lost of the count."""
    run = runner.run("in_a_signal_handler", healthy)
    check(run, healthy)
    assert healthy.severities[17] > 10


def test_a_signal_handler_that_raises(runner: Runner, healthy: HttpReceiver) -> None:
    """As at Ctrl-C: a record is there wholly or not at all, and the counts stay true."""
    run = runner.run("interrupted", healthy)
    assert run.wait() == 0, run.said
    assert int(run.noted("interruptions")[0]) > 10
    assert run.returned <= healthy.serials <= run.started
    [found] = run.statistics
    assert found["created"] == found["exported"] == len(healthy.order)
    assert (found["waiting"], found["waiting_bytes"]) == (0, 0)


@pytest.mark.parametrize("is_first", [False, True])
def test_an_atexit_hook(runner: Runner, healthy: HttpReceiver, *, is_first: bool) -> None:
    """It logs after our own hook has run, or the first record of its process."""
    check(runner.run("at_exit", healthy, is_first=is_first), healthy)
    assert len(healthy.order) == 5 + (not is_first)


@pytest.mark.parametrize("is_first", [False, True])
def test_an_atexit_hook_with_nothing_answering(runner: Runner, *, is_first: bool) -> None:
    """Each record does not wait anew: the process ends in time."""
    with HttpReceiver(always=silence) as receiver:
        run = runner.run("at_exit", receiver, is_first=is_first, count=20)
        assert run.wait(8) == 0, run.said


def test_a_clock_that_jumps_back(runner: Runner, healthy: HttpReceiver, tmp_path: Path) -> None:
    """All arrives, in the order of the calls, under uids of their own."""
    run = runner.run("back_in_time", healthy, options={"spool_dir": str(tmp_path / "spool")})
    check(run, healthy)
    assert healthy.order == run.noted("after")


def test_the_exporter_exports_nothing_of_itself(runner: Runner, healthy: HttpReceiver) -> None:
    """With everything at DEBUG and exported, what its own libraries log is not; the application's `urllib3` is."""
    run = runner.run("with_urllib3_at_debug", healthy)
    check(run, healthy)
    assert len(healthy.order) == 150, healthy.events
    assert run.statistics[0]["created"] == 150
