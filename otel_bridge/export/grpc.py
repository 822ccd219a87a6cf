"""OTLP over gRPC: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, without `grpcio` and its threads."""

from contextlib import suppress
from typing import Final
from urllib.parse import unquote

from h2.exceptions import ProtocolError
from hpack import NeverIndexedHeaderTuple

from otel_bridge.export import answers, grpc_status
from otel_bridge.export.connection import USER_AGENT, Connection
from otel_bridge.export.endpoint import Endpoint, unpacked
from otel_bridge.export.http2 import MOST, Header, Http2, Response
from otel_bridge.export.quiet import quiet
from otel_bridge.export.transport import Answer, Outcome

PATH: Final = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
MESSAGE_PREFIX: Final = 5
LONGEST_TIMEOUT: Final = 99_999_999
"""Eight digits, of milliseconds."""

REMEDIES: Final = {
    "UNAUTHENTICATED": "see OTEL_EXPORTER_OTLP_HEADERS",
    "PERMISSION_DENIED": "see OTEL_EXPORTER_OTLP_HEADERS",
    "UNIMPLEMENTED": "it must be a receiver of OTLP logs over gRPC",
}


class GrpcTransport:
    """
    Sends requests as unary calls over one kept connection of HTTP/2; the contract is that of `Transport`.

    Raises:
        TlsFileError: A certificate or key of the endpoint cannot be used.
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
        code = grpc_status.code(response)
        if code == "OK":
            return answers.accepted(_message(response.body), self._endpoint)
        said = answers.rpc_status(grpc_status.details(response.headers.get("grpc-status-details-bin", "")))
        text = unquote(response.headers.get("grpc-message", "")) or said.message
        http = "" if "grpc-status" in response.headers else grpc_status.what_came_instead(response)
        parts = (f"{self._endpoint} answered {code}", REMEDIES.get(code, ""), http, text)
        return Answer(
            grpc_status.outcome(code, text, said.retry_delay),
            retry_after=None if said.retry_delay is None else answers.bounded_wait(said.retry_delay),
            error_type=code,
            message=answers.one_line("; ".join(part for part in parts if part), self._endpoint),
        )


def _message(body: bytes | bytearray) -> bytes | None:
    """Take the message out of the body of a response; `None` if it is not all there."""
    length = int.from_bytes(body[1:MESSAGE_PREFIX])
    message = bytes(body[MESSAGE_PREFIX:])
    if len(body) < MESSAGE_PREFIX or len(message) != length:
        return None
    # grpc-go answers as it was asked, whatever it was told to be accepted.
    return unpacked(message, MOST) if body[0] else message
