"""What tests and demonstrations ask of Loki and Elasticsearch, over HTTP."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import urllib3

LOKI_PAGE: Final = 5000
"""Loki's own limit for one answer: https://grafana.com/docs/loki/latest/configure/#limits_config"""

ES_PAGE: Final = 1000

DAY_NS: Final = 24 * 3600 * 1_000_000_000


class QueryError(Exception):
    """A server could not be asked, or refused; the message holds the request and what was answered."""


@dataclass(frozen=True, order=True)
class Entry:
    """
    One log entry in Loki.

    Attributes:
        timestamp: Nanoseconds since the UNIX epoch.
        line: The log line.
        labels: The stream's labels.
        metadata: The entry's structured metadata.
    """

    timestamp: int
    line: str
    labels: dict[str, str]
    metadata: dict[str, str]


class Loki:
    """
    A client of Loki's query API.

    Source: https://grafana.com/docs/loki/latest/reference/loki-http-api/

    Args:
        url: Where Loki listens, such as `http://127.0.0.1:3100`.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def query(
        self, logql: str, start: int | None = None, end: int | None = None, limit: int | None = None
    ) -> list[Entry]:
        """
        Return the entries that *logql* selects, oldest first.

        Args:
            logql: A log query, such as `{service_name="openzaak"} | request_id="r1"`.
            start: First nanosecond; a day ago if not given.
            end: Nanosecond after the last; an hour from now if not given.
            limit: At most so many; all of them if not given.

        Raises:
            QueryError: Loki did not answer, or refused the query.
        """
        end = time.time_ns() + DAY_NS // 24 if end is None else end
        start = time.time_ns() - DAY_NS if start is None else start
        entries: list[Entry] = []
        seen = 0  # entries already taken at the nanosecond at which the next page starts
        while limit is None or len(entries) < limit:
            page = list(self._page(logql, start, end))
            entries += page[seen:]
            if len(page) < LOKI_PAGE:
                break
            last = page[-1].timestamp
            seen = sum(entry.timestamp == last for entry in page)
            if seen == len(page):
                raise QueryError(f"more than {LOKI_PAGE} entries of {logql!r} share the nanosecond {last}")
            start = last
        return entries[:limit]

    def count(self, logql: str, start: int | None = None, end: int | None = None) -> int:
        """Return how many entries *logql* selects; arguments and errors as for `query`."""
        return len(self.query(logql, start, end))

    def labels(self) -> set[str]:
        """Return the names of all index labels in use."""
        return set(_ask("GET", f"{self.url}/loki/api/v1/labels")["data"] or ())

    def ready(self) -> bool:
        """Tell whether Loki answers that it is ready."""
        return _answers(f"{self.url}/ready")

    def _page(self, logql: str, start: int, end: int) -> Iterator[Entry]:
        fields = {"query": logql, "start": str(start), "end": str(end), "limit": str(LOKI_PAGE), "direction": "forward"}
        # Without this header Loki merges labels and structured metadata into one map.
        headers = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
        url = f"{self.url}/loki/api/v1/query_range"
        data = _ask("GET", url, fields=fields, headers=headers)["data"]
        if data["resultType"] != "streams":
            raise QueryError(f"{logql!r} answers with a {data['resultType']}, not with entries")
        found = []
        for stream in data["result"]:
            for timestamp, line, *more in stream["values"]:
                metadata = more[0].get("structuredMetadata", {}) if more else {}
                found.append(Entry(int(timestamp), line, stream["stream"], metadata))
        yield from sorted(found, key=lambda entry: entry.timestamp)


class Elasticsearch:
    """
    A client of the few Elasticsearch APIs that the minimal distribution has as well.

    Args:
        url: Where Elasticsearch listens, such as `http://127.0.0.1:9200`.
        index: What to search; every data stream of this project if not given.
    """

    def __init__(self, url: str, index: str = "logs-structlog.otel-*") -> None:
        self.url = url.rstrip("/")
        self.index = index

    def search(self, query: str | dict[str, Any] = "*", size: int | None = None) -> list[dict[str, Any]]:
        """
        Return the documents (`_source`, with `_id` and `_index` added) that *query* selects, oldest first.

        Args:
            query: A `query_string` expression such as `request_id:r1`, or a query of the query DSL.
            size: At most so many; all of them if not given.

        Raises:
            QueryError: Elasticsearch did not answer, or refused the query.
        """
        found: list[dict[str, Any]] = []
        for hit in self._hits(_query(query)):
            if size is not None and len(found) >= size:
                break
            found.append({**hit["_source"], "_id": hit["_id"], "_index": hit["_index"]})
        return found

    def count(self, query: str | dict[str, Any] = "*") -> int:
        """Return how many documents *query* selects; arguments and errors as for `search`."""
        return int(self.request("POST", f"/{self.index}/_count", {"query": _query(query)})["count"])

    def refresh(self) -> None:
        """Make everything that was written searchable."""
        self.request("POST", f"/{self.index}/_refresh")

    def mapping_field_count(self) -> int:
        """Return how many fields the mappings define, over all backing indexes."""
        answer = self.request("GET", f"/{self.index}/_mapping")
        return sum(_fields(index["mappings"]) for index in answer.values())

    def ready(self) -> bool:
        """Tell whether the cluster takes requests; `GET /` does not exist in the minimal distribution."""
        return _answers(f"{self.url}/_cluster/health")

    def _hits(self, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        # A point in time: without one, documents of the same instant could be skipped between two pages.
        pit = self.request("POST", f"/{self.index}/_pit?keep_alive=1m")["id"]
        sort = [{"@timestamp": {"order": "asc", "unmapped_type": "date_nanos", "numeric_type": "date_nanos"}}]
        body = {"query": query, "size": ES_PAGE, "pit": {"id": pit, "keep_alive": "1m"}, "sort": sort}
        try:
            while hits := self.request("POST", "/_search", body)["hits"]["hits"]:
                yield from hits
                body["search_after"] = hits[-1]["sort"]
        finally:
            self.request("DELETE", "/_pit", {"id": pit})

    def request(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """
        Send any request.

        Raises:
            QueryError: Elasticsearch did not answer, or with an error.
        """
        headers = {"Content-Type": "application/json"}
        return _ask(method, self.url + path, body=None if body is None else json.dumps(body), headers=headers)


def _query(query: str | dict[str, Any]) -> dict[str, Any]:
    return {"query_string": {"query": query}} if isinstance(query, str) else query


def _fields(mapping: dict[str, Any]) -> int:
    inside = {**mapping.get("properties", {}), **mapping.get("fields", {})}
    return len(inside) + sum(_fields(field) for field in inside.values())


_http: Final = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=5, read=60))


def _answers(url: str) -> bool:
    try:
        return _http.request("GET", url).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _ask(method: str, url: str, **arguments: Any) -> dict[str, Any]:
    try:
        response = _http.request(method, url, **arguments)
    except urllib3.exceptions.HTTPError as exc:
        raise QueryError(f"{method} {url}: {exc}") from exc
    if response.status >= 300:
        raise QueryError(f"{method} {url} answered {response.status}: {response.data[:2000].decode(errors='replace')}")
    answer: dict[str, Any] = json.loads(response.data)
    return answer
