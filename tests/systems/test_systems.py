"""Each system under uWSGI and Celery: what it prints is what arrives, from every process that it has."""

import pytest

from tests.systems.catalogue import SYSTEMS, System
from tests.systems.comparison import problems
from tests.systems.conftest import RunOf
from tests.systems.running import WAYS


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_every_line_arrives(system: System, way: str, run_of: RunOf) -> None:
    """Once, with every key, from the process that printed it; workers are recycled meanwhile, and end by SIGTERM."""
    project, records = run_of(system, way)
    printed = project.printed()
    assert len(printed) > (5 if system.has_celery else 3), "no worker was recycled"
    assert problems(printed, records) == []
