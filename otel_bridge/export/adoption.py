"""What other processes left, taken over little by little: it is safe where it is."""

import mmap
import struct
import sys
from collections.abc import Iterator
from typing import Final

from otel_bridge.export.blocks import Lane
from otel_bridge.export.buffer import Buffer, rank
from otel_bridge.export.spool import Spool, Spooled

SEGMENTS: Final = 32
"""Segments that are adopted at a time: each has two descriptors, of which the application may have but few."""
NUMBER: Final = struct.Struct("Q")


class Adoption:
    """
    Fills a buffer with what processes that are gone left in a spool.

    Args:
        spool: Theirs and ours; `None` for no spool.
        buffer: Where their records wait to be sent.
        most_bytes: How full the buffer may become; the rest of it is for what this process logs.
    """

    def __init__(self, spool: Spool | None, buffer: Buffer, most_bytes: int) -> None:
        self._spool = spool
        self._buffer = buffer
        self._most_bytes = most_bytes
        self._orphans = self._left_by_others()

    def go_on(self) -> None:
        """Take over as much as there is room for."""
        while self._spool is not None and self._buffer.waiting_bytes < self._most_bytes:
            if self._spool.adopted_segments >= SEGMENTS or (orphan := next(self._orphans, None)) is None:
                return
            resource, (place, scope, severity, record) = orphan
            self._buffer.adopt(Lane(rank(severity), severity, resource, scope), record, place)

    def _left_by_others(self) -> Iterator[tuple[bytes, Spooled]]:
        for left in self._spool.adopt() if self._spool is not None else ():
            for spooled in left.records:
                yield left.resource, spooled


class Legacy:
    """
    What uWSGI's master logged: it never sends, so its first worker does.

    That worker is forked anew from time to time, each time with all of it.

    Args:
        buffer: The master's.
    """

    def __init__(self, buffer: Buffer) -> None:
        self._buffer = buffer
        # Memory that the master and its workers share: which record was the last that a worker took.
        self._taken = mmap.mmap(-1, NUMBER.size)

    def take(self, spool: Spool | None, buffer: Buffer) -> None:
        """
        Take over, in a worker, what none before it took.

        Args:
            spool: The worker's; `None` for no spool.
            buffer: The worker's.
        """
        (taken,) = NUMBER.unpack_from(self._taken)
        while entries := self._buffer.take(len(self._buffer), sys.maxsize):
            for entry in entries:
                if entry.number > taken:
                    lane, record = entry.lane, entry.record
                    place = None if spool is None else spool.append(lane.scope, lane.severity, record)
                    buffer.adopt(lane, record, place)
                    NUMBER.pack_into(self._taken, 0, entry.number)
            self._buffer.settle(len(entries))
