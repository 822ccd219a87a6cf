"""The `log.record.uid` of each record: https://opentelemetry.io/docs/specs/semconv/registry/attributes/log/."""

import itertools
import os
from typing import Final

from otel_bridge.forks import Here, here

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32, in which the order of the texts is the order of the numbers."""
PAIRS: Final = tuple(first + second for first in ALPHABET for second in ALPHABET)


def _text(number: int, pairs: int) -> str:
    return "".join(PAIRS[number >> shift & 1023] for shift in range(10 * (pairs - 1), -1, -10))


def _process() -> tuple[Here, str]:
    return here(), _text(int.from_bytes(os.urandom(7), "big") >> 6, 5)


class RecordUid:
    """
    Makes identifiers in a ULID's shape: 26 characters, ordered by time.

    Ten characters of milliseconds since the UNIX epoch, ten that are random for each process, six that count the
    records of the process. So they are unique over processes, forks (with or without Python's hooks) and hosts, and
    in one process ordered as the records were made.
    """

    def __init__(self) -> None:
        # Pairs, so that a thread never reads one half of what another has written.
        self._process = _process()
        self._time = (-1, "")
        self._count = itertools.count()

    def __call__(self, nanoseconds: int) -> str:
        """Make the identifier of a record that was seen *nanoseconds* after the UNIX epoch. Never raises."""
        is_here, process = self._process
        if not is_here[0]:
            self._process = is_here, process = _process()
        milliseconds = nanoseconds // 1_000_000
        known, time = self._time
        if known != milliseconds:
            time = _text(milliseconds, 5)
            self._time = milliseconds, time
        count = next(self._count)
        return time + process + PAIRS[count >> 20 & 1023] + PAIRS[count >> 10 & 1023] + PAIRS[count & 1023]
