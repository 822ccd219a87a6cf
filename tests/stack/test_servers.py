"""One record in both stores, with the configuration that is deployed."""

import time
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor

from stack import QueryError, Stack
from tests.stack.asking import DAY, attributes, both, documents, entries, record, send


def test_record_in_elasticsearch(stack: Stack, request_id: str) -> None:
    """A record's fields are a document's fields, and its documented keys are found without a prefix."""
    sent = {"request_id": request_id, "user.id": "7", "http.response.status_code": 201}
    fields: dict[str, Any] = {
        "severity_text": "warning",
        "severity_number": 13,
        "event_name": "zaak_created",
        "trace_id": b"\x01" * 16,
        "span_id": b"\x02" * 8,
    }
    send(stack, [record(sent, **fields)])
    [document] = documents(stack, f"request_id:{request_id} AND user.id:7 AND http.response.status_code:[200 TO 299]")
    assert document["body"] == {"text": "zaak_created"}
    assert document["event_name"] == "zaak_created"
    assert (document["severity_text"], document["severity_number"]) == ("warning", 13)
    assert (document["trace_id"], document["span_id"]) == ("01" * 16, "02" * 8)
    assert document["scope"]["name"] == "openzaak.components.zaken"
    assert document["attributes"] == sent
    assert document["data_stream"] == {"type": "logs", "dataset": "structlog.otel", "namespace": "test"}
    assert document["resource"]["attributes"]["log.source"] == "otlp"


def test_record_in_loki(stack: Stack, request_id: str) -> None:
    """A record's event is the line; every field and key is structured metadata, with `event` and `level` as ever."""
    fields: dict[str, Any] = {"severity_text": "warning", "severity_number": 13, "event_name": "zaak_created"}
    send(stack, [record({"request_id": request_id, "user.id": "7"}, **fields, trace_id=b"\x01" * 16)])
    [entry] = entries(stack, request_id)
    assert entry.line == "zaak_created"
    assert entry.labels == {
        "service_name": "test_servers",
        "deployment_environment_name": "test",
        "log_source": "otlp",
    }
    expected = {
        "event": "zaak_created",
        "event_name": "zaak_created",
        "level": "warning",
        "severity_text": "warning",
        "severity_number": "13",
        "scope_name": "openzaak.components.zaken",
        "user_id": "7",
        "trace_id": "01" * 16,
    }
    assert entry.metadata.items() >= expected.items()


@pytest.mark.parametrize("below", [0, 5, 50_000, 123_456, 999_999])
def test_nanoseconds(stack: Stack, request_id: str, below: int) -> None:
    """Both stores keep the time to the nanosecond, also where a millisecond's nanoseconds start with zeros."""
    instant = time.time_ns() // 1_000_000 * 1_000_000 + below
    send(stack, [record({"request_id": request_id}, time_unix_nano=instant)])
    both(stack, request_id)
    body = {"query": {"term": {"request_id": request_id}}, "sort": ["@timestamp"]}
    hits = stack.elasticsearch.request("POST", f"/{stack.elasticsearch.index}/_search", body)["hits"]["hits"]
    assert [hit["sort"] for hit in hits] == [[instant]]
    assert entries(stack, request_id)[0].timestamp == instant


def test_stacktrace(stack: Stack, request_id: str) -> None:
    """A stack trace is an attribute in both stores, and in Loki stands under the line as well."""
    trace = 'Traceback (most recent call last):\n  File "views.py", line 1\nValueError: nee'
    send(stack, [record({"request_id": request_id, "exception.stacktrace": trace, "exception.type": "ValueError"})])
    document, entry = both(stack, request_id)
    assert document["attributes"]["exception.stacktrace"] == trace
    assert entry.metadata["exception_stacktrace"] == trace
    assert entry.line == f"zaak_created\n{trace}"


def test_keys_outside_the_catalogue(stack: Stack, request_id: str) -> None:
    """A key that the mapping does not know is under `extra`, searchable, in both stores."""
    send(stack, [record({"request_id": request_id, "kleur": "rood", "maat": {"hoogte": 3}})])
    document, entry = both(stack, request_id)
    assert attributes(document) == {"extra": {"kleur": "rood", "maat": {"hoogte": 3}}}
    assert (entry.metadata["extra_kleur"], entry.metadata["extra_maat_hoogte"]) == ("rood", "3")
    documents(stack, f"request_id:{request_id} AND extra.kleur:rood AND attributes.extra.maat.hoogte:3")


def test_severity_zero(stack: Stack, request_id: str) -> None:
    """A level with an unknown name keeps its text and gets no number."""
    send(stack, [record({"request_id": request_id}, severity_text="audit")])
    document, entry = both(stack, request_id)
    assert document["severity_text"] == entry.metadata["level"] == "audit"
    assert "severity_number" not in document
    assert "severity_number" not in entry.metadata


def test_environment_by_its_older_name(stack: Stack, request_id: str) -> None:
    """`deployment.environment` is taken where `deployment.environment.name` is missing, and chooses the data stream."""
    send(stack, [record({"request_id": request_id})], {"service.name": "s", "deployment.environment": "Acc 1"})
    document, entry = both(stack, request_id)
    assert entry.labels["deployment_environment_name"] == "Acc 1"
    assert document["data_stream"]["namespace"] == "acc_1"
    assert ".ds-logs-structlog.otel-acc_1-" in document["_index"]


def test_client_does_not_route(stack: Stack, request_id: str) -> None:
    """Attributes by which the exporter would choose an index, an `_id` or no document at all do nothing."""
    routing = {
        "elasticsearch.index": "evil",
        "data_stream.dataset": "evil",
        "elasticsearch.document_id": "evil",
        "elasticsearch.mapping.hints": ["_noindex"],
    }
    send(stack, [record({**routing, "request_id": request_id})], {"service.name": "s", **routing}, routing)
    document, _ = both(stack, request_id)
    assert document["_index"].startswith(".ds-logs-structlog.otel-test-")
    assert document["_id"] != "evil"


def test_record_sent_twice(stack: Stack, request_id: str) -> None:
    """A record that is sent again after a lost answer is one document, by its `log.record.uid`."""
    again = record({"request_id": request_id, "log.record.uid": f"uid-{request_id}"})
    send(stack, [again])
    send(stack, [again, record({"request_id": request_id})])
    found = documents(stack, f"request_id:{request_id}", 2)
    assert f"uid-{request_id}" in {document["_id"] for document in found}


@pytest.mark.parametrize("days", [-400, -1, 3, 20])
def test_late_and_early_records(stack: Stack, request_id: str, days: int) -> None:
    """A record from days ago, or from a clock that is ahead, is in both stores, and costs those of now nothing."""
    now = time.time_ns()
    instants = [now, now - days * DAY, now - days * DAY - DAY // 3, now]
    send(stack, [record({"request_id": request_id}, time_unix_nano=instant) for instant in instants])
    documents(stack, f"request_id:{request_id}", 4)
    found = entries(stack, request_id, 4, days=29)
    expected = sorted(instants) if days > 0 else [now, now]
    assert [entry.timestamp for entry in found][: len(expected)] == expected


@pytest.mark.parametrize("instant", [0, 2**64 - 1])
def test_impossible_time(stack: Stack, request_id: str, instant: int) -> None:
    """A record without a time, or with one that no store can hold, gets that at which it was observed."""
    observed = time.time_ns()
    send(stack, [record({"request_id": request_id}, time_unix_nano=instant, observed_time_unix_nano=observed)])
    _, entry = both(stack, request_id)
    assert entry.timestamp == observed


def test_grpc(stack: Stack, request_id: str) -> None:
    """The official exporter delivers over gRPC as well."""
    provider = LoggerProvider(shutdown_on_exit=False)
    exporter = OTLPLogExporter(endpoint=stack.otlp_grpc, insecure=True)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger("zaken").emit(body="zaak_created", attributes={"request_id": request_id})
    provider.shutdown()
    both(stack, request_id)


def test_writer_is_closed(stack: Stack, request_id: str) -> None:
    """The door between queue and Elasticsearch opens to the Collector's own token only: it leads around redaction."""
    exporter = OTLPLogExporter(endpoint=f"http://127.0.0.1:{stack.ports.writer}", insecure=True, timeout=5)
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger("zaken").emit(body="zaak_created", attributes={"request_id": request_id})
    provider.shutdown()
    send(stack, [record({"request_id": f"{request_id}-after"})])
    both(stack, f"{request_id}-after")
    assert stack.elasticsearch.count(f"request_id:{request_id}") == 0


def test_clients_report_errors(stack: Stack) -> None:
    """A refused query says what was asked and what was answered."""
    with pytest.raises(QueryError, match="parse error"):
        stack.loki.query("{nonsense")
    with pytest.raises(QueryError, match="Failed to parse query"):
        stack.elasticsearch.search("a:(b")
