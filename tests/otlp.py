"""What the tests see of a log record: a provider that keeps records, and real OTLP receivers."""

import gzip
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

import grpc  # type: ignore[import-untyped]  # it has no types
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import (
    LogsServiceServicer,
    add_LogsServiceServicer_to_server,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.sdk._logs import LoggerProvider, export
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource

InMemoryLogRecordExporter: Any = getattr(export, "InMemoryLogRecordExporter", None) or export.InMemoryLogExporter
"""The SDK's; the latter is its name up to 1.38."""


class Record(NamedTuple):
    """A log record as a receiver decodes it, with what its request says around it."""

    resource: dict[str, Any]
    scope: str
    timestamp: int
    observed_timestamp: int
    severity_number: int
    severity_text: str
    body: Any
    event_name: str
    trace_id: str
    span_id: str
    flags: int
    attributes: dict[str, Any]


def python(value: AnyValue) -> Any:
    """Return what *value* holds."""
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [python(item) for item in value.array_value.values]
        case "kvlist_value":
            return mapping(value.kvlist_value.values)
        case kind:
            return getattr(value, kind)


def mapping(pairs: Iterator[KeyValue] | Any) -> dict[str, Any]:
    """Return what *pairs* hold, which must name each key once."""
    pairs = list(pairs)
    keys = [pair.key for pair in pairs]
    assert len(keys) == len(set(keys)), f"keys are not unique: {keys}"
    return {pair.key: python(pair.value) for pair in pairs}


def flattened(request: ExportLogsServiceRequest) -> list[Record]:
    """Return the records of *request*, in its order."""
    return [
        Record(
            mapping(resource.resource.attributes),
            scope.scope.name,
            record.time_unix_nano,
            record.observed_time_unix_nano,
            record.severity_number,
            record.severity_text,
            python(record.body),
            record.event_name,
            record.trace_id.hex(),
            record.span_id.hex(),
            record.flags,
            mapping(record.attributes),
        )
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


class Memory:
    """The official SDK's provider, which keeps records until they are read through the official encoder."""

    def __init__(self, resource: Mapping[str, Any] | None = None) -> None:
        self.exporter = InMemoryLogRecordExporter()
        self.provider = LoggerProvider(Resource(resource or {}), shutdown_on_exit=False)
        self.provider.add_log_record_processor(SimpleLogRecordProcessor(self.exporter))

    @property
    def encoded(self) -> bytes:
        """Everything that was emitted, as one request."""
        encoded: bytes = encode_logs(self.exporter.get_finished_logs()).SerializeToString()
        return encoded

    @property
    def records(self) -> list[Record]:
        """Everything that was emitted, by scope and then in order."""
        return flattened(ExportLogsServiceRequest.FromString(self.encoded))

    @property
    def record(self) -> Record:
        """The one record that was emitted."""
        [record] = self.records
        return record


@contextmanager
def complaints() -> Iterator[list[str]]:
    """Collect what OpenTelemetry warns of meanwhile: `Mixed types`, `invalid key` and the like."""
    said: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    logger, handler = logging.getLogger("opentelemetry"), Handler(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)


class Receiver:
    """What a real OTLP receiver was sent."""

    def __init__(self) -> None:
        self.endpoint = ""
        self.requests: list[ExportLogsServiceRequest] = []
        self.metadata: list[dict[str, str]] = []

    @property
    def records(self) -> list[Record]:
        """Every record of every request."""
        return [record for request in list(self.requests) for record in flattened(request)]

    def wait(self, enough: Callable[[list[Record]], bool] = bool, seconds: float = 10.0) -> list[Record]:
        """Return the records as soon as they are *enough*; fail after *seconds*."""
        deadline = time.monotonic() + seconds
        while not enough(self.records):
            assert time.monotonic() < deadline, f"after {seconds} s: {self.records}"
            time.sleep(0.005)
        return self.records


class HttpReceiver(Receiver):
    """An OTLP/HTTP receiver on a free port of this host; `status` is what it answers."""

    status = 200

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                receiver.metadata.append({**self.headers, "path": self.path})
                receiver.requests.append(ExportLogsServiceRequest.FromString(body))
                answer = ExportLogsServiceResponse().SerializeToString()
                self.send_response(receiver.status)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is its parent's
                """Say nothing on stderr."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class GrpcReceiver(Receiver):
    """An OTLP/gRPC receiver on a free port of this host; `status` is what it answers."""

    status = grpc.StatusCode.OK

    def __enter__(self) -> Self:
        receiver = self

        class Servicer(LogsServiceServicer):
            def Export(self, request: Any, context: Any) -> ExportLogsServiceResponse:  # noqa: N802 - its parent's name
                receiver.metadata.append(dict(context.invocation_metadata()))
                receiver.requests.append(request)
                if receiver.status is not grpc.StatusCode.OK:
                    context.abort(receiver.status, "as the test asked")
                return ExportLogsServiceResponse()

        self._server = grpc.server(ThreadPoolExecutor(4))
        add_LogsServiceServicer_to_server(Servicer(), self._server)  # type: ignore[no-untyped-call]  # generated
        self.endpoint = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(grace=None)
