"""An OTLP receiver in a process of its own, over HTTP and gRPC, that acknowledges and counts."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple
from urllib.request import urlopen

import grpc  # type: ignore[import-untyped]  # it has no types
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import (
    LogsServiceServicer,
    add_LogsServiceServicer_to_server,
)

ANSWER: Final = ExportLogsServiceResponse()
UIDS: Final = "--uids"


class Receiver(NamedTuple):
    """Where a running receiver listens."""

    http: str
    grpc: str

    def taken(self) -> int:
        """Return how many records were acknowledged since the last call."""
        return self.counted()[0]

    def counted(self) -> tuple[int, int]:
        """Return how many records were acknowledged since the last call, and how many uids they have."""
        with urlopen(self.http) as answer:  # noqa: S310 - our own
            records, uids = json.load(answer)
            return records, uids


@contextmanager
def receiving(*options: str) -> Iterator[Receiver]:
    """
    Run a receiver, beside the core of what is measured where there is another one.

    Args:
        options: `UIDS` makes it look at each record's uid, which takes longer than all the rest.
    """
    command = [sys.executable, "-m", "tests.bench.receiver", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        assert process.stdin is not None
        yield Receiver(**json.loads(process.stdout.readline()))
        process.stdin.close()


class Counter:
    """Counts from many threads."""

    def __init__(self, *, uids: bool) -> None:
        self._count = 0
        self._uids: set[str] = set()
        self._looks = uids
        self._lock = threading.Lock()

    def add(self, request: ExportLogsServiceRequest) -> None:
        """Count the records of *request*."""
        scopes = [scope for resource in request.resource_logs for scope in resource.scope_logs]
        uids = {
            pair.value.string_value
            for scope in (scopes if self._looks else ())
            for record in scope.log_records
            for pair in record.attributes
            if pair.key == "log.record.uid"
        }
        with self._lock:
            self._count += sum(len(scope.log_records) for scope in scopes)
            self._uids |= uids

    def take(self) -> tuple[int, int]:
        """Return how many records there were, and how many uids; begin anew."""
        with self._lock:
            found = self._count, len(self._uids)
            self._count, self._uids = 0, set()
            return found


class Server(ThreadingHTTPServer):
    """A server whose clients may go away, as processes that were measured do."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


def serve() -> None:
    """Receive until stdin ends; the endpoints are the first line of stdout."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    counter = Counter(uids=UIDS in sys.argv)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            counter.add(ExportLogsServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer(ANSWER.SerializeToString())

        def do_GET(self) -> None:
            self._answer(json.dumps(counter.take()).encode())

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Servicer(LogsServiceServicer):
        def Export(self, request: Any, _context: Any) -> ExportLogsServiceResponse:  # noqa: N802 - its parent's name
            counter.add(request)
            return ANSWER

    over_grpc = grpc.server(ThreadPoolExecutor(4))
    add_LogsServiceServicer_to_server(Servicer(), over_grpc)  # type: ignore[no-untyped-call]  # generated
    port = over_grpc.add_insecure_port("127.0.0.1:0")
    over_grpc.start()
    over_http = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=over_http.serve_forever, daemon=True).start()
    endpoints = Receiver(f"http://127.0.0.1:{over_http.server_address[1]}", f"http://127.0.0.1:{port}")
    print(json.dumps(endpoints._asdict()), flush=True)  # noqa: T201 - for its parent
    sys.stdin.read()
    over_grpc.stop(grace=None)


if __name__ == "__main__":
    serve()
