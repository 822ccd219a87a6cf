"""The same with what the systems pin today, instead of the newest."""

import pytest

from tests.otlp import HttpReceiver
from tests.systems.catalogue import SYSTEMS, System
from tests.systems.comparison import problems
from tests.systems.environments import pinned
from tests.systems.running import WAYS
from tests.systems.visit import visit
from tests.systems.workshop import Workshop


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_every_line_arrives(system: System, way: str, workshop: Workshop, receiver: HttpReceiver) -> None:
    """From the older chain, with the older SDK, and through each project's own receiver of `setup_logging`."""
    project = workshop.make(system, receiver.endpoint, WAYS[way], python=pinned(system))
    with project.running():
        visit(project, workshop.outside.url)
    assert problems(project.printed(), receiver.records) == []
