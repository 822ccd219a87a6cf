"""Whom the projects talk to, apart from the receiver of their logs."""

import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Outside:
    """
    A server that takes notifications and traces; it refuses to hear that something was deleted, and `/slow` is.

    Attributes:
        url: Its address.
        asked: How often which path was asked for.
    """

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def __enter__(self) -> Self:
        outside = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(500 if b'"actie": "destroy"' in body else 201)

            def do_GET(self) -> None:
                outside.asked[self.path] += 1
                if self.path == "/slow":
                    time.sleep(1)
                self._answer(200)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is its parent's
                """Say nothing on stderr."""

        self._server = _Patient(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Patient(ThreadingHTTPServer):
    daemon_threads = True
    # All processes of all projects come at once.
    request_queue_size = 128
