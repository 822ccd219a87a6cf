"""Every event of the catalogue, logged through the systems' chain, is in both stores, found by each of its keys."""

import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider as OfficialProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from otel_bridge import LogBridge, LoggerProvider
from otel_bridge.bridge.timestamps import nanoseconds
from otel_bridge.catalogue import Event, System, shipped
from otel_bridge.catalogue.attributes import stored
from otel_bridge.catalogue.pages import RECORD
from stack import Elasticsearch, Stack
from tests.chains import CHAINS

SEVERITIES: Final = {"debug": 5, "info": 9, "warning": 13, "error": 17, "critical": 21}
SYSTEMS: Final = shipped().systems

RENAMED: Final = {"user_id": "user.id", "ip": "client.address", "user_agent": "user_agent.original"}
"""Keys that get a semantic-convention name: the table "What the stores call it"."""
CLOUD_EVENT: Final = {
    "id": "cloudevents.event_id",
    "source": "cloudevents.event_source",
    "type": "cloudevents.event_type",
    "subject": "cloudevents.event_subject",
}
FIELDS: Final = json.loads(Path("collector/elasticsearch/catalogue.json").read_text())["template"]["mappings"][
    "properties"
]["attributes"]["properties"]
ROOT_FIELDS: Final = ("resource", "scope", "body")
"""Names that Elasticsearch's documents have at the root already; a key of that name is asked for with `attributes.`."""
PAGE: Final = stored(shipped())
"""The rows of docs/stores.md."""
ON_EVERY_ENTRY: Final = {name for row in RECORD for name in re.findall(r"`(\w+)`", row[2])}
UID: Final = "attributes.log.record.uid"
FIELDS_OF_A_RECORD: Final = {"event", "level", "logger", "timestamp", "trace_id", "span_id", "parent_span_id"}
"""Keys that become no attribute."""
TEXTS: Final = ("id", "code", "request_id", "correlation_id", "user_id")
"""Always a string, whatever the system logs."""


def official(system: System, endpoint: str) -> OfficialProvider:
    """Return the official SDK's provider and exporter."""
    provider = OfficialProvider(Resource.create({"service.name": system.service_name}), shutdown_on_exit=False)
    exporter = OTLPLogExporter(endpoint=endpoint)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=32768))
    return provider


def ours(system: System, endpoint: str) -> LoggerProvider:
    """Return our own provider."""
    return LoggerProvider(Resource.create({"service.name": system.service_name}), endpoint=endpoint)


PROVIDERS: Final = {"older": official, "newer": ours}
"""Both ways to the Collector, so that both are held to the same documents."""


@dataclass
class Logged:
    """One event as the application logged it, and what a store must hold of it."""

    event: Event
    span_id: str
    trace_id: str
    event_dict: dict[str, Any] = field(default_factory=dict)

    @property
    def attributes(self) -> dict[str, Any]:
        """Attributes by the names that the stores call them."""
        return expected(self.event, self.event_dict)


def expected(event: Event, event_dict: Mapping[str, Any]) -> dict[str, Any]:
    """Say, apart from the bridge, where each key of an event dict must be found."""
    found: dict[str, Any] = {"source": "app"}
    has_source = event_dict.get("source", "app") not in ("app", "uwsgi")
    is_cloud_event = (has_source and {"type", "id"} <= event_dict.keys()) or event.name.startswith(
        ("cloudevent_", "incoming_cloud_event_")
    )
    for key, logged in event_dict.items():
        value = str(logged) if key in TEXTS else logged
        if logged is None or key in ("event", "level", "logger", "timestamp", "exc_info", "exception", "message"):
            continue
        if is_cloud_event and key in CLOUD_EVENT and (has_source or key != "source"):
            found[CLOUD_EVENT[key]] = value
        elif key == "status" or (key == "code" and event.name in ("request_finished", "request_failed")):
            found["http.response.status_code"] = logged
        elif key not in ("trace_id", "span_id", "parent_span_id"):
            found[RENAMED.get(key, key)] = value
    if event.name == "api.handled_exception":
        found["error.type"] = event_dict["code"]
    if event_dict.get("http_status_code"):
        found["http.response.status_code"] = event_dict["http_status_code"]
    if event_dict.get("endpoint"):
        found["url.path"] = event_dict["endpoint"]
    if event.has_exception:
        found |= {"exception.type": "ZeroDivisionError", "exception.message": "division by zero"}
    elif "message" in event_dict:
        found["message"] = event_dict["message"]
    return found


@pytest.fixture(scope="module", params=[(s, c) for s in SYSTEMS for c in CHAINS], ids=lambda p: f"{p[0].name}-{p[1]}")
def logged(request: pytest.FixtureRequest, stack: Stack) -> list[Logged]:
    """Log every event of one system, each in a span of its own, and wait until both stores have them."""
    system, chain = request.param
    events = [event for event in system.events if event.message_key == "event"]
    application = _application(CHAINS[chain](), PROVIDERS[chain](system, f"{stack.otlp_http}/v1/logs"))
    with application as (tracer, seen), tracer.start_as_current_span(system.name):
        records = [_log(system, event, tracer, seen) for event in events]
    _await(stack, records)
    return records


def test_elasticsearch_finds_every_event_by_each_of_its_keys(stack: Stack, logged: list[Logged]) -> None:
    """A query for all keys of an event at once, by the names of the table, finds that event and no other."""
    for record in logged:
        clauses = [clause for name, value in record.attributes.items() for clause in _clauses(name, value)]
        query = {"bool": {"filter": [{"term": {"span_id": record.span_id}}, *clauses]}}
        assert stack.elasticsearch.count(query) == 1, (record.event.name, query)


def test_loki_finds_every_event_by_each_of_its_keys(stack: Stack, logged: list[Logged]) -> None:
    """A query with a filter for each key of an event, by the names of the table, finds that event and no other."""
    for record in logged:
        metadata = {"span_id": record.span_id, "event": record.event.name, **_metadata(record.attributes)}
        filters = " ".join(f"| {name}={json.dumps(value)}" for name, value in metadata.items())
        assert len(stack.loki.query(f'{{log_source="otlp"}} {filters}')) == 1, (record.event.name, filters)


def test_elasticsearch_holds_what_was_logged(stack: Stack, logged: list[Logged]) -> None:
    """Value, type, timestamp, severity, scope, event name and ids of each document equal what was logged; once each."""
    documents = _by_span(stack.elasticsearch, logged)
    for record in logged:
        (document,) = documents[record.span_id]
        assert _different(record.attributes, document["attributes"]) == {}, record.event.name
        assert nanoseconds(document["@timestamp"]) == nanoseconds(record.event_dict["timestamp"])
        assert document["severity_text"] == record.event_dict["level"]
        assert document["severity_number"] == SEVERITIES[record.event_dict["level"]]
        assert document["scope"]["name"] == record.event_dict["logger"]
        assert document["event_name"] == record.event.name == document["body"]["text"]
        assert document["trace_id"] == record.trace_id
        assert document["_id"] == document["attributes"]["log.record.uid"]


def test_loki_holds_what_was_logged(stack: Stack, logged: list[Logged]) -> None:
    """Timestamp, level, scope, event name and ids of each entry equal what was logged; each entry is there once."""
    entries = stack.loki.query(f'{{log_source="otlp"}} | trace_id="{logged[0].trace_id}"')
    assert len(entries) == len(logged)
    by_span = {entry.metadata["span_id"]: entry for entry in entries}
    for record in logged:
        entry = by_span[record.span_id]
        assert entry.timestamp == nanoseconds(record.event_dict["timestamp"])
        assert entry.line.splitlines()[0] == record.event.name
        assert entry.metadata["event_name"] == record.event.name
        assert entry.metadata["level"] == entry.metadata["severity_text"] == record.event_dict["level"]
        assert entry.metadata["scope_name"] == record.event_dict["logger"]


def test_names_are_those_of_the_page(stack: Stack, logged: list[Logged]) -> None:
    """What the stores hold of an event has the names that docs/stores.md gives its keys, and each key has one there."""
    documents = _by_span(stack.elasticsearch, logged)
    entries = stack.loki.query(f'{{log_source="otlp"}} | trace_id="{logged[0].trace_id}"')
    by_span = {entry.metadata["span_id"]: entry.metadata.keys() for entry in entries}
    for record in logged:
        (document,) = documents[record.span_id]
        held = {f"attributes.{name}" for name in document["attributes"]}
        rows = [row for row in PAGE if row.key in {"source", *record.event_dict}]
        assert held <= {UID, *(row.elasticsearch for row in rows)}, record.event.name
        always = ON_EVERY_ENTRY | {re.sub(r"\W", "_", name) for name in document["resource"]["attributes"]}
        named = re.compile("|".join(f"{row.loki}(_.*)?" for row in rows))
        assert all(map(named.fullmatch, by_span[record.span_id] - always)), record.event.name
        keys = {key for key, value in record.event_dict.items() if value is not None}
        assert keys - FIELDS_OF_A_RECORD == {row.key for row in rows if row.elasticsearch in held} & keys


def test_stack_traces_are_kept(stack: Stack, logged: list[Logged]) -> None:
    """The stack trace of an exception is in the document, in Loki's metadata, and under the line."""
    raised = [record for record in logged if record.event.has_exception]
    documents = _by_span(stack.elasticsearch, raised) if raised else {}
    for record in raised:
        stacktrace = documents[record.span_id][0]["attributes"]["exception.stacktrace"]
        (entry,) = stack.loki.query(f'{{log_source="otlp"}} | span_id="{record.span_id}"')
        assert stacktrace.startswith("Traceback (most recent call last):")
        assert entry.metadata["exception_stacktrace"] == stacktrace
        assert stacktrace in entry.line


class _application:  # noqa: N801 - a context manager
    """An application: the chain with the bridge in its slot, a tracer, and an exporter to the stack."""

    def __init__(self, chain: list[Any], provider: Any) -> None:
        self._provider = provider
        self._tracer_provider = TracerProvider()
        self._chain = chain
        self._seen: list[dict[str, Any]] = []

    def __enter__(self) -> tuple[trace.Tracer, list[dict[str, Any]]]:
        names = [getattr(processor, "__name__", "") for processor in self._chain]
        slot = names.index("format_exc_info") if "format_exc_info" in names else len(names) - 1
        processors = [*self._chain[:slot], LogBridge(self._provider), self._see, *self._chain[slot:]]
        structlog.configure(processors, logger_factory=structlog.stdlib.LoggerFactory())
        logging.getLogger().setLevel(logging.DEBUG)
        return self._tracer_provider.get_tracer("tests"), self._seen

    def __exit__(self, *_: object) -> None:
        assert self._provider.force_flush()
        self._provider.shutdown()
        self._tracer_provider.shutdown()
        logging.getLogger().setLevel(logging.WARNING)
        structlog.reset_defaults()

    def _see(self, _logger: object, _method_name: str, event_dict: dict[str, Any]) -> dict[str, Any]:
        self._seen.append(dict(event_dict))
        return event_dict


def _log(system: System, event: Event, tracer: trace.Tracer, seen: list[dict[str, Any]]) -> Logged:
    """Log *event* as its system does: with the context of a request bound, and in a span."""
    logger = structlog.stdlib.get_logger(event.logger or f"{system.service_name}.tests")
    keys = event.example()
    bound = {key.name: key.example for key in system.context if key.name not in keys}
    with tracer.start_as_current_span(event.name) as span, structlog.contextvars.bound_contextvars(**bound):
        try:
            1 / 0  # noqa: B018 - the exception of the manuals' examples
        except ZeroDivisionError:
            getattr(logger, event.level or "info")(
                event.name, **keys, **({"exc_info": True} if event.has_exception else {})
            )
        context = span.get_span_context()
    return Logged(event, f"{context.span_id:016x}", f"{context.trace_id:032x}", seen[-1])


def _await(stack: Stack, records: list[Logged], seconds: float = 60) -> None:
    """Poll until both stores hold as many records of the trace as were logged; more would be duplicates."""
    deadline = time.monotonic() + seconds
    query = f'{{log_source="otlp"}} | trace_id="{records[0].trace_id}"'
    counts = (0, 0)
    while counts != (len(records), len(records)):
        assert time.monotonic() < deadline, f"Loki has {counts[0]}, Elasticsearch {counts[1]} of {len(records)}"
        time.sleep(0.2)
        stack.elasticsearch.refresh()
        found = stack.elasticsearch.count({"term": {"trace_id": records[0].trace_id}})
        counts = len(stack.loki.query(query)), found


def _by_span(elasticsearch: Elasticsearch, records: list[Logged]) -> dict[str, list[dict[str, Any]]]:
    documents: dict[str, list[dict[str, Any]]] = {}
    for document in elasticsearch.search({"term": {"trace_id": records[0].trace_id}}):
        documents.setdefault(document["span_id"], []).append(document)
    return documents


def _clauses(name: str, value: object) -> list[dict[str, Any]]:
    """Ask for a value as people do: by its name without `attributes.`, a text by its words, a map by its leaves."""
    if isinstance(value, dict):
        return [clause for key, item in value.items() for clause in _clauses(f"{name}.{key}", item)]
    if isinstance(value, list):
        return [clause for item in value for clause in _clauses(name, item)]
    kind = FIELDS.get(name, {"type": "flattened"})["type"]
    path = f"attributes.{name}" if name.partition(".")[0] in ROOT_FIELDS else name
    return [{"match_phrase" if kind == "text" else "term": {path: value}}]


def _metadata(attributes: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Name and write attributes as Loki does: maps flattened, lists as JSON, everything else as text."""
    found: dict[str, str] = {}
    for key, value in attributes.items():
        name = "attributes_exception_type" if key == "exception_type" else re.sub(r"\W", "_", f"{prefix}{key}")
        if isinstance(value, dict):
            found |= _metadata(value, f"{name}_")
        elif isinstance(value, str):
            found[name] = value
        else:
            found[name] = json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    return found


def _different(logged: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was logged and is stored with another value, or as another type."""
    pairs = {name: (value, stored.get(name)) for name, value in logged.items()}
    return {name: pair for name, pair in pairs.items() if json.dumps(pair[0]) != json.dumps(pair[1])}
