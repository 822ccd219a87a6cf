"""A receiver that fails: what was logged arrives all the same, once, and the counts are true."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import grpc  # type: ignore[import-untyped]  # it has no types
import pytest
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]  # it has no types

from tests.export.faults.receiver import (
    Behaviour,
    GrpcReceiver,
    HttpReceiver,
    Ledger,
    Sent,
    all_but_poison,
    at_most,
    drip,
    no_http,
    no_otlp,
    no_poison,
    no_response,
    part_of_a_response,
    silence,
    status,
)
from tests.export.faults.runner import Run, Runner
from tests.export.receivers import Certificates

COUNT: Final = 1200
"""More than two requests."""


def check(run: Run, ledger: Ledger, *, refused: int = 0, again: int = 0) -> None:
    """Check that all arrived but what was *refused*, at most *again* of it twice under its uid, and the counts."""
    assert run.wait() == 0, run.said
    assert "Traceback" not in run.said
    assert len(run.returned - ledger.serials) == refused
    assert ledger.serials <= run.started
    assert not ledger.twice
    assert ledger.again <= again
    [found] = run.statistics
    assert found["dropped"] == {}
    assert (found["created"], found["exported"], found["rejected"], found["waiting"], found["waiting_bytes"]) == (
        len(run.returned),
        len(run.returned) - refused,
        refused,
        0,
        0,
    )


TWICE: Final[dict[str, tuple[Behaviour, Behaviour]]] = {
    "503": (status(503), status(503)),
    "503 with Retry-After": (status(503, Retry_After="1"), status(503)),
    "429": (status(429), status(429)),
    "429 with Retry-After": (status(429, Retry_After="1"), status(429)),
    "502, 504": (status(502), status(504)),
    "nothing at all, then it closes": (no_response, no_response),
    "nothing at all, and stays open": (silence, silence),
    "what is not HTTP": (no_http, no_http),
    "302": (status(302, Location="http://localhost:1/"), status(307, Location="/elsewhere")),
    "401, 403": (status(401), status(403)),
    "404, 405": (status(404), status(405)),
}


@pytest.mark.parametrize("script", TWICE.values(), ids=TWICE)
def test_what_is_not_taken_is_sent_again(runner: Runner, script: tuple[Behaviour, Behaviour]) -> None:
    """All arrives once, whatever it answered before; a configuration that is mended finds the records waiting."""
    with HttpReceiver(*script) as receiver:
        run = runner.run("steady", receiver, count=COUNT, flush=15, options={"timeout": 0.5})
        check(run, receiver)
        assert [is_flushed for is_flushed, _ in run.flushes] == [True]


def test_retry_after_is_kept(runner: Runner) -> None:
    """Nothing is sent before the time that the receiver names, as long as nobody waits for a flush."""
    with HttpReceiver(status(503, Retry_After="1"), status(429, Retry_After="1")) as receiver:
        run = runner.run("storm", receiver, threads=1)
        receiver.wait(lambda ledger: len(ledger.asked) >= 3)
        first, second, third = receiver.asked[:3]
        assert min(second - first, third - second) >= 0.99
        assert not run.ended.is_set()


TAKEN: Final[dict[str, Behaviour]] = {
    "killed before it answered": part_of_a_response(b""),
    "killed in the middle of a status": part_of_a_response(b"HTTP/1."),
    "a response that comes too slowly": drip(5),
}


@pytest.mark.parametrize("behaviour", TAKEN.values(), ids=TAKEN)
def test_what_is_taken_and_not_acknowledged_comes_again_under_its_uid(runner: Runner, behaviour: Behaviour) -> None:
    """The receiver may have it twice, and knows it by its uid."""
    with HttpReceiver(behaviour, behaviour) as receiver:
        run = runner.run("steady", receiver, count=COUNT, flush=15, options={"timeout": 0.5})
        check(run, receiver, again=2 * 512)
        assert receiver.again > 0


STRANGE: Final[dict[str, Behaviour]] = {
    "slow, but in time": drip(0.3),
    "garbage as its body": no_otlp,
    "killed in the middle of a header": part_of_a_response(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "killed in the middle of a body": part_of_a_response(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\x0a"),
}


@pytest.mark.parametrize("behaviour", STRANGE.values(), ids=STRANGE)
def test_a_strange_acknowledgement_is_one(runner: Runner, behaviour: Behaviour) -> None:
    """Nothing is sent again: https://opentelemetry.io/docs/specs/otlp/#partial-success."""
    with HttpReceiver(always=behaviour) as receiver:
        run = runner.run("steady", receiver, count=COUNT, flush=15)
        check(run, receiver)


POISON: Final = (0, 7, 600, COUNT - 1)
REFUSALS: Final[dict[str, Behaviour]] = {"400 for the whole request": no_poison, "partial success": all_but_poison}


@pytest.mark.parametrize("behaviour", REFUSALS.values(), ids=REFUSALS)
def test_a_record_that_is_refused_costs_no_other(runner: Runner, behaviour: Behaviour) -> None:
    """It is found, counted and said; all others arrive, once."""
    with HttpReceiver(always=behaviour) as receiver:
        run = runner.run("steady", receiver, count=COUNT, poison=POISON, flush=15)
        check(run, receiver, refused=len(POISON))
    assert "refused by the receiver" in run.said


def test_413_halves_the_request(runner: Runner) -> None:
    """Until it is small enough; order is kept."""
    with HttpReceiver(always=at_most(50)) as receiver:
        run = runner.run("steady", receiver, count=COUNT, flush=15)
        check(run, receiver)
        assert receiver.order == run.noted("after")


def test_order_is_kept_after_a_failed_batch(runner: Runner) -> None:
    """What was put back goes first, and what came meanwhile after it, whatever its severity."""
    levels = ("info", "error", "debug", "warning")
    with HttpReceiver(status(503), no_response, status(429)) as receiver:
        run = runner.run("steady", receiver, count=COUNT, rate=2000, levels=levels, flush=15)
        check(run, receiver)
        assert receiver.order == run.noted("after")


@pytest.mark.parametrize("code", [302, 401, 403, 404])
def test_a_wrong_configuration_keeps_the_records_and_says_so(runner: Runner, code: int) -> None:
    """They wait; nothing counts as delivered, refused or dropped; one sentence says why."""
    with HttpReceiver(always=status(code, Location="http://localhost:1/")) as receiver:
        run = runner.run("steady", receiver, count=20, flush=0.5, way="os._exit")
        run.wait()
    assert [is_flushed for is_flushed, _ in run.flushes] == [False]
    [found] = run.statistics
    assert (found["waiting"], found["exported"], found["rejected"], found["dropped"]) == (20, 0, 0, {})
    assert run.said.count("log records wait") == 1
    assert f"answered {code}" in run.said


def _abort(code: grpc.StatusCode, said: str = "as the test asked") -> Callable[[Any, list[Sent]], object]:
    return lambda context, _: context.abort(code, said)


def _come_back(context: Any, _: list[Sent]) -> None:
    status = status_pb2.Status(code=8, message="busy")
    info = error_details_pb2.RetryInfo()
    info.retry_delay.FromMilliseconds(200)
    status.details.add().Pack(info)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy")


def _no_poison(context: Any, sent: list[Sent]) -> None:
    if any(record.is_poison for record in sent) and len(sent) > 1:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "poison")


def _small_ones(context: Any, sent: list[Sent]) -> None:
    if len(sent) > 50:
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "grpc: received message larger than max (9 vs. 4)")


GRPC: Final[dict[str, tuple[Callable[[Any, list[Sent]], object], ...]]] = {
    "UNAVAILABLE": (_abort(grpc.StatusCode.UNAVAILABLE),) * 2,
    "RESOURCE_EXHAUSTED with RetryInfo": (_come_back,) * 2,
    "UNAUTHENTICATED": (_abort(grpc.StatusCode.UNAUTHENTICATED), _abort(grpc.StatusCode.PERMISSION_DENIED)),
}


@pytest.mark.parametrize("script", GRPC.values(), ids=GRPC)
def test_over_grpc_what_is_not_taken_is_sent_again(
    runner: Runner, script: tuple[Callable[[Any, list[Sent]], object], ...]
) -> None:
    """As over HTTP."""
    with GrpcReceiver(*script) as receiver:
        options = {"protocol": "grpc", "timeout": 2}
        check(runner.run("steady", receiver, count=COUNT, flush=15, options=options), receiver)


@pytest.mark.parametrize("behaviour", [_no_poison, _small_ones], ids=["INVALID_ARGUMENT", "too large"])
def test_over_grpc_a_request_that_is_refused_is_halved(
    runner: Runner, behaviour: Callable[[Any, list[Sent]], object]
) -> None:
    """Until the record that is at fault stands alone, or the request is small enough."""
    with GrpcReceiver(always=behaviour) as receiver:
        run = runner.run("steady", receiver, count=COUNT, poison=POISON, flush=15, options={"protocol": "grpc"})
        check(run, receiver, refused=len(POISON))


def test_a_burst(runner: Runner, healthy: HttpReceiver) -> None:
    """100,000 records as fast as it goes: all arrive, once, in order."""
    run = runner.run("steady", healthy, count=100_000, flush=60)
    check(run, healthy)
    assert healthy.order == run.noted("after")


@pytest.mark.parametrize("seconds", [3.0, pytest.param(20.0, marks=pytest.mark.soak)])
def test_an_outage(runner: Runner, healthy: HttpReceiver, seconds: float) -> None:
    """A receiver that is down while 500 records come a second gets all when it is back, in order; both are said."""
    healthy.down()
    run = runner.run("steady", healthy, count=int(500 * (seconds + 1)), rate=500, flush=60)
    run.until(lambda run: len(run.returned) > 500 * seconds, seconds + 30)
    healthy.up()
    check(run, healthy)
    assert healthy.order == run.noted("after")
    assert run.said.count("log records wait") == 1
    assert run.said.count("delivered again") == 1


def test_a_receiver_that_is_killed_again_and_again(runner: Runner, healthy: HttpReceiver) -> None:
    """At random instants, requests under way: all arrive; what arrives twice has its uid."""
    run = runner.run("steady", healthy, count=1500, rate=1500, threads=2, flush=20, options={"timeout": 2})
    for number in range(6):
        healthy.wait(lambda ledger, enough=number * 200: len(ledger.order) >= enough)  # type: ignore[misc]  # a default
        healthy.down()
        healthy.up()
    check(run, healthy, again=6 * 512)


def test_a_wrong_certificate_until_it_is_replaced(runner: Runner, certificates: Certificates, tmp_path: Path) -> None:
    """Nothing is sent to a stranger; the records wait, and go when the right authorities are in the file."""
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(Path(certificates.stranger).read_bytes())
    with HttpReceiver(tls=certificates.context()) as receiver:
        environ = {"OTEL_EXPORTER_OTLP_CERTIFICATE": str(trusted)}
        run = runner.run("steady", receiver, count=COUNT, flush=20, environ=environ)
        run.until(lambda run: "is not trusted" in run.said)
        assert receiver.order == []
        trusted.write_bytes(Path(certificates.authority).read_bytes())
        check(run, receiver)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://no-such-host.invalid:4318/v1/logs", "its name is not known|it did not answer in time"),
        ("http://localhost:1/v1/logs", "nothing listens there"),
    ],
)
def test_a_name_that_is_not_known_and_a_port_where_nobody_listens(runner: Runner, url: str, said: str) -> None:
    """The records wait, which is said once, and why; a flush keeps its deadline and tells the truth."""
    run = runner.run("steady", url, count=20, flush=0.6, options={"timeout": 0.5}, way="os._exit")
    run.wait()
    [(is_flushed, seconds)] = run.flushes
    assert (is_flushed, seconds < 1.2) == (False, True)
    assert run.statistics[0]["waiting"] == 20
    assert run.said.count("log records wait") == 1
    assert re.search(said, run.said)
