"""Loki, asked with LogQL."""

import json
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from otel_bridge.demo.stores import MOST, SERVICE, Stored, ask

QUERY: Final = "/loki/api/v1/query_range"


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
        fields = {"query": _logql(key, value), "start": self._since, "limit": MOST, "direction": "forward"}
        answer = ask(self.name, "GET", f"{self.url}{QUERY}?{urlencode(fields)}")
        streams = json.loads(answer)["data"]["result"]
        # Structured metadata is part of what makes a stream here, so that one rarely has more than one entry.
        found = [(entry[0], stream["stream"]) for stream in streams for entry in stream["values"]]
        return [_from_loki(keys) for _, keys in sorted(found, key=lambda pair: int(pair[0]))]

    def name_of(self, attribute: str) -> str:
        """Write one `_` for whatever Loki does not allow in a name, and for several in a row."""
        return re.sub(r"[^a-zA-Z0-9]+", "_", attribute)

    def example(self, key: str, value: str) -> str:
        """Return a command, with LogQL."""
        return f"curl -G {self.url}{QUERY} --data-urlencode 'query={_logql(key, value)}'"


def _logql(key: str, value: str) -> str:
    return f'{{service_name="{SERVICE}"}} | {key}={json.dumps(value, ensure_ascii=False)}'


def _from_loki(keys: Mapping[str, str]) -> Stored:
    found = {key: value for key, value in sorted(keys.items()) if key not in LOKI_FIELDS}
    event, level, logger, trace_id = (keys.get(name, "") for name in ("event", "level", "scope_name", "trace_id"))
    return Stored(event, level, logger, trace_id, found)


LOKI_FIELDS: Final = frozenset(
    {"event", "event_name", "level", "severity_text", "severity_number", "detected_level", "scope_name"}
    | {"trace_id", "span_id", "flags", "observed_timestamp"}
)
"""What the structured metadata holds of a record besides its attributes."""
