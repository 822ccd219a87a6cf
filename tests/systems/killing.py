"""A run in which a worker of each kind is killed."""

import os
import signal
from collections.abc import Iterable

from tests.systems.running import Project
from tests.systems.visit import visit


def killed(project: Project, outside: str) -> set[int]:
    """Have *project* log, kill one worker of uWSGI and one of Celery, have it log again, and end it in order."""
    with project.running():
        visit(project, outside, rounds=1)
        victims = {_kill(project, project.workers())}
        if project.system.has_celery:
            victims.add(_kill(project, project.printed().keys() - {0, *project.workers()}))
        visit(project, outside, rounds=1)
    return victims


def _kill(project: Project, workers: Iterable[int]) -> int:
    printed = project.printed()
    victim = next(pid for pid in workers if printed.get(pid) and _is_alive(pid))
    before = len(printed)
    os.kill(victim, signal.SIGKILL)
    # Whoever takes its place has a file of its own for what it prints.
    project.until(lambda: len(project.printed()) > before)
    return victim


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
