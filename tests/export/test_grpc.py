"""OTLP over gRPC, against `grpcio`'s server, and against HTTP/2 peers that do what no proper server does."""

import gzip
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc  # type: ignore[import-untyped]  # it has no types
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage  # type: ignore[import-untyped]  # protobuf has no types
from google.protobuf.duration_pb2 import Duration  # type: ignore[import-untyped]  # protobuf has no types
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]  # it has no types
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # it has no types
from h2.errors import ErrorCodes
from h2.events import PingAckReceived, RequestReceived, StreamEnded
from hpack import Encoder
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from otel_bridge.export.endpoint import Endpoint
from otel_bridge.export.grpc import GrpcTransport
from otel_bridge.export.grpc_status import CODES
from otel_bridge.export.transport import Answer, Outcome
from tests.export.receivers import (
    ENCODED,
    HOST,
    PARTIAL,
    REQUEST,
    Certificates,
    GrpcServer,
    Http2Peer,
    HttpServer,
    listening,
    request,
)
from tests.export.receivers import proxy as proxy_to

ACCEPTED = Answer(Outcome.ACCEPTED)
LARGE = {"grpc.max_receive_message_length": 64 << 20}


@contextmanager
def transport(url: str, **options: Any) -> Iterator[GrpcTransport]:
    """Make a transport to *url*, and close it."""
    made = GrpcTransport(Endpoint(url, protocol="grpc", **options))
    try:
        yield made
    finally:
        made.close()


def sent(url: str, timeout: float = 5.0, encoded: bytes = ENCODED, **options: Any) -> Answer:
    """Send one request over a transport of its own."""
    with transport(url, **options) as made:
        return made.send(encoded, timeout)


def answered(answer: Callable[[Any], ExportLogsServiceResponse | None]) -> Answer:
    """Send one request to a server that answers so."""
    with GrpcServer(answer) as server:
        return sent(server.url)


def aborting(code: str, message: str = "as the test asked", *details: Any) -> Callable[[Any], None]:
    """Make an answer of a status, with details."""
    number = CODES.index(code)

    def abort(context: Any) -> None:
        if details:
            packed = [AnyMessage() for _ in details]
            for item, detail in zip(packed, details, strict=True):
                item.Pack(detail)
            status = Status(code=number, message=message, details=packed)
            context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])
        context.abort(next(status for status in grpc.StatusCode if status.value[0] == number), message)

    return abort


def test_a_request_arrives_as_it_is() -> None:
    """And is answered; the server is told how long it may take."""
    left: list[float] = []
    with GrpcServer(lambda context: left.append(context.time_remaining())) as server:
        assert sent(server.url) == ACCEPTED
    assert server.requests == [REQUEST]
    assert 4 < left[0] <= 5
    assert server.metadata[0]["user-agent"].startswith("otel-bridge/")


def test_a_compressed_request_arrives_as_it_is() -> None:
    """As gRPC compresses: the message, not the call."""
    many = request(5000)
    with GrpcServer() as server:
        assert sent(server.url, encoded=many.SerializeToString(), compression="gzip") == ACCEPTED
    assert server.requests == [many]


def test_headers_are_metadata() -> None:
    """A token reaches the server."""
    with GrpcServer() as server:
        sent(server.url, headers={"authorization": "Bearer hunter2", "x-scope-orgid": "a"})
    assert server.metadata[0]["authorization"] == "Bearer hunter2"
    assert server.metadata[0]["x-scope-orgid"] == "a"


def test_one_connection_serves_many_requests() -> None:
    """Of whatever outcome."""
    with GrpcServer(lambda context: aborting("UNAVAILABLE")(context) if len(server.requests) % 2 else None) as server:
        with transport(server.url) as made:
            outcomes = [made.send(ENCODED, 5).outcome for _ in range(20)]
        assert outcomes == [Outcome.UNAVAILABLE, Outcome.ACCEPTED] * 10
        assert len(server.peers) == 1


@pytest.mark.parametrize("size", [0, 1, 16_379, 16_384, 65_530, 65_535, 200_000, 5_000_000])
def test_a_request_may_be_larger_than_the_windows(size: int) -> None:
    """HTTP/2 lets 64 KiB go unasked; the rest waits for the server's word, and then goes."""
    one = request(1, size)
    with GrpcServer(options=LARGE) as server, transport(server.url) as made:
        assert [made.send(one.SerializeToString(), 10) for _ in range(3)] == [ACCEPTED] * 3
    assert server.requests == [one] * 3


def test_one_connection_carries_any_amount() -> None:
    """80 MB: the windows of the whole connection are kept open in both directions."""
    one = request(1, 4_000_000).SerializeToString()
    with GrpcServer(options=LARGE) as server, transport(server.url) as made:
        assert all(made.send(one, 20) == ACCEPTED for _ in range(20))
        assert len(server.peers) == 1


def test_large_answers_are_read() -> None:
    """A thousand answers of 100 kB do not use the connection's window up."""
    partial = ExportLogsServiceResponse()
    partial.partial_success.error_message = "x" * 100_000
    with GrpcServer(lambda _: partial) as server, transport(server.url) as made:
        assert all(made.send(ENCODED, 5).outcome is Outcome.ACCEPTED for _ in range(50))
        assert len(server.peers) == 1


def test_an_empty_request_is_one() -> None:
    """No records are encoded as no bytes."""
    with GrpcServer() as server:
        assert sent(server.url, encoded=b"") == ACCEPTED
    assert len(server.requests) == 1


def test_a_partial_success_is_read() -> None:
    """How many were rejected, and why."""
    answer = answered(lambda _: PARTIAL)
    assert (answer.outcome, answer.rejected, answer.error_type) == (Outcome.ACCEPTED, 3, "partial_success")
    assert "3 records: too old" in answer.message


def test_an_answer_that_is_compressed_is_read() -> None:
    """grpc-go compresses its answers to compressed requests, asked or not."""
    packed = gzip.compress(PARTIAL.SerializeToString())

    def respond(side: Http2Peer, stream: int) -> None:
        side.respond(stream, *OK, ("grpc-encoding", "gzip"), end=False)
        side.h2.send_data(stream, b"\1" + len(packed).to_bytes(4) + packed)
        side.respond(stream, ("grpc-status", "0"))

    with peer(respond) as url:
        assert sent(url).rejected == 3


RETRYABLE = {"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"}


@pytest.mark.parametrize("code", CODES[1:])
def test_each_status_has_the_outcome_of_the_specification(code: str) -> None:
    """https://opentelemetry.io/docs/specs/otlp/#failures: six are retryable."""
    answer = answered(aborting(code))
    assert answer.outcome is (Outcome.UNAVAILABLE if code in RETRYABLE else Outcome.REFUSED)
    assert (answer.error_type, answer.retry_after) == (code, None)
    assert f"answered {code}" in answer.message
    assert "as the test asked" in answer.message


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [
        (Duration(seconds=7), 7.0),
        (Duration(nanos=500_000_000), 0.5),
        (Duration(), 0.0),
        (Duration(seconds=9999), 300.0),
    ],
)
@pytest.mark.parametrize("code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED"])
def test_retry_info_is_honoured(code: str, delay: Any, seconds: float) -> None:
    """It makes `RESOURCE_EXHAUSTED` retryable, and says how long to wait, up to five minutes."""
    answer = answered(aborting(code, "slow down", Status(code=1), RetryInfo(retry_delay=delay)))
    assert (answer.outcome, answer.retry_after) == (Outcome.UNAVAILABLE, seconds)


def test_a_message_that_is_too_large_is_told_from_other_exhaustion() -> None:
    """By what servers write: `grpcio` itself here, with its limit of 4 MiB."""
    with GrpcServer() as server, transport(server.url) as made:
        answer = made.send(request(1, 5 << 20).SerializeToString(), 10)
        assert made.send(ENCODED, 10) == ACCEPTED
    assert (answer.outcome, answer.error_type) == (Outcome.TOO_LARGE, "RESOURCE_EXHAUSTED")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("RESOURCE_EXHAUSTED", "grpc: received message larger than max (5000000 vs. 4194304)"),
        ("RESOURCE_EXHAUSTED", "grpc: received message after decompression larger than max 4194304"),
        ("RESOURCE_EXHAUSTED", "gRPC message exceeds maximum size 4194304: 5000000"),
        ("RESOURCE_EXHAUSTED", "Received message exceeds the maximum configured message size."),
        ("OUT_OF_RANGE", "Error, decoded message length too large: found 5000000 bytes, the limit is: 4194304 bytes"),
    ],
)
def test_what_each_implementation_says_of_size_is_known(code: str, message: str) -> None:
    """grpc-go, grpc-java, .NET, tonic."""
    assert answered(aborting(code, message)).outcome is Outcome.TOO_LARGE


def test_a_message_of_the_server_is_decoded() -> None:
    """GRPC writes it percent-encoded; here it comes out on one line."""
    assert "geen toegang: café 100%" in answered(aborting("INTERNAL", "geen toegang:\ncafé 100%")).message


def test_a_status_without_permission_names_the_variable_and_no_token() -> None:
    """Some servers write the token that they refuse into their answer."""
    with GrpcServer(aborting("UNAUTHENTICATED", "invalid token hunter2hunter2")) as server:
        answer = sent(server.url, headers={"authorization": "Bearer hunter2hunter2"})
    assert "OTEL_EXPORTER_OTLP_HEADERS; invalid token ***" in answer.message


def test_nothing_is_logged_with_headers(caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG, `hpack` would write each header, or its Huffman code; others' use of it is logged as before."""
    caplog.set_level(logging.DEBUG)
    with GrpcServer() as server, transport(server.url, headers={"x-api-key": "hunter2hunter2"}) as made:
        assert [made.send(ENCODED, 5) for _ in range(2)] == [ACCEPTED] * 2
    # The server of this test is grpcio's, so nobody else spoke HTTP/2 with h2.
    assert not [record for record in caplog.records if record.name.startswith(("h2", "hpack", "urllib3"))]
    assert "hunter2" not in caplog.text
    Encoder().encode([("mine", "value")])
    assert [record for record in caplog.records if record.name.startswith("hpack")]


def test_a_secret_is_not_kept_by_proxies_on_the_way() -> None:
    """No header of the configuration enters a table of HPACK: https://www.rfc-editor.org/rfc/rfc7541.html#section-7.1.3."""
    indexable: dict[str, bool] = {}

    def hold(connection: socket.socket) -> None:
        headers = Http2Peer(connection).until(RequestReceived).headers
        indexable.update({header[0].decode(): header.indexable for header in headers})

    with listening(hold) as server:
        sent(server.url, headers={"x-api-key": "hunter2"})
    assert (indexable["x-api-key"], indexable["te"]) == (False, True)


def test_a_server_that_restarts_is_found_again() -> None:
    """Between two requests: the second goes over a new connection, and is not lost to the old one."""
    with GrpcServer() as first, transport(first.url) as made:
        assert made.send(ENCODED, 5) == ACCEPTED
        first.server.stop(None).wait(5)
        assert made.send(ENCODED, 5).error_type == "ConnectionRefusedError"
        with GrpcServer(port=first.port) as second:
            assert made.send(ENCODED, 5) == ACCEPTED
        with GrpcServer(port=first.port) as third:
            assert made.send(ENCODED, 5) == ACCEPTED
    assert (len(second.requests), len(third.requests)) == (1, 1)


def test_a_server_that_says_goodbye_answers_what_it_took() -> None:
    """GOAWAY during a call: the answer still counts, and the next call gets a new connection."""

    def stopping(_: Any) -> None:
        if len(server.requests) == 1:
            threading.Thread(target=server.server.stop, args=(5,), daemon=True).start()
            time.sleep(0.5)

    with GrpcServer(stopping) as server, transport(server.url) as made:
        assert made.send(ENCODED, 5) == ACCEPTED
        with GrpcServer(port=server.port) as next_one:
            assert made.send(ENCODED, 5) == ACCEPTED
    assert len(next_one.requests) == 1


def test_connections_that_the_server_ages_out_lose_nothing() -> None:
    """With `max_connection_age`, as Collectors behind a load balancer have it."""
    options = {"grpc.max_connection_age_ms": 200, "grpc.max_connection_age_grace_ms": 2000}
    with GrpcServer(lambda _: time.sleep(0.03), options=options) as server, transport(server.url) as made:
        assert [made.send(ENCODED, 5) for _ in range(40)] == [ACCEPTED] * 40
    assert len(server.peers) > 2


def test_pings_of_the_server_are_answered_during_a_call() -> None:
    """A server that hears no answer closes the connection."""
    options = {"grpc.keepalive_time_ms": 100, "grpc.keepalive_timeout_ms": 200}
    with GrpcServer(lambda _: time.sleep(1), options=options) as server, transport(server.url) as made:
        assert [made.send(ENCODED, 5) for _ in range(2)] == [ACCEPTED] * 2
    assert len(server.peers) == 1


def test_a_server_that_never_answers_is_given_up() -> None:
    """In time, and the next call does not get the late answer."""

    def late_at_first(_: Any) -> ExportLogsServiceResponse | None:
        if len(server.requests) > 1:
            return PARTIAL
        time.sleep(3)
        return None

    with GrpcServer(late_at_first) as server, transport(server.url) as made:
        began = time.monotonic()
        answer = made.send(ENCODED, 0.3)
        assert time.monotonic() - began < 2.0
        assert made.send(ENCODED, 5).rejected == 3
    assert answer.outcome is Outcome.UNAVAILABLE
    assert answer.error_type in {"TimeoutError", "DEADLINE_EXCEEDED"}


def _silent(connection: socket.socket) -> None:
    while connection.recv(65_536):
        """Answer nothing."""


def _drips_settings(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"\0\0\0\4\0\0\0\0\0")
        time.sleep(0.05)


def _closed_windows(connection: socket.socket) -> None:
    peer = Http2Peer(connection)
    peer.until(RequestReceived)
    while connection.recv(65_536):
        """Let nothing more come: no window is opened."""


@pytest.mark.parametrize("hold", [_silent, _drips_settings, _closed_windows])
def test_the_time_is_for_the_whole_call(hold: Callable[[socket.socket], None]) -> None:
    """A server that says nothing, or nothing that matters, or takes nothing, is given up."""
    with listening(hold) as server:
        began = time.monotonic()
        answer = sent(server.url, timeout=0.4, encoded=bytes(1 << 20))
        assert 0.35 < time.monotonic() - began < 2.0
    assert (answer.outcome, answer.error_type) == (Outcome.UNAVAILABLE, "TimeoutError")


OK = ((":status", "200"), ("content-type", "application/grpc"))


@contextmanager
def peer(answer: Callable[[Http2Peer, int], None]) -> Iterator[str]:
    """Run a peer that calls *answer* with the stream of each request."""

    def hold(connection: socket.socket) -> None:
        side = Http2Peer(connection)
        while True:
            answer(side, side.until(StreamEnded).stream_id)

    with listening(hold) as server:
        yield server.url


@pytest.mark.parametrize(
    ("error", "code", "outcome"),
    [
        (ErrorCodes.REFUSED_STREAM, "UNAVAILABLE", Outcome.UNAVAILABLE),
        (ErrorCodes.CANCEL, "CANCELLED", Outcome.UNAVAILABLE),
        (ErrorCodes.ENHANCE_YOUR_CALM, "UNAVAILABLE", Outcome.UNAVAILABLE),
        (ErrorCodes.INADEQUATE_SECURITY, "PERMISSION_DENIED", Outcome.REFUSED),
        (ErrorCodes.INTERNAL_ERROR, "INTERNAL", Outcome.REFUSED),
        (ErrorCodes.NO_ERROR, "INTERNAL", Outcome.REFUSED),
        (4711, "INTERNAL", Outcome.REFUSED),
    ],
)
def test_a_stream_that_is_reset_is_what_grpc_says_of_it(error: Any, code: str, outcome: Outcome) -> None:
    """The table of the protocol; the next call is not disturbed."""

    def reset(side: Http2Peer, stream: int) -> None:
        side.h2.reset_stream(stream, error)
        side.flush()

    with peer(reset) as url, transport(url) as made:
        answers = [made.send(ENCODED, 5) for _ in range(2)]
    assert [(answer.outcome, answer.error_type) for answer in answers] == [(outcome, code)] * 2


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        ("400", "INTERNAL", Outcome.REFUSED),
        ("401", "UNAUTHENTICATED", Outcome.REFUSED),
        ("403", "PERMISSION_DENIED", Outcome.REFUSED),
        ("404", "UNIMPLEMENTED", Outcome.REFUSED),
        ("429", "UNAVAILABLE", Outcome.UNAVAILABLE),
        ("502", "UNAVAILABLE", Outcome.UNAVAILABLE),
        ("503", "UNAVAILABLE", Outcome.UNAVAILABLE),
        ("504", "UNAVAILABLE", Outcome.UNAVAILABLE),
        ("500", "UNKNOWN", Outcome.REFUSED),
        ("200", "UNKNOWN", Outcome.REFUSED),
    ],
)
def test_a_proxy_that_speaks_no_grpc_is_read_by_its_status(status: str, code: str, outcome: Outcome) -> None:
    """https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md."""

    def respond(side: Http2Peer, stream: int) -> None:
        side.respond(stream, (":status", status), ("content-type", "text/html"))

    with peer(respond) as url:
        answer = sent(url)
    assert (answer.outcome, answer.error_type) == (outcome, code)
    assert f"HTTP status {status}" in answer.message


@pytest.mark.parametrize(("status", "code"), [("14", "UNAVAILABLE"), ("99", "UNKNOWN"), ("x", "UNKNOWN")])
def test_a_response_of_trailers_only_is_read(status: str, code: str) -> None:
    """The status may come with the first headers; one that nobody knows is unknown."""
    with peer(lambda side, stream: side.respond(stream, *OK, ("grpc-status", status), ("grpc-message", "%zz"))) as url:
        assert sent(url).error_type == code


@pytest.mark.parametrize("details", ["%%%", "AA", "CAESBWhlbGxv", "CAESBWhlbGxvGgA="])
def test_details_that_are_none_change_nothing(details: str) -> None:
    """Nor does a missing padding."""
    trailers = (("grpc-status", "8"), ("grpc-status-details-bin", details))
    with peer(lambda side, stream: side.respond(stream, *OK, *trailers)) as url:
        answer = sent(url)
    assert (answer.outcome, answer.retry_after) == (Outcome.REFUSED, None)


@pytest.mark.parametrize("body", [b"", b"\0\0\0\0\x05ab", b"\x01\0\0\0\x01a", b"\0\0\0\0\x01\xff", b"\0"])
def test_what_acknowledges_with_garbage_has_the_records(body: bytes) -> None:
    """They are not sent again; the message asks whether that is a receiver."""

    def respond(side: Http2Peer, stream: int) -> None:
        side.respond(stream, *OK, end=False)
        side.h2.send_data(stream, body)
        side.respond(stream, ("grpc-status", "0"))

    with peer(respond) as url:
        answer = sent(url)
    assert (answer.outcome, answer.rejected) == (Outcome.ACCEPTED, 0)
    assert "is it a receiver of OTLP logs?" in answer.message


def test_a_server_that_did_not_take_the_request_is_asked_again_later() -> None:
    """GOAWAY with a lower stream: this request was not processed."""

    def goodbye(side: Http2Peer, _stream: int) -> None:
        side.h2.close_connection(last_stream_id=0)
        side.flush()
        time.sleep(5)

    with peer(goodbye) as url:
        began = time.monotonic()
        answer = sent(url)
        assert time.monotonic() - began < 2.0
    assert (answer.outcome, answer.error_type) == (Outcome.UNAVAILABLE, "ConnectionResetError")


def test_an_answer_before_the_whole_request_was_sent_counts() -> None:
    """A server may refuse a large request by its first bytes, and never read the rest."""
    said = (("grpc-status", "8"), ("grpc-message", "received message larger than max"))

    def hold(connection: socket.socket) -> None:
        side = Http2Peer(connection)
        side.respond(side.until(RequestReceived).stream_id, *OK, *said)
        _silent(connection)

    with listening(hold) as server, transport(server.url) as made:
        answers = [made.send(bytes(8 << 20), 5).outcome for _ in range(2)]
    assert answers == [Outcome.TOO_LARGE] * 2


def test_pings_that_came_while_nothing_was_sent_are_answered_with_the_next_request() -> None:
    """And the connection is kept."""
    answered_pings: list[bytes] = []

    def pinging(side: Http2Peer, stream: int) -> None:
        side.respond(stream, *OK, ("grpc-status", "0"), end=True)
        side.h2.ping(stream.to_bytes(8))
        side.flush()
        answered_pings.append(side.until(PingAckReceived).ping_data)

    with peer(pinging) as url, transport(url) as made:
        for _ in range(4):
            assert made.send(ENCODED, 5).outcome is Outcome.ACCEPTED
            time.sleep(0.05)
    assert [int.from_bytes(data) for data in answered_pings] == [1, 3, 5]


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\x06\x04\0\0\0\0\0\0\x05", b"\xff" * 40]
)
def test_what_is_no_http2_is_unavailable(said: bytes) -> None:
    """The message asks about the port where something else answered."""

    def hold(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        _silent(connection)

    with listening(hold) as server:
        answer = sent(server.url)
    assert answer.outcome is Outcome.UNAVAILABLE
    assert ("is that the port of OTLP over HTTP?" in answer.message) == (said[:1] not in {b"", b"\0"})


def test_the_port_of_otlp_over_http_is_told() -> None:
    """The commonest mistake."""
    with HttpServer() as server:
        answer = sent(server.url)
    assert (answer.outcome, "is that the port of OTLP over HTTP?" in answer.message) == (Outcome.UNAVAILABLE, True)


def test_a_port_that_nobody_listens_on_is_unavailable() -> None:
    """The message says so."""
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    answer = sent(f"http://{HOST}:{port}")
    assert (answer.outcome, answer.error_type) == (Outcome.UNAVAILABLE, "ConnectionRefusedError")


def test_tls_works(certificates: Certificates) -> None:
    """On one connection, again."""
    with GrpcServer(credentials=certificates.credentials(), options=LARGE) as server:
        with transport(server.url, certificate=certificates.authority) as made:
            large = request(1, 5_000_000).SerializeToString()
            assert [made.send(encoded, 10) for encoded in (ENCODED, large, ENCODED)] == [ACCEPTED] * 3
        assert len(server.peers) == 1


def test_mutual_tls_works(certificates: Certificates) -> None:
    """And without a certificate of ours, the server breaks off."""
    pair: dict[str, Any] = {
        "client_certificate": certificates.client_certificate,
        "client_key": certificates.client_key,
    }
    with GrpcServer(credentials=certificates.credentials(mutual=True)) as server:
        assert sent(server.url, certificate=certificates.authority, **pair) == ACCEPTED
        assert sent(server.url, certificate=certificates.authority).outcome is Outcome.UNAVAILABLE
    assert len(server.requests) == 1


def test_a_certificate_that_is_not_trusted_is_unavailable(certificates: Certificates) -> None:
    """Its operator may replace it; the message says which variable trusts it."""
    with GrpcServer(credentials=certificates.credentials()) as server:
        answer = sent(server.url, certificate=certificates.stranger)
    assert (answer.outcome, answer.error_type) == (Outcome.UNAVAILABLE, "SSLCertVerificationError")
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in answer.message


def test_a_server_of_tls_without_http2_is_told(certificates: Certificates) -> None:
    """The port of OTLP over HTTPS, or a proxy that ends TLS and speaks HTTP/1.1."""
    with HttpServer(tls=certificates.context()) as server:
        answer = sent(server.url, certificate=certificates.authority)
    assert (answer.outcome, server.requests) == (Outcome.UNAVAILABLE, [])
    assert "is that the port of OTLP over HTTP?" in answer.message


@pytest.mark.parametrize("is_secure", [True, False])
def test_calls_go_through_a_tunnel(certificates: Certificates, *, is_secure: bool) -> None:
    """With TLS and without: no proxy passes on HTTP/2 as it is."""
    with (
        GrpcServer(credentials=certificates.credentials() if is_secure else None) as server,
        proxy_to(server.port) as (address, asked),
        transport(
            f"{'https' if is_secure else 'http'}://localhost:4317",
            proxy=f"http://{address}",
            certificate=certificates.authority,
        ) as made,
    ):
        assert [made.send(ENCODED, 5) for _ in range(2)] == [ACCEPTED] * 2
    assert [line.split()[:2] for line in asked] == [["CONNECT", "localhost:4317"]]


def test_the_connection_offers_nothing_but_http2(certificates: Certificates) -> None:
    """By ALPN, as gRPC asks: https://www.rfc-editor.org/rfc/rfc9113.html#section-3.2."""
    chosen: list[str | None] = []

    def hold(connection: socket.socket) -> None:
        tls: ssl.SSLContext = certificates.context(protocol="h2")
        with tls.wrap_socket(connection, server_side=True) as secure:
            chosen.append(secure.selected_alpn_protocol())

    with listening(hold) as server:
        sent(server.url.replace("http:", "https:"), certificate=certificates.authority)
    assert chosen == ["h2"]
