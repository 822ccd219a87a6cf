"""The five systems, from their processes to both stores."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from otel_bridge.demo.expected import Line
from stack import Stack
from tests.stack.asking import documents, until
from tests.systems.catalogue import SYSTEMS, System
from tests.systems.conftest import Make, database, make, outside  # noqa: F401 - pytest looks here
from tests.systems.outside import Outside
from tests.systems.running import WAYS, Project
from tests.systems.visit import visit

Counts = Counter[tuple[str, int]]
"""How often a process logged which event."""


def test_every_line_is_in_both_stores(stack: Stack, make: Make, outside: Outside) -> None:  # noqa: F811
    """Once, from the process that printed it."""
    namespace = uuid.uuid4().hex
    environ = {"OTEL_RESOURCE_ATTRIBUTES": f"service.namespace={namespace}"}

    def run(system: System) -> Project:
        project = make(system, stack.otlp_http, environ, way=WAYS["install()"])
        with project.running():
            visit(project, outside.url)
        return project

    with ThreadPoolExecutor(len(SYSTEMS)) as pool:
        projects = list(pool.map(run, SYSTEMS))
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
    found = documents(stack, query, total)
    return Counter((one["body"]["text"], one["resource"]["attributes"]["process.pid"]) for one in found)
