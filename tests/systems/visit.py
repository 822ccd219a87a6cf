"""What every project is asked to do, and how one sees that its tasks have done it."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from tests.systems.catalogue import System
from tests.systems.running import Project, Request

ROUNDS: Final = 3
ENDED: Final = {"task_succeeded": 3, "task_failed": 2}
"""How many tasks of a round end how: those of `/tasks/`, and the two that notify."""


def visit(project: Project, outside: str, rounds: int = ROUNDS) -> None:
    """Have *project* log everything that it can, and wait until its tasks are done."""
    before = _ended(project)
    for number in range(rounds):
        project.ask(_requests(outside, project.system, number))
    created = project.ask(Request("POST", "/tabellen/", 201, _tabel(number)) for number in range(rounds))
    project.ask(Request("DELETE", urlsplit(json.loads(tabel)["url"]).path, 204) for tabel in created)
    if project.system.has_celery:
        expected = before + Counter({event: number * rounds for event, number in ENDED.items()})
        project.until(lambda: _ended(project) >= expected)


def _ended(project: Project) -> Counter[str]:
    return Counter(line.event for lines in project.printed().values() for line in lines if line.event in ENDED)


def _tabel(number: int) -> bytes:
    return json.dumps({"code": f"ABC-{number}", "naam": "Tabel"}).encode()


def _requests(outside: str, system: System, number: int) -> Iterator[Request]:
    yield Request("GET", "/events/", 200)
    yield Request("GET", "/uncaught/?inpBsn=123456782", 500)
    yield Request("GET", "/broken/", 500)
    yield Request("GET", "/nowhere/", 404)
    yield Request("POST", "/tabellen/", 400, b"{}")
    yield Request("GET", "/tabellen/9999/", 404)
    yield Request("GET", f"/outgoing/?url={outside}", 200)
    if system.has_celery:
        yield Request("POST", f"/tasks/?number={number}", 200)
