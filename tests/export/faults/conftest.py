"""What the tests of faults have."""

from collections.abc import Iterator

import pytest

from tests.export.faults.receiver import HttpReceiver
from tests.export.faults.runner import Runner


@pytest.fixture(scope="session")
def _runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    runner = Runner(tmp_path_factory.mktemp("runs"))
    yield runner
    runner.close()


@pytest.fixture
def runner(_runner: Runner) -> Iterator[Runner]:
    """Run programs, of which nothing is left after the test."""
    yield _runner
    _runner.end_all()


@pytest.fixture
def healthy() -> Iterator[HttpReceiver]:
    """A receiver that takes everything."""
    with HttpReceiver() as running:
        yield running
