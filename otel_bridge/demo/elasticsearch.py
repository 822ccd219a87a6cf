"""Elasticsearch, asked with its query DSL."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from otel_bridge.demo.decoding import as_text
from otel_bridge.demo.stores import MOST, SERVICE, Stored, ask


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
        answer = ask(self.name, "POST", f"{self.url}/{self.index}/_search?ignore_unavailable=true", query)
        return [_from_elasticsearch(hit["_source"]) for hit in json.loads(answer)["hits"]["hits"]]

    def name_of(self, attribute: str) -> str:
        """Put it under `attributes`."""
        return f"attributes.{attribute}"

    def example(self, key: str, value: str) -> str:
        """Return a command."""
        query = f"{'event_name' if key == 'event' else key}:{value}"
        return f"curl '{self.url}/{self.index}/_search?{urlencode({'q': query}, safe=':')}'"


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
