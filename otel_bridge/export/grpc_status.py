"""What a response means for gRPC: its status, and what that says of the records."""

import base64
import binascii
import re
from typing import Final

from h2.errors import ErrorCodes

from otel_bridge.export.http2 import Response
from otel_bridge.export.transport import Outcome

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


def code(response: Response) -> str:
    """Name the status of a call, also of one that got no gRPC status."""
    status = response.headers.get("grpc-status")
    if status is not None:
        return CODES[int(status)] if status.isdecimal() and int(status) < len(CODES) else "UNKNOWN"
    if response.reset is not None:
        return RESET_CODES.get(response.reset, "INTERNAL")
    return HTTP_CODES.get(response.headers.get(":status", ""), "UNKNOWN")


def what_came_instead(response: Response) -> str:
    """Describe what came instead of a gRPC status, for people."""
    if response.reset is not None:
        return f"it reset the stream with {response.reset}"
    return f"HTTP status {response.headers.get(':status')} and no gRPC"


def outcome(code: str, text: str, retry_delay: float | None) -> Outcome:
    """
    Say what a status that is not OK means for the records.

    Args:
        code: Its name.
        text: What the server says about it.
        retry_delay: Seconds that the server asks to wait; `None` where it does not say.
    """
    if code in {"RESOURCE_EXHAUSTED", "OUT_OF_RANGE"} and TOO_LARGE.search(text):
        return Outcome.TOO_LARGE
    if code in RETRYABLE or (code == "RESOURCE_EXHAUSTED" and retry_delay is not None):
        return Outcome.UNAVAILABLE
    return Outcome.REFUSED


def details(header: str) -> bytes:
    """Read a binary header: base 64, with or without its padding."""
    try:
        return base64.b64decode(header.rstrip("=") + "=" * (-len(header.rstrip("=")) % 4))
    except binascii.Error:
        return b""
