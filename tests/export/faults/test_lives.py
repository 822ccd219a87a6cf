"""Processes with an unusual life: uWSGI's, ones that are shut down, and ones that get no thread."""

import time
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest

from otel_bridge.export.inspection import inspect
from tests.export.faults.receiver import Exchange, HttpReceiver, accept, silence
from tests.export.faults.runner import NOWHERE, Runner, adopt


def slow(exchange: Exchange) -> None:
    """Take all, and say so after a while."""
    time.sleep(0.8)
    accept(exchange)


@pytest.mark.parametrize("with_spool", [False, True])
def test_what_uwsgi_s_master_logged_is_sent_once(
    runner: Runner, healthy: HttpReceiver, tmp_path: Path, *, with_spool: bool
) -> None:
    """By its first worker, all of it, and not by that worker's successors."""
    options: dict[str, Any] = {"max_buffer_bytes": 400_000}
    if with_spool:
        options["spool_dir"] = str(tmp_path / "spool")
    run = runner.run("in_uwsgi", healthy, count=300, flush=10, options=options)
    assert run.wait() == 0, run.said
    assert run.noted("child") == ["0"] * 4
    assert healthy.serials == run.returned
    assert healthy.again == 0
    assert [found["adopted"] for found in run.statistics] == [0, 300, 0, 0]


def test_what_uwsgi_s_master_logged_is_in_the_spool_of_its_worker(
    runner: Runner, healthy: HttpReceiver, tmp_path: Path
) -> None:
    """If that ends before it has delivered, the next process with the same spool does, once."""
    run = runner.run("in_uwsgi", NOWHERE, count=10, options={"spool_dir": str(tmp_path / "spool")})
    assert run.wait() == 0, run.said
    follower = adopt(runner, healthy, tmp_path / "spool")
    assert healthy.serials == run.returned | follower.returned
    assert healthy.again == 0


@pytest.mark.parametrize("again", [False, True])
def test_what_is_on_its_way_at_a_shutdown_is_not_sent_again(runner: Runner, tmp_path: Path, *, again: bool) -> None:
    """The receiver answers after the deadline, and what it took is taken out of the spool all the same."""
    with HttpReceiver(always=slow) as receiver:
        run = runner.run("shut_down_too_soon", receiver, again=again, options={"spool_dir": str(tmp_path / "spool")})
        assert run.wait() == 0, run.said
        assert not any(is_delivered for is_delivered, _ in run.flushes)
        assert all(took < 0.5 for _, took in run.flushes)
        assert run.statistics[0]["exported"] == 1
        assert inspect(tmp_path / "spool") == []
        adopt(runner, receiver, tmp_path / "spool")
        assert run.returned < receiver.serials
        assert receiver.again == 0


def test_what_a_shutdown_leaves_is_said_and_sent_by_the_next(
    runner: Runner, healthy: HttpReceiver, tmp_path: Path
) -> None:
    """Once, however often it is shut down; the second time returns at once."""
    with HttpReceiver(always=silence) as silent:
        options = {"spool_dir": str(tmp_path / "spool"), "timeout": 0.5}
        run = runner.run("shut_down_too_soon", silent, again=True, options=options)
        assert run.wait() == 0, run.said
    [(_, first), (_, second)] = run.flushes
    assert second < 0.1 < first
    assert run.said.count("1 log records were not delivered before the exporter was shut down, of which") == 1
    adopt(runner, healthy, tmp_path / "spool")
    assert run.returned < healthy.serials


def test_what_others_left_holds_up_no_shutdown(runner: Runner, tmp_path: Path) -> None:
    """It is safe where it is: no more of it is adopted, and what is there of it stays."""
    options = {"spool_dir": str(tmp_path / "spool"), "max_buffer_bytes": 100_000}
    left = runner.run("steady", NOWHERE, count=10_000, way="SIGKILL", options=options)
    left.wait()
    with HttpReceiver(always=slow) as receiver:
        run = runner.run("shut_down", receiver, options=options)
        assert run.wait() == 0, run.said
        [(is_delivered, took)] = run.flushes
        assert is_delivered
        assert took < 8
    assert sum(found.waiting for found in inspect(tmp_path / "spool")) > 2000


def test_a_child_of_a_process_that_was_shut_down_delivers(runner: Runner, healthy: HttpReceiver) -> None:
    """A shutdown ends what one process exports, not what its children do."""
    run = runner.run("forked_after_shutdown", healthy)
    assert run.wait() == 0, run.said
    assert run.noted("child") == ["0"]
    assert healthy.serials == run.returned
    assert healthy.again == 0


def test_a_system_that_grants_no_thread_at_first(runner: Runner, healthy: HttpReceiver) -> None:
    """The sender starts when there is one, and what was logged before is sent too; it is said."""
    run = runner.run("without_threads", healthy)
    healthy.wait(lambda ledger: len(ledger.serials) == 2)
    assert "no thread" in run.said


def test_many_orphans_take_few_descriptors(runner: Runner, healthy: HttpReceiver, tmp_path: Path) -> None:
    """Of a hundred segments a few are open at a time while nothing answers; in the end all are delivered."""
    spool = tmp_path / "spool"
    left = runner.run("steady", NOWHERE, count=3, way="SIGKILL", options={"spool_dir": str(spool)})
    left.wait()
    [segment] = spool.glob("*.spool")
    for number in range(1, 100):
        copyfile(segment, segment.with_name(f"{segment.name[:-14]}{number:08x}.spool"))
    run = runner.run("adopting", NOWHERE, options={"spool_dir": str(spool)})
    assert run.wait() == 0, run.said
    assert int(run.noted("descriptors")[0]) < 100
    adopt(runner, healthy, spool)
    assert len(healthy.order) == 3 * 100 + 2
