"""The five systems, from their processes to both stores, and the queries that `docs/systems.md` translates."""

import re
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from opentelemetry.sdk.resources import Resource

from otel_bridge import LogBridge, LoggerProvider
from otel_bridge.demo.expected import Line
from stack import Stack
from stack.build import COLLECTOR
from tests.stack.asking import until
from tests.systems.catalogue import SYSTEMS
from tests.systems.conftest import workshop  # noqa: F401 - pytest looks here
from tests.systems.running import WAYS, Project
from tests.systems.visit import visit
from tests.systems.workshop import Workshop

PAGE: Final = (COLLECTOR.parent / "docs" / "systems.md").read_text(encoding="utf-8")
*QUERIES, _OF_A_FILE = re.findall(r"^\| [A-Za-z ]+ \| `(\{app=.+)` \| `(.+)` \|$", PAGE.replace("\\|", "|"), re.M)
"""What was asked with Promtail, and what is asked now; the last is of what only a file has."""
SAME: Final = [
    (query.replace('app="open-zaak"', 'service_name="openzaak"'), now)
    for query, now in QUERIES
    if query.replace('app="open-zaak"', 'service_name="openzaak"').replace("| json ", "") == now
]
"""Those of which only `| json` goes, with the new label."""

Counts = Counter[tuple[str, int]]
"""How often a process logged which event."""


def test_every_line_is_in_both_stores(stack: Stack, workshop: Workshop) -> None:  # noqa: F811
    """Once, from the process that printed it."""
    namespace = uuid.uuid4().hex
    environ = {"OTEL_RESOURCE_ATTRIBUTES": f"service.namespace={namespace}"}

    projects = [workshop.make(system, stack.otlp_http, WAYS["install()"], environ) for system in SYSTEMS]

    def run(project: Project) -> None:
        with project.running():
            visit(project, workshop.outside.url)

    with ThreadPoolExecutor(len(SYSTEMS)) as pool:
        list(pool.map(run, projects))
    for project in projects:
        printed, service = counts(project.printed()), project.system.service_name
        for store in (in_loki, in_elasticsearch):
            found = store(stack, namespace, service, printed.total())
            assert (printed - found, found - printed) == (Counter(), Counter()), f"{service} {store.__name__}"


def counts(printed: Mapping[int, Sequence[Line]]) -> Counts:
    """Count what was printed."""
    return Counter((line.event, pid) for pid, lines in printed.items() for line in lines)


def in_loki(stack: Stack, namespace: str, service: str, total: int) -> Counts:
    """Count what Loki has."""
    logql = f'{{service_name="{service}", service_namespace="{namespace}"}}'
    entries = until(lambda: stack.loki.query(logql), lambda found: len(found) >= total)
    # The line goes on with the exception, where there is one.
    return Counter((entry.line.partition("\n")[0], int(entry.metadata["process_pid"])) for entry in entries)


def in_elasticsearch(stack: Stack, namespace: str, service: str, total: int) -> Counts:
    """Count what Elasticsearch has."""
    names = {"service.name": service, "service.namespace": namespace}
    query = " AND ".join(f'resource.attributes.{name}:"{value}"' for name, value in names.items())

    def search() -> list[dict[str, Any]]:
        stack.elasticsearch.refresh()
        return stack.elasticsearch.search(query)

    found = until(search, lambda hits: len(hits) >= total)
    return Counter((one["body"]["text"], one["resource"]["attributes"]["process.pid"]) for one in found)


@pytest.fixture(scope="module")
def namespace(stack: Stack) -> str:
    """Log what each query looks for, beside what it does not, and return where."""
    namespace = uuid.uuid4().hex
    resource = Resource.create({"service.name": "openzaak", "service.namespace": namespace})
    provider = LoggerProvider(resource, endpoint=f"{stack.otlp_http}/v1/logs")
    bridge = LogBridge(provider)
    ids = {"request_id": "2f9e…", "trace_id": "0af7" * 8, "span_id": "0af7" * 4, "task_id": "3d0b…"}
    attributes = {"additional_attributes": {"bronorganisatie": "000000000"}}
    bridge(None, "info", {"event": "zaak_created", "level": "info", "logger": "nrc.api.tasks", **ids, **attributes})
    bridge(None, "info", {"event": "request_finished", "level": "info", "code": 502})
    bridge(None, "info", {"event": "request_finished", "level": "info", "code": 200})
    try:
        1 / 0  # noqa: B018 - it raises
    except ZeroDivisionError:
        bridge(None, "error", {"event": "api.uncaught_exception", "level": "error", "exc_info": True})
    assert provider.shutdown(30)
    until(lambda: stack.loki.count(f'{{service_namespace="{namespace}"}}'), lambda count: count == 4)
    return namespace


@pytest.mark.parametrize("query", [now for _, now in QUERIES] + [query for query, _ in SAME])
def test_translated_query(stack: Stack, namespace: str, query: str) -> None:
    """Each finds what it looks for, and nothing else; where only `| json` goes, with it and without."""
    query = query.replace("0af7…", "0af7" * 8)
    here = query.replace('service_name="openzaak"', f'service_name="openzaak", service_namespace="{namespace}"')
    assert stack.loki.count(here) == 1


def test_enough_queries() -> None:
    """The page translates them."""
    assert (len(QUERIES), len(SAME)) == (10, 7)
