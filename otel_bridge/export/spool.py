"""
Records on disk before the call that logged them returns, and until they are delivered.

They survive the end of their process, however it comes: SIGKILL, `os._exit`, the kernel that needs memory. Whoever
uses the same folder next adopts them. They survive the end of the machine with `fsync` only.

Nothing here waits for another thread: a thread takes a segment that no other one writes out of a list, or makes one,
and puts it back. So neither a fork at a bad moment, nor a signal handler or `__del__` that logs while its own thread
is writing, can block.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from otel_bridge.diagnostics import diagnostics
from otel_bridge.export.folder import Folder
from otel_bridge.export.frames import HEAD, HEADER
from otel_bridge.export.ownership import forget_inherited
from otel_bridge.export.segment import Segment
from otel_bridge.forks import here

RETRY: Final = 60.0
"""Seconds after which a disk that was full or failing is tried again."""


class Spooled(NamedTuple):
    """A record that another process left."""

    place: int
    scope: bytes
    severity: int
    record: bytes


class Adopted(NamedTuple):
    """What one process left in one segment, in the order of writing."""

    resource: bytes
    records: list[Spooled]


class _Own:
    """What one process has of a spool."""

    def __init__(self) -> None:
        self.is_here = here()
        self.heir: dict[None, _Own] = {}
        """What a forked child has instead: its threads that come at once get the same from `setdefault`."""
        self.segments: dict[int, Segment] = {}
        self.adopted: set[int] = set()
        """The numbers of those that another process left."""
        self.idle: list[Segment] = []
        """Segments with room that no thread is writing."""
        self.retry_at = 0.0
        self.is_failing = False


class Spool:
    """
    A folder of segments that several processes share.

    Args:
        folder: Made where it does not exist, for its owner alone.
        resource: The encoded `Resource` of the records of this process.
        max_bytes: What the folder holds at most, all processes together.
        segment_bytes: What is reserved on disk at a time; a larger record has a segment to itself.
        fsync: Whether `append` waits for the disk, some milliseconds, so that its record survives a loss of power.

    Raises:
        SpoolError: The folder cannot hold a spool: the platform lacks what it needs, or the folder is a symlink,
            another user's, writable by others, or not writable.
    """

    def __init__(
        self,
        folder: Path,
        resource: bytes,
        *,
        max_bytes: int = 1 << 30,
        segment_bytes: int = 4 << 20,
        fsync: bool = False,
    ) -> None:
        self._folder = Folder(folder, max_bytes=max_bytes, fsync=fsync)
        self._resource = resource
        self._segment_bytes = segment_bytes
        self._fsync = fsync
        self._is_closed = False
        forget_inherited()
        self._own = _Own()

    def append(self, scope: bytes, severity: int, record: bytes) -> int | None:
        """
        Write a record to disk, on any thread, in any process.

        Args:
            scope: The encoded `InstrumentationScope`.
            severity: The number of its severity, below 256.
            record: The encoded `log_records` field.

        Returns:
            The place of the record, for `acknowledge`; `None` where it is in memory only, because the spool or its
            disk is full or failing: that is said once, and tried again after a minute. Never raises an `Exception`,
            except one that a signal handler raises in it.
        """
        own = self._own
        if not own.is_here[0]:
            own = self._enter()
        try:
            segment: Segment | None = own.idle.pop()
        except IndexError:
            segment = self._make(own, len(scope) + len(record))
        while segment is not None:
            place = None
            try:
                place = segment.write(scope, severity, record)
                if place is not None:
                    if self._fsync:
                        segment.sync(place)
                    own.idle.append(segment)
                    return place
            except BaseException as exc:
                # Nothing can follow a frame that may be half written.
                self._retire(own, segment)
                if not isinstance(exc, OSError | ValueError):
                    raise
                self._fail(own, exc)
                return place
            self._retire(own, segment)
            segment = self._make(own, len(scope) + len(record))
        return None

    def acknowledge(self, places: Iterable[int | None]) -> None:
        """
        Take records out of the spool: they are delivered, refused, or dropped for good.

        Args:
            places: What `append` returned, or `Spooled` has; those of another process, or known already, do nothing.
        """
        own = self._own
        if not own.is_here[0]:
            return
        for place in places:
            if place is not None and (segment := own.segments.get(place >> 32)) is not None:
                segment.mark(place)
                if segment.is_full and not segment.waiting:
                    self._delete(own, segment)
        for segment in own.idle[:]:
            if segment.size and segment.is_deleted:
                segment.abandon()
                if segment.waiting:
                    said = f"{segment.path} was deleted: {segment.waiting} log records are in memory only."
                    diagnostics.say(said)

    def adopt(self) -> Iterator[Adopted]:
        """
        Take over, segment by segment, what processes left that are gone; the oldest first.

        Each is adopted by one process alone, which delivers and acknowledges its records; if it ends before, another
        one adopts what is not acknowledged. What is damaged is left out, counted and said; foreign files stay.
        """
        for segment, contents in self._folder.orphans():
            own = self._own if self._own.is_here[0] else self._enter()
            own.segments[segment.number] = segment
            own.adopted.add(segment.number)
            records = [
                Spooled(segment.place(frame), frame.scope, frame.severity, frame.record)
                for frame in contents.frames
                if not frame.is_done
            ]
            yield Adopted(contents.resource, records)

    def trim(self) -> None:
        """Delete the segments of this process in which nothing waits; the next record gets a new one."""
        own = self._own
        for _ in range(len(own.idle) if own.is_here[0] else 0):
            # Another thread may have taken it to write.
            with suppress(IndexError):
                segment = own.idle.pop()
                if segment.waiting:
                    own.idle.insert(0, segment)
                else:
                    self._retire(own, segment)

    def close(self) -> None:
        """Delete what is acknowledged, and leave the rest to whoever adopts it. Nothing can be appended afterwards."""
        self._is_closed = True
        own = self._own
        if not own.is_here[0]:
            return
        with suppress(IndexError):
            while True:
                own.idle.pop().is_full = True
        for segment in list(own.segments.values()):
            if segment.is_full and not segment.waiting:
                self._delete(own, segment)
            elif own.segments.pop(segment.number, None) is not None:
                segment.close()

    @property
    def adopted_segments(self) -> int:
        """Segments of other processes that this one has, because some of their records are not acknowledged."""
        return len(self._own.adopted)

    @property
    def spooled_records(self) -> int:
        """Records of this process, and those it adopted, that are not acknowledged."""
        return sum(segment.waiting for segment in self._segments())

    @property
    def spooled_bytes(self) -> int:
        """What the segments of this process, and those it adopted, take on disk."""
        return sum(segment.size for segment in self._segments())

    def _segments(self) -> list[Segment]:
        own = self._own
        return list(own.segments.values()) if own.is_here[0] else []

    def _enter(self) -> _Own:
        """Begin anew in a forked child."""
        forget_inherited()
        own = self._own
        while not own.is_here[0]:
            own = own.heir.setdefault(None, _Own())
        self._own = own
        return own

    def _make(self, own: _Own, size: int) -> Segment | None:
        """Make a segment with room for a payload of *size* bytes; `None` where there can be none now."""
        if self._is_closed or time.monotonic() < own.retry_at or not own.is_here[0]:
            return None
        # Many threads that write at once get segments of their own: less for each.
        writing = sum(not segment.is_full for segment in list(own.segments.values()))
        least = HEADER.size + len(self._resource) + HEAD.size + size
        try:
            segment = self._folder.make(max(self._segment_bytes >> min(writing, 4), least), self._resource)
        except OSError as exc:
            self._fail(own, exc)
            return None
        own.is_failing = False
        own.segments[segment.number] = segment
        if self._is_closed:
            # `close` came meanwhile, and may not have seen it.
            self._retire(own, segment)
            return None
        return segment

    def _retire(self, own: _Own, segment: Segment) -> None:
        segment.is_full = True
        if not segment.waiting:
            self._delete(own, segment)

    def _delete(self, own: _Own, segment: Segment) -> None:
        # Two threads may have seen its last record acknowledged: one of them takes it out. A signal handler may have
        # forked while its thread was writing: the child must not delete what is the parent's.
        if own.is_here[0] and own.segments.pop(segment.number, None) is not None:
            own.adopted.discard(segment.number)
            segment.delete()
            own.retry_at = 0.0

    def _fail(self, own: _Own, exc: Exception) -> None:
        own.retry_at = time.monotonic() + RETRY
        # A thread may have been writing when `close` came.
        if not own.is_failing and not self._is_closed:
            # Before it is said: a handler that logs what is said comes here again.
            own.is_failing = True
            diagnostics.say(
                f"Log records are kept in memory only, because {self._folder.path} cannot hold them: {exc}."
            )
