"""A spool seen from outside: whose its segments are, and what waits in them."""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from otel_bridge.export.folder import segments
from otel_bridge.export.frames import read
from otel_bridge.export.ownership import look


class Description(NamedTuple):
    """A segment, seen from outside."""

    path: Path
    pid: int | None
    """The process that made it; `None` where the file cannot be read."""
    is_owned: bool
    """Whether a process is there that writes or delivers it."""
    records: int
    waiting: int
    """Those of the records that are not delivered."""
    damaged: int
    size: int
    """Bytes on disk."""
    first: int
    last: int
    """Nanoseconds since the UNIX epoch between which its records were written."""


def inspect(folder: Path) -> list[Description]:
    """
    Describe the segments in *folder*, the oldest first, without adopting them.

    Raises:
        OSError: The folder cannot be read.
    """
    descriptions = []
    for path in segments(folder):
        # It may be delivered and deleted meanwhile.
        with suppress(FileNotFoundError):
            descriptions.append(_describe(path))
    return descriptions


def _describe(path: Path) -> Description:
    data, is_owned = look(path)
    status = path.lstat()
    try:
        contents = read(data)
    except ValueError:
        return Description(path, None, is_owned, 0, 0, 0, status.st_size, 0, status.st_mtime_ns)
    return Description(
        path,
        contents.pid,
        is_owned,
        len(contents.frames),
        sum(not frame.is_done for frame in contents.frames),
        contents.damaged,
        status.st_size,
        contents.created,
        status.st_mtime_ns,
    )
