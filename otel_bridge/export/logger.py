"""What a provider gives out: loggers of one instrumentation scope, and of one shape of records."""

from collections.abc import Collection, Mapping, Sequence
from time import time_ns
from typing import TYPE_CHECKING, Any

import opentelemetry._logs as api
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

from otel_bridge.bridge.exceptions import STACKTRACE, exception_info
from otel_bridge.bridge.mapping import LogFields
from otel_bridge.bridge.values import SHORT, AnyValue, Walk
from otel_bridge.export import batch
from otel_bridge.export.blocks import Lane
from otel_bridge.export.buffer import PROTECTED, rank
from otel_bridge.export.environment import AttributeLimits
from otel_bridge.export.limits import within
from otel_bridge.export.pipeline import Pipeline
from otel_bridge.export.protobuf import span_fields
from otel_bridge.export.record import encode
from otel_bridge.export.template import Template

if TYPE_CHECKING:
    from otel_bridge.export.provider import LoggerProvider


class Logger(api.Logger):
    """A logger of one instrumentation scope; `LoggerProvider.get_logger` makes it."""

    def __init__(
        self,
        provider: "LoggerProvider",
        name: str,
        version: str | None,
        schema_url: str | None,
        attributes: Mapping[str, Any] | None,
    ) -> None:
        super().__init__(name, version, schema_url, attributes)
        self._provider = provider
        self._scope = batch.scope(name, version, schema_url, values(attributes or {}))
        self._rank = PROTECTED if provider.protects(name) else None
        self._is_limited = provider.limits != AttributeLimits()

    def enabled(self, **_fields: Any) -> bool:
        """Say that records are wanted: https://opentelemetry.io/docs/specs/otel/logs/api/#enabled."""
        return True

    def emit(self, record: LogRecord | None = None, **fields: Any) -> None:
        """
        Emit a record of the API, or its fields: https://opentelemetry.io/docs/specs/otel/logs/api/#emit-a-logrecord.

        Never raises for any value of theirs.
        """
        found = LogRecord(**fields) if record is None else getattr(record, "log_record", record)
        walk = Walk(None)
        attributes = {walk.key(key): walk.attribute(key, value) for key, value in (found.attributes or {}).items()}
        attributes = {**_exception(walk, getattr(found, "exception", None)), **attributes}
        kept, dropped = within(self._provider.limits, attributes)
        severity = 0 if found.severity_number is None else SeverityNumber(found.severity_number).value
        encoded = encode(
            timestamp=found.timestamp or 0,
            observed_timestamp=found.observed_timestamp or time_ns(),
            severity_number=severity,
            severity_text=found.severity_text,
            body=walk.attribute("", found.body),
            attributes=kept.items(),
            event_name=found.event_name,
            span=span_fields(found.trace_id or 0, found.span_id or 0, int(found.trace_flags or 0)),
            dropped_attributes_count=walk.cut + dropped,
        )
        self._add(severity, encoded)

    def emit_fields(self, fields: LogFields, observed_timestamp: int) -> None:
        """Emit what the bridge mapped, whose values are encodable already."""
        span = fields.span_context
        severity = fields.severity_number.value
        attributes, dropped = fields.attributes, 0
        if self._is_limited:
            # The mapping puts last what is worth most.
            attributes, dropped = within(self._provider.limits, dict(reversed(attributes.items())))
        encoded = encode(
            timestamp=fields.timestamp or observed_timestamp,
            observed_timestamp=observed_timestamp,
            severity_number=severity,
            severity_text=fields.severity_text,
            body=fields.body,
            attributes=attributes.items(),
            event_name=fields.event_name,
            span=span_fields(span.trace_id, span.span_id, span.trace_flags),
            dropped_attributes_count=fields.cut + dropped,
        )
        self._add(severity, encoded)

    def template(self, fields: LogFields, names: Sequence[str]) -> "ShapeLogger | None":
        """Make what emits records of one shape; `None` where limits have to be applied to each."""
        if self._is_limited:
            return None
        template = Template(
            severity_number=fields.severity_number.value,
            severity_text=fields.severity_text,
            body=fields.body,
            event_name=fields.event_name,
            attributes=fields.attributes,
            names=names,
        )
        severity = fields.severity_number.value
        return ShapeLogger(self._provider, self._rank or rank(severity), severity, self._scope, template)

    def _add(self, severity: int, encoded: bytes) -> None:
        pipeline = self._provider.pipeline()
        pipeline.add(pipeline.lane(self._rank or rank(severity), severity, self._scope), encoded)


class ShapeLogger:
    """Emits records of one shape; `Logger.template` makes it."""

    def __init__(self, provider: "LoggerProvider", rank: int, severity: int, scope: bytes, template: Template) -> None:
        self._provider = provider
        self._kind = rank, severity, scope
        self._template = template
        # Pairs, so that a thread never reads one half of what another has written.
        self._latest_span = INVALID_SPAN_CONTEXT, b""
        self._latest_pipeline: tuple[Pipeline, Lane] | tuple[None, None] = None, None

    def emit(
        self,
        texts: Sequence[str],
        further: Collection[tuple[str, AnyValue]],
        timestamp: int,
        observed_timestamp: int,
        span_context: SpanContext,
        uid: str,
    ) -> None:
        """Emit one record: `otel_bridge.bridge.shape.Template.emit`."""
        known, span = self._latest_span
        if known is not span_context:
            span = self._span(span_context)
        encoded = self._template.encode(texts, further, timestamp, observed_timestamp, span, uid)
        pipeline, lane = self._latest_pipeline
        if pipeline is None or lane is None or not pipeline.here[0]:
            pipeline, lane = self._pipeline()
        pipeline.add(lane, encoded)

    def _span(self, span_context: SpanContext) -> bytes:
        span = span_fields(span_context.trace_id, span_context.span_id, span_context.trace_flags)
        self._latest_span = span_context, span
        return span

    def _pipeline(self) -> tuple[Pipeline, Lane]:
        pipeline = self._provider.pipeline()
        lane = pipeline.lane(*self._kind)
        self._latest_pipeline = pipeline, lane
        return pipeline, lane


def _exception(walk: Walk, exception: BaseException | None) -> dict[str, AnyValue]:
    info = exception_info(exception, None) if exception is not None else None
    if info is None:
        return {}
    found = {"exception.type": info.type, "exception.message": info.message, "exception.stacktrace": info.stacktrace}
    return {name: walk.text(text, STACKTRACE + SHORT) for name, text in found.items() if text is not None}


def values(attributes: Mapping[str, Any]) -> dict[str, AnyValue]:
    """Make the attributes of a resource or a scope encodable. Never raises."""
    walk = Walk(None)
    return {walk.key(key): walk.attribute(key, value) for key, value in attributes.items()}
