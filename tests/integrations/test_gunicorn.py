"""gunicorn: its arbiter and its workers of each kind, whatever ends them."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from tests.integrations.servers import AT_THE_END, Server
from tests.otlp import HttpReceiver

GUNICORN: Final = (
    *("gunicorn", "tests.integrations.application:application", "--bind", "{address}", "--workers", "2"),
    *("--config", "python:tests.integrations.gunicorn_settings", "--no-control-socket"),
)
READY: Final = '"event": "worker_is_ready"'


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--preload",),
        ("--threads", "2"),
        ("--worker-class", "gevent"),
        ("--worker-class", "gevent", "--preload"),
    ],
    ids=["sync", "sync, preloaded", "gthread", "gevent", "gevent, preloaded"],
)
def test_what_is_printed_is_delivered_when_workers_end(
    receiver: HttpReceiver, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """By SIGTERM; what the arbiter logs comes once, too."""
    with Server((*GUNICORN, *options), receiver, tmp_path, AT_THE_END).start() as server:
        server.ask(20)
        server.until(lambda: server.output.count(READY) >= 2)
        server.stop()
        server.check()
        assert len(server.pids()) > 1


@pytest.mark.parametrize("kind", ["gthread", "gevent"])
def test_a_worker_that_is_recycled_delivers(receiver: HttpReceiver, tmp_path: Path, kind: str) -> None:
    """One that has had its requests ends, and another one comes."""
    options = ("--worker-class", kind, "--max-requests", "5")
    with Server((*GUNICORN, *options), receiver, tmp_path, AT_THE_END).start() as server:
        server.ask_until(lambda: "exiting" in server.output)
        server.until(lambda: server.output.count(READY) >= 3)
        server.stop()
        server.check()


@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["", "preloaded"])
def test_a_reload_delivers(receiver: HttpReceiver, tmp_path: Path, options: tuple[str, ...]) -> None:
    """SIGHUP makes new workers, and the old ones end their requests."""
    with Server((*GUNICORN, "--threads", "2", *options), receiver, tmp_path, AT_THE_END).start() as server:
        with ThreadPoolExecutor() as pool:
            slow = pool.submit(server.ask, seconds=0.5)
            server.until(lambda: "seconds=0.5" in server.output and server.output.count(READY) == 2)
            server.signal(signal.SIGHUP)
            slow.result()
        server.until(lambda: server.output.count(READY) == 4)
        server.ask(5)
        server.stop()
        server.check()
