"""Celery: worker, its children and beat, and what they log between one configuration of logging and the next."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from celery import Celery

from tests.integrations.servers import AT_THE_END, Server, pid
from tests.otlp import HttpReceiver, Record

INFO: Final = ("--loglevel", "INFO")
TASKS: Final = 8

Start = Callable[..., Server]
Send = Callable[..., None]


@pytest.fixture
def start(receiver: HttpReceiver, redis: str, tmp_path: Path) -> Iterator[Start]:
    """Start Celery with such options; it is killed after the test."""
    servers = []

    def start(*options: str, sign: str = " ready.", configured_by: str = "application", **environ: str) -> Server:
        told = {"BROKER": redis, "CONFIGURED_BY": configured_by, **AT_THE_END, **environ}
        servers.append(Server(("celery", "--app", "tests.integrations.tasks", *options), receiver, tmp_path, told))
        return servers[0].start(sign)

    yield start
    for server in servers:
        server.__exit__()


@pytest.fixture
def send(redis: str) -> Iterator[Send]:
    """Send tasks to the worker; none is left after the test."""
    with Celery(broker=redis) as app:

        def send(name: str, *arguments: int) -> None:
            app.send_task(f"tests.integrations.tasks.{name}", args=arguments)

        yield send
        app.control.purge()


@pytest.mark.parametrize(
    ("options", "configured_by", "children"),
    [
        (("--concurrency", "2"), "application", 2),
        (("--concurrency", "2"), "Celery", 2),
        (("--concurrency", "2", "--max-tasks-per-child", "2"), "application", 4),
        (("--pool", "solo"), "application", 0),
        (("--pool", "threads", "--concurrency", "2"), "Celery", 0),
    ],
    ids=["prefork", "prefork, configured by Celery", "recycled", "solo", "threads"],
)
def test_what_a_worker_prints_is_delivered_when_it_ends(
    start: Start, send: Send, receiver: HttpReceiver, options: tuple[str, ...], configured_by: str, children: int
) -> None:
    """By a warm shutdown: of the worker and its children, from before logging is configured until after all."""
    server = start("worker", *INFO, *options, configured_by=configured_by)
    for _ in range(TASKS):
        send("work", 3)
    send("fail")
    server.until(lambda: server.output.count("task_succeeded") == TASKS and "task_failed" in server.output)
    server.stop()
    server.check()
    assert len(server.pids()) >= 1 + children
    check_traces(receiver.records)


def check_traces(records: list[Record]) -> None:
    """Check that what belongs to a task has the task's trace, and what a child logged the resource of its traces."""
    traces: dict[str, set[str]] = {}
    for record in records:
        if record.scope in ("tasks", "django_structlog.celery.receivers") and record.event_name != "child_ends":
            traces.setdefault(record.attributes["task_id"], set()).add(record.trace_id)
            assert record.resource["service.instance.id"] == str(pid(record.attributes["serial"]))
    assert len(traces) == TASKS + 1
    assert all(len(ids) == 1 and ids != {""} for ids in traces.values()), traces
    [failed] = [record for record in records if record.event_name == "task_failed"]
    assert failed.attributes["exception.type"] == "ValueError"


@pytest.mark.usefixtures("send")
@pytest.mark.parametrize("configured_by", ["application", "Celery"])
def test_what_beat_prints_is_delivered_when_it_ends(start: Start, tmp_path: Path, configured_by: str) -> None:
    """From its first line on."""
    schedule = str(tmp_path / "schedule")
    server = start("beat", *INFO, "--schedule", schedule, sign="Sending due task", configured_by=configured_by)
    server.stop()
    server.check()
    assert "beat: Starting" in server.output


def test_a_child_that_is_killed_loses_nothing_with_a_spool(start: Start, send: Send, tmp_path: Path) -> None:
    """The kernel kills where memory is short, for example; another process delivers what it left."""
    server = start("worker", *INFO, "--concurrency", "1", OTEL_BRIDGE_SPOOL_DIR=str(tmp_path / "spool"))
    send("work", 3, 60)
    server.until(lambda: server.output.count("zaak_created") == 3)
    os.kill(max(server.pids()), signal.SIGKILL)
    send("work", 1)
    server.until(lambda: "task_succeeded" in server.output)
    server.stop()
    server.check()


PROGRAM: Final = """
import sys
import otel_bridge
from tests.integrations import serials
serials.configure()
otel_bridge.install()
assert not any(name.partition(".")[0] == "celery" for name in sys.modules)
from celery import Celery
app = Celery(broker="memory://")
app.conf.worker_log_format = '"serial": "%(serial)s" %(message)s'
app.worker_main(["worker", "--loglevel", "INFO", "--pool", "solo"])
"""


def test_celery_is_found_although_it_is_imported_later(receiver: HttpReceiver, tmp_path: Path) -> None:
    """A program installs the bridge, and then imports Celery, which takes all handlers off; unasked, it is not."""
    with Server(("python", "-c", PROGRAM), receiver, tmp_path, AT_THE_END).start(sign=" ready.") as server:
        server.stop()
        server.check()
        assert len(server.sent) > 1
