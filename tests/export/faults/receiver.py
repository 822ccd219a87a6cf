"""OTLP receivers that do what a script says, and count what they accepted."""

import contextlib
import gzip
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

import grpc  # type: ignore[import-untyped]  # it has no types
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import (
    LogsServiceServicer,
    add_LogsServiceServicer_to_server,
)

HOST = "127.0.0.1"


class Sent(NamedTuple):
    """What matters here of a record."""

    serial: str
    """What the program called it."""
    uid: str
    severity: int
    event: str
    is_poison: bool
    """Whether the program asked for it to be refused."""


def records(request: ExportLogsServiceRequest) -> list[Sent]:
    """Return the records of *request*, in its order."""
    found = []
    for resource in request.resource_logs:
        for scope in resource.scope_logs:
            for record in scope.log_records:
                values = {pair.key: pair.value.string_value for pair in record.attributes}
                uid, serial = values.get("log.record.uid", ""), values.get("serial", "")
                found.append(Sent(serial, uid, record.severity_number, record.event_name, "poison" in values))
    return found


class Ledger:
    """What a receiver acknowledged, each record as often as it did."""

    def __init__(self) -> None:
        self.endpoint = ""
        self.order: list[str] = []
        """Serials as they were accepted."""
        self.uids: Counter[str] = Counter()
        self.severities: Counter[int] = Counter()
        self.events: Counter[str] = Counter()
        self.asked: list[float] = []
        """When each request came."""
        self._uids_of: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def accept(self, sent: Iterable[Sent]) -> None:
        """Write down what is acknowledged."""
        with self._lock:
            for serial, uid, severity, event, _ in sent:
                self.order.append(serial)
                self.uids[uid] += 1
                self.severities[severity] += 1
                self.events[event] += 1
                self._uids_of.setdefault(serial, set()).add(uid)

    @property
    def serials(self) -> set[str]:
        """What was accepted at least once."""
        return set(self.order) - {""}

    @property
    def again(self) -> int:
        """How many records came again under the uid that they had: Elasticsearch writes them over themselves."""
        return self.uids.total() - len(self.uids)

    @property
    def twice(self) -> set[str]:
        """What came under two uids: what would be two documents."""
        return {serial for serial, uids in list(self._uids_of.items()) if len(uids) > 1 and serial}

    def wait(self, enough: Callable[[Self], bool], seconds: float = 20.0) -> None:
        """Return as soon as it has *enough*; fail after *seconds*."""
        deadline = time.monotonic() + seconds
        while not enough(self):
            assert time.monotonic() < deadline, (
                f"after {seconds} s: {len(self.order)} records, {len(self.asked)} requests"
            )
            time.sleep(0.005)


class Exchange:
    """One request over HTTP, and the means to answer it."""

    def __init__(self, receiver: "HttpReceiver", connection: socket.socket, sent: list[Sent]) -> None:
        self.receiver = receiver
        self.connection = connection
        self.sent = sent

    def accept(self, which: Callable[[Sent], bool] = lambda _: True) -> None:
        """Write down the records of the request."""
        self.receiver.accept(filter(which, self.sent))

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.connection.sendall(data)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Send a whole response."""
        self.write(_response(status, body, headers))


def _response(status: int, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = [f"HTTP/1.1 {status} As the test asked", f"Content-Length: {len(body)}", *lines, "", ""]
    return "\r\n".join(head).encode() + body


Behaviour = Callable[[Exchange], None]
"""What is done with one request. The connection is kept when it returns, and closed when it raises `OSError`."""


def accept(exchange: Exchange) -> None:
    """Acknowledge all."""
    exchange.accept()
    exchange.answer(200)


def status(code: int, **headers: str) -> Behaviour:
    """Make what answers with a status, and takes nothing."""
    return lambda exchange: exchange.answer(code, b"as the test asked", **headers)


def part_of_a_response(part: bytes) -> Behaviour:
    """Make what takes all, and is killed while answering."""

    def killed(exchange: Exchange) -> None:
        exchange.accept()
        exchange.write(part)
        raise ConnectionAbortedError

    return killed


def no_response(_exchange: Exchange) -> None:
    """Take nothing, and close."""
    raise ConnectionAbortedError


def silence(exchange: Exchange) -> None:
    """Take nothing, and never answer."""
    exchange.receiver.closing.wait(60)
    raise ConnectionAbortedError


def no_http(exchange: Exchange) -> None:
    """Take nothing, and answer what is not HTTP."""
    exchange.write(b"\x00\xff" * 40 + b"\r\n\r\n")
    raise ConnectionAbortedError


def no_otlp(exchange: Exchange) -> None:
    """Take all, and acknowledge with a body that is no OTLP."""
    exchange.accept()
    exchange.answer(200, b"\xff<html>")


def drip(seconds: float) -> Behaviour:
    """Make what takes all, and answers one byte after the other, *seconds* in all."""

    def dripping(exchange: Exchange) -> None:
        exchange.accept()
        response = _response(200, b"", {})
        for position in range(len(response)):
            exchange.write(response[position : position + 1])
            if exchange.receiver.closing.wait(seconds / len(response)):
                raise ConnectionAbortedError

    return dripping


def at_most(most: int) -> Behaviour:
    """Make what answers 413 to more than *most* records."""
    return lambda exchange: accept(exchange) if len(exchange.sent) <= most else exchange.answer(413)


def no_poison(exchange: Exchange) -> None:
    """Answer 400 to a request that holds poison."""
    if any(record.is_poison for record in exchange.sent):
        exchange.answer(400, b"poison")
    else:
        accept(exchange)


def all_but_poison(exchange: Exchange) -> None:
    """Take all but the poison, and say so: OTLP's partial success."""
    exchange.accept(lambda record: not record.is_poison)
    exchange.answer(200, partial(exchange.sent).SerializeToString())


def partial(sent: list[Sent]) -> ExportLogsServiceResponse:
    """Say that the poison was rejected."""
    rejected = sum(record.is_poison for record in sent)
    told = ExportLogsPartialSuccess(rejected_log_records=rejected, error_message="poison") if rejected else None
    return ExportLogsServiceResponse(partial_success=told)


class HttpReceiver(Ledger):
    """
    A receiver of OTLP over HTTP, on a port that stays its own while it is down.

    Args:
        script: What is done with each request, in order.
        always: What is done with each request after those.
        tls: Makes it a server of HTTPS.
    """

    def __init__(self, *script: Behaviour, always: Behaviour = accept, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self.script = list(script)
        self.always = always
        self.closing = threading.Event()
        self._tls = tls
        self._connections: set[socket.socket] = set()
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        # Bound and not listening: nobody else gets the port, and who connects is refused.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind((HOST, 0))
        self.endpoint = f"{'https' if self._tls else 'http'}://localhost:{self._reserved.getsockname()[1]}/v1/logs"
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()
        self._reserved.close()

    def up(self) -> None:
        """Listen."""
        self.closing.clear()
        self._server = _Server(self._reserved.getsockname(), self._handler())
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def down(self) -> None:
        """Break all connections, and refuse more."""
        server, self._server = self._server, None
        if server is None:
            return
        self.closing.set()
        server.shutdown()
        server.server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                if receiver._tls is not None:
                    self.request = receiver._tls.wrap_socket(self.request, server_side=True)
                receiver._connections.add(self.request)
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                body = gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
                receiver.asked.append(time.monotonic())
                exchange = Exchange(receiver, self.request, records(ExportLogsServiceRequest.FromString(body)))
                behaviour = receiver.script.pop(0) if receiver.script else receiver.always
                behaviour(exchange)

            def finish(self) -> None:
                receiver._connections.discard(self.request)
                with contextlib.suppress(OSError):
                    super().finish()
                self.request.close()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that are killed are what is tested."""


class GrpcReceiver(Ledger):
    """
    A receiver of OTLP over gRPC.

    Args:
        script: For each request in order, what is called with `grpcio`'s context and the records; it may abort.
        always: The same for each request after those.
    """

    def __init__(
        self,
        *script: Callable[[Any, list[Sent]], object],
        always: Callable[[Any, list[Sent]], object] = lambda *_: None,
    ) -> None:
        super().__init__()
        self.script = list(script)
        self.always = always

    def __enter__(self) -> Self:
        receiver = self

        class Servicer(LogsServiceServicer):
            def Export(self, request: Any, context: Any) -> ExportLogsServiceResponse:  # noqa: N802 - its parent's name
                receiver.asked.append(time.monotonic())
                sent = records(request)
                behaviour = receiver.script.pop(0) if receiver.script else receiver.always
                behaviour(context, sent)
                receiver.accept(record for record in sent if not record.is_poison)
                return partial(sent)

        self._server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
        add_LogsServiceServicer_to_server(Servicer(), self._server)  # type: ignore[no-untyped-call]  # generated
        self.endpoint = f"http://localhost:{self._server.add_insecure_port(f'{HOST}:0')}"
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(grace=None).wait(10)
