"""The stores, asked the same questions: embedded, Loki, Elasticsearch."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import urlencode

import urllib3

from otel_bridge.demo.decoding import as_text

SERVICE: Final = "otel-bridge-demo"
"""The demo application's `service.name`."""

HTTP: Final = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=5, read=30))
MOST: Final = 5000
"""Records in one answer; Loki's own limit: https://grafana.com/docs/loki/latest/configure/#limits_config."""


class StoreError(Exception):
    """A store could not be asked, or refused; the message names it, its address and what it said."""


class Stored(NamedTuple):
    """A record as a store holds it."""

    event: str
    level: str
    logger: str
    trace_id: str
    keys: Mapping[str, object]
    """The record's attributes, under the store's own names."""


class Store(Protocol):
    """What the demo asks of a store. Every method but `name_of` and `example` raises `StoreError`."""

    name: str
    url: str

    def find(self, key: str, value: str) -> list[Stored]:
        """Return the demo's records of this run that have *value* under `request_id`, `trace_id` or `event`."""

    def name_of(self, attribute: str) -> str:
        """Return what the store calls an OpenTelemetry attribute."""

    def example(self, key: str, value: str) -> str:
        """Return how to ask the same by hand."""


class EmbeddedStore:
    """
    The embedded receiver.

    Args:
        url: Its address.
    """

    name = "Embedded store"

    def __init__(self, url: str) -> None:
        self.url = url

    def find(self, key: str, value: str) -> list[Stored]:
        """Ask `/records`."""
        answer = _ask(self.name, "GET", f"{self.url}/records?{urlencode({key: value})}")
        return [_from_embedded(json.loads(line)) for line in answer.splitlines()]

    def name_of(self, attribute: str) -> str:
        """Leave OpenTelemetry's name."""
        return attribute

    def example(self, key: str, value: str) -> str:
        """Return a command."""
        return f"curl '{self.url}/records?{urlencode({key: value})}'"


class LokiStore:
    """
    Loki: https://grafana.com/docs/loki/latest/reference/loki-http-api/#query-logs-within-a-range-of-time.

    Args:
        url: Its address.
        since: Nanoseconds since the UNIX epoch: when this run began.
    """

    name = "Loki"

    def __init__(self, url: str, since: int) -> None:
        self.url = url.rstrip("/")
        self._since = since

    def find(self, key: str, value: str) -> list[Stored]:
        """Ask with LogQL."""
        fields = {"query": self.example(key, value), "start": self._since, "limit": MOST, "direction": "forward"}
        answer = _ask(self.name, "GET", f"{self.url}/loki/api/v1/query_range?{urlencode(fields)}")
        streams = json.loads(answer)["data"]["result"]
        # Structured metadata is part of what makes a stream here, so that one rarely has more than one entry.
        found = [(entry[0], stream["stream"]) for stream in streams for entry in stream["values"]]
        return [_from_loki(keys) for _, keys in sorted(found, key=lambda pair: int(pair[0]))]

    def name_of(self, attribute: str) -> str:
        """Write one `_` for whatever Loki does not allow in a name, and for several in a row."""
        return re.sub(r"[^a-zA-Z0-9]+", "_", attribute)

    def example(self, key: str, value: str) -> str:
        """Return LogQL."""
        return f'{{service_name="{SERVICE}"}} | {key}={json.dumps(value, ensure_ascii=False)}'


class ElasticsearchStore:
    """
    Elasticsearch, in the data streams that the Collector writes.

    Args:
        url: Its address.
        since: Nanoseconds since the UNIX epoch: when this run began.
    """

    name = "Elasticsearch"
    index: Final = "logs-structlog.otel-*"

    def __init__(self, url: str, since: int) -> None:
        self.url = url.rstrip("/")
        self._since = since

    def find(self, key: str, value: str) -> list[Stored]:
        """Ask with the query DSL."""
        is_this = {"match_phrase": {"body.text": value}} if key == "event" else {"term": {key: value}}
        is_new = {"range": {"@timestamp": {"gte": self._since // 1_000_000, "format": "epoch_millis"}}}
        is_ours = {"term": {"resource.attributes.service.name": SERVICE}}
        query = {
            "query": {"bool": {"filter": [is_this, is_new, is_ours]}},
            "size": MOST,
            "sort": [{"@timestamp": {"order": "asc", "unmapped_type": "date_nanos"}}],
        }
        answer = _ask(self.name, "POST", f"{self.url}/{self.index}/_search?ignore_unavailable=true", query)
        return [_from_elasticsearch(hit["_source"]) for hit in json.loads(answer)["hits"]["hits"]]

    def name_of(self, attribute: str) -> str:
        """Put it under `attributes`."""
        return f"attributes.{attribute}"

    def example(self, key: str, value: str) -> str:
        """Return a command."""
        query = f"{'event_name' if key == 'event' else key}:{value}"
        return f"curl '{self.url}/{self.index}/_search?{urlencode({'q': query}, safe=':')}'"


def _from_embedded(record: Mapping[str, Any]) -> Stored:
    return Stored(
        as_text(record["body"]),
        record["severity_text"],
        record["scope"],
        record["trace_id"],
        dict(sorted(record["attributes"].items())),
    )


def _from_loki(keys: Mapping[str, str]) -> Stored:
    found = {key: value for key, value in sorted(keys.items()) if key not in LOKI_FIELDS}
    event, level, logger, trace_id = (keys.get(name, "") for name in ("event", "level", "scope_name", "trace_id"))
    return Stored(event, level, logger, trace_id, found)


LOKI_FIELDS: Final = frozenset(
    {"event", "event_name", "level", "severity_text", "severity_number", "detected_level", "scope_name"}
    | {"trace_id", "span_id", "flags", "observed_timestamp"}
)
"""What the structured metadata holds of a record besides its attributes."""


def _from_elasticsearch(source: Mapping[str, Any]) -> Stored:
    attributes = dict(_leaves("attributes", source.get("attributes", {})))
    return Stored(
        as_text(source.get("body", {}).get("text", "")),
        source.get("severity_text", ""),
        source.get("scope", {}).get("name", ""),
        source.get("trace_id", ""),
        dict(sorted(attributes.items())),
    )


def _leaves(prefix: str, value: object) -> list[tuple[str, object]]:
    if not isinstance(value, dict):
        return [(prefix, value)]
    return [leaf for name, inside in value.items() for leaf in _leaves(f"{prefix}.{name}", inside)]


def _ask(name: str, method: str, url: str, body: object = None) -> str:
    headers = {"Content-Type": "application/json"}
    try:
        answer = HTTP.request(method, url, body=None if body is None else json.dumps(body), headers=headers)
    except urllib3.exceptions.HTTPError as exc:
        raise StoreError(f"{name} does not answer at {url}: {exc}") from exc
    text = answer.data.decode(errors="replace")
    if answer.status != 200:
        raise StoreError(f"{name} answered {answer.status} at {url}: {text[:500]}")
    return text
