"""Counts that are true at every moment, and what goes when there is no room."""

import json
from typing import Any, Final

import pytest

from tests.export.faults.receiver import HttpReceiver, all_but_poison, no_response, silence, status
from tests.export.faults.runner import Runner

LEVELS: Final = ("debug", "info", "warning", "error", "critical")
SEVERITIES: Final = dict(zip(LEVELS, (5, 9, 13, 17, 21), strict=True))


def is_balanced(found: dict[str, Any]) -> bool:
    """Tell whether nothing is unaccounted for."""
    settled: int = found["exported"] + found["rejected"] + sum(found["dropped"].values())
    waiting: int = found["waiting"]
    created: int = found["created"] + found["adopted"]
    return created == settled + waiting


@pytest.mark.parametrize("forks", [0, 3])
def test_the_counts_balance_in_the_midst_of_a_storm(runner: Runner, forks: int) -> None:
    """A thread that reads them all the time finds no gap, while the receiver fails; they are what it counted."""
    script = (status(503), no_response, status(429)) * 2
    with HttpReceiver(*script, always=all_but_poison) as receiver:
        run = runner.run("sampled", receiver, forks=forks, count=1500)
        assert run.wait() == 0, run.said
        samples = [json.loads(said) for said in run.noted("samples")]
        assert len(samples) == forks + 1
        assert all(taken > 20 and wrong == 0 for taken, wrong in samples), samples
        assert all(is_balanced(found) and found["waiting"] == 0 for found in run.statistics)
        assert sum(found["exported"] for found in run.statistics) == len(receiver.order)
        assert run.returned == receiver.serials
        assert not receiver.twice


def test_the_counts_balance_when_the_buffer_overflows_in_a_storm(runner: Runner) -> None:
    """What was dropped, what was exported and what the receiver counted make what was logged."""
    with HttpReceiver(silence) as receiver:
        options = {"max_buffer_bytes": 200_000, "timeout": 0.5}
        run = runner.run("sampled", receiver, count=1500, options=options)
        assert run.wait() == 0, run.said
        [found] = run.statistics
        assert json.loads(run.noted("samples")[0])[1] == 0
        assert is_balanced(found)
        dropped = sum(found["dropped"].values())
        assert dropped > 0
        assert len(receiver.order) == found["exported"] == len(run.returned) - dropped
        assert receiver.again == 0


def test_the_least_severe_go_first(runner: Runner, healthy: HttpReceiver) -> None:
    """A full buffer keeps errors, then warnings; each drop is counted by reason and severity, and said."""
    healthy.down()
    run = runner.run(
        "steady",
        healthy,
        count=2000,
        levels=LEVELS,
        options={"max_buffer_bytes": 400_000},
        flush=0.1,
        environ={"OTEL_BLRP_SCHEDULE_DELAY": "100"},
    )
    run.until(lambda run: "were dropped: buffer full" in run.said and run.flushes != [])
    healthy.up()
    assert run.wait() == 0, run.said
    kept = {level: healthy.severities[number] for level, number in SEVERITIES.items()}
    [found] = run.statistics
    assert set(found["dropped"]) <= {"buffer full DEBUG", "buffer full INFO", "buffer full WARN"}
    assert kept["error"] == kept["critical"] == 400
    assert kept["warning"] >= kept["info"] >= kept["debug"]
    assert sum(kept.values()) + sum(found["dropped"].values()) == 2000


def test_protected_loggers_go_last(runner: Runner, healthy: HttpReceiver) -> None:
    """The audit log is kept where even errors must go."""
    healthy.down()
    options = {"max_buffer_bytes": 150_000, "protected_loggers": ["audit"]}
    run = runner.run("audited", healthy, options=options)
    run.until(lambda run: run.statistics != [])
    healthy.up()
    assert run.wait() == 0, run.said
    assert healthy.events["audit_record"] == 50
    assert healthy.severities[17] < 2000
    assert "buffer full ERROR" in run.statistics[0]["dropped"]


def test_what_is_on_its_way_does_not_fill_the_buffer(runner: Runner, healthy: HttpReceiver) -> None:
    """Debug records that a receiver holds up leave room for errors."""
    healthy.always = silence
    levels = ["debug"] * 1400 + ["error"] * 100
    options = {"max_buffer_bytes": 100_000, "timeout": 1.5}
    # The buffer is full when the first request goes, and that one is held up when the errors come.
    environ = {"OTEL_BLRP_SCHEDULE_DELAY": "300"}
    run = runner.run("steady", healthy, count=1500, levels=levels, rate=2000, options=options, environ=environ)
    run.until(lambda run: run.statistics != [])
    healthy.always = _accept_now
    assert run.wait() == 0, run.said
    assert healthy.severities[SEVERITIES["error"]] == 100


def _accept_now(exchange: Any) -> None:
    exchange.accept()
    exchange.answer(200)


def test_what_is_emitted_after_shutdown_is_counted(runner: Runner, healthy: HttpReceiver) -> None:
    """And said; what came before was delivered."""
    run = runner.run("shut_down", healthy)
    assert run.wait() == 0, run.said
    [found] = run.statistics
    assert found["dropped"] == {"shut down INFO": 10}
    assert is_balanced(found)
    assert len(healthy.order) == 10
    assert [is_delivered for is_delivered, _ in run.flushes] == [True]
    assert "were dropped: shut down" in run.said


@pytest.mark.parametrize("program", ["steady", "shut_down"])
@pytest.mark.parametrize("seconds", [0.1, 0.5])
def test_a_deadline_is_kept_and_the_truth_told(runner: Runner, program: str, seconds: float) -> None:
    """With a receiver that never answers, a flush and a shutdown return False in time."""
    with HttpReceiver(always=silence) as receiver:
        arguments: dict[str, Any] = (
            {"flush": seconds, "way": "os._exit"} if program == "steady" else {"seconds": seconds}
        )
        run = runner.run(program, receiver, count=50, options={"timeout": 3}, **arguments)
        run.until(lambda run: run.flushes != [])
        [(is_delivered, took)] = run.flushes
    assert not is_delivered
    assert seconds <= took < seconds + 0.5
