"""What the tests of the five systems have."""

import functools
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.otlp import HttpReceiver, Record
from tests.systems.catalogue import SYSTEMS, System
from tests.systems.outside import Outside
from tests.systems.running import WAYS, Project
from tests.systems.visit import visit

Make = Callable[..., Project]


class Run(NamedTuple):
    """What became of one run."""

    project: Project
    records: list[Record]


RunOf = Callable[[System, str], Run]


@pytest.fixture(scope="session")
def outside() -> Iterator[Outside]:
    """Whom the projects notify."""
    with Outside() as running:
        yield running


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory, outside: Outside) -> Path:
    """A database in which `outside` is notified."""
    if shutil.which("redis-server") is None:
        pytest.fail("Celery needs a broker: install redis-server (apt-get install redis-server)")
    return Project(SYSTEMS[0], tmp_path_factory.mktemp("database")).prepare(outside.url)


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory, database: Path, outside: Outside) -> Make:
    """Make a project that sends its logs to an endpoint, and its traces elsewhere."""

    def make(system: System, endpoint: str, environ: dict[str, str] | None = None, **arguments: Any) -> Project:
        folder = tmp_path_factory.mktemp(system.package)
        for file in database.parent.glob(f"{database.name}*"):
            shutil.copy(file, folder)
        told = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": outside.url,
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": f"{endpoint}/v1/logs",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        }
        return Project(system, folder, environ={**told, **(environ or {})}, **arguments)

    return make


@pytest.fixture(scope="session")
def run_of(make: Make, outside: Outside) -> RunOf:
    """Run all systems once for all tests, with everything that they can be asked to do; most of it is waiting."""

    def run(system: System, way: str) -> Run:
        with HttpReceiver() as receiver:
            project = make(system, receiver.endpoint, way=WAYS[way])
            with project.running():
                visit(project, outside.url)
            return Run(project, receiver.records)

    @functools.cache
    def runs(way: str) -> dict[System, Run]:
        with ThreadPoolExecutor(len(SYSTEMS)) as pool:
            return dict(zip(SYSTEMS, pool.map(run, SYSTEMS, [way] * len(SYSTEMS)), strict=True))

    return lambda system, way: runs(way)[system]
