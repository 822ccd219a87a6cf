"""OTLP over HTTP, against real servers that answer, refuse, drip, break off, or say nothing."""

import logging
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # it has no types

from otel_bridge.export.endpoint import Endpoint
from otel_bridge.export.http import HttpTransport, retry_after
from otel_bridge.export.transport import Answer, Outcome
from tests.export.receivers import (
    ENCODED,
    HOST,
    PARTIAL,
    REQUEST,
    Certificates,
    HttpServer,
    Reply,
    listening,
    request,
)
from tests.export.receivers import proxy as proxy_to

HUNTER2 = {"authorization": "Bearer hunter2hunter2"}


@contextmanager
def transport(url: str, **options: Any) -> Iterator[HttpTransport]:
    """Make a transport to *url*, and close it."""
    made = HttpTransport(Endpoint(f"{url}/v1/logs", **options))
    try:
        yield made
    finally:
        made.close()


def sent(url: str, timeout: float = 5.0, **options: Any) -> Answer:
    """Send one request over a transport of its own."""
    with transport(url, **options) as made:
        return made.send(ENCODED, timeout)


def answered(reply: Reply) -> Answer:
    """Send one request to a server that answers *reply*."""
    with HttpServer(reply) as server:
        return sent(server.url)


def test_a_request_arrives_as_it_is() -> None:
    """Path, type, length and message are those of OTLP."""
    with HttpServer() as server:
        assert sent(server.url) == Answer(Outcome.ACCEPTED)
    assert server.requests == [REQUEST]
    assert server.paths == ["/v1/logs"]
    assert server.headers[0]["content-type"] == "application/x-protobuf"
    assert server.headers[0]["user-agent"].startswith("otel-bridge/")
    assert "content-encoding" not in server.headers[0]


def test_a_compressed_request_arrives_as_it_is() -> None:
    """The server reads `Content-Encoding: gzip`."""
    many = request(500)
    with HttpServer() as server, transport(server.url, compression="gzip") as made:
        assert made.send(many.SerializeToString(), 5) == Answer(Outcome.ACCEPTED)
    assert server.requests == [many]
    assert server.headers[0]["content-encoding"] == "gzip"
    assert int(server.headers[0]["content-length"]) < len(many.SerializeToString()) / 4


def test_headers_and_query_go_with_each_request() -> None:
    """Those of the configuration, beside OTLP's own, which they do not replace."""
    headers = {"x-scope-orgid": "café", "user-agent": "mine", "content-type": "text/plain"}
    with HttpServer() as server:
        made = HttpTransport(Endpoint(f"{server.url}/in?key=k", headers=headers))
        made.send(ENCODED, 5)
        made.close()
    assert server.paths == ["/in?key=k"]
    assert server.headers[0]["x-scope-orgid"] == "café"
    assert server.headers[0]["user-agent"] == "mine"
    assert server.headers[0]["content-type"] == "application/x-protobuf"


def test_one_connection_serves_many_requests() -> None:
    """Of whatever outcome, as long as the server keeps it."""
    replies = [Reply(), Reply(503, b"later"), Reply(400, b"never"), Reply(200, PARTIAL.SerializeToString())]
    with HttpServer(*replies) as server, transport(server.url) as made:
        outcomes = [made.send(ENCODED, 5).outcome for _ in range(6)]
    assert outcomes == [Outcome.ACCEPTED, Outcome.UNAVAILABLE, Outcome.REFUSED, *[Outcome.ACCEPTED] * 3]
    assert server.connections == 1


def test_a_connection_that_the_server_closed_is_replaced() -> None:
    """With `Connection: close`, the next request opens another one, and no request is lost to it."""
    with HttpServer(Reply(headers={"Connection": "close"})) as server, transport(server.url) as made:
        assert [made.send(ENCODED, 5).outcome for _ in range(3)] == [Outcome.ACCEPTED] * 3
    assert server.connections == 3


def test_a_connection_that_the_server_dropped_meanwhile_is_replaced() -> None:
    """One that is idle for long is closed by the server; the next request does not fail on it."""
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    def once(connection: socket.socket) -> None:
        _read(connection)
        connection.sendall(reply)

    with listening(once) as server, transport(server.url) as made:
        assert made.send(ENCODED, 5) == Answer(Outcome.ACCEPTED)
        _until(lambda: not made._connection.is_connected)
        assert made.send(ENCODED, 5) == Answer(Outcome.ACCEPTED)
    assert len(server.connections) == 2


def _until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.ACCEPTED),
        (202, Outcome.ACCEPTED),
        (204, Outcome.ACCEPTED),
        *((status, Outcome.REFUSED) for status in (301, 302, 303, 304, 307, 308)),
        *((status, Outcome.REFUSED) for status in (400, 401, 403, 404, 405, 408, 415, 422)),
        (413, Outcome.TOO_LARGE),
        *((status, Outcome.UNAVAILABLE) for status in (429, 502, 503, 504)),
        *((status, Outcome.REFUSED) for status in (500, 501, 505, 599)),
    ],
)
def test_each_status_has_the_outcome_of_the_specification(status: int, outcome: Outcome) -> None:
    """https://opentelemetry.io/docs/specs/otlp/#failures-1: four are retryable, and a redirect is no success."""
    answer = answered(Reply(status, headers={"Location": "http://localhost:1/elsewhere"}))
    assert answer.outcome is outcome
    assert answer.error_type == (None if outcome is Outcome.ACCEPTED else str(status))
    assert (str(status) in answer.message) == (outcome is not Outcome.ACCEPTED)


def test_the_collectors_word_for_too_large_is_known() -> None:
    """It has no 413, but a 400 that says so."""
    assert answered(Reply(400, b"http: request body too large")).outcome is Outcome.TOO_LARGE


def test_a_redirect_is_not_followed() -> None:
    """It is refused; the message says where it leads, and the other server hears nothing."""
    with HttpServer() as other, HttpServer(Reply(302, headers={"Location": f"{other.url}/in?key=k"})) as server:
        answer = sent(server.url, headers=HUNTER2)
    assert (answer.outcome, other.requests) == (Outcome.REFUSED, [])
    assert f"{other.url}/in" in answer.message
    assert "key=k" not in answer.message


def test_a_partial_success_is_read() -> None:
    """How many were rejected, and why."""
    answer = answered(Reply(200, PARTIAL.SerializeToString()))
    assert (answer.outcome, answer.rejected, answer.error_type) == (Outcome.ACCEPTED, 3, "partial_success")
    assert "3 records: too old" in answer.message


def test_a_warning_of_the_receiver_is_read() -> None:
    """A partial success that rejected none is a warning: nothing failed, and it is told."""
    answer = answered(Reply(200, b"\x0a\x0d\x12\x0bplease slow"))
    assert (answer.rejected, answer.error_type) == (0, None)
    assert "please slow" in answer.message


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"\xff\xff\xff", b"{}"])
def test_what_acknowledges_with_garbage_has_the_records(body: bytes) -> None:
    """They are not sent again; the message asks whether that is a receiver."""
    answer = answered(Reply(200, body))
    assert (answer.outcome, answer.rejected) == (Outcome.ACCEPTED, 0)
    assert "is it a receiver of OTLP logs?" in answer.message


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), (" 0 ", 0.0), ("86400", 300.0), ("soon", None), ("-1", None), ("1.5", None), ("", None), ("²", None)],
)
def test_retry_after_in_seconds_is_read(header: str, seconds: float | None) -> None:
    """Whole seconds, bounded by five minutes; anything else says nothing."""
    assert retry_after(header, 0.0) == seconds
    if header.isascii():
        assert answered(Reply(503, headers={"Retry-After": header})).retry_after == seconds


def test_retry_after_as_a_date_is_read() -> None:
    """In any of HTTP's three forms; one in the past is now, one far away is bounded."""
    now = datetime(2025, 5, 19, 14, 0, 0, tzinfo=UTC)
    assert retry_after(format_datetime(now + timedelta(seconds=30), usegmt=True), now.timestamp()) == 30
    assert retry_after("Monday, 19-May-25 14:00:30 GMT", now.timestamp()) == 30
    assert retry_after(format_datetime(now - timedelta(days=1), usegmt=True), now.timestamp()) == 0
    assert retry_after(format_datetime(now + timedelta(days=1), usegmt=True), now.timestamp()) == 300
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 55 < (answered(Reply(429, headers={"Retry-After": soon})).retry_after or 0) <= 60


def test_what_the_receiver_says_of_an_error_is_told() -> None:
    """In protobuf, as OTLP has it, or as text; on one line, and not endlessly."""
    status = Status(code=3, message="no such tenant").SerializeToString()
    assert "no such tenant" in answered(Reply(400, status, {"Content-Type": "application/x-protobuf"})).message
    said = answered(Reply(400, b"first line\r\nsecond\x1b[31m line " + b"x" * 5000)).message
    assert "first line second [31m line" in said
    assert len(said) < 400


def test_a_status_without_permission_names_the_variable() -> None:
    """What an operator looks at next."""
    assert "OTEL_EXPORTER_OTLP_HEADERS" in answered(Reply(401)).message
    assert "/v1/logs" in answered(Reply(404)).message


def test_a_receiver_that_repeats_a_header_does_not_reveal_it() -> None:
    """Some write the token that they refuse into their answer."""
    with HttpServer(Reply(401, b"invalid token: hunter2hunter2")) as server:
        answer = sent(server.url, headers=HUNTER2)
    assert "invalid token: ***" in answer.message


def test_nothing_is_logged_with_headers(caplog: pytest.LogCaptureFixture) -> None:
    """Neither this package nor `urllib3` writes them, at any level."""
    caplog.set_level(logging.DEBUG)
    with HttpServer(Reply(500)) as server:
        sent(server.url, headers=HUNTER2)
    sent("http://localhost:1", headers=HUNTER2)
    assert "hunter2" not in caplog.text


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\n"


def _read(connection: socket.socket) -> None:
    while not connection.recv(65_536).endswith(ENCODED):
        """Go on."""


def _silent(connection: socket.socket) -> None:
    while connection.recv(65_536):
        """Answer nothing."""


def _drips_its_head(connection: socket.socket) -> None:
    _read(connection)
    for byte in HEAD * 100:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def _drips_its_body(connection: socket.socket) -> None:
    _read(connection)
    connection.sendall(HEAD + b"Content-Length: 10000\r\n\r\n")
    for _ in range(10_000):
        connection.sendall(b"x")
        time.sleep(0.05)


def _continues_forever(connection: socket.socket) -> None:
    _read(connection)
    for _ in range(10_000):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.05)


def _reads_nothing(connection: socket.socket) -> None:
    time.sleep(10)
    connection.recv(1)


@pytest.mark.parametrize("hold", [_silent, _drips_its_head, _continues_forever])
def test_the_time_is_for_the_whole_call(hold: Callable[[socket.socket], None]) -> None:
    """A server that says nothing, or a byte now and then, is given up in time."""
    with listening(hold) as server:
        began = time.monotonic()
        answer = sent(server.url, timeout=0.4)
        assert 0.35 < time.monotonic() - began < 2.0
    assert (answer.outcome, answer.error_type) == (Outcome.UNAVAILABLE, "TimeoutError")
    assert "did not answer in time" in answer.message


def _reads_slowly(connection: socket.socket) -> None:
    while connection.recv(65_536):
        time.sleep(0.005)


@pytest.mark.parametrize("hold", [_reads_nothing, _reads_slowly])
def test_the_time_holds_for_sending_too(hold: Callable[[socket.socket], None]) -> None:
    """A server that takes nothing off its socket, or a little now and then, stops nobody for longer."""
    with listening(hold) as server, transport(server.url) as made:
        began = time.monotonic()
        answer = made.send(bytes(128 << 20), 0.4)
        assert 0.35 < time.monotonic() - began < 2.0
    assert (answer.outcome, answer.error_type) == (Outcome.UNAVAILABLE, "TimeoutError")


def test_an_acknowledgement_whose_body_drips_is_one() -> None:
    """The status has come; the call ends in time."""
    with listening(_drips_its_body) as server:
        began = time.monotonic()
        answer = sent(server.url, timeout=0.4)
        assert time.monotonic() - began < 2.0
    assert answer.outcome is Outcome.ACCEPTED
    assert "no ExportLogsServiceResponse" in answer.message


def test_the_time_holds_for_connecting_too() -> None:
    """A host that does not even answer a connection, as behind a firewall: here by a queue that is full."""
    with socket.create_server((HOST, 0), backlog=0) as full, ExitStack() as waiting:
        for _ in range(3):
            caller = waiting.enter_context(socket.socket())
            caller.settimeout(0)
            caller.connect_ex(full.getsockname())
        began = time.monotonic()
        answer = sent(f"http://{HOST}:{full.getsockname()[1]}", timeout=0.4)
        assert 0.35 < time.monotonic() - began < 2.0
    assert (answer.outcome, answer.error_type) == (Outcome.UNAVAILABLE, "TimeoutError")


def test_a_slow_name_server_keeps_nobody_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """`getaddrinfo` has no timeout; the call has. The name server is the one thing that cannot be real here."""

    def resolve(*_: object, **__: object) -> list[object]:
        time.sleep(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    began = time.monotonic()
    answer = sent("http://slow.test:4318", timeout=0.3)
    assert time.monotonic() - began < 2.0
    assert answer.error_type == "TimeoutError"


WITHOUT_CODEC = """
import sys, threading
sys.modules["encodings.idna"] = None
from otel_bridge.export.connection import addresses
threading.excepthook = lambda arguments: print("escaped:", arguments.exc_value)
try:
    addresses("b\\xfccher.test", 4318, lambda: 5.0)
except OSError as exc:
    print(type(exc).__name__, exc)
"""


def test_a_codec_that_is_missing_is_an_error_of_the_connection() -> None:
    """As in an interpreter that is ending, and imports none any more: here `idna`, which `getaddrinfo` wants."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_CODEC], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout.splitlines() == ["OSError unknown encoding: idna"]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (b"", Outcome.UNAVAILABLE),
        (b"HTTP/1.1 20", Outcome.UNAVAILABLE),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nhalf", Outcome.UNAVAILABLE),
        (b"HTTP/1.1 400 No\r\nContent-Length: 100\r\n\r\nhalf", Outcome.REFUSED),
        (HEAD + b"Content-Length: 100\r\n\r\n\x0a", Outcome.ACCEPTED),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n64\r\n\x0a", Outcome.ACCEPTED),
        (b"SSH-2.0-OpenSSH_9.9\r\n", Outcome.UNAVAILABLE),
        (b"\0\0\x18\x04\0\0\0\0\0\0\x03", Outcome.UNAVAILABLE),
    ],
)
def test_a_response_that_breaks_off_is_what_its_status_says(said: bytes, outcome: Outcome) -> None:
    """Without a status, the records are not acknowledged; with one, the rest of the response changes nothing."""

    def breaks(connection: socket.socket) -> None:
        _read(connection)
        connection.sendall(said)

    with listening(breaks) as server, transport(server.url) as made:
        answers = [made.send(ENCODED, 5) for _ in range(2)]
    assert [answer.outcome for answer in answers] == [outcome] * 2
    assert len(server.connections) == 2, "a broken connection is not used again"


@pytest.mark.parametrize("reads_on", [True, False])
def test_an_answer_that_comes_before_the_request_is_read_counts(*, reads_on: bool) -> None:
    """A receiver that limits the size answers 413 while the request is still on its way, and may break it off."""

    def hasty(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        while reads_on and connection.recv(65_536):
            """Let it come."""

    with listening(hasty) as server, transport(server.url) as made:
        assert made.send(bytes(8 << 20), 5).outcome is Outcome.TOO_LARGE


def test_a_port_that_nobody_listens_on_is_unavailable() -> None:
    """The message says so."""
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    answer = sent(f"http://{HOST}:{port}")
    assert (answer.outcome, answer.error_type) == (Outcome.UNAVAILABLE, "ConnectionRefusedError")
    assert f"{HOST}:{port}/v1/logs: nothing listens there" in answer.message


@pytest.mark.parametrize("host", ["collector.invalid", "a" * 64, "xn--"])
def test_a_name_that_nobody_knows_is_unavailable(host: str) -> None:
    """It may be known later: name servers start late, too."""
    answer = sent(f"http://{host}:4318")
    assert (answer.outcome, answer.error_type) == (Outcome.UNAVAILABLE, "gaierror")
    assert "its name is not known" in answer.message


def test_tls_with_a_known_authority_works(certificates: Certificates) -> None:
    """On one connection, again."""
    tls = certificates.context()
    with HttpServer(tls=tls) as server, transport(server.url, certificate=certificates.authority) as made:
        assert [made.send(ENCODED, 5) for _ in range(3)] == [Answer(Outcome.ACCEPTED)] * 3
    assert (server.requests, server.connections) == ([REQUEST] * 3, 1)


def test_a_folder_of_authorities_works(certificates: Certificates, tmp_path: Any) -> None:
    """As OpenSSL reads them: a file for each, named by its hash; an empty one trusts nobody."""
    with HttpServer(tls=certificates.context()) as server:
        answer = sent(server.url, certificate=str(tmp_path))
    assert answer.error_type == "SSLCertVerificationError"


@pytest.mark.parametrize("case", ["unknown authority", "system's authorities", "another host's certificate"])
def test_a_certificate_that_is_not_trusted_is_unavailable(certificates: Certificates, case: str) -> None:
    """Its operator may replace it; the message says what is wrong and which variable trusts it."""
    tls = certificates.context(elsewhere=case == "another host's certificate")
    trusted = {"unknown authority": certificates.stranger, "system's authorities": None}
    with HttpServer(tls=tls) as server:
        answer = sent(server.url, certificate=trusted.get(case, certificates.authority))
        assert server.requests == []
    assert (answer.outcome, answer.error_type) == (Outcome.UNAVAILABLE, "SSLCertVerificationError")
    assert "certificate is not trusted" in answer.message
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in answer.message


def test_mutual_tls_works(certificates: Certificates) -> None:
    """With certificate and key in two files, and in one."""
    pair: dict[str, Any] = {
        "client_certificate": certificates.client_certificate,
        "client_key": certificates.client_key,
    }
    with HttpServer(tls=certificates.context(mutual=True)) as server:
        for files in (pair, {"client_certificate": certificates.client_both, "client_key": None}):
            assert sent(server.url, certificate=certificates.authority, **files) == Answer(Outcome.ACCEPTED)


def test_mutual_tls_without_a_certificate_is_unavailable(certificates: Certificates) -> None:
    """The receiver breaks the connection off."""
    with HttpServer(tls=certificates.context(mutual=True)) as server:
        answer = sent(server.url, certificate=certificates.authority)
    assert answer.outcome is Outcome.UNAVAILABLE
    assert server.requests == []


def test_a_certificate_that_is_replaced_is_read_again(certificates: Certificates, tmp_path: Any) -> None:
    """Each connection reads the files anew: short-lived certificates need no restart."""
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(_content(certificates.stranger))
    with HttpServer(tls=certificates.context()) as server, transport(server.url, certificate=str(trusted)) as made:
        assert made.send(ENCODED, 5).outcome is Outcome.UNAVAILABLE
        trusted.write_bytes(_content(certificates.authority))
        assert made.send(ENCODED, 5) == Answer(Outcome.ACCEPTED)


def _content(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - the path is a text
        return file.read()


def test_plain_http_where_tls_is_expected_is_unavailable(certificates: Certificates) -> None:
    """In either direction."""
    with HttpServer() as plain:
        assert sent(plain.url.replace("http:", "https:")).error_type == "SSLError"
    with HttpServer(tls=certificates.context()) as secure:
        assert sent(secure.url.replace("https:", "http:")).outcome is Outcome.UNAVAILABLE


def test_a_server_that_never_finishes_its_handshake_is_given_up() -> None:
    """The time is for that too."""
    with listening(_silent) as server:
        began = time.monotonic()
        answer = sent(server.url.replace("http:", "https:"), timeout=0.4)
        assert time.monotonic() - began < 2.0
    assert answer.error_type == "TimeoutError"


def test_plain_http_goes_through_a_proxy_as_it_is() -> None:
    """The proxy gets the whole URL and resolves the name; the receiver gets its own name as host."""
    with HttpServer() as server, proxy_to(server.port) as (address, asked):
        proxied = {"proxy": f"http://{address}", "proxy_headers": {"proxy-authorization": "Basic dXNlcjpwYXNz"}}
        with transport("http://collector.test:4318", **proxied) as made:
            assert [made.send(ENCODED, 5) for _ in range(2)] == [Answer(Outcome.ACCEPTED)] * 2
    assert asked == ["POST http://collector.test:4318/v1/logs HTTP/1.1"]
    assert server.requests == [REQUEST] * 2
    assert server.headers[0]["host"] == "collector.test:4318"


def test_tls_goes_through_a_tunnel(certificates: Certificates) -> None:
    """The proxy sees the name and the port, and its credentials; it does not see the request."""
    credentials = "Basic dXNlcjpwYXNz"
    with HttpServer(tls=certificates.context()) as server, proxy_to(server.port, credentials) as (address, asked):
        options: dict[str, Any] = {"proxy": f"http://{address}", "certificate": certificates.authority}
        with transport("https://localhost:4318", proxy_headers={"proxy-authorization": credentials}, **options) as made:
            assert [made.send(ENCODED, 5) for _ in range(2)] == [Answer(Outcome.ACCEPTED)] * 2
        refused = sent("https://localhost:4318", **options)
    assert [line.rpartition("/")[0] for line in asked] == ["CONNECT localhost:4318 HTTP"] * 2
    assert server.connections == 1
    assert "proxy-authorization" not in server.headers[0]
    assert (refused.outcome, "407" in refused.message) == (Outcome.UNAVAILABLE, True)


def test_a_proxy_that_never_answers_is_given_up() -> None:
    """The time is for the tunnel too."""
    with listening(_silent) as server:
        began = time.monotonic()
        answer = sent("https://collector.test:4318", timeout=0.4, proxy=server.url)
        assert time.monotonic() - began < 2.0
    assert answer.error_type == "TimeoutError"


def test_after_close_the_next_request_opens_another_connection() -> None:
    """Closing twice is harmless."""
    with HttpServer() as server, transport(server.url) as made:
        made.send(ENCODED, 5)
        made.close()
        made.close()
        assert made.send(ENCODED, 5) == Answer(Outcome.ACCEPTED)
    assert server.connections == 2
