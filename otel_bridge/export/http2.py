"""One request after another over HTTP/2: https://www.rfc-editor.org/rfc/rfc9113.html."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded, StreamReset, TrailersReceived
from h2.exceptions import FrameTooLargeError, ProtocolError
from h2.settings import SettingCodes, Settings
from hpack import HeaderTuple

from otel_bridge.export.connection import Connection

MOST: Final = 1 << 20
"""Bytes that are kept of a response's body."""
SETTINGS: Final = {SettingCodes.ENABLE_PUSH: 0, SettingCodes.MAX_HEADER_LIST_SIZE: 65_536}

Header = tuple[str, str] | HeaderTuple
"""Name and value; hpack's class for one that proxies on the way must not keep."""

FRAME_HEADER: Final = 9
GOAWAY: Final = 7
LONGEST_FRAME: Final = FRAME_HEADER + 16_384


@dataclass
class Response:
    """
    What came back on one stream.

    Attributes:
        headers: Headers and trailers; names in lower case.
        body: At most `MOST` bytes.
        reset: The error code with which the server gave the stream up; `None` where it did not.
        is_complete: Whether the server is done with the stream.
    """

    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    reset: int | None = None
    is_complete: bool = False


class Http2:
    """
    HTTP/2 over a connection, one stream at a time.

    GOAWAY is read here: `h2` gives the connection up at it, although the server goes on with the streams it took
    (https://www.rfc-editor.org/rfc/rfc9113.html#section-6.8).

    Args:
        connection: Is connected here; its deadline is that of whatever is done here.

    Raises:
        OSError: It cannot be connected, or not in time.
    """

    def __init__(self, connection: Connection) -> None:
        connection.connect()
        self._connection = connection
        self._h2 = H2Connection(H2Configuration(header_encoding="latin-1"))
        self._h2.local_settings = Settings(initial_values=SETTINGS)
        self._h2.initiate_connection()
        self._received = bytearray()
        self._last_stream: int | None = None
        """The last stream that will be answered; `None` as long as there may be more."""

    def is_usable(self) -> bool:
        """Read what came while nobody waited (PINGs are answered), and tell whether another request may be sent."""
        try:
            while self._last_stream is None:
                self._handle(self._connection.receive(wait=False))
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except (OSError, ProtocolError):
            pass
        return False

    def exchange(self, headers: list[Header], body: bytes) -> Response:
        """
        Send one request and wait for all of the response.

        Args:
            headers: Pseudo-headers first; names in lower case.
            body: Is sent as fast as the server's windows allow.

        Raises:
            OSError: The connection broke or ended, or the time is up; it must be closed then.
            h2.exceptions.ProtocolError: The server does not speak HTTP/2; likewise.
        """
        stream = self._h2.get_next_available_stream_id()
        self._h2.send_headers(stream, headers)
        response, rest = Response(), memoryview(body)
        while not response.is_complete:
            rest = self._send_what_fits(stream, rest)
            for event in self._handle(self._connection.receive()):
                if getattr(event, "stream_id", None) == stream:
                    _take(event, response)
            if not response.is_complete and self._last_stream is not None and self._last_stream < stream:
                raise ConnectionResetError("the server goes away")
        if rest or response.reset is not None:
            # A new connection is cheaper than the rules for a request that was given up.
            self._last_stream = stream
        self._connection.send(self._h2.data_to_send())
        return response

    def _send_what_fits(self, stream: int, rest: memoryview) -> memoryview:
        """Send as much of *rest* as the windows allow, and return what is left."""
        while rest:
            size = min(self._h2.local_flow_control_window(stream), self._h2.max_outbound_frame_size)
            if size <= 0:
                break
            self._h2.send_data(stream, rest[:size], end_stream=size >= len(rest))
            rest = rest[size:]
        self._connection.send(self._h2.data_to_send())
        return rest

    def _handle(self, data: bytes) -> list[Event]:
        if not data:
            raise ConnectionResetError("the server closed the connection")
        self._received += data
        events = [event for frame in self._frames() for event in self._h2.receive_data(frame)]
        for event in events:
            if isinstance(event, DataReceived):
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        return events

    def _frames(self) -> Iterator[bytes]:
        """Take whole frames out of what was received: https://www.rfc-editor.org/rfc/rfc9113.html#section-4.1."""
        received = self._received
        while len(received) >= FRAME_HEADER:
            end = FRAME_HEADER + int.from_bytes(received[:3])
            if end > LONGEST_FRAME:
                # As long as the text "HTTP" would be.
                raise FrameTooLargeError("no HTTP/2")
            if len(received) < end:
                return
            frame = bytes(received[:end])
            del received[:end]
            if frame[3] == GOAWAY:
                self._last_stream = int.from_bytes(frame[9:13]) & 0x7FFFFFFF
            else:
                yield frame


def _take(event: Event, response: Response) -> None:
    if isinstance(event, ResponseReceived | TrailersReceived):
        response.headers.update((str(name), str(value)) for name, value in event.headers)
    elif isinstance(event, DataReceived):
        response.body += event.data[: MOST - len(response.body)]
    elif isinstance(event, StreamEnded):
        response.is_complete = True
    elif isinstance(event, StreamReset):
        response.is_complete, response.reset = True, int(event.error_code)
