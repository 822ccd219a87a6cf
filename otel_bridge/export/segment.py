"""
One file of the spool: its bytes, and how it is made, locked, written and deleted.

A header with the resource, then frames, then zeros to the end. A frame is its own length, twice; a checksum; the
length of the scope; the severity; a mark that is set when its record needs no delivery any more; and the payload, a
scope followed by a record. The length is written last, so that a process that is killed at any instant leaves whole
frames and then zeros.
"""

import mmap
import os
import re
import stat
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

if sys.platform != "win32":
    import fcntl

NAME: Final = re.compile(r"[0-9a-f]{16}-\d+-[0-9a-f]{8}\.spool")
"""Names of segments: nanoseconds since the UNIX epoch, so that their order is that of time; process id; random."""
MAGIC: Final = b"otelspl\x01"
HEADER: Final = struct.Struct("<8sIIQI")
"""Magic, checksum of what follows, process id, nanoseconds since the UNIX epoch, length of the resource."""
HEAD: Final = struct.Struct("<IIIIBB")
"""Length of the frame, the same again, checksum of the payload, length of the scope, severity, mark."""
LENGTHS: Final = struct.Struct("<II")
REST: Final = struct.Struct("<IIBx")
"""The two parts of `HEAD`, as they are written."""
SEED: Final = 0x5B001ED5
"""Begins each checksum together with scope's length and severity, so that zeros are not their own checksum."""
MARK: Final = HEAD.size - 1
DONE: Final = 1
OFFSET: Final = 0xFFFFFFFF
"""The bits of a place that are its offset in the segment; those above are the segment's number."""
UNMAPPED: Final = mmap.mmap(-1, 1)

_claims: dict[tuple[int, str], "Segment"] = {}
"""The segments that a process has open, by its id and their names, forked parents' included.

POSIX locks do not exclude their own process, and closing any descriptor of a file drops them: so none is opened twice.
"""


class Frame(NamedTuple):
    """One record as it is in a segment."""

    offset: int
    scope: bytes
    severity: int
    record: bytes
    is_done: bool


class Contents(NamedTuple):
    """What a segment holds."""

    pid: int
    created: int
    """Nanoseconds since the UNIX epoch."""
    resource: bytes
    frames: list[Frame]
    damaged: int
    """Records that are lost; a damaged length hides all that follow it, and counts as one."""


def read(data: bytes) -> Contents:
    """
    Read a segment, or the beginning of one.

    Args:
        data: The bytes of the file, whatever they are.

    Returns:
        Every whole frame before the first zero or damaged length, in the order of writing.

    Raises:
        ValueError: It does not begin with a whole header.
    """
    start = HEADER.size
    if len(data) < start:
        raise ValueError("it is too short")
    magic, checksum, pid, created, size = HEADER.unpack_from(data)
    resource = data[start : start + size]
    if magic != MAGIC or checksum != _header_checksum(pid, created, resource):
        raise ValueError("its header is damaged, or of another version")
    frames: list[Frame] = []
    damaged = 0
    start += size
    while start + HEAD.size <= len(data):
        size, again, checksum, scope_size, severity, mark = HEAD.unpack_from(data, start)
        if not size and not again:
            break
        if size != again or not HEAD.size <= size <= len(data) - start:
            damaged += 1
            break
        payload = data[start + HEAD.size : start + size]
        if checksum == crc32(payload, SEED ^ severity << 24 ^ scope_size):
            frames.append(Frame(start, payload[:scope_size], severity, payload[scope_size:], mark == DONE))
        else:
            damaged += mark != DONE
        start += size
    return Contents(pid, created, resource, frames, damaged)


def _header_checksum(pid: int, created: int, resource: bytes) -> int:
    return crc32(HEADER.pack(MAGIC, 0, pid, created, len(resource)) + resource)


class Segment:
    """
    A segment that this process has open and locked.

    One thread at a time writes it, and any may mark its records.

    Args:
        path: The file.
        number: Distinguishes it from the others of this process.
    """

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self.number = number
        self.size = 0
        self.written = 0
        self.done = bytearray()
        """A byte for each record that is done: to append one is atomic, to add to a number is not."""
        self.is_full = False
        self._base = number << 32
        self._end = 0
        self._view = UNMAPPED
        self._descriptor = -1
        self._inode = (-1, -1)
        self._claim = os.getpid(), path.name

    def open(self, flags: int = 0) -> bool:
        """
        Open and lock the file, for this process alone.

        Args:
            flags: Those of `os.open` that make the file.

        Returns:
            Whether it is ours now; not where this process has it already, another one has locked or deleted it, or
            it is no regular file with a single name.

        Raises:
            OSError: It cannot be opened; a symlink, for example.
        """
        if _claims.setdefault(self._claim, self) is not self:
            return False
        is_ours = False
        try:
            flags |= os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            self._descriptor = os.open(self.path, flags, 0o600)
            is_ours = self._lock()
        finally:
            if not is_ours:
                self.close()
        return is_ours

    def _lock(self) -> bool:
        self._inode = _inode(self._descriptor)
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        # Whoever sees a file between its making and its locking takes it for an orphan and deletes it.
        status = os.fstat(self._descriptor)
        self.size = status.st_size
        return stat.S_ISREG(status.st_mode) and status.st_nlink == 1

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
        self._end = HEADER.size + len(resource)
        pid, created = os.getpid(), time.time_ns()
        header = HEADER.pack(MAGIC, _header_checksum(pid, created, resource), pid, created, len(resource)) + resource
        self._view[len(MAGIC) : self._end] = header[len(MAGIC) :]
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
        contents = read(self._view[:])
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
        view[start + LENGTHS.size : end] = REST.pack(checksum, scope_size, severity) + payload
        LENGTHS.pack_into(view, start, end - start, end - start)
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

    def mark(self, place: int) -> None:
        """Mark the record at *place* as done: nobody who adopts the segment delivers it."""
        position = (place & OFFSET) + MARK
        if self._view[position] != DONE:
            self._view[position] = DONE
            self.done.append(DONE)

    def place(self, frame: Frame) -> int:
        """Return the place of *frame* of this segment."""
        return self._base | frame.offset

    def dump(self) -> bytes:
        """Return its bytes."""
        return self._view[:]

    @property
    def waiting(self) -> int:
        """How many records are not done."""
        return self.written - len(self.done)

    def delete(self) -> None:
        """Delete the file, and close it. Never raises an `Exception`: a file that stays is deleted when adopted."""
        with suppress(OSError):
            self.path.unlink()
        self.close()

    def close(self) -> None:
        """Close the file, and with it give up the lock. Never raises an `Exception`."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            # A process that becomes a daemon closes all descriptors: their numbers, also the one that the mapping
            # has, may be those of other files by now. Then both are kept.
            if _inode(descriptor) != self._inode:
                return
            if self._view is not UNMAPPED:
                self._view.close()
            os.close(descriptor)
        _claims.pop(self._claim, None)


def forget_inherited() -> None:
    """
    Close, in a forked child, what its parent had open, which keeps its locks.

    Otherwise a later close would drop the locks of the child on the same files, once it has adopted them.
    """
    for (pid, _), segment in list(_claims.items()):
        if pid != os.getpid():
            segment.close()


def look(path: Path) -> tuple[bytes, bool]:
    """
    Read a segment without adopting it.

    Returns:
        The bytes of the file, and whether a process has it open.

    Raises:
        OSError: It cannot be read.
    """
    if (segment := _claims.get((os.getpid(), path.name))) is not None:
        return segment.dump(), True
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        is_owned = False
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            is_owned = True
        return file.read(), is_owned


def _inode(descriptor: int) -> tuple[int, int]:
    try:
        status = os.fstat(descriptor)
    except OSError:
        return (-1, -1)
    return status.st_dev, status.st_ino
