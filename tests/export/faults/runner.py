"""Starts programs, ends them, and reads what they wrote down."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from tests.export.faults.receiver import Ledger

ROOT: Final = Path(__file__).parents[3]
MODULE: Final = "tests.export.faults.programs"
NOWHERE: Final = "http://localhost:1/v1/logs"
"""An endpoint at which nothing listens."""
PATIENCE: Final = 40.0
"""Seconds after which something hangs."""


def _environment() -> dict[str, str]:
    """Return ours without what configures OpenTelemetry and us."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


class Run:
    """One program in a process of its own, which leads a session of its own; and what it wrote down."""

    def __init__(self, folder: Path) -> None:
        self.pid = -1
        self.journal = folder / "journal"
        self.stderr = folder / "stderr"
        self.journal.touch()
        self.code: int | None = None
        self.ended = threading.Event()

    def wait(self, seconds: float = PATIENCE) -> int:
        """Wait until it has ended, and return its exit code: the negated number of the signal that killed it."""
        if not self.ended.wait(seconds):
            # They write where their threads are.
            os.killpg(self.pid, signal.SIGUSR1)
            self.ended.wait(1)
            pytest.fail(f"it hangs: {self.pid}; {self.said[-4000:]}")
        assert self.code is not None
        return self.code

    def kill(self, number: signal.Signals) -> None:
        """Send it a signal."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def end_all(self) -> None:
        """Kill whatever is left of it and its children."""
        if not self.ended.is_set():
            self.kill(signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def noted(self, kind: str) -> list[str]:
        """Return what it wrote down of a kind."""
        pairs = (line.partition(" ") for line in self.journal.read_text().splitlines())
        return [said for found, _, said in pairs if found == kind]

    def until(self, enough: Callable[["Run"], bool], seconds: float = PATIENCE) -> None:
        """Return as soon as what it wrote down is *enough*; fail after *seconds*."""
        deadline = time.monotonic() + seconds
        while not enough(self):
            assert time.monotonic() < deadline, f"after {seconds} s: {self.journal.read_text()[-2000:]}{self.said}"
            time.sleep(0.005)

    @property
    def started(self) -> set[str]:
        """Serials of the calls that were made."""
        return set(self.noted("before"))

    @property
    def returned(self) -> set[str]:
        """Serials of the calls that returned."""
        return set(self.noted("after"))

    @property
    def statistics(self) -> list[dict[str, Any]]:
        """What each process of it said last of its records."""
        told = [json.loads(said) for said in self.noted("statistics")]
        return list({found["pid"]: found for found in told}.values())

    @property
    def flushes(self) -> list[tuple[bool, float]]:
        """What each flush returned, and the seconds that it took."""
        return [tuple(json.loads(said)) for said in self.noted("flushed")]

    @property
    def said(self) -> str:
        """What it wrote to stderr."""
        return self.stderr.read_text() if self.stderr.exists() else ""


class Runner:
    """
    Runs programs, forked from one process that has everything imported.

    Args:
        folder: For what they write down.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()
        self._runs: dict[int, Run] = {}
        self._lock = threading.Condition()
        self._waiting: list[Run] = []
        self._zygote = subprocess.Popen(  # noqa: S603 - the tests' own code
            [sys.executable, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=_environment(),
            start_new_session=True,
        )
        threading.Thread(target=self._hear, daemon=True).start()

    def run(
        self,
        program: str,
        ledger: Ledger | str,
        *,
        fresh: bool = False,
        environ: Mapping[str, str] | None = None,
        options: Mapping[str, Any] | None = None,
        limits: tuple[tuple[str, int], ...] = (),
        **arguments: Any,
    ) -> Run:
        """
        Start a program.

        Args:
            program: Its name.
            ledger: The receiver that it sends to, or another endpoint.
            fresh: Whether in a Python of its own, which has nothing imported.
            environ: Further variables of its environment.
            options: Of its provider.
            limits: What it is denied.
            arguments: Its own.
        """
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        run = Run(folder)
        endpoint = ledger if isinstance(ledger, str) else ledger.endpoint
        order = {
            "program": program,
            "journal": str(run.journal),
            "stderr": str(run.stderr),
            "options": {"endpoint": endpoint, **(options or {})},
            "environ": {"OTEL_BLRP_SCHEDULE_DELAY": "50", **(environ or {})},
            "limits": limits,
            "arguments": arguments,
        }
        self._start_fresh(run, order) if fresh else self._start_forked(run, order)
        return run

    def _start_fresh(self, run: Run, order: Mapping[str, Any]) -> None:
        command = [sys.executable, "-m", MODULE, json.dumps(order)]
        with run.stderr.open("ab") as stderr:
            # It makes itself the leader of a session, and must not be one before.
            process = subprocess.Popen(  # noqa: S603 - the tests' own code
                command, cwd=ROOT, env={**_environment(), **order["environ"]}, stderr=stderr
            )
        self._runs[process.pid] = run
        run.pid = process.pid

        def wait() -> None:
            run.code = process.wait()
            run.ended.set()

        threading.Thread(target=wait, daemon=True).start()

    def _start_forked(self, run: Run, order: Mapping[str, Any]) -> None:
        assert self._zygote.stdin is not None
        with self._lock:
            self._waiting.append(run)
            self._zygote.stdin.write(json.dumps(order).encode() + b"\n")
            self._zygote.stdin.flush()
            assert self._lock.wait_for(lambda: run.pid > 0, PATIENCE), "no process was started"

    def _hear(self) -> None:
        assert self._zygote.stdout is not None
        for line in self._zygote.stdout:
            said = json.loads(line)
            with self._lock:
                if "started" in said:
                    run = self._waiting.pop(0)
                    run.pid = said["started"]
                    self._runs[run.pid] = run
                    self._lock.notify_all()
                else:
                    run = self._runs[said["ended"]]
                    run.code = said["code"]
                    run.ended.set()

    def end_all(self) -> None:
        """Kill what is left of all that was started, and wait for it."""
        for run in self._runs.values():
            run.end_all()
            assert run.ended.wait(10), f"{run.pid} cannot be killed"
        self._runs.clear()

    def close(self) -> None:
        """End the process that starts others."""
        assert self._zygote.stdin is not None
        self._zygote.stdin.close()
        try:
            self._zygote.wait(10)
        finally:
            self._zygote.kill()
            self._zygote.wait()
            assert self._zygote.stdout is not None
            self._zygote.stdout.close()


def adopt(runner: Runner, receiver: Ledger, spool: Path, **options: object) -> Run:
    """Run a process that delivers what is in the spool, beside one record of its own."""
    run = runner.run("steady", receiver, count=1, flush=20, options={"spool_dir": str(spool), **options})
    assert run.wait() == 0, run.said
    assert run.flushes[0][0], run.said
    assert "Traceback" not in run.said
    return run


def instants(rounds: int, longest: float) -> list[float]:
    """Choose when to end a process, in seconds; the same each time that the tests run."""
    chance = random.Random(20251120)  # noqa: S311 - no secret
    return [chance.uniform(0, longest) for _ in range(rounds)]
