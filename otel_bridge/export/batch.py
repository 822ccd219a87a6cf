"""A batch of encoded records as one request."""

from collections.abc import Iterable, Mapping

from otel_bridge.bridge.values import AnyValue
from otel_bridge.export.protobuf import (
    REQUEST_RESOURCE_LOGS,
    RESOURCE_ATTRIBUTES,
    RESOURCE_LOGS_RESOURCE,
    RESOURCE_LOGS_SCHEMA_URL,
    RESOURCE_LOGS_SCOPE_LOGS,
    SCOPE_ATTRIBUTES,
    SCOPE_LOGS_SCHEMA_URL,
    SCOPE_LOGS_SCOPE,
    SCOPE_NAME,
    SCOPE_VERSION,
    attributes,
    field,
    text_field,
    varint,
)


def resource(pairs: Mapping[str, AnyValue], schema_url: str | None = None) -> bytes:
    """Encode what a `ResourceLogs` says before its records: the resource, and the schema of its attributes."""
    message = attributes(RESOURCE_ATTRIBUTES, pairs.items())
    return field(RESOURCE_LOGS_RESOURCE, message) + text_field(RESOURCE_LOGS_SCHEMA_URL, schema_url)


def scope(
    name: str,
    version: str | None = None,
    schema_url: str | None = None,
    pairs: Mapping[str, AnyValue] | None = None,
) -> bytes:
    """Encode what a `ScopeLogs` says before its records: the instrumentation scope, and its schema."""
    message = text_field(SCOPE_NAME, name) + text_field(SCOPE_VERSION, version)
    message += attributes(SCOPE_ATTRIBUTES, (pairs or {}).items())
    return field(SCOPE_LOGS_SCOPE, message) + text_field(SCOPE_LOGS_SCHEMA_URL, schema_url)


def request(records: Iterable[tuple[bytes, bytes, bytes]]) -> bytes:
    """
    Encode an `ExportLogsServiceRequest`.

    Args:
        records: For each record what `resource` returned, what `scope` returned, and one `log_records` field. Records
            of one resource and scope stand together, in the order in which they came.
    """
    resources: dict[bytes, dict[bytes, list[bytes]]] = {}
    for resource, scope, record in records:
        resources.setdefault(resource, {}).setdefault(scope, []).append(record)
    return b"".join(_resource_logs(resource, scopes) for resource, scopes in resources.items())


def _resource_logs(resource: bytes, scopes: Mapping[bytes, list[bytes]]) -> bytes:
    parts = [resource]
    for scope, records in scopes.items():
        parts += (RESOURCE_LOGS_SCOPE_LOGS, varint(len(scope) + sum(map(len, records))), scope, *records)
    return REQUEST_RESOURCE_LOGS + varint(sum(map(len, parts))) + b"".join(parts)
