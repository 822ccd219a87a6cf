"""The records that wait: bounded in bytes, in order, the least severe first to go."""

import threading
from collections import defaultdict, deque
from itertools import islice
from typing import Final, NamedTuple

from otel_bridge.export.statistics import Statistics

OVERHEAD: Final = 200
"""Bytes that a waiting record takes beside its encoding, roughly: a tuple and the header of the bytes."""

RANGES: Final = ("UNSPECIFIED", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
"""https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber"""

RANKS: Final = (1, 0, 0, 1, 2, 3, 3)
"""What goes first when the buffer is full, by range."""
PROTECTED: Final = 4
"""The rank of protected loggers, whose records go last."""
FULL: Final = "buffer full"
"""The reason of what goes because there is no room."""


class Entry(NamedTuple):
    """One waiting record."""

    number: int
    """Counts the records of this process in the order in which they came."""
    rank: int
    severity: int
    resource: bytes
    scope: bytes
    record: bytes
    place: int | None
    """Where the spool holds it; `None` where it does not."""


def severity_range(number: int) -> str:
    """Return the name of the range of a severity number."""
    return RANGES[(number + 3) // 4 if 0 < number <= 24 else 0]


def rank(severity: int) -> int:
    """Return how late records of a severity number go when the buffer is full."""
    return RANKS[(severity + 3) // 4 if 0 < severity <= 24 else 0]


class Buffer:
    """
    A queue of encoded records, and the count of what became of them.

    Any thread may add, and one takes. Adding is safe in a signal handler or a finaliser that interrupts it, also one
    that raises. Those come between two instructions only after a call: counts that belong together are changed without
    one between them.

    Args:
        max_bytes: What the waiting records may take together, those on their way included.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        # Reentrant, because a signal handler or a finaliser may log while its thread is in here.
        self._lock = threading.RLock()
        self._queues: tuple[deque[Entry], ...] = tuple(deque() for _ in range(PROTECTED + 1))
        self._bytes = 0
        self._number = 0
        self._in_flight: deque[Entry] = deque()
        self._created = 0
        self._adopted = 0
        self._exported = 0
        self._rejected = 0
        self._dropped: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._discarded: list[Entry] = []

    def add(self, rank: int, severity: int, resource: bytes, scope: bytes, record: bytes, place: int | None) -> int:
        """
        Add a record that was emitted, and make room for it if need be.

        Returns:
            Its number, by which `holds` finds it.
        """
        with self._lock:
            size = len(record) + OVERHEAD
            self._number = number = self._number + 1
            queue, entry = self._queues[rank], Entry(number, rank, severity, resource, scope, record, place)
            self._created += 1
            self._bytes += size
            queue += (entry,)
            if self._bytes > self._max_bytes:
                self._make_room()
            return number

    def adopt(self, rank: int, severity: int, resource: bytes, scope: bytes, record: bytes, place: int | None) -> int:
        """Add a record that another process left; otherwise as `add`."""
        with self._lock:
            self._created -= 1
            self._adopted += 1
            return self.add(rank, severity, resource, scope, record, place)

    def _make_room(self) -> None:
        for queue in self._queues:
            while queue and self._bytes > self._max_bytes:
                entry = queue[0]
                size, reason = len(entry.record) + OVERHEAD, (FULL, severity_range(entry.severity))
                if queue and queue[0] is entry:
                    del queue[0]
                    self._bytes -= size
                    self._dropped[reason] += 1
                    if entry.place is not None:
                        self._discarded.append(entry._replace(record=b""))

    def take(self, most: int, most_bytes: int) -> list[Entry]:
        """
        Take the oldest records to send; they count as waiting until `settle` or `put_back`.

        Args:
            most: How many records at most.
            most_bytes: How many bytes of records at most, unless the first alone has more; nor more than a quarter of
                what the buffer may hold, because what is on its way cannot go for something more severe.
        """
        most_bytes = min(most_bytes, self._max_bytes // 4)
        with self._lock:
            size = 0
            in_flight = self._in_flight
            while len(in_flight) < most and (queues := [queue for queue in self._queues if queue]):
                queue = min(queues, key=_oldest) if len(queues) > 1 else queues[0]
                size += len(queue[0].record) + OVERHEAD
                if in_flight and size > most_bytes:
                    break
                in_flight += (queue[0],)
                del queue[0]
            return list(in_flight)

    def settle(self, count: int, rejected: int = 0) -> None:
        """Count the first *count* of the taken records as exported, or as *rejected* where the receiver said so."""
        with self._lock:
            size = sum(len(entry.record) + OVERHEAD for entry in islice(self._in_flight, count))
            rest = deque(islice(self._in_flight, count, None))
            self._in_flight = rest
            self._bytes -= size
            self._rejected += rejected
            self._exported += count - rejected

    def put_back(self) -> None:
        """Return what was taken and is not settled to where it was."""
        with self._lock:
            while self._in_flight:
                entry = self._in_flight.pop()
                self._queues[entry.rank].appendleft(entry)

    def refuse(self, severity: int, reason: str) -> None:
        """Count a record that was emitted and dropped at once."""
        with self._lock:
            key = reason, severity_range(severity)
            self._created += 1
            self._dropped[key] += 1

    def discarded(self) -> list[Entry]:
        """Return, once, the records that were dropped and that the spool still holds."""
        with self._lock:
            entries, self._discarded = self._discarded, []
            return entries

    def last(self) -> int:
        """Return the number of the newest record."""
        return self._number

    def holds(self, number: int) -> bool:
        """Tell whether a record up to *number* waits or is on its way."""
        with self._lock:
            return any(queue[0].number <= number for queue in (*self._queues, self._in_flight) if queue)

    def is_mine(self) -> bool:
        """Tell whether this thread is changing the buffer, as a signal handler that interrupts it may find."""
        return self._lock._is_owned()  # type: ignore[attr-defined, no-any-return]  # as threading.Condition asks it

    @property
    def waiting_bytes(self) -> int:
        """What the waiting records take."""
        return self._bytes

    def __len__(self) -> int:
        return sum(map(len, self._queues)) + len(self._in_flight)

    def statistics(self) -> Statistics:
        """Read all counts at one moment."""
        with self._lock:
            return Statistics(
                created=self._created,
                adopted=self._adopted,
                exported=self._exported,
                rejected=self._rejected,
                dropped=dict(self._dropped),
                waiting=len(self),
                waiting_bytes=self._bytes,
            )


def _oldest(queue: deque[Entry]) -> int:
    return queue[0].number
