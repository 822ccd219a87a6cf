"""What waits, in memory: records of one logger and severity have a lane, and those that came together are a block."""

from collections.abc import Sequence
from itertools import chain, count
from typing import Any, Final, NamedTuple

OVERHEAD: Final = 64
"""Bytes that a waiting record takes beside its encoding, roughly: its places in a block and the header of the bytes."""


class Lane(NamedTuple):
    """What the records of one logger and severity have in common."""

    rank: int
    severity: int
    resource: bytes
    scope: bytes


Item = tuple[Lane, bytes, int | None]
"""What they have in common, a record, and where the spool holds it; `None` where it does not."""


class Entry(NamedTuple):
    """One record on its way."""

    number: int
    """Counts the records of this process in the order in which they came."""
    lane: Lane
    record: bytes
    place: int | None


class Block(NamedTuple):
    """
    Waiting records of one severity that came one after the other.

    A tuple for each of them would take twice the memory of all else that is kept beside the encoding.
    """

    number: int
    """That of the first."""
    size: int
    """Bytes that they take."""
    parts: tuple[Any, ...]
    """`Lane`, `bytes` and `int | None` of the first, then of the second, and so on."""

    @property
    def entries(self) -> list[Entry]:
        """The records, one by one."""
        of = iter(self.parts)
        return list(map(Entry, count(self.number), of, of, of))


def block(number: int, items: Sequence[Item]) -> Block:
    """Put records of one rank and severity together; *number* is that of the first."""
    size = sum([len(record) for _, record, _ in items]) + OVERHEAD * len(items)
    return Block(number, size, tuple(chain.from_iterable(items)))


def blocks(entries: Sequence[Entry]) -> list[Block]:
    """Put records together that came one after the other: as one block, or none where there are none."""
    items = [(entry.lane, entry.record, entry.place) for entry in entries]
    return [block(entries[0].number, items)] if items else []


def size_of(entry: Entry) -> int:
    """Return the bytes that a waiting record takes."""
    return len(entry.record) + OVERHEAD


def of_one_kind(lanes: Sequence[Lane]) -> int:
    """Count how many of *lanes*, from the first, are of its rank and severity."""
    number, first = 0, lanes[0]
    for lane in lanes:
        if lane is not first and lane[:2] != first[:2]:
            break
        number += 1
    return number


def is_before(entry: Entry, later: Entry, distance: int) -> bool:
    """Tell whether *entry* came so many records before *later*, and may stand in one block with it."""
    return entry.number == later.number - distance and entry.lane[:2] == later.lane[:2]
