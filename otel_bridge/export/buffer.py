"""The records that wait: bounded in bytes, in order, the least severe first to go."""

import threading
from collections import defaultdict, deque
from itertools import accumulate, islice
from typing import Final

from otel_bridge.export.blocks import Block, Entry, Item, Lane, block, blocks, is_before, of_one_kind, size_of
from otel_bridge.export.statistics import Statistics

BLOCK: Final = 64
"""Records that are counted and put in order together, at most."""
LARGE: Final = 4096
"""Bytes of a record for which nothing waits: so what has not been counted yet stays small."""
RANGES: Final = ("UNSPECIFIED", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
"""https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber"""

RANKS: Final = (1, 0, 0, 1, 2, 3, 3)
"""What goes first when the buffer is full, by range."""
PROTECTED: Final = 4
"""The rank of protected loggers, whose records go last."""
FULL: Final = "buffer full"
"""The reason of what goes because there is no room."""


def severity_range(number: int) -> str:
    """Return the name of the range of a severity number."""
    return RANGES[(number + 3) // 4 if 0 < number <= 24 else 0]


def rank(severity: int) -> int:
    """Return how late records of a severity number go when the buffer is full."""
    return RANKS[(severity + 3) // 4 if 0 < severity <= 24 else 0]


class Buffer:
    """
    A queue of encoded records, and the count of what became of them.

    Any thread may add, and one takes. Adding is one `append`, which no other thread, signal handler or finaliser comes
    between; what was added is counted and put in order, a block at a time, by whoever finds enough of it or asks.

    Everything else holds a lock, and is safe where a signal handler or a finaliser interrupts it, also one that
    raises. Those come between two instructions only after a call or a turn of a loop: changes that belong together
    have none between them.

    Args:
        max_bytes: What the waiting records may take together, those on their way included.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._inbox: deque[Item] = deque()
        self._collected = 0
        # Reentrant, because a signal handler or a finaliser may log while its thread is in here.
        self._lock = threading.RLock()
        self._queues: tuple[deque[Block], ...] = tuple(deque() for _ in range(PROTECTED + 1))
        self._queued = 0
        self._bytes = 0
        self._number = 0
        self._in_flight: deque[Entry] = deque()
        self._created = 0
        self._adopted = 0
        self._exported = 0
        self._rejected = 0
        self._dropped: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._discarded: list[Entry] = []

    def add(self, lane: Lane, record: bytes, place: int | None) -> bool:
        """Add a record that was emitted, and make room for it if need be; tell whether a block was put in order."""
        inbox = self._inbox
        inbox.append((lane, record, place))
        if len(inbox) < BLOCK and len(record) < LARGE:
            return False
        self.collect()
        return True

    def adopt(self, lane: Lane, record: bytes, place: int | None) -> None:
        """Add a record that another process left."""
        items = ((lane, record, place),)
        with self._lock:
            self._created -= 1
            self._adopted += 1
            self._inbox += items
        self.collect()

    def collect(self) -> None:
        """Count what was added, put it in order, and make room for it; not where this interrupts a change."""
        if not self.is_mine():
            with self._lock:
                self._collect()
                self._make_room()

    def _collect(self) -> None:
        self._leave_collected()
        while self._inbox:
            items = [self._inbox[index] for index in range(min(BLOCK, len(self._inbox)))]
            items = items[: of_one_kind([lane for lane, _, _ in items])]
            number, found, queue = len(items), (block(self._number + 1, items),), self._queues[items[0][0].rank]
            queue += found
            self._collected = number
            self._number += number
            self._created += number
            self._queued += number
            self._bytes += found[0].size
            self._leave_collected()

    def _leave_collected(self) -> None:
        while self._collected:
            self._collected -= 1
            del self._inbox[0]

    def _make_room(self) -> None:
        for queue in self._queues:
            while queue and (excess := self._bytes - self._max_bytes) > 0:
                entries = queue[0].entries
                sizes = accumulate(map(size_of, entries))
                number = next((number for number, size in enumerate(sizes, 1) if size >= excess), len(entries))
                gone, rest = entries[:number], blocks(entries[number:])
                size, reason = sum(map(size_of, gone)), (FULL, severity_range(gone[0].lane.severity))
                discarded = [entry._replace(record=b"") for entry in gone if entry.place is not None]
                self._queued -= number
                self._bytes -= size
                self._dropped[reason] += number
                self._discarded += discarded
                del queue[0]
                queue.extendleft(rest)

    def take(self, most: int, most_bytes: int) -> list[Entry]:
        """
        Take the oldest records to send; they count as waiting until `settle` or `put_back`.

        Args:
            most: How many records at most.
            most_bytes: How many bytes of records at most, unless the first alone has more; nor more than a quarter of
                what the buffer may hold, because what is on its way cannot go for something more severe.
        """
        left = min(most_bytes, self._max_bytes // 4)
        self.collect()
        with self._lock:
            in_flight = self._in_flight
            while queues := [queue for queue in self._queues if queue]:
                queue = min(queues, key=_oldest)
                entries = queue[0].entries[: most - len(in_flight)]
                sizes = accumulate(map(size_of, entries))
                number = sum(1 for size in sizes if size <= left) or (0 if in_flight else min(1, len(entries)))
                if not number:
                    break
                taken, rest = entries[:number], blocks(queue[0].entries[number:])
                left -= sum(map(size_of, taken))
                self._queued -= number
                in_flight += taken
                del queue[0]
                queue.extendleft(rest)
            return list(in_flight)

    def settle(self, count: int, rejected: int = 0) -> None:
        """Count the first *count* of the taken records as exported, or as *rejected* where the receiver said so."""
        with self._lock:
            size = sum(map(size_of, islice(self._in_flight, count)))
            rest = deque(islice(self._in_flight, count, None))
            self._in_flight = rest
            self._bytes -= size
            self._rejected += rejected
            self._exported += count - rejected

    def put_back(self) -> None:
        """Return what was taken and is not settled to where it was."""
        with self._lock:
            while self._in_flight:
                entries = list(self._in_flight)
                last, number = entries[-1], 1
                while number < len(entries) and is_before(entries[-1 - number], last, number):
                    number += 1
                rest, queue = deque(entries[:-number]), self._queues[last.lane.rank]
                [found] = blocks(entries[-number:])
                self._in_flight = rest
                self._queued += number
                queue.appendleft(found)

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
        self.collect()
        return self._number

    def holds(self, number: int) -> bool:
        """Tell whether a record up to *number* waits or is on its way."""
        with self._lock:
            queues: tuple[deque[Block] | deque[Entry], ...] = (*self._queues, self._in_flight)
            return any(queue[0].number <= number for queue in queues if queue)

    def is_mine(self) -> bool:
        """Tell whether this thread is changing the buffer, as a signal handler that interrupts it may find."""
        return self._lock._is_owned()  # type: ignore[attr-defined, no-any-return]  # as threading.Condition asks it

    @property
    def waiting_bytes(self) -> int:
        """What the waiting records take."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._inbox) - self._collected + self._queued + len(self._in_flight)

    def statistics(self) -> Statistics:
        """Read all counts at one moment."""
        self.collect()
        with self._lock:
            waiting = len(self)
            return Statistics(
                created=self._created + waiting - self._queued - len(self._in_flight),
                adopted=self._adopted,
                exported=self._exported,
                rejected=self._rejected,
                dropped=dict(self._dropped),
                waiting=waiting,
                waiting_bytes=self._bytes,
            )


def _oldest(queue: deque[Block]) -> int:
    return queue[0].number
