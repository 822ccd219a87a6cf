"""Whatever comes in: both stores hold every record, and no record costs another."""

import time
import uuid
from typing import Any, Final

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from stack import Elasticsearch, Stack
from tests.stack.asking import both, documents, entries, record, send, until

LABELS: Final = {"service_name", "service_namespace", "deployment_environment_name", "log_source", "log_late"}


def nested(depth: int) -> dict[str, object]:
    """Return a map within a map, *depth* times."""
    value: dict[str, object] = {"end": True}
    for _ in range(depth):
        value = {"inner": value}
    return value


AWKWARD: Final[dict[str, dict[str, object]]] = {
    "an extra that is text": {"extra": "hello"},
    "an extra that is a map": {"extra": {"a": 1}},
    "names that are taken at the root": {"resource": "r", "scope": {"a": 1}, "body": "b", "attributes": {"q": 1}},
    "names of metadata fields": {"@timestamp": "x", "_id": "1", "_source": {"a": 1}, "data_stream": "u"},
    "names that are each other's prefix": {"url": "u", "url.path": "/p", "error": "e", "error.type": "t"},
    "prefixes outside the catalogue": {"kleur": "k", "kleur.naam": "n", "kleur.naam.kort": {"x": 1}},
    "prefixes in a map": {"additional_attributes": {"zaaktype": "u", "zaaktype.catalogus": "v"}},
    "symbols only": {"!!!": 1, "": 2, " ": 3, ".": 4, "...": 5, "é": 6},
    "text for a number": {"http.response.status_code": "abc", "duration_ms": "soon"},
    "a map for a text": {"url.path": {"a": 1}, "error": {"type": "t"}},
    "a text for a map": {"data": "text", "cloud_event": 5, "additional_attributes": True},
    "a list of maps": {"invalid_params": [{"name": "a", "code": 1}, {"name": "b", "code": "x"}]},
    "a list of texts for a list of maps": {"invalid_params": ["a", "b"]},
    "nested lists": {"data": [[1], [2]]},
    "not a number": {"duration_ms": float("nan"), "data": {"a": float("inf")}},
    "bytes": {"kleur": b"\xff\x00", "data": {"b": b"\x01"}},
    "NUL in a value": {"kleur": "a\0b", "data": {"a": "a\0b"}},
    "NUL in a key": {"kle\0ur": "rood", "data": {"a\0b": 1}},
    "empty values": {"kleur": "", "maat": {}, "maten": [], "niets": None},
    "a long text": {"kleur": "x" * 100_000, "error": "y" * 100_000},
    "a long key": {"k" * 40_000: "v", "data": {"d" * 40_000: "v"}},
    "many keys": {f"key_{number}": number for number in range(3_000)},
    "a large map": {"data": {f"key_{number}": number for number in range(3_000)}},
}


AWKWARD["a deep map"] = {"data": nested(25), "kleur": nested(25)}


BODIES: Final[dict[str, object]] = {
    "no body": None,
    "an empty body": "",
    "a body of a number": 5,
    "a body of a list": ["a", 1],
    "a body of a map": {"a": {"b": 1}},
    "a body of a map that is no JSON": {"a": float("nan")},
    "a body of bytes": b"\xff",
    "a long body": "x" * 10**6,
}


@pytest.fixture(scope="module")
def sent(stack: Stack) -> str:
    """Send all of it in one request, and return what its request ids start with."""
    run = uuid.uuid4().hex
    values = [record({**values, "request_id": f"{run}-{name}"}) for name, values in AWKWARD.items()]
    bodies = [record({"request_id": f"{run}-{name}"}, body) for name, body in BODIES.items()]
    send(stack, [*values, *bodies])
    return run


@pytest.mark.parametrize("name", [*AWKWARD, *BODIES])
def test_awkward_records(stack: Stack, sent: str, name: str) -> None:
    """Whatever a record's attributes and body, it is in both stores, found by its request."""
    documents(stack, f'request_id:"{sent}-{name}"')
    entries(stack, f"{sent}-{name}")


@pytest.mark.parametrize(
    ("values", "scope"),
    [
        ({"!!!": 1, "": 2, "é": 3}, {"???": 1, "": 2}),
        ({f"key.{number}": "x" * 1_000 for number in range(1_000)}, {"k" * 50_000: 1}),
        ({"service.name": 5, "process.pid": float("nan")}, {"a": float("nan")}),
        ({"service.name": "", "deployment.environment.name": ["x"]}, {}),
        ({"service.name": "s" * 100_000}, {"elastic.mapping.mode": "nonsense", "encoding.format": "evil"}),
    ],
)
def test_awkward_resource(stack: Stack, request_id: str, values: dict[str, object], scope: dict[str, object]) -> None:
    """Whatever the attributes of resource and scope, the records are in both stores."""
    send(stack, [record({"request_id": request_id})], values, scope)
    both(stack, request_id)


def test_free_keys_make_no_fields(stack: Stack, request_id: str) -> None:
    """Ten thousand new keys add nothing to Elasticsearch's mapping, and no label to Loki."""
    before = stack.elasticsearch.mapping_field_count()
    fresh = [{f"key_{uuid.uuid4().hex}": number for number in range(50)} for _ in range(200)]
    send(stack, [record({"request_id": request_id, **keys}) for keys in fresh])
    documents(stack, f"request_id:{request_id}", 200)
    entries(stack, request_id, 200)
    assert stack.elasticsearch.mapping_field_count() == before
    assert stack.loki.labels() <= LABELS


def test_large_resource_of_small_records(stack: Stack, request_id: str) -> None:
    """Many small records of a resource with much to say, which both stores repeat with each, hold up nothing."""
    resource = {"service.name": request_id, **{f"res.{number}": "x" * 900 for number in range(16)}}
    for _ in range(3):
        send(stack, [record({}) for _ in range(4_000)], resource)
    logql = f'{{service_name="{request_id}"}}'
    assert until(lambda: stack.loki.count(logql), lambda count: count >= 12_000) == 12_000
    query = f"service.name:{request_id}"
    assert until(lambda: refreshed(stack).count(query), lambda count: count >= 12_000) == 12_000


def refreshed(stack: Stack) -> Elasticsearch:
    """Return Elasticsearch with everything that it has searchable."""
    stack.elasticsearch.refresh()
    return stack.elasticsearch


@pytest.mark.parametrize(
    "huge",
    [
        {"body": "x" * 4_000_000},
        {"attributes": {"kleur": "x" * 4_000_000}},
        {"attributes": {"data": {"a": {"b": "x" * 4_000_000}}}},
        {"attributes": {"exception.stacktrace": "x" * 4_000_000}},
        {"attributes": {f"key_{number}": "x" * 1_000 for number in range(4_000)}},
    ],
    ids=["body", "attribute", "nested value", "stack trace", "many attributes"],
)
def test_oversized_record_costs_no_neighbour(stack: Stack, request_id: str, huge: dict[str, Any]) -> None:
    """One record that is larger than a batch may be costs none of the 199 beside it, and is kept itself, cut."""
    small = [record({"request_id": request_id}) for _ in range(199)]
    large = record({"request_id": request_id, **huge.get("attributes", {})}, huge.get("body", "large"))
    send(stack, [*small[:100], large, *small[100:]])
    documents(stack, f"request_id:{request_id}", 200)
    entries(stack, request_id, 200)


def test_empty_record(stack: Stack, request_id: str) -> None:
    """A record of nothing at all is in both stores, at the time of its arrival."""
    before = time.time_ns()
    send(stack, [LogRecord()], {"service.name": request_id})
    documents(stack, f"service.name:{request_id}")
    [entry] = until(lambda: stack.loki.query(f'{{service_name="{request_id}"}}'), bool)
    assert before <= entry.timestamp <= time.time_ns()


@pytest.mark.parametrize(
    "fields",
    [
        {"severity_text": "x" * 100_000, "event_name": "x" * 100_000},
        {"severity_number": 99},
        {"dropped_attributes_count": 7, "flags": 1},
    ],
)
def test_awkward_fields(stack: Stack, request_id: str, fields: dict[str, Any]) -> None:
    """Whatever a record's fields, it is in both stores."""
    send(stack, [record({"request_id": request_id}, **fields)])
    both(stack, request_id)


@pytest.mark.parametrize("uid", ["", "u" * 3_000, {"a": 1}, 5])
def test_awkward_uid(stack: Stack, request_id: str, uid: object) -> None:
    """A `log.record.uid` that cannot be an `_id` costs neither the record nor its neighbours."""
    send(stack, [record({"request_id": request_id, "log.record.uid": uid}), record({"request_id": request_id})])
    documents(stack, f"request_id:{request_id}", 2)


def test_text_that_is_no_utf8(stack: Stack, request_id: str) -> None:
    """Bytes that are no UTF-8, anywhere, cost nothing but themselves."""
    broken = record(
        {"request_id": request_id, "kl~~~~r": "r~~~~d", "data": {"~~~~": "~~~~"}}, "b~~~~y", event_name="~~~~"
    )
    send(stack, [broken], {"service.name": "s~~~~c"}, replace={b"~~~~": b"\xff\xfe\xc3."})
    both(stack, request_id)
