"""
The bytes of a segment of the spool.

A header with the resource, then frames, then zeros to the end. A frame is its own length, twice; a checksum; the
length of the scope; the severity; a mark that is set when its record needs no delivery any more; and the payload, a
scope followed by a record. The length is written last, so that a process that is killed at any instant leaves whole
frames and then zeros.
"""

import struct
from typing import Final, NamedTuple
from zlib import crc32

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


def header(pid: int, created: int, resource: bytes) -> bytes:
    """Return the beginning of a segment; the arguments are those of `Contents`."""
    checksum = crc32(HEADER.pack(MAGIC, 0, pid, created, len(resource)) + resource)
    return HEADER.pack(MAGIC, checksum, pid, created, len(resource)) + resource


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
    if len(data) < HEADER.size:
        raise ValueError("it is too short")
    _, _, pid, created, size = HEADER.unpack_from(data)
    start = HEADER.size + size
    resource = data[HEADER.size : start]
    if data[:start] != header(pid, created, resource):
        raise ValueError("its header is damaged, or of another version")
    frames: list[Frame] = []
    damaged = 0
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
