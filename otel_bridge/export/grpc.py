"""OTLP over gRPC: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, without `grpcio` and its threads."""

import base64
import binascii
import re
from contextlib import suppress
from typing import Final
from urllib.parse import unquote

from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from hpack import NeverIndexedHeaderTuple

from otel_bridge.export import answers
from otel_bridge.export.connection import USER_AGENT, Connection
from otel_bridge.export.endpoint import Endpoint, unpacked
from otel_bridge.export.http2 import MOST, Header, Http2, Response
from otel_bridge.export.quiet import quiet
from otel_bridge.export.transport import Answer, Outcome

PATH: Final = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
MESSAGE_PREFIX: Final = 5
LONGEST_TIMEOUT: Final = 99_999_999
"""Eight digits, of milliseconds."""

CODES: Final = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
"""https://grpc.github.io/grpc/core/md_doc_statuscodes.html, by number."""
RETRYABLE: Final = frozenset({"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"})
"""https://opentelemetry.io/docs/specs/otlp/#failures; `RESOURCE_EXHAUSTED` is one of them only with RetryInfo."""
TOO_LARGE: Final = re.compile(r"larger than max|exceeds.{1,40}max|length too large", re.IGNORECASE)
"""What servers say of a message over their limit, as `RESOURCE_EXHAUSTED` (grpc-go, grpcio, grpc-java, .NET) or
`OUT_OF_RANGE` (tonic)."""

HTTP_CODES: Final = {
    "400": "INTERNAL",
    "401": "UNAUTHENTICATED",
    "403": "PERMISSION_DENIED",
    "404": "UNIMPLEMENTED",
    "429": "UNAVAILABLE",
    "502": "UNAVAILABLE",
    "503": "UNAVAILABLE",
    "504": "UNAVAILABLE",
}
"""What a response without a gRPC status means: https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md."""
RESET_CODES: Final[dict[int, str]] = {
    ErrorCodes.REFUSED_STREAM: "UNAVAILABLE",
    ErrorCodes.CANCEL: "CANCELLED",
    ErrorCodes.ENHANCE_YOUR_CALM: "UNAVAILABLE",
    ErrorCodes.INADEQUATE_SECURITY: "PERMISSION_DENIED",
}
"""What a reset of the stream means; any other is `INTERNAL`:
https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#errors. That has `RESOURCE_EXHAUSTED` for
`ENHANCE_YOUR_CALM`, but of bandwidth: it is about the connection, and not a refusal of these records."""

REMEDIES: Final = {
    "UNAUTHENTICATED": "see OTEL_EXPORTER_OTLP_HEADERS",
    "PERMISSION_DENIED": "see OTEL_EXPORTER_OTLP_HEADERS",
    "UNIMPLEMENTED": "it must be a receiver of OTLP logs over gRPC",
}


class GrpcTransport:
    """
    Sends requests as unary calls over one kept connection of HTTP/2; the contract is that of `Transport`.

    Nothing is retried: that is the sender's. A forked child must not use its parent's.

    Args:
        endpoint: Where to.

    Raises:
        TlsFileError: A certificate or key cannot be used.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._connection = Connection(endpoint, "h2")
        self._http2: Http2 | None = None
        parts = endpoint.parts
        self._headers: list[Header] = [
            (":method", "POST"),
            (":scheme", parts.scheme),
            (":path", PATH),
            (":authority", parts.netloc),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", USER_AGENT),
            *([("grpc-encoding", "gzip")] if endpoint.compression == "gzip" else []),
            *(NeverIndexedHeaderTuple(name, value) for name, value in endpoint.headers.items()),
        ]

    @quiet()
    def send(self, request: bytes, timeout: float) -> Answer:
        """Send one `ExportLogsServiceRequest`; see `Transport`."""
        try:
            return self._answer(self._exchange(request, timeout))
        except ProtocolError as exc:
            self.close()
            message = f"{self._endpoint} does not speak HTTP/2; is that the port of OTLP over HTTP?"
            return Answer(Outcome.UNAVAILABLE, error_type=type(exc).__qualname__, message=message)
        except Exception as exc:  # noqa: BLE001 - whatever it is, the records are not acknowledged
            self.close()
            return answers.failure(exc, self._endpoint)

    def close(self) -> None:
        """Close the connection. Never raises."""
        self._http2 = None
        with suppress(Exception):
            self._connection.close()

    def _exchange(self, request: bytes, timeout: float) -> Response:
        if self._http2 is None or not self._http2.is_usable():
            self.close()
            self._connection = Connection(self._endpoint, "h2")
            self._connection.timeout = timeout
            self._http2 = Http2(self._connection)
        else:
            self._connection.timeout = timeout
        message = self._endpoint.packed(request)
        prefix = bytes([self._endpoint.compression == "gzip"]) + len(message).to_bytes(4)
        milliseconds = min(max(round(timeout * 1000), 1), LONGEST_TIMEOUT)
        return self._http2.exchange([*self._headers, ("grpc-timeout", f"{milliseconds}m")], prefix + message)

    def _answer(self, response: Response) -> Answer:
        code = _code(response)
        if code == "OK":
            return answers.accepted(_message(response.body), self._endpoint)
        said = answers.rpc_status(_details(response.headers.get("grpc-status-details-bin", "")))
        text = unquote(response.headers.get("grpc-message", "")) or said.message
        http = "" if "grpc-status" in response.headers else _what_came_instead(response)
        parts = (f"{self._endpoint} answered {code}", REMEDIES.get(code, ""), http, text)
        return Answer(
            _outcome(code, text, said.retry_delay),
            retry_after=None if said.retry_delay is None else answers.bounded_wait(said.retry_delay),
            error_type=code,
            message=answers.one_line("; ".join(part for part in parts if part), self._endpoint),
        )


def _code(response: Response) -> str:
    """Name the status of a call, also of one that got no gRPC status."""
    status = response.headers.get("grpc-status")
    if status is not None:
        return CODES[int(status)] if status.isdecimal() and int(status) < len(CODES) else "UNKNOWN"
    if response.reset is not None:
        return RESET_CODES.get(response.reset, "INTERNAL")
    return HTTP_CODES.get(response.headers.get(":status", ""), "UNKNOWN")


def _what_came_instead(response: Response) -> str:
    if response.reset is not None:
        return f"it reset the stream with {response.reset}"
    return f"HTTP status {response.headers.get(':status')} and no gRPC"


def _outcome(code: str, text: str, retry_delay: float | None) -> Outcome:
    if code in {"RESOURCE_EXHAUSTED", "OUT_OF_RANGE"} and TOO_LARGE.search(text):
        return Outcome.TOO_LARGE
    if code in RETRYABLE or (code == "RESOURCE_EXHAUSTED" and retry_delay is not None):
        return Outcome.UNAVAILABLE
    return Outcome.REFUSED


def _message(body: bytes | bytearray) -> bytes | None:
    """Take the message out of the body of a response; `None` if it is not all there."""
    length = int.from_bytes(body[1:MESSAGE_PREFIX])
    message = bytes(body[MESSAGE_PREFIX:])
    if len(body) < MESSAGE_PREFIX or len(message) != length:
        return None
    # grpc-go answers as it was asked, whatever it was told to be accepted.
    return unpacked(message, MOST) if body[0] else message


def _details(header: str) -> bytes:
    """Read a binary header: base 64, with or without its padding."""
    try:
        return base64.b64decode(header.rstrip("=") + "=" * (-len(header.rstrip("=")) % 4))
    except binascii.Error:
        return b""
