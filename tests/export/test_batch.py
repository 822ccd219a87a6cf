"""A batch means what the official classes read in it."""

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ScopeLogs

from otel_bridge.export import batch

RECORD_FIELD = 0x12
"""Tag of `log_records`: https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto."""


def record(number: int) -> bytes:
    """Encode a `log_records` field by the official class."""
    encoded: bytes = ScopeLogs(log_records=[LogRecord(time_unix_nano=number)]).SerializeToString()
    return encoded


def decoded(records: list[tuple[bytes, bytes, bytes]]) -> ExportLogsServiceRequest:
    """Decode a request of *records*."""
    request: ExportLogsServiceRequest = ExportLogsServiceRequest.FromString(batch.request(records))
    return request


def test_nothing_is_an_empty_request() -> None:
    """Which is valid."""
    assert decoded([]) == ExportLogsServiceRequest()


def test_a_resource_and_a_scope_say_all_that_they_are_given() -> None:
    """Attributes of every kind, versions, schemas."""
    resource = batch.resource({"service.name": "é", "n": 1, "l": ["a", 2]}, "https://schema/1")
    scope = batch.scope("name", "1.0", "https://schema/2", {"t": True})
    [found] = decoded([(resource, scope, record(1))]).resource_logs
    assert [(pair.key, pair.value.WhichOneof("value")) for pair in found.resource.attributes] == [
        ("service.name", "string_value"),
        ("n", "int_value"),
        ("l", "array_value"),
    ]
    assert found.schema_url == "https://schema/1"
    [inner] = found.scope_logs
    assert (inner.scope.name, inner.scope.version, inner.schema_url) == ("name", "1.0", "https://schema/2")
    assert [(pair.key, pair.value.bool_value) for pair in inner.scope.attributes] == [("t", True)]


def test_a_record_begins_with_its_tag() -> None:
    """As the official encoder writes it."""
    assert record(1)[0] == RECORD_FIELD


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=40))
def test_records_stand_by_resource_and_scope_in_the_order_in_which_they_came(keys: list[tuple[int, int]]) -> None:
    """Each resource and each scope of it is said once; no record is lost."""
    resources = [batch.resource({"n": number}) for number in range(3)]
    scopes = [batch.scope(str(number)) for number in range(3)]
    records = [(resources[one], scopes[two], record(number)) for number, (one, two) in enumerate(keys, start=1)]
    found = [
        (
            (resource.resource.attributes[0].value.int_value, int(scope.scope.name)),
            [r.time_unix_nano for r in scope.log_records],
        )
        for resource in decoded(records).resource_logs
        for scope in resource.scope_logs
    ]
    assert len(found) == len(dict(found)) == len(set(keys))
    for key, numbers in found:
        assert numbers == [number for number, other in enumerate(keys, start=1) if other == key]
