"""A process that ends, in any way and at any instant: what its calls logged arrives, now or through the spool."""

import signal
import time
from pathlib import Path
from typing import Any, Final

import pytest

from otel_bridge.export.inspection import inspect
from tests.export.faults.receiver import HttpReceiver, silence
from tests.export.faults.runner import Run, Runner, instants

DELIVERED: Final = {"return": 0, "sys.exit": 3, "exception": 1, "SIGINT": 1, "SIGTERM": -signal.SIGTERM}
"""Ways to end at which Python lets us deliver, to the exit code that they have without us (130 at SIGINT)."""
SUDDEN: Final = {"os._exit": 4, "SIGKILL": -signal.SIGKILL}
"""Ways to end at which it does not."""
SIGNALS: Final = {"SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT, "SIGKILL": signal.SIGKILL}
LONGEST: Final = 0.25
"""Seconds of the longest life."""
TIMES: Final = [10, pytest.param(200, marks=pytest.mark.soak)]


def collect(runner: Runner, receiver: HttpReceiver, spool: Path, runs: list[Run]) -> None:
    """Let a next process adopt what *runs* left in the spool, and wait until all that returned has arrived."""
    started = set().union(*(run.started for run in runs))
    returned = set().union(*(run.returned for run in runs))
    follower = runner.run("steady", receiver, count=1, flush=20, options={"spool_dir": str(spool)})
    assert follower.wait() == 0, follower.said
    assert follower.flushes[0][0], follower.said
    arrived = receiver.serials - follower.started
    assert returned <= arrived <= started, f"{len(returned - arrived)} of {len(returned)} are lost"
    assert not receiver.twice
    assert sum(segment.waiting for segment in inspect(spool)) == 0


def end(runner: Runner, receiver: HttpReceiver, way: str, instant: float, pause: float = 0.0005, **options: Any) -> Run:
    """Run a storm, and end it: by a signal from outside after so many seconds, else itself after so many records."""
    if way in SIGNALS:
        run = runner.run("storm", receiver, options=options, pause=pause)
        run.until(lambda run: run.returned != set())
        time.sleep(instant)
        run.kill(SIGNALS[way])
    else:
        run = runner.run("storm", receiver, count=1 + int(instant * 1000), way=way, options=options, pause=pause)
    run.wait()
    return run


@pytest.mark.parametrize("rounds", TIMES)
@pytest.mark.parametrize("way", DELIVERED)
def test_what_returned_is_delivered_before_the_process_ends(
    runner: Runner, healthy: HttpReceiver, way: str, rounds: int
) -> None:
    """Without a spool, while three more threads go on logging; none comes twice, and the exit code is Python's own."""
    for number, instant in enumerate(instants(rounds, LONGEST)):
        began = time.monotonic()
        run = end(runner, healthy, way, instant, pause=(0.0005, 0)[number % 2])
        assert time.monotonic() - began < instant + 4, "it waited for its deadline"
        assert run.code in {DELIVERED[way], -signal.SIGINT if way == "SIGINT" else DELIVERED[way]}
        assert run.returned <= healthy.serials, f"{len(run.returned - healthy.serials)} of {len(run.returned)} are lost"
        assert healthy.serials & run.started <= run.started
        assert "not delivered" not in run.said
    assert not healthy.twice
    assert healthy.again == 0


@pytest.mark.parametrize("rounds", TIMES)
@pytest.mark.parametrize("way", SUDDEN)
def test_what_returned_survives_in_the_spool(
    runner: Runner, healthy: HttpReceiver, tmp_path: Path, way: str, rounds: int
) -> None:
    """At any instant, the first one included, while the receiver comes and goes; the next process delivers it."""
    runs = []
    for number, instant in enumerate(instants(rounds, LONGEST)):
        if number % 3 == 1:
            healthy.down()
        runs.append(end(runner, healthy, way, instant, spool_dir=str(tmp_path / "spool")))
        if number % 3 == 1:
            healthy.up()
    collect(runner, healthy, tmp_path / "spool", runs)


@pytest.mark.parametrize("way", SUDDEN)
def test_what_a_flush_delivered_needs_no_spool(runner: Runner, healthy: HttpReceiver, way: str) -> None:
    """What was flushed before `os._exit` or SIGKILL has arrived."""
    run = runner.run("steady", healthy, count=50, flush=10, way=way)
    assert run.wait() == SUDDEN[way]
    assert run.returned == healthy.serials


@pytest.mark.parametrize("way", DELIVERED)
def test_a_process_that_delivered_all_leaves_no_file(
    runner: Runner, healthy: HttpReceiver, tmp_path: Path, way: str
) -> None:
    """Not even an empty segment."""
    options = {"spool_dir": str(tmp_path / "spool")}
    run = runner.run("steady", healthy, count=50, way=way, options=options)
    assert run.wait() in {DELIVERED[way], -signal.SIGINT if way == "SIGINT" else DELIVERED[way]}
    assert healthy.serials == run.returned
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.parametrize(
    ("program", "arguments"),
    [("at_exit", {"is_first": False}), ("at_exit", {"is_first": True}), ("pool", {"method": "fork"})],
)
def test_nor_do_hooks_and_children(
    runner: Runner, healthy: HttpReceiver, tmp_path: Path, program: str, arguments: dict[str, Any]
) -> None:
    """What is logged after our own hook has run, and processes of `multiprocessing`, leave none either."""
    run = runner.run(program, healthy, options={"spool_dir": str(tmp_path / "spool")}, **arguments)
    assert run.wait() == 0, run.said
    assert healthy.serials == run.returned
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.parametrize("way", SUDDEN)
def test_what_a_sudden_end_leaves_empty_is_deleted_by_the_next(
    runner: Runner, healthy: HttpReceiver, tmp_path: Path, way: str
) -> None:
    """All was delivered, but nobody could delete the segment; whoever adopts it does, and sends nothing."""
    spool = tmp_path / "spool"
    run = runner.run("steady", healthy, count=50, flush=10, way=way, options={"spool_dir": str(spool)})
    run.wait()
    assert len(list(spool.iterdir())) == 1
    collect(runner, healthy, spool, [run])
    assert healthy.again == 0
    assert list(spool.iterdir()) == []


def test_with_nothing_answering_a_process_ends_in_five_seconds(runner: Runner, tmp_path: Path) -> None:
    """
    It says how many it could not deliver, and what the spool keeps of them; nothing of it is lost.

    That `multiprocessing` has a hook for the end of a process too does not make it twice the time.
    """
    ways = ["return", "sys.exit", "SIGTERM"]
    with HttpReceiver(always=silence) as silent, HttpReceiver() as refusing:
        refusing.down()
        began = time.monotonic()
        pairs = [(way, receiver) for way in ways for receiver in (silent, refusing)]
        runs = [
            runner.run("steady", receiver, count=50, way=way, options={"spool_dir": str(tmp_path / f"{number}")})
            for number, (way, receiver) in enumerate(pairs)
        ]
        for run, (way, _) in zip(runs, pairs, strict=True):
            assert run.wait() == DELIVERED[way]
        assert 4.5 < time.monotonic() - began < 8
    for number, run in enumerate(runs):
        left = "50 log records were not delivered before the process ended, of which the spool keeps 50"
        assert run.said.count(left) == 1
        with HttpReceiver() as other:
            collect(runner, other, tmp_path / f"{number}", [run])


def test_sigterm_while_the_buffer_is_read(runner: Runner, healthy: HttpReceiver) -> None:
    """A signal that interrupts our own code on the main thread is not forgotten."""
    for instant in instants(5, 0.05):
        run = runner.run("reading_statistics", healthy)
        run.until(lambda run: run.returned != set())
        time.sleep(instant)
        run.kill(signal.SIGTERM)
        assert run.wait(5) == -signal.SIGTERM
        assert run.returned <= healthy.serials


def test_sigterm_where_the_first_record_came_from_another_thread(
    runner: Runner, healthy: HttpReceiver, tmp_path: Path
) -> None:
    """Python lets the main thread alone handle signals: without a spool nothing is promised then, with one it is."""
    runs = [runner.run("first_on_a_thread", healthy, options={"spool_dir": str(tmp_path / "spool")})]
    assert runs[0].wait() == -signal.SIGTERM
    assert runs[0].noted("handler") == ["True"]
    collect(runner, healthy, tmp_path / "spool", runs)
