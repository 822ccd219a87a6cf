"""How the tests send to the Collector, and ask both stores."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import urllib3
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from stack import Entry, Stack

Found = TypeVar("Found")

DEADLINE: Final = 60.0
DAY: Final = 24 * 3600 * 1_000_000_000
SCALARS: Final[Mapping[type, str]] = {
    bool: "bool_value",
    int: "int_value",
    float: "double_value",
    str: "string_value",
    bytes: "bytes_value",
}


def any_value(value: object) -> AnyValue:
    """Encode *value*, which may be anything that JSON can say, or bytes, as OTLP does."""
    if value is None:
        return AnyValue()
    if isinstance(value, Mapping):
        return AnyValue(kvlist_value=KeyValueList(values=key_values(value)))
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[any_value(item) for item in value]))
    return AnyValue(**{SCALARS[type(value)]: value})  # type: ignore[arg-type]  # the table knows


def key_values(attributes: Mapping[str, object]) -> list[KeyValue]:
    """Encode *attributes* as OTLP does."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def record(attributes: Mapping[str, object], body: object = "zaak_created", **fields: Any) -> LogRecord:
    """Make a log record of now; *fields* are further fields of its message."""
    times = {"time_unix_nano": time.time_ns(), "observed_time_unix_nano": time.time_ns()}
    return LogRecord(attributes=key_values(attributes), body=any_value(body), **{**times, **fields})


def send(
    stack: Stack,
    records: Iterable[LogRecord],
    resource: Mapping[str, object] | None = None,
    scope: Mapping[str, object] | None = None,
    replace: Mapping[bytes, bytes] | None = None,
) -> None:
    """Send *records* as one request over HTTP, with bytes of it replaced; the Collector must accept it."""
    request = ExportLogsServiceRequest()
    logs = request.resource_logs.add()
    logs.resource.attributes.extend(key_values(resource or {"service.name": "test_servers"}))
    scope_logs = logs.scope_logs.add()
    scope_logs.scope.name = "openzaak.components.zaken"
    scope_logs.scope.attributes.extend(key_values(scope or {}))
    scope_logs.log_records.extend(records)
    body = request.SerializeToString()
    for old, new in (replace or {}).items():
        body = body.replace(old, new)
    headers = {"Content-Type": "application/x-protobuf"}
    response = urllib3.request("POST", f"{stack.otlp_http}/v1/logs", body=body, headers=headers, timeout=30)
    assert response.status == 200, response.data


def until(found: Callable[[], Found], holds: Callable[[Found], object]) -> Found:
    """Ask again until the answer *holds*, and return it; the last answer when the deadline is over."""
    deadline = time.monotonic() + DEADLINE
    while not holds(answer := found()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


def documents(stack: Stack, query: str, count: int = 1) -> list[dict[str, Any]]:
    """Return what Elasticsearch finds, as soon as it is *count* documents."""

    def found() -> list[dict[str, Any]]:
        stack.elasticsearch.refresh()
        return stack.elasticsearch.search(query)

    answer = until(found, lambda hits: len(hits) >= count)
    assert len(answer) == count
    return answer


def entries(stack: Stack, request_id: str, count: int = 1, days: int = 2) -> list[Entry]:
    """Return what Loki has of one request, as soon as it is *count* entries."""
    logql = f'{{service_name=~".+"}} | request_id="{request_id}"'
    start = time.time_ns() - days * DAY
    answer = until(lambda: stack.loki.query(logql, start=start), lambda found: len(found) >= count)
    assert len(answer) == count
    return answer


def both(stack: Stack, request_id: str) -> tuple[dict[str, Any], Entry]:
    """Return the one record of a request from both stores."""
    return documents(stack, f"request_id:{request_id}")[0], entries(stack, request_id)[0]


def attributes(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document's attributes without those that every test sets."""
    return {key: value for key, value in document["attributes"].items() if key != "request_id"}
