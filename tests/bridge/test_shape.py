"""The short cut for events that repeat sends what the long way sends."""

from collections.abc import Sequence
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from otel_bridge import LogBridge, LoggerProvider, Redaction
from otel_bridge.catalogue import shipped
from otel_bridge.catalogue.attributes import event_dict
from tests.export.test_equivalence import Kept
from tests.otlp import mapping, python

SPAN: Final = SpanContext(
    0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, is_remote=False, trace_flags=TraceFlags(1)
)
IDS: Final = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}
EVENT: Final = {
    "event": "zaak_created",
    "level": "info",
    "logger": "openzaak",
    "timestamp": "2025-05-19T14:09:20.339166Z",
}


def sent(events: Sequence[dict[str, Any]], *, in_span: bool = False, **options: Any) -> list[dict[str, Any]]:
    """Log *events* through one bridge and return what was sent, apart from what differs each time."""
    kept = Kept()
    provider = LoggerProvider(Resource({}), connect=lambda: kept)
    bridge = LogBridge(provider, **options)
    token = attach(trace.set_span_in_context(NonRecordingSpan(SPAN))) if in_span else None
    for event in events:
        bridge(None, "info", event)
    if token is not None:
        detach(token)
    assert provider.shutdown()
    request = ExportLogsServiceRequest.FromString(b"".join(kept.requests))
    found = []
    for scope in request.resource_logs[0].scope_logs:
        for record in scope.log_records:
            attributes = mapping(record.attributes)
            uid = attributes.pop("log.record.uid")
            assert len(uid) == 26
            found.append(
                {
                    "scope": scope.scope.name,
                    "attributes": {key: (type(value), value) for key, value in attributes.items()},
                    "body": python(record.body),
                    **{name: getattr(record, name) for name in ("time_unix_nano", "severity_number", "severity_text")},
                    **{name: getattr(record, name) for name in ("event_name", "trace_id", "span_id", "flags")},
                    "dropped": record.dropped_attributes_count,
                }
            )
    return found


def both_ways(first: dict[str, Any], second: dict[str, Any], **options: Any) -> tuple[Any, Any]:
    """Send *second* after *first*, which has taught its shape, and alone."""
    by_shape = sent([first, first, second], **options)
    return by_shape[-1] if len(by_shape) == 3 else by_shape, sent([second], **options)[-1]


VALUES: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from([200, 200.0, 404, 1, True]),
    st.text(max_size=6),
    st.text(min_size=250, max_size=260),
    st.sampled_from(
        [
            "123456782",
            "bsn 123456782",
            "eyJhbGciOi.eyJzdWIiOi.x",
            "é",
            "\0",
            "\ud800",
            "Bearer abc12345",
            "a=b",
            "token=x",
            "",
        ]
    ),
    st.lists(st.text(max_size=3), max_size=2),
)
KEYS: Final = st.sampled_from(
    [
        *("uuid", "identificatie", "user_id", "request_id", "source", "id", "type", "subject", "code", "status"),
        *("partial", "password", "bsn", "message", "path", "method", "request", "trace_id", "span_id"),
        *("level_number", "n", "exception"),
    ]
)
EVENTS: Final = st.tuples(
    st.sampled_from(["zaak_created", "cloudevent_received", "request_finished", "api.handled_exception", "free text"]),
    st.dictionaries(KEYS, VALUES, max_size=6),
)


TIMESTAMPS: Final = st.one_of(
    st.datetimes().map(lambda moment: f"{moment.isoformat(timespec='microseconds')}Z"),
    st.sampled_from(["2025-05-19T14:09:20.33916²Z", "2025-13-19T14:09:20.339166Z", "0001-01-01T00:00:00.000000Z"]),
    st.text(st.sampled_from("0123456789-:.TZ "), min_size=27, max_size=27),
    VALUES,
)


@given(TIMESTAMPS)
def test_any_timestamp_is_read_as_if_its_shape_were_unknown(timestamp: object) -> None:
    """Whatever is no instant stays an attribute both ways."""
    by_shape, alone = both_ways({**EVENT, "uuid": "a"}, {**EVENT, "uuid": "b", "timestamp": timestamp})
    for record in by_shape, alone:
        if "timestamp" in record["attributes"] or timestamp is None:
            # Then it is the time of the call.
            del record["time_unix_nano"]
    assert by_shape == alone


@given(EVENTS, st.lists(VALUES, min_size=6, max_size=6), st.booleans())
def test_any_event_is_sent_as_if_its_shape_were_unknown(
    event: tuple[str, dict[str, Any]],
    others: list[Any],
    in_span: bool,  # noqa: FBT001
) -> None:
    """An event with the keys of a known shape, and any other values, is sent as one that nobody saw before."""
    name, keys = event
    first = {**EVENT, "event": name, **keys}
    second = {**EVENT, "event": name, **dict(zip(keys, others, strict=False))}
    by_shape, alone = both_ways(first, second, in_span=in_span)
    assert by_shape == alone


@pytest.mark.parametrize(
    ("system", "event"),
    [pytest.param(system, event, id=f"{system.name}-{event.name}") for system, event in shipped().events],
)
def test_every_event_of_the_catalogue_is_sent_as_the_first_time(system: Any, event: Any) -> None:
    """The third record of a documented event equals the first."""
    logged = {**EVENT, **event_dict(system, event), **IDS, "parent_span_id": "00f067aa0ba902b7"}
    by_shape, alone = both_ways(logged, logged, in_span=True)
    assert by_shape == alone


def test_a_shape_is_used() -> None:
    """The third event of a shape does not go the long way: its fields are not mapped again."""
    kept = Kept()
    provider = LoggerProvider(Resource({}), connect=lambda: kept)
    bridge = LogBridge(provider)
    event = {**EVENT, "uuid": "a", "request_id": "b"}
    bridge(None, "info", event)
    bridge._emitter._mapper.fields = None  # type: ignore[assignment, method-assign]  # nobody may call it now
    bridge(None, "info", {**event, "uuid": "c"})
    assert provider.shutdown()
    assert provider.statistics().exported == 2


@given(EVENTS, st.lists(st.lists(VALUES, min_size=6, max_size=6), min_size=10, max_size=20))
def test_after_many_shapes_any_event_is_still_sent_as_if_it_were_the_first(
    event: tuple[str, dict[str, Any]], others: list[list[Any]]
) -> None:
    """The later shapes of a name are for all values; what they send is what the long way sends."""
    name, keys = event
    events = [{**EVENT, "event": name, **dict(zip(keys, values, strict=False))} for values in others]
    assert sent(events) == [sent([event])[-1] for event in events]


def test_the_fast_way_knows_what_the_long_way_knows() -> None:
    """Flags, statuses, numbers, lists, maps, texts of any kind: after a few events none is mapped as a whole."""
    kept = Kept()
    provider = LoggerProvider(Resource({}), connect=lambda: kept)
    bridge = LogBridge(provider)
    values = [1, 2.5, True, ["a"], {"b": 1}, "é", "https://example.nl/a?b=c", "x" * 300, None, "bsn 123456782"]
    events = [
        {**EVENT, "event": "request_finished", "code": code, "naam": value} for code in (200, 404) for value in values
    ]
    for event in events:
        bridge(None, "info", event)
    bridge._emitter._mapper.fields = None  # type: ignore[assignment, method-assign]  # nobody may call it now
    for event in events:
        bridge(None, "info", event)
    assert provider.shutdown()
    assert provider.statistics().exported == 2 * len(events)


def test_a_pattern_of_the_users_own_is_looked_for_in_each_text() -> None:
    """With a pattern of one's own no text is plain."""
    event = {**EVENT, "uuid": "a", "request_id": "NL00BANK"}
    by_shape, alone = both_ways(
        {**event, "request_id": "x"}, event, redaction=Redaction(patterns={"iban": r"NL\d\d[A-Z]+"})
    )
    assert by_shape == alone
    assert alone["attributes"]["request_id"] == (str, "[redacted: iban]")
