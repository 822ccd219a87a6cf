"""OTLP over HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp."""

import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Final

import urllib3

from otel_bridge.export import answers
from otel_bridge.export.connection import USER_AGENT, Connection
from otel_bridge.export.endpoint import Endpoint
from otel_bridge.export.quiet import quiet
from otel_bridge.export.transport import Answer, Outcome

CONTENT_TYPE: Final = "application/x-protobuf"

OUTCOMES: Final = {
    413: Outcome.TOO_LARGE,
    429: Outcome.UNAVAILABLE,
    502: Outcome.UNAVAILABLE,
    503: Outcome.UNAVAILABLE,
    504: Outcome.UNAVAILABLE,
}
"""Statuses that are no plain refusal: https://opentelemetry.io/docs/specs/otlp/#failures-1; 413: RFC 9110, 15.5.14."""

TOO_LARGE: Final = "request body too large"
"""What Go's server says of a request over its limit, the Collector's with status 400."""

REMEDIES: Final = {
    401: "see OTEL_EXPORTER_OTLP_HEADERS",
    403: "see OTEL_EXPORTER_OTLP_HEADERS",
    404: "its path must be that of OTLP logs, usually /v1/logs",
    405: "its path must be that of OTLP logs, usually /v1/logs",
}

MOST: Final = 65_536
"""Bytes that are read of a response."""


class HttpTransport:
    """
    Sends requests over one kept connection of HTTP/1.1; the contract is that of `Transport`.

    Redirects are not followed: OTLP has none.

    Raises:
        TlsFileError: A certificate or key of the endpoint cannot be used.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._connection = Connection(endpoint, "http/1.1")
        parts = endpoint.parts
        self._target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        self._headers = {"user-agent": USER_AGENT, **endpoint.headers, "content-type": CONTENT_TYPE}
        if endpoint.compression == "gzip":
            self._headers["content-encoding"] = "gzip"
        if self._connection.is_forwarded:
            self._target = endpoint.url
            self._headers |= {"host": parts.netloc, **endpoint.proxy_headers}

    @quiet()
    def send(self, request: bytes, timeout: float) -> Answer:
        """Send one `ExportLogsServiceRequest`; see `Transport`."""
        try:
            return self._answer(self._exchange(request, timeout))
        except Exception as exc:  # noqa: BLE001 - whatever it is, the records are not acknowledged
            self.close()
            return answers.failure(exc, self._endpoint)

    def close(self) -> None:
        """Close the connection. Never raises."""
        with suppress(Exception):
            self._connection.close()

    def _exchange(self, request: bytes, timeout: float) -> urllib3.BaseHTTPResponse:
        if not self._connection.is_connected:
            self._connection.close()
            self._connection = Connection(self._endpoint, "http/1.1")
        connection = self._connection
        connection.timeout = timeout
        # A receiver that refuses a request early answers, and closes before it has read all of it.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request(
                "POST", self._target, self._endpoint.packed(request), self._headers, preload_content=False
            )
        return connection.getresponse()

    def _answer(self, response: urllib3.BaseHTTPResponse) -> Answer:
        body = self._body(response)
        if 200 <= response.status < 300:
            return answers.accepted(body, self._endpoint)
        is_status = response.headers.get("content-type", "").startswith(CONTENT_TYPE)
        said = answers.rpc_status(body or b"").message if is_status else (body or b"").decode("utf-8", "replace")
        is_too_large = response.status == 400 and TOO_LARGE in said
        return Answer(
            Outcome.TOO_LARGE if is_too_large else OUTCOMES.get(response.status, Outcome.REFUSED),
            retry_after=retry_after(response.headers.get("retry-after"), time.time()),
            error_type=str(response.status),
            message=self._message(response, said),
        )

    def _body(self, response: urllib3.BaseHTTPResponse) -> bytes | None:
        """Read the body; what breaks off, or is very long, changes nothing of what the status says."""
        try:
            body = response.read(MOST + 1, decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError):
            body = None
        if body is None or len(body) > MOST:
            self.close()
        return body

    def _message(self, response: urllib3.BaseHTTPResponse, said: str) -> str:
        remedy = REMEDIES.get(response.status, "")
        if 300 <= response.status < 400:
            remedy = f"redirects are not followed; it names {response.headers.get('location', '').partition('?')[0]}"
        parts = (f"{self._endpoint} answered {response.status} {response.reason or ''}".rstrip(), remedy, said)
        return answers.one_line("; ".join(part for part in parts if part), self._endpoint)


def retry_after(header: str | None, now: float) -> float | None:
    """
    Read `Retry-After`: https://www.rfc-editor.org/rfc/rfc9110.html#name-retry-after.

    Args:
        header: Seconds, or a date.
        now: Seconds since the UNIX epoch.

    Returns:
        Seconds to wait, bounded; `None` where there is no such header, or one that says nothing. Never raises.
    """
    try:
        text = (header or "").strip()
        seconds = float(text) if text.isascii() and text.isdigit() else parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return answers.bounded_wait(seconds)
