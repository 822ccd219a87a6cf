"""What receivers say, and what goes wrong on the way to them, as answers."""

import http.client
import re
import socket
import ssl
from collections.abc import Callable
from typing import Final, NamedTuple

from otel_bridge.export import decoding
from otel_bridge.export.endpoint import Endpoint
from otel_bridge.export.tls import TlsFileError
from otel_bridge.export.transport import Answer, Outcome

LONGEST_WAIT: Final = 300.0
"""Seconds that a receiver may ask to wait; a slip of its clock must not stop the sender for a day."""
MESSAGE: Final = 300
"""Characters that are kept of what a receiver says."""
BLANK: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def one_line(text: str, endpoint: Endpoint) -> str:
    """Make what a receiver wrote fit for a log: one line, of bounded length, without what it was sent as a secret."""
    line = BLANK.sub(" ", endpoint.cleared(text)).strip()
    return line if len(line) <= MESSAGE else f"{line[:MESSAGE]}…"


def bounded_wait(seconds: float) -> float:
    """Bound what a receiver asks to wait."""
    return min(max(seconds, 0.0), LONGEST_WAIT)


def accepted(response: bytes | None, endpoint: Endpoint) -> Answer:
    """
    Read the `ExportLogsServiceResponse` of a request that was acknowledged.

    https://opentelemetry.io/docs/specs/otlp/#partial-success: the client must not send it again, whatever it holds.

    Args:
        response: The encoded message; `None` where it could not be read.
        endpoint: Whose it is.
    """
    try:
        partial = decoding.message(dict(decoding.fields(response or b"")).get(1))
        said = None if response is None else dict(decoding.fields(partial))
    except ValueError:
        said = None
    if said is None:
        message = f"{endpoint} acknowledged, but with no ExportLogsServiceResponse: is it a receiver of OTLP logs?"
        return Answer(Outcome.ACCEPTED, message=message)
    rejected, message = max(decoding.number(said.get(1)), 0), one_line(decoding.text(said.get(2)), endpoint)
    if not rejected and not message:
        return Answer(Outcome.ACCEPTED)
    return Answer(
        Outcome.ACCEPTED,
        rejected=rejected,
        error_type="partial_success" if rejected else None,
        message=f"{endpoint} rejected {rejected} records: {message}" if rejected else f"{endpoint} says: {message}",
    )


class RpcStatus(NamedTuple):
    """A `google.rpc.Status`, as far as it matters here."""

    message: str = ""
    retry_delay: float | None = None
    """Seconds of its `google.rpc.RetryInfo`; `None` where it has none."""


RETRY_INFO: Final = "type.googleapis.com/google.rpc.RetryInfo"


def rpc_status(encoded: bytes) -> RpcStatus:
    """
    Read https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto.

    Returns:
        What it says; an empty status if it is none. Never raises.
    """
    try:
        message, delay = "", None
        for number, value in decoding.fields(encoded):
            if number == 2:
                message = decoding.text(value)
            elif number == 3:
                detail = dict(decoding.fields(decoding.message(value)))
                if decoding.text(detail.get(1)) == RETRY_INFO:
                    delay = _retry_delay(decoding.message(detail.get(2)))
    except ValueError:
        return RpcStatus()
    return RpcStatus(message, delay)


def _retry_delay(retry_info: bytes) -> float:
    duration = dict(decoding.fields(decoding.message(dict(decoding.fields(retry_info)).get(1))))
    return decoding.number(duration.get(1)) + decoding.number(duration.get(2)) / 1e9


def failure(exc: Exception, endpoint: Endpoint) -> Answer:
    """
    Answer for a receiver that was not reached, or that broke off: it may be there later.

    A certificate that is not trusted is no exception to that: its operator may replace it while the records wait.
    """
    sentence = next((say(exc) for kind, say in FAILURES if isinstance(exc, kind)), "the request failed")
    message = one_line(f"{endpoint}: {sentence}.", endpoint)
    return Answer(Outcome.UNAVAILABLE, error_type=type(exc).__qualname__, message=message)


FAILURES: Final[tuple[tuple[type[Exception], Callable[[Exception], str]], ...]] = (
    (TlsFileError, lambda exc: str(exc).rstrip(".")),
    (
        ssl.SSLCertVerificationError,
        lambda exc: (
            f"its certificate is not trusted ({getattr(exc, 'verify_message', '')}); "
            "OTEL_EXPORTER_OTLP_CERTIFICATE names the PEM file of the authorities that are"
        ),
    ),
    (ssl.SSLError, lambda exc: f"TLS failed ({getattr(exc, 'reason', None) or 'no reason given'})"),
    (socket.gaierror, lambda exc: f"its name is not known ({getattr(exc, 'strerror', None)})"),
    (TimeoutError, lambda _: "it did not answer in time"),
    (ConnectionRefusedError, lambda _: "nothing listens there"),
    (ConnectionError, lambda _: "it closed the connection"),
    (OSError, lambda exc: f"it cannot be reached ({getattr(exc, 'strerror', None) or exc})"),
    (http.client.HTTPException, lambda _: "it does not speak HTTP/1.1; is that the port of OTLP over gRPC?"),
)
"""Errors of the connection to what is said of them, the first that fits. None of these texts can hold a header."""
