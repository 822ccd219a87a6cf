"""
A file that one process has for itself, by a lock that its forked children do not inherit.

POSIX locks do not exclude their own process, and closing any descriptor of a file drops them. So no file is opened
twice in one process: whoever wants it claims it first.
"""

import mmap
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

UNMAPPED: Final = mmap.mmap(-1, 1)

_claims: "dict[tuple[int, str], OwnedFile]" = {}
"""The files that a process has open, by its id and their names, forked parents' included."""


class OwnedFile:
    """
    A file that this process has open, locked and mapped.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
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

    @property
    def is_deleted(self) -> bool:
        """Whether somebody has deleted the file, so that nobody can take it over."""
        with suppress(OSError):
            status = os.fstat(self._descriptor)
            return (status.st_dev, status.st_ino, status.st_nlink) == (*self._inode, 0)
        return False

    def dump(self) -> bytes:
        """Return its bytes."""
        return self._view[:]

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
    for (pid, _), file in list(_claims.items()):
        if pid != os.getpid():
            file.close()


def look(path: Path) -> tuple[bytes, bool]:
    """
    Read a file without taking it.

    Returns:
        The bytes of the file, and whether a process has it.

    Raises:
        OSError: It cannot be read.
    """
    looking = OwnedFile(path)
    # Claimed meanwhile: if another thread took the file now, the lock would go with the descriptor that is closed here.
    owner = _claims.setdefault(looking._claim, looking)
    if owner is not looking:
        return owner.dump(), True
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
            return file.read(), _is_locked(file.fileno())
    finally:
        looking.close()


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return True
    return False


def _inode(descriptor: int) -> tuple[int, int]:
    try:
        status = os.fstat(descriptor)
    except OSError:
        return (-1, -1)
    return status.st_dev, status.st_ino
