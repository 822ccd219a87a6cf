"""The `log.record.uid` of each record: https://opentelemetry.io/docs/specs/semconv/registry/attributes/log/."""

import os
from itertools import chain, product, repeat, starmap
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
        self._process = _process()
        # One tuple, so that a thread never reads one half of what another has written.
        self._start: tuple[Here, int, str] = (self._process[0], -1, "")
        # Counts in one call, which no other thread comes between; after six characters it begins again.
        self._end = map("".join, chain.from_iterable(starmap(product, repeat((PAIRS, PAIRS, PAIRS)))))

    def __call__(self, nanoseconds: int) -> str:
        """Make the identifier of a record that was seen *nanoseconds* after the UNIX epoch. Never raises."""
        is_here, known, start = self._start
        milliseconds = nanoseconds // 1_000_000
        if known != milliseconds or not is_here[0]:
            start = self._begin(milliseconds)
        return start + next(self._end)

    def _begin(self, milliseconds: int) -> str:
        is_here, process = self._process
        if not is_here[0]:
            self._process = is_here, process = _process()
        start = _text(milliseconds, 5) + process
        self._start = is_here, milliseconds, start
        return start


record_uid: Final = RecordUid()
