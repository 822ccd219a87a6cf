"""What the tests of servers have."""

import socket
from collections.abc import Iterator

import pytest

from stack.process import Command, Process
from stack.servers import HOST, free_port
from tests.integrations.servers import program


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of its own, on a free port; its URL."""
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    command = [program("redis-server"), "--port", str(port), "--bind", HOST, "--save", "", "--dir", str(folder)]
    process = Process("redis-server", Command(command, {}, folder), folder / "output")

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, port)) == 0

    process.start(answers, timeout=20)
    yield f"redis://{HOST}:{port}/0"
    process.kill()
