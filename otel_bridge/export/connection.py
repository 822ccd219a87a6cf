"""The way to a receiver, within one deadline: its name resolved, through a proxy if there is one, over TLS."""

import _socket
import http.client
import io
import socket
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection

from otel_bridge.export import tls
from otel_bridge.export.endpoint import Endpoint

USER_AGENT: Final = f"otel-bridge/{version('otel-bridge')}"
CHUNK: Final = 65_536
"""Bytes read at once."""


class Connection(HTTPConnection):
    """
    One connection, which speaks HTTP/1.1 of itself, and carries HTTP/2.

    Setting `timeout` begins a call: everything that is done on the connection from then on must be done in so many
    seconds, however slowly the bytes drip. `http.client` and `urllib3` have a timeout for each read instead.

    Args:
        endpoint: Where it leads.
        protocol: What it carries, as ALPN names it: `h2` or `http/1.1`.

    Raises:
        TlsFileError: A certificate or key cannot be used.
    """

    def __init__(self, endpoint: Endpoint, protocol: str) -> None:
        self._deadline = 0.0
        self._host = endpoint.parts.hostname or ""
        self._tls = tls.context(endpoint, protocol) if endpoint.is_secure else None
        via = urlsplit(endpoint.proxy) if endpoint.proxy else endpoint.parts
        super().__init__(via.hostname or "", via.port, timeout=endpoint.timeout)
        # Proxies pass on plain HTTP/1.1 as it is; anything else goes through a tunnel.
        self.is_forwarded = endpoint.proxy is not None and self._tls is None and protocol != "h2"
        if endpoint.proxy and not self.is_forwarded:
            self.set_tunnel(self._host, endpoint.parts.port, endpoint.proxy_headers)

    @property
    def timeout(self) -> float:
        """
        Seconds that are left of the call.

        Raises:
            TimeoutError: None are.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds

    def connect(self) -> None:
        """
        Connect.

        Raises:
            OSError: There is no way, or not in time; `ssl.SSLError` is one.
        """
        super().connect()
        self.sock.settimeout(self.timeout)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._host)

    def _new_conn(self) -> socket.socket:
        """Connect to the first address that answers; each gets its share of the time that is left."""
        error: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
        found = addresses(self._dns_host, self.port, lambda: self.timeout)
        for left, (family, address) in zip(range(len(found), 0, -1), found, strict=True):
            try:
                return _connected(family, address, self.timeout / left)
            except OSError as exc:
                error = exc
        raise error

    def send(self, data: Any) -> None:
        """
        Send all bytes of *data*; called by `http.client` too.

        Raises:
            OSError: The connection broke, or the time is up.
        """
        if self.sock is None:
            self.connect()
        rest = memoryview(data)
        while rest:
            self.sock.settimeout(self.timeout)
            rest = rest[self.sock.send(rest) :]

    def receive(self, *, wait: bool = True) -> bytes:
        """
        Receive bytes.

        Args:
            wait: Whether to wait for them, as long as the call may take.

        Returns:
            What came, at most `CHUNK`; nothing at the end of the stream.

        Raises:
            OSError: The connection broke, or the time is up; without waiting, `BlockingIOError` or
                `ssl.SSLWantReadError` says that nothing came.
        """
        self.sock.settimeout(self.timeout if wait else 0)
        return self.sock.recv(CHUNK)

    def response_class(self, sock: socket.socket, *arguments: Any, **options: Any) -> http.client.HTTPResponse:  # type: ignore[override]  # http.client only calls it
        """Make the response that `http.client` reads, also a proxy's to CONNECT."""
        response = http.client.HTTPResponse(sock, *arguments, **options)
        response.fp.close()
        response.fp = io.BufferedReader(_Reader(sock, lambda: self.timeout))
        return response


class _Reader(io.RawIOBase):
    """Reads a socket, setting its timeout to what is left before each read."""

    def __init__(self, sock: socket.socket, left: Callable[[], float]) -> None:
        self._sock = sock
        self._left = left
        # Keeps the socket open as long as the response is read, although the connection be closed.
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _connected(family: int, address: Any, timeout: float) -> socket.socket:
    # Not `socket.create_connection`: gevent's resolves the address anew.
    connected = socket.socket(family, socket.SOCK_STREAM)
    try:
        connected.settimeout(timeout)
        connected.connect(address)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        connected.close()
        raise
    return connected


def addresses(host: str, port: int, left: Callable[[], float]) -> list[tuple[int, Any]]:
    """
    Resolve *host*.

    Args:
        host: A name or an address.
        port: Comes back in each address.
        left: Seconds that it may take. `getaddrinfo` keeps no time, so it runs on a thread of its own.

    Returns:
        For each address its family, and what `socket.socket.connect` takes.

    Raises:
        OSError: There is no such host, or the answer is not there in time.
    """
    found: list[list[tuple[int, Any]] | OSError] = []

    def resolve() -> None:
        try:
            try:
                known: Any = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except RuntimeError:
                # gevent's asks a thread, of which an interpreter that is ending has no more.
                known = _socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.append([(family, address) for family, *_, address in known])
        except OSError as exc:
            found.append(exc)
        except UnicodeError:
            found.append(socket.gaierror(socket.EAI_NONAME, "no host name"))
        except LookupError as exc:
            # There is no codec for names: an interpreter that is ending imports none any more.
            found.append(OSError(str(exc)))

    thread = threading.Thread(target=resolve, name="otel-bridge-resolve", daemon=True)
    try:
        thread.start()
        thread.join(left())
    except RuntimeError:
        # The interpreter is ending and has no more threads.
        resolve()
    if not found:
        raise TimeoutError("timed out")
    if isinstance(found[0], OSError):
        raise found[0]
    return found[0]
