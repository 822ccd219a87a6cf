"""What arrives over OTLP, as plain values: https://opentelemetry.io/docs/specs/otlp/."""

import base64
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypedDict

from google.protobuf import json_format  # type: ignore[import-untyped]  # it has no types
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # it has no types
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

MOST_BYTES: Final = 32 * 1024 * 1024
"""How large a request may be, also unpacked."""
GZIP: Final = 16 + zlib.MAX_WBITS


class Record(TypedDict):
    """One log record."""

    timestamp: int
    """Nanoseconds since the UNIX epoch."""
    severity_text: str
    severity_number: int
    body: Any
    event_name: str
    scope: str
    trace_id: str
    """In hexadecimal; empty where there is none."""
    span_id: str
    attributes: dict[str, Any]
    resource: dict[str, Any]


def records(body: bytes, content_type: str, content_encoding: str) -> list[Record]:
    """
    Decode the body of a request to `/v1/logs`.

    Raises:
        ValueError: It is not what its headers say, or larger than `MOST_BYTES`.
    """
    payload = _unpacked(body) if content_encoding == "gzip" else body
    try:
        request = _from_json(payload) if "json" in content_type else ExportLogsServiceRequest.FromString(payload)
    except (DecodeError, json_format.ParseError) as exc:
        raise ValueError(f"The body is no ExportLogsServiceRequest: {exc}") from exc
    return list(_records(request))


def _unpacked(body: bytes) -> bytes:
    unpacking = zlib.decompressobj(GZIP)
    try:
        payload = unpacking.decompress(body, MOST_BYTES)
    except zlib.error as exc:
        raise ValueError(f"The body is not packed with gzip: {exc}") from exc
    if unpacking.unconsumed_tail:
        raise ValueError(f"The body is larger than {MOST_BYTES} bytes.")
    return payload


def _from_json(payload: bytes) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    json_format.Parse(payload, request, ignore_unknown_fields=True)
    scopes = (scope for logs in request.resource_logs for scope in logs.scope_logs)
    for record in (record for scope in scopes for record in scope.log_records):
        # OTLP writes ids in hexadecimal, where protobuf's own JSON has base 64.
        record.trace_id = bytes.fromhex(base64.b64encode(record.trace_id).decode())
        record.span_id = bytes.fromhex(base64.b64encode(record.span_id).decode())
    return request


def _records(request: ExportLogsServiceRequest) -> Iterator[Record]:
    for logs in request.resource_logs:
        resource = _attributes(logs.resource.attributes)
        for scope in logs.scope_logs:
            for record in scope.log_records:
                yield _record(record, scope.scope.name, resource)


def _record(record: LogRecord, scope: str, resource: dict[str, Any]) -> Record:
    return Record(
        timestamp=record.time_unix_nano,
        severity_text=record.severity_text,
        severity_number=record.severity_number,
        body=_value(record.body),
        event_name=record.event_name,
        scope=scope,
        trace_id=record.trace_id.hex(),
        span_id=record.span_id.hex(),
        attributes=_attributes(record.attributes),
        resource=resource,
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case None:
            return None
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case scalar:
            return getattr(value, scalar)


def as_text(value: object) -> str:
    """Write a decoded value as a store would: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
