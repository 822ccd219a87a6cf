"""Older releases of OpenTelemetry, structlog and Django, and each Python: the unit tests pass there as well."""

import os
import subprocess
from typing import Final

import pytest

from tests.matrix.environment import ROOT, environment, interpreter
from tests.matrix.peers import LATEST, OLDEST, PAIRWISE, Peers, uncovered

UNITS: Final = (
    "tests",
    *("--ignore=tests/stack", "--ignore=tests/systems", "--ignore-glob=tests/integrations/test_*.py"),
    *("--ignore=tests/matrix", "--ignore=tests/export/test_cost.py"),
)
"""All but those that need servers, those that make environments themselves, and what the machine costs."""
REAL: Final = (
    "--deselect=tests/demo/test_chain.py::test_is_real_from_3_12",
    "--deselect=tests/demo/test_demo.py::test_embedded",
)
"""What wants the real open-api-framework: the extra `[demo]`, which chooses its Django itself and so is left out."""
MEETING: Final = ("tests/bridge", "tests/export/test_default.py", "tests/export/test_equivalence.py")
"""Where other libraries are met."""
MINUTES: Final = 20


def check(peers: Peers, *tests: str) -> None:
    """Run *tests* beside *peers*."""
    if interpreter(peers.python) is None:
        pytest.skip(f"there is no Python {peers.python} here")
    options = ("-q", "-p", "no:cacheprovider", "-m", "not stack and not soak")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PYTEST_"))}
    done = subprocess.run(  # noqa: S603 - our own
        [environment(peers), "-m", "pytest", *options, *tests],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=MINUTES * 60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_release_meets_every_other() -> None:
    """No two releases that may stand beside each other are left out."""
    assert uncovered() == set()


@pytest.mark.timeout(MINUTES * 60)
def test_the_oldest_of_everything() -> None:
    """What meets other libraries works beside the oldest release of each that is supported."""
    check(OLDEST, *MEETING)


@pytest.mark.soak
@pytest.mark.timeout(MINUTES * 60)
@pytest.mark.parametrize("peers", [*PAIRWISE, LATEST], ids=str)
def test_the_unit_tests_pass_beside(peers: Peers) -> None:
    """All of them, with what pip gives to somebody who pins these releases."""
    check(peers, *UNITS, *REAL)
