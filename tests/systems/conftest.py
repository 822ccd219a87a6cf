"""What the tests of the five systems have."""

import functools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.util import find_spec
from typing import NamedTuple

import pytest

from tests.integrations.servers import program
from tests.otlp import HttpReceiver, Record
from tests.systems.catalogue import SYSTEMS, System
from tests.systems.outside import Outside
from tests.systems.running import WAYS, Project
from tests.systems.visit import visit
from tests.systems.workshop import Workshop


class Run(NamedTuple):
    """What became of one run."""

    project: Project
    records: list[Record]


RunOf = Callable[[System, str], Run]


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """Where projects are made."""
    if find_spec("notifications_api_common") is None:
        pytest.skip("open-api-framework needs Python 3.12")
    program("redis-server")
    with Outside() as outside:
        yield Workshop(tmp_path_factory.mktemp("systems"), outside)


@pytest.fixture(scope="session")
def run_of(workshop: Workshop) -> RunOf:
    """Run all systems once for all tests, with everything that they can be asked to do; most of it is waiting."""

    def run(project: Project, receiver: HttpReceiver) -> Run:
        with project.running():
            visit(project, workshop.outside.url)
        return Run(project, receiver.records)

    @functools.cache
    def runs(way: str) -> dict[System, Run]:
        with ExitStack() as running, ThreadPoolExecutor(len(SYSTEMS)) as pool:
            receivers = [running.enter_context(HttpReceiver()) for _ in SYSTEMS]
            made = [workshop.make(one, to.endpoint, WAYS[way]) for one, to in zip(SYSTEMS, receivers, strict=True)]
            return dict(zip(SYSTEMS, pool.map(run, made, receivers), strict=True))

    return lambda system, way: runs(way)[system]
