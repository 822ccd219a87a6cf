"""What the demo asks of a store, and the embedded one; `loki` and `elasticsearch` are the real ones."""

import json
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
        answer = ask(self.name, "GET", f"{self.url}/records?{urlencode({key: value})}")
        return [_from_embedded(json.loads(line)) for line in answer.splitlines()]

    def name_of(self, attribute: str) -> str:
        """Leave OpenTelemetry's name."""
        return attribute

    def example(self, key: str, value: str) -> str:
        """Return a command."""
        return f"curl '{self.url}/records?{urlencode({key: value})}'"


def _from_embedded(record: Mapping[str, Any]) -> Stored:
    return Stored(
        as_text(record["body"]),
        record["severity_text"],
        record["scope"],
        record["trace_id"],
        dict(sorted(record["attributes"].items())),
    )


def ask(name: str, method: str, url: str, body: object = None) -> str:
    """
    Send a request to the store of this *name*, with *body* as JSON if there is one, and return the answer's text.

    Raises:
        StoreError: It did not answer, or with an error.
    """
    headers = {"Content-Type": "application/json"}
    try:
        answer = HTTP.request(method, url, body=None if body is None else json.dumps(body), headers=headers)
    except urllib3.exceptions.HTTPError as exc:
        raise StoreError(f"{name} does not answer at {url}: {exc}") from exc
    text = answer.data.decode(errors="replace")
    if answer.status != 200:
        raise StoreError(f"{name} answered {answer.status} at {url}: {text[:500]}")
    return text
