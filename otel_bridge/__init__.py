"""
Takes the structured logs of structlog applications to OpenTelemetry, and so to Loki and Elasticsearch.

The way of one event, and the rooms on it:

* `otel_bridge.bridge`: an event dict, or a record of `logging`, becomes an OpenTelemetry log record. `processor` and
  `handler` are its two doors, `mapping` is the table of documented keys, and `severity`, `timestamps`, `values`,
  `exceptions`, `trace`, `redaction` and `uid` hold one idea each. `origin` tells whose record it is, `provider` finds
  where it goes, `emitter` hands it over.
* `otel_bridge.export`: a log record becomes what the Collector acknowledges. `provider` builds the default provider.
* `otel_bridge.diagnostics`: what both say of themselves.

Beside that way:

* `otel_bridge.catalogue`: every event that the five systems document, in YAML, and what is rendered from it.
* `otel_bridge.cli`: the `otel-bridge` command.
* `otel_bridge.demo`: a small Django application, an OTLP receiver with a store, and what asks the stores.

The two halves meet at OpenTelemetry's Logs API and do not know each other; they are joined here.
"""

from otel_bridge.bridge import provider as _seam
from otel_bridge.bridge.handler import LogBridgeHandler
from otel_bridge.bridge.processor import LogBridge
from otel_bridge.bridge.redaction import Redaction
from otel_bridge.export.provider import default_provider as _default_provider
from otel_bridge.export.provider import force_flush, shutdown

__all__ = ["LogBridge", "LogBridgeHandler", "Redaction", "force_flush", "shutdown"]

_seam.default = _default_provider
