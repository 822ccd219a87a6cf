"""What is left of a worker that is killed, or told to end while it works."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.otlp import HttpReceiver
from tests.systems.catalogue import SYSTEMS
from tests.systems.comparison import problems
from tests.systems.killing import killed
from tests.systems.running import WAYS, Request
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


def test_sigterm_lets_requests_end(workshop: Workshop, receiver: HttpReceiver) -> None:
    """With the hook that `docs/systems.md` sets in the environment; uWSGI breaks them off otherwise."""
    environ = {"UWSGI_HOOK_MASTER_START": "unix_signal:15 gracefully_kill_them_all"}
    project = workshop.make(SYSTEMS[3], receiver.endpoint, WAYS["install()"], environ)
    slow = Request("GET", f"/outgoing/?url={workshop.outside.url}slow", 200)
    with project.running(), ThreadPoolExecutor() as pool:
        answered = pool.submit(project.ask, [slow])
        project.until(lambda: workshop.outside.asked["/slow"] > 0)
        project.uwsgi.stop()
        answered.result()
    assert problems(project.printed(), receiver.records) == []
