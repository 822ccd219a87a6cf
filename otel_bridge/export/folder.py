"""The folder of a spool: who may use it, and how segments are made, found and taken over in it."""

import os
import re
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Final

from otel_bridge.diagnostics import diagnostics
from otel_bridge.export.frames import Contents
from otel_bridge.export.segment import Segment

NAME: Final = re.compile(r"[0-9a-f]{16}-\d+-[0-9a-f]{8}\.spool")
"""Names of segments: nanoseconds since the UNIX epoch, so that their order is that of time; process id; random."""
ATTEMPTS: Final = 3
"""To make a segment: another process may take a new file for an orphan before it is locked."""


class SpoolError(Exception):
    """The folder cannot hold a spool."""


class Folder:
    """
    A folder of segments.

    Args:
        path: Made where it does not exist, for its owner alone.
        max_bytes: What it holds at most.
        fsync: Whether a new segment is on disk when it is returned, so that it survives a loss of power.

    Raises:
        SpoolError: It cannot hold a spool; the message says what to do.
    """

    def __init__(self, path: Path, *, max_bytes: int, fsync: bool) -> None:
        _prepare(path)
        self.path = path.absolute()
        self._max_bytes = max_bytes
        self._fsync = fsync
        # Goes on in forked children, so that a place of the parent never is one of the child.
        self._numbers = count()

    def make(self, size: int, resource: bytes) -> Segment:
        """
        Make a segment of *size* bytes, for records of *resource*.

        Raises:
            OSError: The folder is full, or the disk is, or fails.
        """
        if (used := _used(self.path)) + size > self._max_bytes:
            raise OSError(f"it holds {used} bytes of at most {self._max_bytes}")
        for _ in range(ATTEMPTS):
            name = f"{time.time_ns():016x}-{os.getpid()}-{token_hex(4)}.spool"
            segment = Segment(self.path / name, next(self._numbers))
            if segment.open(os.O_CREAT | os.O_EXCL):
                self._fill(segment, size, resource)
                return segment
        raise OSError("other processes are locking each new file in it")

    def _fill(self, segment: Segment, size: int, resource: bytes) -> None:
        try:
            segment.allocate(size, resource)
            if self._fsync:
                segment.sync(0)
                _sync(self.path)
        except BaseException:
            segment.delete()
            raise

    def orphans(self) -> Iterator[tuple[Segment, Contents]]:
        """Take over, one by one, the segments with records that wait and that no process has; the oldest first."""
        try:
            paths = segments(self.path)
        except OSError as exc:
            diagnostics.say(f"Nothing is adopted from {self.path}: {exc}.")
            return
        for path in paths:
            segment = Segment(path, next(self._numbers))
            if (contents := _adopt(segment)) is not None:
                yield segment, contents


def segments(folder: Path) -> list[Path]:
    """
    Return the segments in *folder*, the oldest first, whoever has them.

    Raises:
        OSError: The folder cannot be read.
    """
    return [folder / name for name in sorted(entry.name for entry in _entries(folder))]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)]


def _used(folder: Path) -> int:
    size = 0
    for entry in _entries(folder):
        # It may be delivered and deleted meanwhile.
        with suppress(FileNotFoundError):
            size += entry.stat(follow_symlinks=False).st_size
    return size


def _adopt(segment: Segment) -> Contents | None:
    """Open what another process left; `None` where it has an owner, is foreign, or holds nothing to deliver."""
    try:
        if not segment.open():
            return None
        contents = segment.adopt()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        segment.close()
        diagnostics.say(f"{segment.path} is left alone: {exc}.")
        return None
    if contents is not None and contents.damaged:
        diagnostics.count("could not be read from the spool: they are damaged", contents.damaged)
    if not segment.waiting:
        segment.delete()
        return None
    return contents


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _prepare(folder: Path) -> None:
    if not hasattr(os, "posix_fallocate"):
        raise SpoolError(f"{folder} cannot be a spool on {sys.platform}; leave OTEL_BRIDGE_SPOOL_DIR unset there.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError as exc:
        raise SpoolError(f"{folder} cannot be made: {exc.strerror}; name a folder that can.") from exc
    if stat.S_ISLNK(status.st_mode):
        raise SpoolError(f"{folder} is a symlink; name the folder that it points to.")
    if status.st_uid != os.geteuid():
        raise SpoolError(f"{folder} belongs to user {status.st_uid}; give it to user {os.geteuid()}, who runs this.")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SpoolError(f"{folder} can be written by others; run `chmod go-w {folder}`.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SpoolError(f"{folder} cannot be written; run `chmod u+wx {folder}`, or mount it for writing.")
