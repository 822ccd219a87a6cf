"""The folder of a spool: who may use it, which segments are in it, and what they take on disk."""

import os
import re
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

NAME: Final = re.compile(r"[0-9a-f]{16}-\d+-[0-9a-f]{8}\.spool")
"""Names of segments: nanoseconds since the UNIX epoch, so that their order is that of time; process id; random."""


class SpoolError(Exception):
    """The folder cannot hold a spool."""


def prepare(folder: Path) -> None:
    """
    Make the folder where it does not exist, for its owner alone.

    Raises:
        SpoolError: It cannot hold a spool; the message says what to do.
    """
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


def segments(folder: Path) -> list[Path]:
    """
    Return the segments in *folder*, the oldest first, whoever has them.

    Raises:
        OSError: The folder cannot be read.
    """
    return [folder / name for name in sorted(entry.name for entry in _entries(folder))]


def used(folder: Path) -> int:
    """
    Return the bytes that the segments in *folder* take.

    Raises:
        OSError: The folder cannot be read.
    """
    size = 0
    for entry in _entries(folder):
        # It may be delivered and deleted meanwhile.
        with suppress(FileNotFoundError):
            size += entry.stat(follow_symlinks=False).st_size
    return size


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)]


def sync(folder: Path) -> None:
    """
    Wait until the names of its files are on disk.

    Raises:
        OSError: The disk is failing.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
