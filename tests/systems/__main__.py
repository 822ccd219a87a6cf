"""
Prints a row for each system: `python -m tests.systems`.

What its processes printed, what both stores have of it, what a killed worker costs with a spool and without, and what
the bridge costs a worker of uWSGI.
"""

import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.table import Table

from stack import Stack
from tests.otlp import HttpReceiver
from tests.stack.test_systems import counts, in_elasticsearch, in_loki
from tests.systems.catalogue import SYSTEMS, System
from tests.systems.killing import killed
from tests.systems.outside import Outside
from tests.systems.running import NO_WAY, WAYS, Project
from tests.systems.visit import visit
from tests.systems.workshop import Workshop

WAY: Final = WAYS["install()"]
ROUNDS: Final = 3
COLUMNS: Final = (
    *("System", "uWSGI workers", "Celery processes", "lines", "Loki", "Elasticsearch", "differences"),
    *("killed: lines, lost with a spool, twice", "the same without", "start, s: without, with"),
    "RSS / PSS of a worker, MB: without, with",
)
LIBRARIES: Final = (
    *("django", "structlog", "django-structlog", "open-api-framework", "maykin-common", "commonground-api-common"),
    *("notifications-api-common", "django-log-outgoing-requests", "celery", "uwsgi", "opentelemetry-sdk"),
)


def stored(workshop: Workshop, system: System, stack: Stack) -> Iterator[str]:
    """Say what ran, what was printed, and what the stores have of it."""
    namespace = uuid.uuid4().hex
    environ = {"OTEL_RESOURCE_ATTRIBUTES": f"service.namespace={namespace}"}
    project = workshop.make(system, stack.otlp_http, WAY, environ)
    with project.running():
        visit(project, workshop.outside.url)
    printed = project.printed()
    workers = set(project.workers())
    yield str(len(workers))
    yield str(len(printed.keys() - {0, *workers}) + system.has_celery)
    expected = counts(printed)
    yield str(expected.total())
    found = [store(stack, namespace, system.service_name, expected.total()) for store in (in_loki, in_elasticsearch)]
    yield from (str(one.total()) for one in found)
    yield str(sum((expected - one).total() + (one - expected).total() for one in found))


def survived(workshop: Workshop, system: System, spool: bool) -> str:  # noqa: FBT001 - it is what differs
    """Say what a killed worker of each kind had printed, and how much of it was lost and came twice."""
    with HttpReceiver() as receiver, tempfile.TemporaryDirectory() as folder:
        environ = {"OTEL_BLRP_SCHEDULE_DELAY": "30000"} | ({"OTEL_BRIDGE_SPOOL_DIR": folder} if spool else {})
        project = workshop.make(system, receiver.endpoint, WAY, environ)
        victims = killed(project, workshop.outside.url)
        uids = [record.attributes["log.record.uid"] for record in receiver.records]
        arrived = sum(record.resource["process.pid"] in victims for record in receiver.records)
    lines = sum(len(project.printed()[pid]) for pid in victims)
    return f"{lines}, {lines - arrived}, {len(uids) - len(set(uids))}"


def started(project: Project) -> float:
    """Measure how long it takes to load the application, in seconds."""
    before = time.monotonic()
    project.load()
    return time.monotonic() - before


def memory(project: Project, outside: str) -> str:
    """Say how much memory a worker takes that has worked."""
    with project.running():
        visit(project, outside, rounds=1)
        found = [rollup(pid) for pid in project.workers()]
    return " / ".join(f"{statistics.mean(one) / 1024:.1f}" for one in zip(*found, strict=True))


def rollup(pid: int) -> tuple[int, int]:
    """Return RSS and PSS of a process, in kB: https://docs.kernel.org/filesystems/proc.html."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    values = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines[1:])}
    return values["Rss"], values["Pss"]


def row(workshop: Workshop, system: System, stack: Stack) -> list[str]:
    """Measure one system."""
    cells = [system.name, *stored(workshop, system, stack)]
    cells += [survived(workshop, system, spool) for spool in (True, False)]
    with HttpReceiver() as receiver:
        projects = [workshop.make(system, receiver.endpoint, way) for way in (NO_WAY, WAY)]
        times = [[started(project) for project in projects] for _ in range(ROUNDS)]
        cells.append(", ".join(f"{statistics.median(one):.2f}" for one in zip(*times, strict=True)))
        cells.append(", ".join(memory(project, workshop.outside.url) for project in projects))
    return cells


def main() -> None:
    """Measure all of them, one after the other."""
    console = Console(width=200)
    console.print("Python", sys.version.split()[0], *(f"{name} {version(name)}" for name in LIBRARIES))
    table = Table(*COLUMNS)
    with (
        Outside() as outside,
        tempfile.TemporaryDirectory() as folder,
        Stack() as stack,
        Live(table, console=console),
    ):
        workshop = Workshop(Path(folder), outside)
        for system in SYSTEMS:
            table.add_row(*row(workshop, system, stack))


if __name__ == "__main__":
    main()
