"""One server as a child process: started, awaited, stopped, and never left behind."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

STOP_SECONDS = 40.0
"""The Collector takes up to 10 s to stop while a store is down; Elasticsearch a few."""

TAIL_LINES = 25


class ServerError(Exception):
    """A server did not start, or died; the message names it and shows the end of its log."""


@dataclass(frozen=True)
class Command:
    """
    What is run, and how.

    Attributes:
        arguments: Program and arguments.
        environment: Its whole environment.
        folder: Its working directory.
        user: Numeric user and group to run as; `None` for the current one.
    """

    arguments: Sequence[str]
    environment: dict[str, str]
    folder: Path
    user: int | None = None


class Process:
    """
    A command that runs until it is stopped.

    It leads a process group of its own, so that `kill` reaches its children too, and on Linux the kernel kills it
    when the thread that started it ends (`PR_SET_PDEATHSIG`): an exception, or even SIGKILL, leaves no orphan. Start
    it from a thread that lives as long as it should.

    Args:
        name: What messages call it.
        command: What is run.
        log: File that takes its standard output and error; appended to, so that a restart keeps the history.
    """

    def __init__(self, name: str, command: Command, log: Path) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Its process id; `None` when it does not run."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def start(self, ready: Callable[[], bool], *, timeout: float) -> None:
        """
        Start it and wait until *ready*.

        Raises:
            ServerError: It ended, or was not ready after *timeout* seconds; then it does not run any more.
        """
        if self.pid is not None:
            raise ServerError(f"{self.name} runs already, as process {self.pid}")
        command = self._command
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - the commands are this package's own
                [*_dies_with_parent(), *command.arguments],
                cwd=command.folder,
                env=command.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=command.user,
                group=command.user,
                extra_groups=None if command.user is None else [],
            )
        deadline = time.monotonic() + timeout
        while not ready():
            if self._child.poll() is not None:
                raise ServerError(f"{self.name} ended with status {self._child.returncode} while starting{self.tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise ServerError(f"{self.name} was not ready after {timeout:.0f} s{self.tail()}")
            time.sleep(0.1)

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """Ask it to end (SIGTERM) and wait; what has not ended after *timeout* seconds is killed. Harmless twice."""
        if self._child is None:
            return
        if self._child.poll() is None:
            self._child.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(timeout)
        self.kill()

    def kill(self) -> None:
        """End it and its children at once (SIGKILL), as a crash would. Harmless twice."""
        if self._child is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        self._child = None

    def tail(self) -> str:
        """Return the last lines of its log, ready to be appended to a message."""
        lines = self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        return "".join(f"\n    {line[:400]}" for line in (f"its log ({self.log}) ends:", *lines))


def _dies_with_parent() -> list[str]:
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
