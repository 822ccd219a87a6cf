"""The seam to OpenTelemetry's Logs API: a `LoggerProvider` that does OTLP, fast and without loss."""

import os
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

import opentelemetry._logs as api
from opentelemetry import trace
from opentelemetry.sdk.resources import OTELResourceDetector, Resource

from otel_bridge.export import batch, destination, environment, process
from otel_bridge.export.endpoint import STANDARD_OUTPUT, Endpoint, transport
from otel_bridge.export.logger import Logger, values
from otel_bridge.export.metrics import Metrics
from otel_bridge.export.pipeline import Pipeline, Settings
from otel_bridge.export.sender import BATCH
from otel_bridge.export.setting import say_once
from otel_bridge.export.statistics import Statistics
from otel_bridge.export.transport import Nowhere, Transport
from otel_bridge.forks import Here, here

MAX_BUFFER_BYTES: Final = 64 << 20


class LoggerProvider(api.LoggerProvider):
    """
    A provider of OpenTelemetry's Logs API that sends log records over OTLP.

    Every argument defaults to its environment variable. A variable that is not understood is said once, with what is
    used instead. Where nothing can be sent, because its endpoint is wrong or `h2` is missing for gRPC, records are
    counted as dropped; with a spool they wait in it for a process that has a better environment.

    A record is encoded on the calling thread and waits in memory (in the spool too, where there is one) until one
    daemon thread of each process has sent it. Nothing is started before the first record of a process.

    Args:
        resource: What the records are from; the tracer provider's where the application has one, else as the SDK
            detects it.
        endpoint: Where to send to: `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT`, `OTEL_EXPORTER_OTLP_ENDPOINT`. The URL of a file
            (`file:///var/log/app.jsonl`, `file:///dev/stdout`) gets lines of OTLP's JSON.
        protocol: `http/protobuf` or `grpc`: `OTEL_EXPORTER_OTLP_LOGS_PROTOCOL`, `OTEL_EXPORTER_OTLP_PROTOCOL`. Where
            nobody says: what belongs to the endpoint's port (4317 is gRPC), else gRPC beside `maykin_common.otel`,
            which sends its traces so, else `http/protobuf`.
        headers: Sent with each request: `OTEL_EXPORTER_OTLP_LOGS_HEADERS`, `OTEL_EXPORTER_OTLP_HEADERS`.
        compression: `gzip` or `none`; gzip unless the endpoint is local: `OTEL_EXPORTER_OTLP_LOGS_COMPRESSION`,
            `OTEL_EXPORTER_OTLP_COMPRESSION`.
        timeout: Seconds for one request: `OTEL_EXPORTER_OTLP_LOGS_TIMEOUT`, `OTEL_EXPORTER_OTLP_TIMEOUT`, and not more
            than the milliseconds of `OTEL_BLRP_EXPORT_TIMEOUT`.
        max_buffer_bytes: What waiting records may take. When they take more, the least severe go first.
        spool_dir: A folder that keeps what waits through the death of the process: `OTEL_BRIDGE_SPOOL_DIR`.
        protected_loggers: Names of loggers whose records go last: `AUDIT_LOGGER_NAME`.
        console: Whether each record goes to standard output too, when it is first sent. The variable of the default
            provider is `OTEL_LOGS_EXPORTER`.
        connect: Makes what sends, in place of everything about the endpoint.

    These are variables alone: `OTEL_BLRP_SCHEDULE_DELAY`, `OTEL_BLRP_MAX_EXPORT_BATCH_SIZE`, those of certificates
    (`OTEL_EXPORTER_OTLP_CERTIFICATE` and its siblings) and proxies, and the limits of attributes.
    `OTEL_BLRP_MAX_QUEUE_SIZE` has no effect, and that is said: *max_buffer_bytes* is what bounds the queue.

    Raises:
        ValueError: An argument is wrong; the message names it, its value and what to write.
        ModuleNotFoundError: An argument asks for gRPC, and `h2` is not installed.
    """

    def __init__(  # noqa: PLR0913 - one for each variable
        self,
        resource: Resource | None = None,
        *,
        endpoint: str | None = None,
        protocol: str | None = None,
        headers: Mapping[str, str] | None = None,
        compression: str | None = None,
        timeout: float | None = None,
        max_buffer_bytes: int = MAX_BUFFER_BYTES,
        spool_dir: str | Path | None = None,
        protected_loggers: Collection[str] | None = None,
        console: bool = False,
        connect: Callable[[], Transport] | None = None,
    ) -> None:
        target, why_not = None, ""
        if connect is None:
            asked = {"url": endpoint, "protocol": protocol, "headers": headers, "compression": compression}
            target, why_not = destination.endpoint_or_why_not(os.environ, timeout=timeout, **asked)
        folder = spool_dir or os.environ.get("OTEL_BRIDGE_SPOOL_DIR")
        if why_not and console and not folder:
            say_once(f"{why_not} Log records go to standard output alone.")
            target, why_not, console = Endpoint(STANDARD_OUTPUT, "file"), "", False
        self._settings = Settings(
            connect=connect or (lambda: transport(target) if target else Nowhere(why_not)),
            timeout=environment.timeout(os.environ, timeout),
            delay=environment.schedule_delay(os.environ),
            max_buffer_bytes=max_buffer_bytes,
            spool_dir=Path(folder) if folder else None,
            measure=Metrics(self.statistics, target if target and target.protocol != "file" else None).measure,
            batch=environment.batch_size(os.environ, BATCH),
            is_shown=console,
            why_not="" if folder else why_not.rstrip("."),
        )
        self.limits = environment.attribute_limits(os.environ)
        self._resource = resource
        protected = [os.environ.get("AUDIT_LOGGER_NAME", "")] if protected_loggers is None else protected_loggers
        self._protected = frozenset(filter(None, protected))
        self._pipeline: Pipeline | None = None
        self._starting: Pipeline | None = None
        self._ends: Here = (0,)
        self._locks: dict[int, Any] = {}

    @property
    def resource(self) -> Resource:
        """What the records of this process are from."""
        if self._resource is not None:
            return self._resource
        found = getattr(trace.get_tracer_provider(), "resource", None)
        if isinstance(found, Resource):
            return found
        try:
            return Resource.create()
        except RuntimeError:
            # It wants threads, which an interpreter that is ending has no more.
            return OTELResourceDetector().detect()

    def get_logger(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> Logger:
        """Return a logger for an instrumentation scope. Never raises."""
        return Logger(self, name, version, schema_url, attributes)

    def force_flush(self, timeout_millis: int = 5000) -> bool:
        """
        Wait until the receiver has settled everything that this process emitted before the call.

        Args:
            timeout_millis: Milliseconds to wait at most.

        Returns:
            Whether nothing of it waits any longer. Never raises.
        """
        pipeline = self._of_this_process()
        return pipeline is None or pipeline.flush(timeout_millis / 1000)

    def shutdown(self, timeout_millis: int = 5000) -> bool:
        """
        Flush, and end; what is emitted afterwards is counted as dropped.

        Args:
            timeout_millis: Milliseconds to wait at most.

        Returns:
            Whether everything was delivered. Never raises.
        """
        pipeline = self._of_this_process()
        return pipeline is None or pipeline.stop(timeout_millis / 1000)

    def statistics(self) -> Statistics:
        """Return what became of the records of this process, at one moment."""
        pipeline = self._of_this_process()
        return Statistics() if pipeline is None else pipeline.statistics()

    def protects(self, name: str) -> bool:
        """Tell whether a logger's records are the last to go."""
        return name in self._protected

    def _of_this_process(self) -> Pipeline | None:
        pipeline = self._pipeline
        return pipeline if pipeline is not None and pipeline.here[0] else None

    def pipeline(self) -> Pipeline:
        """Return the pipeline of this process, and start it at the first record."""
        pipeline = self._pipeline
        if pipeline is not None and pipeline.here[0]:
            return pipeline
        # A lock for each process: a parent's may have been held by another thread when it forked.
        with self._locks.setdefault(os.getpid(), threading.RLock()):
            inherited = self._pipeline
            if inherited is not None and inherited.here[0]:
                return inherited
            starting = self._starting
            if starting is not None and starting.here[0]:
                # What is logged while it starts; other threads wait, or their records would miss the spool.
                return starting
            resource = self.resource
            encoded = batch.resource(values(resource.attributes), resource.schema_url)
            self._starting = pipeline = Pipeline(self._settings, encoded)
            pipeline.start(inherited)
            self._pipeline = pipeline
            if inherited is None:
                process.at_end(self._end, self._when_free)
            if process.is_uwsgi_master():
                process.in_uwsgi_workers(self._take_over)
            else:
                process.at_end_of_child(self._end)
            if self._ends[0]:
                pipeline.end()
            return pipeline

    def _take_over(self) -> None:
        """Deliver what uWSGI's master logged: in its first worker, which may be the same process."""
        if process.is_first_uwsgi_worker() and self._pipeline is not None:
            self._pipeline.here = (0,)
            self.pipeline()

    def _end(self) -> None:
        # Who logs for the first time after this is called, in a hook that comes later, must not lose it either.
        self._ends = here()
        if (pipeline := self._of_this_process()) is not None:
            pipeline.end()

    def _when_free(self, call: Callable[[], object]) -> None:
        if (pipeline := self._of_this_process()) is None:
            call()
        else:
            pipeline.when_free(call)
