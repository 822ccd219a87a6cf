"""Servers as users run them: started, asked, ended, and what they printed compared with what a receiver got."""

import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NoReturn, Self
from urllib.request import urlopen

import pytest

from stack.process import Command, Process
from stack.servers import HOST, free_port
from tests.otlp import HttpReceiver

ROOT: Final = Path(__file__).parents[2]
SECONDS: Final = 30.0
"""After which something hangs."""
AT_THE_END: Final = {"OTEL_BLRP_SCHEDULE_DELAY": "600000"}
"""Records wait for ten minutes: what arrives was delivered because a process ended."""


def program(name: str) -> str:
    """Find a program, beside Python or on the path; without it, skip the test here, and fail in CI."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    return found or _missing(name)


def _missing(name: str) -> NoReturn:
    (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name} is not installed")


class Server:
    """
    A server, or another program of many processes.

    Args:
        arguments: What is run: `{address}` and `{port}` stand for where it listens.
        receiver: What its processes export to.
        folder: Where its output goes.
        environ: Further variables of its environment.
    """

    def __init__(
        self, arguments: Sequence[str], receiver: HttpReceiver, folder: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self.answered = 0
        self._receiver = receiver
        self._output = folder / "output"
        self._output.touch()
        port = free_port()
        self._url = f"http://{HOST}:{port}"
        command = [argument.format(address=f"{HOST}:{port}", port=port) for argument in arguments]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        told = {"PYTHONPATH": str(ROOT), "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, **(environ or {})}
        self._process = Process(
            arguments[0], Command([program(command[0]), *command[1:]], {**inherited, **told}, ROOT), self._output
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()

    def start(self, sign: str | None = None) -> Self:
        """Start it, and wait until it answers, or prints a *sign*."""
        self._process.start(lambda: self._answers() if sign is None else sign in self.output, timeout=SECONDS)
        return self

    def ask(self, times: int = 1, *, count: int = 3, seconds: float = 0.0) -> None:
        """Make some requests, four at once, each of which logs *count* records and then takes some *seconds*."""
        with ThreadPoolExecutor(4) as pool:
            answers = pool.map(lambda _: self._ask(count, seconds), range(times))
        assert list(answers) == [count] * times

    def ask_until(self, enough: Callable[[], bool]) -> None:
        """Make one request after the other until it is *enough*; fail when that takes too long."""

        def ask_more() -> bool:
            self.ask()
            return enough()

        self.until(ask_more)

    def _ask(self, count: int, seconds: float) -> int:
        with urlopen(f"{self._url}/?count={count}&seconds={seconds}", timeout=SECONDS) as answer:  # noqa: S310 - ours
            count = int(answer.read())
        self.answered += 1
        return count

    def _answers(self) -> bool:
        try:
            return self._ask(1, 0) == 1
        except OSError:
            return False

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its first process."""
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def stop(self) -> None:
        """End it by SIGTERM."""
        assert self._process.pid is not None, self.output[-4000:]
        began = time.monotonic()
        self._process.stop(SECONDS)
        assert time.monotonic() - began < SECONDS, f"it hung, and was killed: {self.output[-4000:]}"

    def until(self, enough: Callable[[], bool]) -> None:
        """Return as soon as it is *enough*; fail when that takes too long."""
        deadline = time.monotonic() + SECONDS
        while not enough():
            assert time.monotonic() < deadline, self.output[-4000:]
            time.sleep(0.02)

    @property
    def output(self) -> str:
        """What all of its processes printed."""
        return self._output.read_text()

    @property
    def printed(self) -> list[str]:
        """The serials that were printed."""
        return re.findall(r'"serial": "([\d.]+)"', self.output)

    @property
    def sent(self) -> list[str]:
        """The serials that the receiver got."""
        return [record.attributes["serial"] for record in self._receiver.records]

    def pids(self) -> set[int]:
        """Return the processes that logged."""
        return {pid(serial) for serial in self.printed}

    def check(self) -> None:
        """Check that what was printed has arrived, and nothing else, and nothing twice."""
        printed, sent = self.printed, self.sent
        lost = set(printed) - set(sent)
        assert not lost, f"{len(lost)} of {len(printed)} are lost: {sorted(lost)[:5]}, {self.output[-4000:]}"
        assert sorted(sent) == sorted(printed)
        assert "not delivered" not in self.output


def pid(serial: str) -> int:
    """Return the process that logged what has this serial."""
    return int(serial.partition(".")[0])
