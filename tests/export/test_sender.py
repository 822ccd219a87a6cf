"""The sender: when it sends, what it sends again, what it says, and how long it may be waited for."""

import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, get_value
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ScopeLogs
from opentelemetry.sdk.resources import Resource

from otel_bridge.diagnostics import Diagnostics
from otel_bridge.export.blocks import Lane
from otel_bridge.export.endpoint import Endpoint
from otel_bridge.export.http import HttpTransport
from otel_bridge.export.provider import LoggerProvider
from otel_bridge.export.sender import BATCH
from otel_bridge.export.transport import Answer, Outcome, Transport
from tests.export.receivers import HttpServer, Reply, listening

NEVER = 60.0
"""Seconds of delay where nothing is to be sent of itself."""


class Sending:
    """The sender of a provider, its buffer, and in which context it made its transports."""

    def __init__(self, url: str, delay: float = NEVER, *transports: Transport) -> None:
        self.suppressed: list[object] = []
        self._url = url
        self._transports = list(transports)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OTEL_BLRP_SCHEDULE_DELAY", str(int(delay * 1000)))
            provider = LoggerProvider(Resource({}), connect=self._connect, timeout=2.0)
        self.pipeline = provider.pipeline()
        assert self.pipeline._sender is not None
        self.buffer, self.sender = self.pipeline._buffer, self.pipeline._sender

    def _connect(self) -> Transport:
        self.suppressed.append(get_value(_SUPPRESS_INSTRUMENTATION_KEY))
        return self._transports.pop(0) if self._transports else HttpTransport(Endpoint(self._url))

    def add(self, *numbers: int) -> None:
        """Emit records."""
        for number in numbers:
            encoded = ScopeLogs(log_records=[LogRecord(time_unix_nano=number)]).SerializeToString()
            self.buffer.add(Lane(1, 9, b"", b""), encoded, None)

    def end_thread(self) -> None:
        """End the thread, as an interpreter does that is ending."""
        self.sender.stop(5)
        assert not self.sender._thread.is_alive()


def numbers(request: ExportLogsServiceRequest) -> list[int]:
    """Return the records of a request."""
    return [
        record.time_unix_nano
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


def received(server: HttpServer) -> list[list[int]]:
    """Return the records of each request."""
    return [numbers(request) for request in server.requests]


@contextmanager
def sending(url: str, delay: float = NEVER, *transports: Transport) -> Iterator[Sending]:
    """Run a sender, and stop it."""
    made = Sending(url, delay, *transports)
    try:
        yield made
    finally:
        made.pipeline.stop(0)
        made.end_thread()


def wait_until(condition: Any, seconds: float = 5.0) -> None:
    """Return as soon as *condition* holds; fail after *seconds*."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def hold_up(connection: socket.socket) -> None:
    """Answer nothing, and close after a while."""
    connection.recv(1)
    time.sleep(0.8)


def test_a_flush_sends_at_once_and_in_order() -> None:
    """Everything in one request, although the delay has not passed."""
    with HttpServer() as server, sending(server.url) as made:
        made.add(1, 2, 3)
        assert made.sender.flush(5)
        assert received(server) == [[1, 2, 3]]


def test_a_flush_of_nothing_is_done() -> None:
    """Without a request."""
    with HttpServer() as server, sending(server.url) as made:
        assert made.sender.flush(5)
        assert server.requests == []


def test_records_wait_for_the_delay_at_most() -> None:
    """Nobody need flush."""
    with HttpServer() as server, sending(server.url, delay=0.1) as made:
        made.add(1)
        wait_until(lambda: received(server) == [[1]])


def test_a_wake_sends_before_the_delay() -> None:
    """As a full batch does."""
    with HttpServer() as server, sending(server.url) as made:
        made.add(*range(1, BATCH + 11))
        made.sender.wake()
        wait_until(lambda: sum(map(len, received(server))) == BATCH + 10)
        assert [len(request) for request in received(server)] == [BATCH, 10]


def test_it_works_under_the_key_that_suppresses_instrumentation() -> None:
    """On its thread; and where that cannot run, on the caller's, whose context stays as it was."""
    with HttpServer() as server:
        with sending(server.url) as made:
            made.add(1)
            made.sender.flush(5)
        with sending(server.url) as here:
            here.end_thread()
            here.add(2)
            assert here.sender.flush(5)
    assert made.suppressed == here.suppressed == [True]
    assert get_value(_SUPPRESS_INSTRUMENTATION_KEY) is None


def test_what_was_not_taken_is_sent_again_as_it_was() -> None:
    """While somebody waits for a flush, soon."""
    with HttpServer(Reply(503), Reply(503), Reply()) as server, sending(server.url) as made:
        made.add(1, 2)
        assert made.sender.flush(5)
        assert received(server) == [[1, 2]] * 3


def test_a_refused_record_is_found_by_halves(contained: Diagnostics) -> None:
    """Each half is sent alone; those before it first."""
    with HttpServer(Reply(400), Reply(), Reply(400), Reply(400), Reply()) as server, sending(server.url) as made:
        made.add(1, 2, 3, 4)
        assert made.sender.flush(5)
        assert received(server) == [[1, 2, 3, 4], [1, 2], [3, 4], [3], [4]]
    found = made.buffer.statistics()
    assert (found.exported, found.rejected, found.waiting) == (3, 1, 0)
    assert sum(contained.counts.values()) == 1


@pytest.mark.parametrize("seconds", [0.0, 0.1])
def test_a_flush_keeps_its_deadline(seconds: float) -> None:
    """The sender goes on with the request that nobody answers."""
    with listening(hold_up) as silent, sending(silent.url) as made:
        made.add(1)
        began = time.monotonic()
        assert not made.sender.flush(seconds)
        assert time.monotonic() - began < seconds + 0.3


def test_a_flush_without_the_thread_keeps_its_deadline_too() -> None:
    """As in an interpreter that is ending: a request has what is left of it, not its own timeout."""
    with listening(hold_up) as silent, sending(silent.url) as made:
        made.end_thread()
        made.add(1)
        began = time.monotonic()
        assert not made.sender.flush(0.2)
        assert time.monotonic() - began < 0.6


def test_a_flush_that_waits_for_another_one_without_the_thread_keeps_its_deadline() -> None:
    """It waits for its turn no longer than for the receiver."""
    with listening(hold_up) as silent, sending(silent.url) as made:
        made.end_thread()
        made.add(1)
        first = threading.Thread(target=made.sender.flush, args=(0.8,))
        first.start()
        wait_until(lambda: made.suppressed != [])
        began = time.monotonic()
        assert not made.sender.flush(0.3)
        assert time.monotonic() - began < 0.5
        first.join()


def test_a_thread_that_starts_late_waits_until_a_flush_without_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that send at once would send the same twice; then its requests have their own timeout again."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    sent: list[tuple[str, float]] = []

    class Slow:
        def send(self, request: bytes, timeout: float) -> Answer:  # noqa: ARG002 - the contract's
            sent.append((threading.current_thread().name, round(timeout)))
            made.sender.start()
            time.sleep(0.3)
            return Answer(Outcome.ACCEPTED)

        def close(self) -> None:
            """Do nothing."""

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        made = Sending("http://localhost:1", 0.01, Slow())
    made.add(1)
    assert made.sender.flush(1)
    made.add(2)
    made.pipeline.stop(5)
    assert sent == [("MainThread", 1), ("otel-bridge", 2)]


@pytest.mark.parametrize("is_alive", [True, False])
def test_a_flush_within_the_sending_waits_for_nobody(*, is_alive: bool) -> None:
    """A finaliser or a signal handler that flushes there would wait for itself."""

    class Flushing:
        def send(self, request: bytes, timeout: float) -> Answer:  # noqa: ARG002 - the contract's
            began = time.monotonic()
            within.append((made.sender.flush(5), time.monotonic() - began))
            return Answer(Outcome.ACCEPTED)

        def close(self) -> None:
            """Do nothing."""

    within: list[tuple[bool, float]] = []
    with sending("http://localhost:1", NEVER, Flushing()) as made:
        if not is_alive:
            made.end_thread()
        made.add(1)
        assert made.sender.flush(5)
    [(is_done, seconds)] = within
    assert not is_done
    assert seconds < 1


def test_what_interrupts_a_flush_leaves_the_context_as_it_was() -> None:
    """As Ctrl-C at the end of a process: what is logged afterwards is not taken for the exporter's own."""

    class Interrupted:
        def send(self, request: bytes, timeout: float) -> Answer:  # noqa: ARG002 - the contract's
            raise KeyboardInterrupt

        def close(self) -> None:
            """Do nothing."""

    with sending("http://localhost:1", NEVER, Interrupted()) as made:
        made.end_thread()
        made.add(1)
        with pytest.raises(KeyboardInterrupt):
            made.sender.flush(5)
        assert get_value(_SUPPRESS_INSTRUMENTATION_KEY) is None


@pytest.mark.parametrize(("seconds", "is_enough"), [(-1, False), (math.nan, False), (math.inf, True), (1e300, True)])
def test_any_number_of_seconds_can_be_waited(seconds: float, *, is_enough: bool) -> None:
    """None that is negative, and as many as there are."""
    with listening(hold_up) as silent, HttpServer() as server, sending((server if is_enough else silent).url) as made:
        made.add(1)
        assert made.pipeline.flush(seconds) == made.pipeline.stop(seconds) == is_enough


def test_flushes_of_many_threads_without_the_sender_take_turns() -> None:
    """Each record goes once."""
    with HttpServer() as server, sending(server.url) as made:
        made.end_thread()
        made.add(*range(1, 2001))
        done: list[bool] = []
        threads = [threading.Thread(target=lambda: done.append(made.sender.flush(5))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert done == [True] * 4
        assert [number for request in received(server) for number in request] == list(range(1, 2001))


def test_an_error_of_a_library_does_not_end_it() -> None:
    """Whatever a transport raises counts as a receiver that is not there."""

    class Broken:
        def send(self, request: bytes, timeout: float) -> Answer:  # noqa: ARG002 - the contract's
            raise LookupError("unknown encoding: idna")

        def close(self) -> None:
            """Do nothing."""

    with HttpServer() as server, sending(server.url, NEVER, Broken()) as made:
        made.add(1)
        assert not made.sender.flush(0.1)
        made.sender._delivery._transport = None
        assert made.sender.flush(5)
        assert received(server) == [[1]]


def test_an_error_while_adopting_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a want of memory: it is tried again."""

    def broken() -> None:
        monkeypatch.undo()
        raise MemoryError

    with HttpServer() as server, sending(server.url) as made:
        monkeypatch.setattr(made.sender, "_adopt", broken)
        made.add(1)
        assert made.sender.flush(5)
        assert received(server) == [[1]]


def test_what_is_settled_is_forgotten_before_it_is_counted() -> None:
    """A process that sees nothing waiting any longer may end at once, and leave nothing unmarked in the spool."""
    waiting: list[int] = []
    with HttpServer() as server, sending(server.url) as made:
        made.sender._delivery._forget = lambda _: waiting.append(made.buffer.statistics().waiting)
        made.add(1, 2)
        assert made.sender.flush(5)
    assert waiting == [2]


def test_whoever_waits_when_it_stops_is_answered() -> None:
    """Rather than left waiting."""
    with listening(hold_up) as silent, sending(silent.url) as made:
        made.add(1)
        began = time.monotonic()
        flushing = threading.Thread(target=made.sender.flush, args=(20,))
        flushing.start()
        wait_until(lambda: made.suppressed != [])
        made.sender.stop(0)
        flushing.join()
        assert time.monotonic() - began < 5


def test_what_was_dropped_is_said_while_the_receiver_is_away(contained: Diagnostics) -> None:
    """Not only when all is over."""
    with sending("http://localhost:1") as made:
        made.buffer._max_bytes = 1
        made.add(1, 2)
        assert made.sender.flush(1)
        wait_until(lambda: contained.counts["were dropped: buffer full"] == 2)
