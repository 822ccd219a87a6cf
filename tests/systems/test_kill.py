"""What is left of a worker that is killed."""

from pathlib import Path

from tests.otlp import HttpReceiver
from tests.systems.catalogue import SYSTEMS
from tests.systems.comparison import problems
from tests.systems.killing import killed
from tests.systems.running import WAYS
from tests.systems.workshop import Workshop

LATER = {"OTEL_BLRP_SCHEDULE_DELAY": "30000"}
"""Milliseconds; what was printed is still in the process when that is killed."""


def test_with_a_spool(workshop: Workshop, receiver: HttpReceiver, tmp_path: Path) -> None:
    """Nothing is lost, and nothing arrives twice: the worker that takes its place sends what it left."""
    environ = {**LATER, "OTEL_BRIDGE_SPOOL_DIR": str(tmp_path)}
    project = workshop.make(SYSTEMS[0], receiver.endpoint, WAYS["install()"], environ)
    killed(project, workshop.outside.url)
    assert problems(project.printed(), receiver.records) == []


def test_without_a_spool(workshop: Workshop, receiver: HttpReceiver) -> None:
    """What waited in the killed processes is lost, and nothing else."""
    project = workshop.make(SYSTEMS[3], receiver.endpoint, WAYS["install()"], LATER)
    victims = killed(project, workshop.outside.url)
    left = {pid: lines for pid, lines in project.printed().items() if pid not in victims}
    assert problems(left, receiver.records) == []
