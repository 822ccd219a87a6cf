"""Where requests go, and how."""

import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Final, Literal
from urllib.parse import SplitResult, unquote, urlsplit

from otel_bridge.export.transport import Transport

Protocol = Literal["http/protobuf", "grpc", "file"]
Compression = Literal["gzip", "none"]

MODULES: Final[Mapping[Protocol, str]] = {
    "http/protobuf": "otel_bridge.export.http",
    "grpc": "otel_bridge.export.grpc",
    "file": "otel_bridge.export.file",
}
"""Where the transports are."""
LEVEL: Final = 1
"""Of gzip: on 512 records of 80 kB, level 6 takes twice the time (1.0 ms) to save a twentieth of the bytes."""
GZIP: Final = 16 + zlib.MAX_WBITS
STANDARD_OUTPUT: Final = "file:///dev/stdout"
"""Is written as it stands, rather than opened anew, which sockets cannot be."""
SECRET_LENGTH: Final = 6
"""Words of a header's value from this length on are taken out of messages."""


@dataclass(frozen=True)
class Endpoint:
    """
    One receiver of OTLP and how to talk to it; neither its text nor its representation shows a secret.

    Attributes:
        url: Scheme (`https` is TLS, for gRPC too), host, port, path and query; no credentials. Or that of a file.
        protocol: OTLP's; `file` is its lines of JSON, to which nothing else applies but the time.
        headers: Sent with each request; names in lower case.
        compression: Of requests.
        timeout: Seconds for one request.
        certificate: PEM file, or folder, of trusted authorities; `None` for the system's.
        client_certificate: PEM file with our certificate, for mutual TLS.
        client_key: PEM file with its key; `None` where the certificate's file holds it.
        proxy: URL of an HTTP proxy, with its port, without credentials; `None` for none.
        proxy_headers: Sent to the proxy.
    """

    url: str
    protocol: Protocol = "http/protobuf"
    headers: Mapping[str, str] = field(default_factory=dict)
    compression: Compression = "none"
    timeout: float = 10.0
    certificate: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    proxy: str | None = None
    proxy_headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Name the receiver for people: its URL without the query, which may hold a key."""
        return self.url.partition("?")[0]

    def __repr__(self) -> str:
        """Show what is no secret: of headers, the names."""
        return f"<Endpoint {self}, {self.protocol}, {self.compression}, headers: {', '.join(self.headers) or 'none'}>"

    @property
    def parts(self) -> SplitResult:
        """The parts of the URL; its port is always there, but for a file's."""
        return urlsplit(self.url)

    @property
    def path(self) -> Path | None:
        """The file that it is; `None` for standard output."""
        return None if self.url == STANDARD_OUTPUT else Path(unquote(self.parts.path))

    @property
    def is_secure(self) -> bool:
        """Whether it is reached over TLS."""
        return self.parts.scheme == "https"

    def packed(self, request: bytes) -> bytes:
        """Compress *request* as it should be; without the clock that `gzip.compress` writes."""
        if self.compression == "none":
            return request
        packing = zlib.compressobj(LEVEL, wbits=GZIP)
        return packing.compress(request) + packing.flush()

    def cleared(self, text: str) -> str:
        """Take out of *text*, which a receiver wrote, what it was sent as the value of a header."""
        for value in (*self.headers.values(), *self.proxy_headers.values()):
            for word in value.split():
                text = text.replace(word, "***") if len(word) >= SECRET_LENGTH else text
        return text


def unpacked(response: bytes, most: int) -> bytes | None:
    """Decompress *response*; `None` if it is no gzip, or longer than *most* bytes."""
    unpacking = zlib.decompressobj(wbits=GZIP)
    try:
        content = unpacking.decompress(response, most)
    except zlib.error:
        return None
    return content if unpacking.eof else None


def load(protocol: Protocol) -> None:
    """
    Import what the transport of a protocol needs, on the calling thread, rather than later on the sender's.

    A child that is forked while another thread imports a module can never import it: its lock has no owner any more.

    Raises:
        ModuleNotFoundError: gRPC is asked for, and `h2` is not installed; the message names the remedy.
    """
    try:
        import_module(MODULES[protocol])
    except ModuleNotFoundError as exc:
        if protocol != "grpc":
            raise
        missing = (exc.name or "").partition(".")[0]
        raise ModuleNotFoundError(
            f"OTLP over gRPC needs {missing}: pip install 'otel-bridge[grpc]', or set "
            "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf and the endpoint to the port of OTLP over HTTP (4318).",
            name=missing,
        ) from exc
    # With this codec `socket.getaddrinfo` reads every name, and says so where there is none.
    with suppress(LookupError):
        "localhost".encode("idna")


def transport(endpoint: Endpoint) -> Transport:
    """
    Make the transport of this process to *endpoint*. It connects at its first request.

    Raises:
        ValueError: A certificate or key cannot be read; the message names the file and the variable.
        ModuleNotFoundError: As `load`.
    """
    load(endpoint.protocol)
    # An application has but one of them, and gRPC needs an optional extra.
    if endpoint.protocol == "file":
        from otel_bridge.export.file import FileTransport  # noqa: PLC0415

        return FileTransport(endpoint.path)
    if endpoint.protocol == "grpc":
        from otel_bridge.export.grpc import GrpcTransport  # noqa: PLC0415

        return GrpcTransport(endpoint)
    from otel_bridge.export.http import HttpTransport  # noqa: PLC0415

    return HttpTransport(endpoint)
