"""uvicorn, which dies of the SIGTERM that it has handled: no `atexit` hook is called."""

import signal
from pathlib import Path
from typing import Final

import pytest

from tests.integrations.servers import AT_THE_END, Server
from tests.otlp import HttpReceiver

UVICORN: Final = ("uvicorn", "tests.integrations.application:asgi", "--host", "127.0.0.1", "--port", "{port}")


@pytest.mark.parametrize(
    "options",
    [(), ("--workers", "2"), ("--workers", "2", "--limit-max-requests", "5")],
    ids=["one", "two", "two, recycled"],
)
def test_what_is_printed_is_delivered_when_workers_end(
    receiver: HttpReceiver, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """By SIGTERM, one that comes while the application is loaded too, or because each has had its requests."""
    with Server((*UVICORN, *options), receiver, tmp_path, AT_THE_END).start() as server:
        for _ in range(10):
            server.ask()
        server.stop()
        server.check()


def test_a_reload_delivers(receiver: HttpReceiver, tmp_path: Path) -> None:
    """SIGHUP makes new workers, one after the other."""
    with Server((*UVICORN, "--workers", "2"), receiver, tmp_path, AT_THE_END).start() as server:
        server.ask(4)
        before = server.pids()
        server.signal(signal.SIGHUP)
        server.until(lambda: len(server.pids() - before) == 2)
        server.stop()
        server.check()
