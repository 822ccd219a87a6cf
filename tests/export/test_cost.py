"""What an event costs does not grow unseen: instructions under valgrind, which no other load on the machine changes."""

import subprocess
import sys
from typing import Final

import pytest

from tests.bench import instructions
from tests.bench.instructions import ENCODING, KNOWN, UNKNOWN, VALUES

PYTHON: Final = "{}.{}".format(*sys.version_info)
REACHED: Final = {
    "3.12": {KNOWN: 50_400, VALUES: 141_200, UNKNOWN: 324_600, ENCODING: 98_200},
}
"""Instructions for one event by version of CPython, as measured on builds without profile-guided optimisation, which
take the most. Put in what is reached when it falls."""
MORE: Final = 1.2
"""How much more than that fails."""

ROWS: Final = (
    "calling thread, p50",
    "CPU, µs a record over bare, http/protobuf",
    "CPU, µs a record over bare, grpc",
    "records/s, through the chain, threads: 1",
    "records/s, through the chain, threads: 4",
    "records/s, the processor alone, threads: 1",
    "records/s, the processor alone, threads: 4",
    "memory for",
    "lost of a burst",
    "exit with nothing answering",
)


def test_the_benchmark_prints_every_row() -> None:
    """`make bench` runs to its end, with few events; what valgrind counts is the other test's."""
    command = [sys.executable, "-m", "tests.bench", "--quick", "--no-instructions"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)  # noqa: S603 - our own
    assert done.returncode == 0, done.stderr
    assert [row for row in ROWS if row not in done.stdout] == []


@pytest.mark.skipif(not instructions.is_there(), reason="valgrind is not installed")
@pytest.mark.skipif(PYTHON not in REACHED, reason=f"nobody has measured CPython {PYTHON}")
def test_an_event_costs_no_more_than_was_reached() -> None:
    """The calling thread and the encoder stay within a fifth of the instructions that were reached."""
    counted = instructions.count(instructions.OURS)
    grown = {
        case: (counted[case], reached) for case, reached in REACHED[PYTHON].items() if counted[case] > MORE * reached
    }
    assert not grown, f"instructions for one event, and what was reached: {grown}"
