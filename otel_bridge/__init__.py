"""
Takes the structured logs of structlog applications to OpenTelemetry, and so to Loki and Elasticsearch.

The way of one event, and the rooms on it:

* `otel_bridge.bridge`: an event dict, or a record of `logging`, becomes an OpenTelemetry log record. `processor` and
  `handler` are its two doors; `rules` is the table of documented keys, and `mapping` the walk over it; `severity`,
  `timestamps`, `naming`, `values`, `exceptions` (`tracebacks` writes those), `trace`, `redaction` and `uid` hold one
  idea each. `shape` is the short cut for events that repeat. `origin` tells whose record it is, `surroundings` where it
  was logged, `provider` where it goes; `emitter` hands it over.
* `otel_bridge.export`: a log record becomes what the receiver acknowledges. `provider` is the seam to the API, whose
  `logger`s encode; `default` is the one that the environment configures.
    * On the calling thread: `protobuf` (the only place that knows OTLP's field numbers), `record` and `template`
      encode, within `limits`; `buffer` (of `blocks`) and `spool` keep. A spool is a `folder` of segments: `segment` is
      one file, `frames` its bytes, `ownership` the lock by which one process has it; `inspection` looks at all that
      from outside.
    * On one thread of each process: `sender` decides when (`flushes` are who waits, `retry` is when to try again),
      `delivery` sends what `batch` puts together and settles it, `adoption` takes over what other processes left.
    * A `transport` takes a request to the receiver: `http`, `grpc` (on `http2`, with `grpc_status`), or `file` (with
      `otlp_json`); `console` prints besides. `environment` reads OpenTelemetry's variables; `destination` makes an
      `endpoint` of them, with `setting`, `headers` and `proxy`. `connection` and `tls` get there, `answers` and
      `decoding` read what comes back, `quiet` mutes what libraries log.
    * `pipeline` is all of that for one process, `process` what the operating system does to it. `statistics` says what
      became of the records, `metrics` measures it for the `instruments` of OpenTelemetry's conventions, and
      `dead_letters` has those that the receiver refused.
* `otel_bridge.integrations`: what puts the bridge into an application. `install` does, with `chain` (the slot in
  structlog's chain; `printed` keeps back what no handler prints), `dictconfig` and `handlers` (beside those that print)
  and `official` (OpenTelemetry's own ways, switched off); `watch` does so again when something is configured later,
  and `celery` when Celery has configured logging.
  `provider` is the entry point for those who want only the exporter.
  `auto` needs no line of the application's: `site` is what the wheel puts beside this package for that.
* `otel_bridge.diagnostics`: what both say of themselves. `otel_bridge.forks`: whether a process is still the same.

Beside that way:

* `otel_bridge.catalogue`: every event that the five systems document, in YAML, and what is rendered from it.
* `otel_bridge.cli`: the `otel-bridge` command.
* `otel_bridge.demo`: a small Django application, an OTLP receiver with a store, and what asks the stores.

The two halves meet at OpenTelemetry's Logs API and do not know each other; they are joined here.
"""

from typing import TYPE_CHECKING

from otel_bridge.bridge import provider as _seam
from otel_bridge.bridge.handler import LogBridgeHandler
from otel_bridge.bridge.processor import LogBridge
from otel_bridge.bridge.redaction import Redaction
from otel_bridge.export.default import default_provider as _default_provider
from otel_bridge.export.default import force_flush, shutdown, statistics
from otel_bridge.export.statistics import Statistics
from otel_bridge.integrations.install import install

if TYPE_CHECKING:
    from otel_bridge.export.provider import LoggerProvider

__all__ = [
    "LogBridge",
    "LogBridgeHandler",
    "LoggerProvider",
    "Redaction",
    "Statistics",
    "force_flush",
    "install",
    "shutdown",
    "statistics",
]

_seam.default = _default_provider


def __getattr__(name: str) -> object:
    # The exporter is not imported before it is asked for: https://peps.python.org/pep-0562/.
    if name == "LoggerProvider":
        from otel_bridge.export.provider import LoggerProvider  # noqa: PLC0415

        return LoggerProvider
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
