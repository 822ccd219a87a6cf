"""One file of the spool: records are written into it, marked in it, and read out of it again."""

import mmap
import os
import time
from pathlib import Path
from typing import Final
from zlib import crc32

from otel_bridge.export.frames import DONE, HEAD, LENGTHS, MAGIC, MARK, REST, SEED, Contents, Frame, header, read
from otel_bridge.export.ownership import OwnedFile

OFFSET: Final = 0xFFFFFFFF
"""The bits of a place that are its offset in the segment; those above are the segment's number."""

# Bound here, because since CPython 3.12 to look up a method of an imported name takes 0.05 µs more.
_pack_lengths: Final = LENGTHS.pack_into
_pack_rest: Final = REST.pack


class Segment(OwnedFile):
    """
    A segment that this process has.

    One thread at a time writes it, and any may mark its records.

    Args:
        path: The file.
        number: Distinguishes it from the others of this process.
    """

    def __init__(self, path: Path, number: int) -> None:
        super().__init__(path)
        self.number = number
        self.written = 0
        self.done = bytearray()
        """A byte for each record that is done: to append one is atomic, to add to a number is not."""
        self.is_full = False
        self._base = number << 32
        self._end = 0

    def allocate(self, size: int, resource: bytes) -> None:
        """
        Give the new file *size* bytes on disk, and write its header.

        Raises:
            OSError: The disk is full or failing.
        """
        # A hole in the mapping would be a SIGBUS on a full disk.
        os.posix_fallocate(self._descriptor, 0, size)
        self.size = size
        self._view = mmap.mmap(self._descriptor, size)
        begin = header(os.getpid(), time.time_ns(), resource)
        self._end = len(begin)
        self._view[len(MAGIC) : self._end] = begin[len(MAGIC) :]
        self._view[: len(MAGIC)] = MAGIC

    def adopt(self) -> Contents | None:
        """
        Read what another process left in the file, which stays open for marks.

        Returns:
            What is in it; `None` where that process ended before it wrote anything.

        Raises:
            OSError: The disk is failing.
            ValueError: It is no segment.
        """
        self.is_full = True
        if not os.pread(self._descriptor, len(MAGIC), 0).strip(b"\0"):
            return None
        self._view = mmap.mmap(self._descriptor, self.size)
        contents = read(self.dump())
        self.written = sum(not frame.is_done for frame in contents.frames)
        return contents

    def write(self, scope: bytes, severity: int, record: bytes) -> int | None:
        """
        Write one record.

        Returns:
            Its place; `None` where there is no room for it.
        """
        payload = scope + record
        scope_size = len(scope)
        start = self._end
        end = start + HEAD.size + len(payload)
        if end > self.size:
            return None
        checksum = crc32(payload, SEED ^ severity << 24 ^ scope_size)
        view = self._view
        view[start + LENGTHS.size : end] = _pack_rest(checksum, scope_size, severity) + payload
        _pack_lengths(view, start, end - start, end - start)
        self._end = end
        self.written += 1
        return self._base | start

    def sync(self, place: int) -> None:
        """
        Wait until what is written from *place* on is on disk.

        Raises:
            OSError: The disk is failing.
        """
        start = place & OFFSET
        start -= start % mmap.PAGESIZE
        self._view.flush(start, self._end - start)

    def abandon(self) -> None:
        """Take no more records."""
        self.size = 0

    def mark(self, place: int) -> None:
        """Mark the record at *place* as done: nobody who adopts the segment delivers it."""
        position = (place & OFFSET) + MARK
        if self._view[position] != DONE:
            self._view[position] = DONE
            self.done.append(DONE)

    def place(self, frame: Frame) -> int:
        """Return the place of *frame* of this segment."""
        return self._base | frame.offset

    @property
    def waiting(self) -> int:
        """How many records are not done."""
        return self.written - len(self.done)
