"""What every test has: clean logging and structlog, and no error that was contained unseen."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from otel_bridge.diagnostics import Diagnostics, diagnostics
from tests.otlp import GrpcReceiver, HttpReceiver, Memory


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
