"""Real counterparts of the transports, and how they misbehave: servers of HTTP, gRPC, TLS, and proxies."""

import gzip
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self

import grpc  # type: ignore[import-untyped]  # it has no types
import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event
from h2.exceptions import ProtocolError
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
PARTIAL = ExportLogsServiceResponse(
    partial_success=ExportLogsPartialSuccess(rejected_log_records=3, error_message="too old")
)


def request(records: int = 1, size: int = 0) -> ExportLogsServiceRequest:
    """Make a request of so many records, each with a body of *size* bytes more than its number."""
    made = ExportLogsServiceRequest()
    scope = made.resource_logs.add().scope_logs.add()
    for number in range(records):
        record = scope.log_records.add(time_unix_nano=number + 1, event_name="zaak_created")
        record.body.string_value = f"{number}".ljust(size, "x")
    return made


REQUEST = request()
ENCODED: bytes = REQUEST.SerializeToString()


class Reply(NamedTuple):
    """What an HTTP server answers."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}


class HttpServer:
    """
    A server of HTTP/1.1 on a free port, with kept connections.

    Args:
        replies: What it answers, in order; the last one again and again.
        tls: Makes it a server of HTTPS.
    """

    def __init__(self, *replies: Reply, tls: ssl.SSLContext | None = None) -> None:
        self.replies = list(replies or [Reply()])
        self.requests: list[ExportLogsServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.connections = 0
        self._tls = tls

    def __enter__(self) -> Self:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                server.connections += 1
                if server._tls is not None:
                    self.request = server._tls.wrap_socket(self.request, server_side=True)
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                body = gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
                server.requests.append(ExportLogsServiceRequest.FromString(body))
                server.headers.append({name.lower(): value for name, value in self.headers.items()})
                server.paths.append(self.path)
                reply = server.replies.pop(0) if len(server.replies) > 1 else server.replies[0]
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

            def finish(self) -> None:
                with suppress(OSError):
                    super().finish()
                self.request.close()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = _Quiet((HOST, 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"{'http' if self._tls is None else 'https'}://localhost:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that go away, and certificates that they refuse, are what is tested."""


@dataclass
class Raw:
    """A listener whose connections are held by a function; it counts them."""

    port: int
    connections: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.port}"


@contextmanager
def listening(hold: Callable[[socket.socket], None]) -> Iterator[Raw]:
    """Run *hold* on each connection, on a thread of its own; it is closed when that returns."""
    listener = socket.create_server((HOST, 0))
    raw = Raw(listener.getsockname()[1])

    def held(connection: socket.socket) -> None:
        with connection, suppress(OSError, ProtocolError):
            hold(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                raw.connections.append(connection)
                threading.Thread(target=held, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield raw
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in raw.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(port: int, credentials: str | None = None) -> Iterator[tuple[str, list[str]]]:
    """
    Run an HTTP proxy that takes every host for this one and *port*.

    Args:
        port: Where it leads.
        credentials: `Proxy-Authorization` that it asks for.

    Yields:
        Its address, and the first lines of what it was asked.
    """
    asked: list[str] = []

    def hold(client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(65_536)
        asked.append(head.split(b"\r\n")[0].decode())
        if credentials and f"proxy-authorization: {credentials}".lower() not in head.decode("latin-1").lower():
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection((HOST, port)) as server:
            if head.startswith(b"CONNECT"):
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                server.sendall(head)
            pump = threading.Thread(target=_pump, args=(server, client), daemon=True)
            pump.start()
            _pump(client, server)
            pump.join(10)

    with listening(hold) as raw:
        yield f"{HOST}:{raw.port}", asked


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Certificates:
    """
    An authority, and what it and another one signed.

    Args:
        folder: Where the files go.
    """

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.authority = str(folder / "authority.pem")
        self._authority.cert_pem.write_to_path(self.authority)
        self._server = self._authority.issue_cert("localhost", HOST)
        self.server_both = str(folder / "server.pem")
        self._server.private_key_and_cert_chain_pem.write_to_path(self.server_both)
        self._elsewhere = self._authority.issue_cert("elsewhere.test")
        client = self._authority.issue_cert("client.test")
        self.client_certificate, self.client_key = str(folder / "client.pem"), str(folder / "client.key")
        client.cert_chain_pems[0].write_to_path(self.client_certificate)
        client.private_key_pem.write_to_path(self.client_key)
        self.client_both = str(folder / "both.pem")
        client.private_key_and_cert_chain_pem.write_to_path(self.client_both)
        self.stranger = str(folder / "stranger.pem")
        trustme.CA().cert_pem.write_to_path(self.stranger)

    def context(self, *, elsewhere: bool = False, mutual: bool = False, protocol: str = "http/1.1") -> ssl.SSLContext:
        """Make the TLS of a server: of this host or another one, asking for a client's certificate or not."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (self._elsewhere if elsewhere else self._server).configure_cert(made)
        made.set_alpn_protocols([protocol])
        if mutual:
            made.verify_mode = ssl.CERT_REQUIRED
            self._authority.configure_trust(made)
        return made

    def credentials(self, *, mutual: bool = False) -> Any:
        """Make the same for `grpcio`."""
        pair = (self._server.private_key_pem.bytes(), self._server.cert_chain_pems[0].bytes())
        authority = self._authority.cert_pem.bytes() if mutual else None
        return grpc.ssl_server_credentials([pair], authority, mutual)


class GrpcServer:
    """
    A server of `grpcio`.

    Args:
        answer: Is called with `grpcio`'s context for each request; may abort, and may return the response.
        credentials: Makes it a server of TLS.
        port: Where it listens; a free port if not given.
        options: Of `grpcio`.
    """

    def __init__(
        self,
        answer: Callable[[Any], ExportLogsServiceResponse | None] = lambda _context: None,
        *,
        credentials: Any = None,
        port: int = 0,
        options: Mapping[str, int] | None = None,
    ) -> None:
        self.requests: list[ExportLogsServiceRequest] = []
        self.metadata: list[dict[str, str]] = []
        self.peers: set[str] = set()
        self._answer = answer
        self._credentials = credentials
        self.port = port
        self._options = list({"grpc.so_reuseport": 0, **(options or {})}.items())

    def __enter__(self) -> Self:
        server = self

        class Servicer(LogsServiceServicer):
            def Export(self, request: Any, context: Any) -> ExportLogsServiceResponse:  # noqa: N802 - its parent's name
                server.requests.append(request)
                server.metadata.append(dict(context.invocation_metadata()))
                server.peers.add(context.peer())
                return server._answer(context) or ExportLogsServiceResponse()

        self.server = grpc.server(ThreadPoolExecutor(4), options=self._options)
        add_LogsServiceServicer_to_server(Servicer(), self.server)  # type: ignore[no-untyped-call]  # generated
        if self._credentials is None:
            self.port = self.server.add_insecure_port(f"{HOST}:{self.port}")
        else:
            self.port = self.server.add_secure_port(f"{HOST}:{self.port}", self._credentials)
        self.url = f"{'http' if self._credentials is None else 'https'}://localhost:{self.port}"
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop(grace=None).wait(10)


class Http2Peer:
    """
    The server's side of one HTTP/2 connection, for what no proper server does.

    Args:
        connection: Was accepted just now.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._events: deque[Event] = deque()
        self.h2 = H2Connection(H2Configuration(client_side=False))
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        """Send what waits."""
        self._connection.sendall(self.h2.data_to_send())

    def until(self, kind: type) -> Any:
        """Take events, reading where there are none left, until one of *kind* comes, and return it."""
        while True:
            while self._events:
                if isinstance(event := self._events.popleft(), kind):
                    return event
            data = self._connection.recv(65_536)
            if not data:
                raise ConnectionResetError
            for event in self.h2.receive_data(data):
                self._events.append(event)
                if isinstance(event, DataReceived):
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            self.flush()

    def respond(self, stream: int, *pairs: tuple[str, str], end: bool = True) -> None:
        """Send headers."""
        self.h2.send_headers(stream, list(pairs), end_stream=end)
        self.flush()
