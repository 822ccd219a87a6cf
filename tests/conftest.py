"""What every test has: clean logging and structlog, and no error that was contained unseen."""

import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from otel_bridge.diagnostics import Diagnostics, diagnostics
from tests.otlp import GrpcReceiver, HttpReceiver, Memory

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run Python in a process of its own, where what is global is new, and return what it wrote to stdout."""

    def run(*parts: str, **environ: str) -> str:
        # No variable of OpenTelemetry's is handed down.
        script = tmp_path / "script.py"
        script.write_text("\n".join(map(textwrap.dedent, parts)))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        root = str(Path(__file__).parent.parent)
        done = subprocess.run(  # noqa: S603 - the tests' own code
            [sys.executable, "-W", "error", script],
            env={**inherited, "PYTHONPATH": root, **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def contained() -> Diagnostics:
    """
    Expect that errors are contained in this test.

    Returns:
        What otel-bridge says of itself, with everything forgotten that was counted before.
    """
    vars(diagnostics).update(vars(Diagnostics()))
    return diagnostics


@pytest.fixture(autouse=True)
def nothing_contained_unseen(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test in which an error was contained, unless it asked for `contained`."""
    before = diagnostics.counts.copy()
    yield
    lost = {reason: number for reason, number in (diagnostics.counts - before).items() if "were lost to" in reason}
    assert not lost or "contained" in request.fixturenames, f"log records {lost}"


@pytest.fixture(autouse=True)
def clean_logging() -> Iterator[None]:
    """Put back the configuration of structlog and logging as it was before the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    # The test runner has put handlers of its own there meanwhile, and takes them away itself.
    root.handlers[:] = [handler for handler in root.handlers if handler in handlers or _is_the_runners(handler)]
    root.setLevel(level)


def _is_the_runners(handler: logging.Handler) -> bool:
    return type(handler).__module__.startswith("_pytest")


@pytest.fixture
def memory() -> Memory:
    """A provider that keeps what it gets."""
    return Memory()


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    """An OTLP/HTTP receiver that accepts everything."""
    with HttpReceiver() as running:
        yield running


@pytest.fixture
def grpc_receiver() -> Iterator[GrpcReceiver]:
    """An OTLP/gRPC receiver that accepts everything."""
    with GrpcReceiver() as running:
        yield running
