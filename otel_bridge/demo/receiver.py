"""
The embedded OTLP receiver: needs nothing but Python, keeps what it gets in memory, and can be asked.

    curl http://127.0.0.1:4318/records?request_id=…      (or trace_id, event, level, logger, any attribute)

`python -m otel_bridge.demo.receiver` runs it until SIGTERM or Ctrl-C; it prints its address first.
"""

import argparse
import json
import signal
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from otel_bridge.demo import decoding
from otel_bridge.demo.memory import CAPACITY, Memory

HOST: Final = "127.0.0.1"
LOGS: Final = "/v1/logs"
RECORDS: Final = "/records"


class Receiver(ThreadingHTTPServer):
    """
    Takes `POST /v1/logs` (protobuf or JSON, plain or gzip) and answers `GET /records?name=value&…`.

    Args:
        port: Where to listen on the loopback; 0 for a free port.
        capacity: How many records to keep.

    Raises:
        OSError: The port is taken.
    """

    daemon_threads = True

    def __init__(self, port: int = 0, capacity: int = CAPACITY) -> None:
        self.memory = Memory(capacity)
        super().__init__((HOST, port), Handler)

    @property
    def url(self) -> str:
        """Its address, which is OTLP's endpoint: without `/v1/logs`."""
        return f"http://{HOST}:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        """Keep the records of an export request: https://opentelemetry.io/docs/specs/otlp/#otlphttp-request."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > decoding.MOST_BYTES:
            # What is not read cannot be skipped either.
            self.close_connection = True
            return self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Send at most {decoding.MOST_BYTES} bytes.")
        body = self.rfile.read(int(length))
        if urlsplit(self.path).path != LOGS:
            return self._answer(HTTPStatus.NOT_FOUND, f"Send logs to {LOGS}.")
        content_type = self.headers.get("Content-Type", "")
        try:
            found = decoding.records(body, content_type, self.headers.get("Content-Encoding", ""))
        except ValueError as exc:
            return self._answer(HTTPStatus.BAD_REQUEST, str(exc))
        self.server.memory.add(found)
        # An empty ExportLogsServiceResponse: everything was taken.
        return self._send(HTTPStatus.OK, b"{}" if "json" in content_type else b"", content_type)

    def do_GET(self) -> None:
        """Answer a query with one JSON object for each record."""
        url = urlsplit(self.path)
        if url.path != RECORDS:
            return self._answer(HTTPStatus.NOT_FOUND, f"Ask {RECORDS}?request_id=…, or trace_id, event, an attribute.")
        found = self.server.memory.find(dict(parse_qsl(url.query, keep_blank_values=True)))
        lines = "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in found)
        return self._send(HTTPStatus.OK, lines.encode(), "application/x-ndjson")

    def _answer(self, status: HTTPStatus, sentence: str) -> None:
        self._send(status, f"{sentence}\n".encode(), "text/plain; charset=utf-8")

    def _send(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing: standard error is the demo's."""


def main() -> None:
    """Run the receiver from the command line."""
    parser = argparse.ArgumentParser(prog="python -m otel_bridge.demo.receiver", description=__doc__)
    parser.add_argument("--port", type=int, default=4318, help="0 for a free one")
    parser.add_argument("--capacity", type=int, default=CAPACITY, help="how many records to keep")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    with Receiver(arguments.port, arguments.capacity) as receiver:
        print(receiver.url, flush=True)  # noqa: T201 - a command line
        try:
            receiver.serve_forever()
        except KeyboardInterrupt:
            sys.exit(0)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
