"""Processes that fork: everybody's records arrive once, and nobody waits for a lock that nobody holds."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.export.faults.receiver import GrpcReceiver, HttpReceiver
from tests.export.faults.runner import Run, Runner, instants

FORKS: Final = ["os.fork", "C"]
"""With Python's hooks, and without."""
PACE: Final = {"os.fork": {}, "C": {"OTEL_BLRP_SCHEDULE_DELAY": "1000"}}
"""A sender that wants the GIL at the instant of a fork in C would break the child: see `programs.hookless`."""

Receiver = HttpReceiver | GrpcReceiver


@pytest.fixture(params=["http/protobuf", "grpc"])
def either(request: pytest.FixtureRequest) -> Iterator[tuple[Receiver, str]]:
    """A receiver over either protocol, and that."""
    with (HttpReceiver if request.param == "http/protobuf" else GrpcReceiver)() as running:
        yield running, request.param


def check(run: Run, receiver: Receiver, *, children: int) -> None:
    """Check that so many children ended well, and that all that any process logged arrived once."""
    assert run.wait() == 0, run.said
    assert run.noted("child") == ["0"] * children
    assert all(is_flushed for is_flushed, _ in run.flushes), run.said
    assert receiver.serials == run.returned == run.started
    assert not receiver.twice
    assert receiver.again == 0
    assert "Traceback" not in run.said


@pytest.mark.parametrize("fork", FORKS)
def test_forks_under_load(runner: Runner, either: tuple[Receiver, str], fork: str) -> None:
    """Four threads log and fork; a child has its own records, and its parent's only once; each counts its own."""
    receiver, protocol = either
    run = runner.run("forking", receiver, fork=fork, forks=3, environ=PACE[fork], options={"protocol": protocol})
    check(run, receiver, children=12)
    assert len(run.statistics) == 13
    for found in run.statistics:
        assert (
            found["created"] == found["exported"] == len([s for s in run.returned if s.startswith(f"{found['pid']}.")])
        )
        assert (found["waiting"], found["adopted"], found["dropped"]) == (0, 0, {})


@pytest.mark.parametrize("fork", FORKS)
def test_nested_forks(runner: Runner, either: tuple[Receiver, str], fork: str) -> None:
    """Children fork in their turn."""
    receiver, protocol = either
    options = {"protocol": protocol}
    run = runner.run("forking", receiver, fork=fork, forks=2, nested=True, environ=PACE[fork], options=options)
    check(run, receiver, children=16)


@pytest.mark.parametrize("fork", FORKS)
def test_forks_with_a_spool(runner: Runner, healthy: HttpReceiver, tmp_path: object, fork: str) -> None:
    """A child neither sends what its parent has in the spool, nor unlocks it."""
    options = {"spool_dir": f"{tmp_path}/spool"}
    run = runner.run("forking", healthy, fork=fork, forks=2, nested=True, environ=PACE[fork], options=options)
    check(run, healthy, children=16)


# CPython itself hangs a child that C forks while a thread asks for the GIL, as ours may at any instant here.
@pytest.mark.parametrize("fork", ["os.fork", pytest.param("C", marks=pytest.mark.soak)])
@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_fork_while_the_sender_starts(runner: Runner, fork: str, protocol: str) -> None:
    """A child delivers, whatever its parent's thread was importing, resolving or connecting when it forked."""
    with HttpReceiver() if protocol == "http/protobuf" else GrpcReceiver() as receiver:
        runs = [
            runner.run("forked_at_once", receiver, fresh=True, fork=fork, after=after, options={"protocol": protocol})
            for after in (0.0, *instants(2, 0.12))
        ]
        for run in runs:
            assert run.wait() == 0, run.said
            assert run.noted("child") == ["0"]
            assert run.flushes[0][0]
        assert receiver.serials == set().union(*(run.returned for run in runs))
        assert not receiver.twice


@pytest.mark.parametrize("fork", FORKS)
def test_a_parent_that_ends_first(runner: Runner, healthy: HttpReceiver, fork: str) -> None:
    """Both deliver."""
    run = runner.run("orphaned", healthy, fork=fork)
    assert run.wait() == 0, run.said
    run.until(lambda run: run.noted("orphan") != [])
    healthy.wait(lambda ledger: ledger.serials == run.returned)
    assert len(run.returned) == 3
    assert not healthy.twice


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(runner: Runner, healthy: HttpReceiver, method: str) -> None:
    """Its children end by `os._exit`, and deliver before."""
    run = runner.run("pool", healthy, method=method)
    check(run, healthy, children=2)
    assert len(run.returned) == 41
