"""
Takes the structured logs of structlog applications to OpenTelemetry, and so to Loki and Elasticsearch.

The way of one event, and the rooms on it:

* `otel_bridge.bridge`: an event dict, or a record of `logging`, becomes an OpenTelemetry log record. `processor` and
  `handler` are its two doors; `rules` is the table of documented keys, and `mapping` the walk over it; `severity`,
  `timestamps`, `values`, `exceptions`, `trace`, `redaction` and `uid` hold one idea each. `shape` is the short cut for
  events that repeat. `origin` tells whose record it is, `surroundings` where it was logged, `provider` where it goes;
  `emitter` hands it over.
* `otel_bridge.export`: a log record becomes what the receiver acknowledges. `provider` is the seam to the API, and
  `default` the one that the environment configures.
    * On the calling thread: `protobuf` (the only place that knows OTLP's field numbers), `record` and `template`
      encode; `buffer` and `spool` (with `segment`) keep.
    * On one thread of each process: `sender` sends what `batch` puts together, through a `transport`: `http`, `grpc`
      (on `http2`), or `file` (with `otlp_json`); `console` prints besides. `environment` reads OpenTelemetry's
      variables; `destination` makes an `endpoint` of them, with `setting`, `headers` and `proxy`. `connection` and
      `tls` get there, `answers` and `decoding` read what comes back, `quiet` mutes what libraries log.
    * `pipeline` is all of that for one process, `process` what the operating system does to it, `statistics` and
      `metrics` what became of the records, `dead_letters` where those are that the receiver refused.
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

if TYPE_CHECKING:
    from otel_bridge.export.provider import LoggerProvider

__all__ = [
    "LogBridge",
    "LogBridgeHandler",
    "LoggerProvider",
    "Redaction",
    "Statistics",
    "force_flush",
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
