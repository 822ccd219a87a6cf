"""What is left of a worker that is killed."""

from pathlib import Path

from tests.otlp import HttpReceiver
from tests.systems.catalogue import SYSTEMS
from tests.systems.comparison import problems
from tests.systems.conftest import Make
from tests.systems.killing import killed
from tests.systems.outside import Outside
from tests.systems.running import WAYS

LATER = {"OTEL_BLRP_SCHEDULE_DELAY": "30000"}
"""Milliseconds; what was printed is still in the process when that is killed."""


def test_with_a_spool(make: Make, receiver: HttpReceiver, outside: Outside, tmp_path: Path) -> None:
    """Nothing is lost, and nothing arrives twice: the worker that takes its place sends what it left."""
    environ = {**LATER, "OTEL_BRIDGE_SPOOL_DIR": str(tmp_path)}
    project = make(SYSTEMS[0], receiver.endpoint, environ, way=WAYS["install()"])
    killed(project, outside.url)
    assert problems(project.printed(), receiver.records) == []


def test_without_a_spool(make: Make, receiver: HttpReceiver, outside: Outside) -> None:
    """What waited in the killed processes is lost, and nothing else."""
    project = make(SYSTEMS[3], receiver.endpoint, LATER, way=WAYS["install()"])
    victims = killed(project, outside.url)
    left = {pid: lines for pid, lines in project.printed().items() if pid not in victims}
    assert problems(left, receiver.records) == []
