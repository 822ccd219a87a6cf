"""A log record as the bytes of one `log_records` field."""

from collections.abc import Iterable

from otel_bridge.bridge.values import AnyValue
from otel_bridge.export import protobuf as pb
from otel_bridge.export.protobuf import field, text_field, varint


def encode(
    *,
    timestamp: int,
    observed_timestamp: int,
    severity_number: int,
    severity_text: str | None,
    body: AnyValue,
    attributes: Iterable[tuple[str, AnyValue]],
    event_name: str | None,
    span: bytes,
    dropped_attributes_count: int,
) -> bytes:
    """
    Encode one record: https://opentelemetry.io/docs/specs/otel/logs/data-model/.

    Args:
        timestamp: Nanoseconds since the UNIX epoch; 0 where it is not known.
        observed_timestamp: Nanoseconds since the UNIX epoch.
        severity_number: 0 to 24.
        severity_text: As the application wrote it.
        body: A value as `otel_bridge.bridge.values` makes them, as are those of *attributes*.
        attributes: By name; names are unique.
        event_name: `None` where the event has none.
        span: What `protobuf.span_fields` returned.
        dropped_attributes_count: How many values were cut or left out.

    Returns:
        Tag, length and message.
    """
    message = (
        pb.times(pb.TIME, timestamp, pb.OBSERVED_TIME, observed_timestamp),
        pb.RECORD_SEVERITY_NUMBER + varint(severity_number) if severity_number else b"",
        text_field(pb.RECORD_SEVERITY_TEXT, severity_text),
        field(pb.RECORD_BODY, pb.any_value(body)),
        pb.attributes(pb.RECORD_ATTRIBUTES, attributes),
        pb.RECORD_DROPPED_ATTRIBUTES_COUNT + varint(dropped_attributes_count) if dropped_attributes_count else b"",
        span,
        text_field(pb.RECORD_EVENT_NAME, event_name),
    )
    return field(pb.SCOPE_LOGS_LOG_RECORDS, b"".join(message))
