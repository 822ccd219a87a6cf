"""The sender: when it sends, what it sends again, what it says, and how long it may be waited for."""

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
from otel_bridge.export.buffer import Lane
from otel_bridge.export.endpoint import Endpoint
from otel_bridge.export.http import HttpTransport
from otel_bridge.export.provider import LoggerProvider
from otel_bridge.export.sender import BATCH
from otel_bridge.export.transport import Answer, Transport
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
        self.sender.stop()
        self.sender._thread.join(5)
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
        made.sender._transport = None
        assert made.sender.flush(5)
        assert received(server) == [[1]]


def test_what_was_dropped_is_said_while_the_receiver_is_away(contained: Diagnostics) -> None:
    """Not only when all is over."""
    with sending("http://localhost:1") as made:
        made.buffer._max_bytes = 1
        made.add(1, 2)
        assert made.sender.flush(1)
        wait_until(lambda: contained.counts["were dropped: buffer full"] == 2)
