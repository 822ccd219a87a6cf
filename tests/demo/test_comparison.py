"""What is missing in a store is said, whatever the store calls it."""

import json
from typing import Any

import pytest

from otel_bridge.demo.comparison import problems
from otel_bridge.demo.elasticsearch import ElasticsearchStore
from otel_bridge.demo.expected import lines
from otel_bridge.demo.loki import LokiStore
from otel_bridge.demo.stores import EmbeddedStore, Stored

PRINTED = {
    "event": "notification_received",
    "level": "info",
    "logger": "nrc.api.serializers",
    "timestamp": "2025-06-16T14:09:20.339166Z",
    "trace_id": "5b8efff798038103d269b633813fc60c",
    "request_id": "r1",
    "user_id": 7,
    "additional_attributes": {"zaaktype.catalogus": "c"},
    "own key": "mine",
}
HEAD = ("notification_received", "info", "nrc.api.serializers", "5b8efff798038103d269b633813fc60c")

EMBEDDED = EmbeddedStore("http://127.0.0.1:1").name_of
LOKI = LokiStore("http://127.0.0.1:1", 0).name_of
ELASTICSEARCH = ElasticsearchStore("http://127.0.0.1:1", 0).name_of

KEYS: dict[str, Any] = {
    "request_id": "r1",
    "user.id": "7",
    "additional_attributes": {"zaaktype.catalogus": "c"},
    "own key": "mine",
    "source": "app",
}
IN_LOKI = {
    "request_id": "r1",
    "user_id": "7",
    "additional_attributes_zaaktype_catalogus": "c",
    "extra_own_key": "mine",
    "source": "app",
}
IN_ELASTICSEARCH = {
    "attributes.request_id": "r1",
    "attributes.user.id": "7",
    "attributes.additional_attributes.zaaktype.catalogus": "c",
    "attributes.extra.own key": "mine",
    "attributes.source": "app",
}

(LINE,) = lines(json.dumps(PRINTED))


@pytest.mark.parametrize(("keys", "name_of"), [(KEYS, EMBEDDED), (IN_LOKI, LOKI), (IN_ELASTICSEARCH, ELASTICSEARCH)])
def test_complete(keys: dict[str, object], name_of: Any) -> None:
    """A record that has every key under the store's own name is as it should be."""
    assert problems([LINE], [Stored(*HEAD, keys)], name_of) == []


@pytest.mark.parametrize("missing", ["request_id", "user.id", "additional_attributes", "own key"])
def test_missing_key(missing: str) -> None:
    """A key that is missing is named."""
    keys = {name: value for name, value in KEYS.items() if name != missing}
    assert problems([LINE], [Stored(*HEAD, keys)], EMBEDDED) == [f"notification_received lacks {missing}"]


def test_other_value() -> None:
    """A value that is another one is shown beside what was printed."""
    (problem,) = problems([LINE], [Stored(*HEAD, {**KEYS, "user.id": "8"})], EMBEDDED)
    assert problem == "notification_received has user.id '8' for '7'"


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        ((HEAD[0], "warning", *HEAD[2:]), "notification_received has level 'warning' for 'info'"),
        ((*HEAD[:3], ""), "notification_received has trace_id '' for '5b8efff798038103d269b633813fc60c'"),
    ],
)
def test_other_field(head: tuple[str, str, str, str], problem: str) -> None:
    """A level or a trace that is another one is shown beside what was printed."""
    assert problems([LINE], [Stored(*head, KEYS)], EMBEDDED) == [problem]


def test_missing_record() -> None:
    """A record that is missing is named, also where one like it is there."""
    stored = Stored(*HEAD, KEYS)
    assert problems([LINE, LINE], [stored], EMBEDDED) == ["notification_received is missing"]


def test_twice() -> None:
    """A record that is there twice is as wrong as one that is missing."""
    stored = Stored(*HEAD, KEYS)
    assert problems([LINE], [stored, stored], EMBEDDED) == ["notification_received was not sent, or is there twice"]


def test_not_redacted() -> None:
    """What must not reach a store is a problem where it did."""
    (line,) = lines(json.dumps({"event": "request_started", "request": "GET /?inpBsn=123456782"}))
    keys = {"request": "GET /?inpBsn=123456782", "http.request.method": "GET", "url.path": "/", "source": "app"}
    found = problems([line], [Stored("request_started", "info", "structlog", "", keys)], EMBEDDED)
    assert sorted(found) == [
        "request_started has request 'GET /?inpBsn=123456782' for 'GET /?inpBsn=[redacted: bsn]'",
        "request_started lacks url.query",
    ]


def test_no_log() -> None:
    """What an application prints besides its log is no record that a store should hold."""
    assert lines('Watching for changes\n{"msg": "uWSGI"}\n[1, 2]\n') == []
