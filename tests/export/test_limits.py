"""OpenTelemetry's limits of a record's attributes hold on every way to the exporter."""

from typing import Any

import pytest
from opentelemetry._logs import LogRecord
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk.resources import Resource

from otel_bridge import LogBridge, LoggerProvider
from otel_bridge.bridge.values import AnyValue
from otel_bridge.export.environment import AttributeLimits
from otel_bridge.export.limits import within
from tests.export.test_equivalence import Kept
from tests.otlp import mapping

EVENT = {"event": "zaak_created", "level": "info", "logger": "openzaak", "timestamp": "2025-05-19T14:09:20.339166Z"}


def logged(*events: dict[str, Any]) -> list[tuple[dict[str, Any], int]]:
    """Log events through the bridge and return their attributes, and how many were left out."""
    kept = Kept()
    provider = LoggerProvider(Resource({}), connect=lambda: kept)
    bridge = LogBridge(provider)
    for event in events:
        bridge(None, "info", {**EVENT, **event})
    return _sent(provider, kept)


def _sent(provider: LoggerProvider, kept: Kept) -> list[tuple[dict[str, Any], int]]:
    assert provider.shutdown()
    request = ExportLogsServiceRequest.FromString(b"".join(kept.requests))
    records = [record for scope in request.resource_logs[0].scope_logs for record in scope.log_records]
    return [(mapping(record.attributes), record.dropped_attributes_count) for record in records]


@pytest.mark.parametrize(
    ("limits", "attributes", "expected"),
    [
        (AttributeLimits(), {"a": "x" * 300}, ({"a": "x" * 300}, 0)),
        (AttributeLimits(1), {"a": 1, "b": 2}, ({"a": 1}, 1)),
        (AttributeLimits(0), {"a": 1}, ({}, 1)),
        (AttributeLimits(9, 2), {"a": "xyz", "n": 123, "b": b"xyz"}, ({"a": "xy", "n": 123, "b": b"xy"}, 0)),
        (AttributeLimits(9, 1), {"a": {"long": ["xy", None, True]}}, ({"a": {"long": ["x", None, True]}}, 0)),
        (AttributeLimits(9, 1), {"log.record.uid": "0123"}, ({"log.record.uid": "0123"}, 0)),
    ],
)
def test_limits(limits: AttributeLimits, attributes: dict[str, AnyValue], expected: object) -> None:
    """The first attributes stay, and of texts, also within values, the first characters."""
    assert within(limits, attributes) == expected


def test_the_identity_and_what_is_derived_stay_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an event of the bridge the application's own attributes go first; again and again."""
    monkeypatch.setenv("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "3")
    event = {"uuid": "a", "naam": "b", "user_id": "42", "source": "app"}
    for attributes, dropped in logged(event, event, event):
        assert {"log.record.uid", "user.id"} <= attributes.keys()
        assert (len(attributes), dropped) == (3, 2)


def test_a_text_is_shortened_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the shape of the event is known."""
    monkeypatch.setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "4")
    assert {attributes["naam"] for attributes, _ in logged(*[{"naam": "abcdefgh"}] * 3)} == {"abcd"}


def test_they_hold_for_the_api_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another instrumentation emits is limited as well."""
    monkeypatch.setenv("OTEL_ATTRIBUTE_COUNT_LIMIT", "1")
    kept = Kept()
    provider = LoggerProvider(Resource({}), connect=lambda: kept)
    provider.get_logger("other").emit(LogRecord(body="b", attributes={"a": 1, "b": 2}))
    assert _sent(provider, kept) == [({"a": 1}, 1)]
