"""Everything of a provider that belongs to one process: buffer, spool, sender."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from otel_bridge.diagnostics import diagnostics
from otel_bridge.export import process
from otel_bridge.export.buffer import Buffer, Entry, Lane, rank
from otel_bridge.export.console import Console
from otel_bridge.export.dead_letters import DeadLetters
from otel_bridge.export.sender import BATCH, Measure, Sender, unmeasured
from otel_bridge.export.spool import Spool, Spooled, SpoolError
from otel_bridge.export.statistics import Statistics
from otel_bridge.export.transport import NO_RECEIVER, Transport
from otel_bridge.forks import here

AT_END: Final = 5.0
"""Seconds to deliver what waits when the process ends."""
SHUT_DOWN: Final = "shut down"
"""The reason of what is emitted after `stop`."""
LATE: Final = 1.0
"""Seconds to deliver what is logged after that."""


@dataclass(frozen=True)
class Settings:
    """
    How a provider exports.

    Attributes:
        connect: Makes a transport.
        timeout: Seconds for one request.
        delay: Seconds that a record waits for others at most.
        max_buffer_bytes: What waiting records may take.
        spool_dir: The spool's folder; `None` for no spool.
        measure: Measures each request.
        batch: Records in a request at most.
        is_shown: Whether each record goes to standard output too.
        why_not: Why nothing can be sent, as the end of a sentence; then nothing waits. Empty where it can.
    """

    connect: Callable[[], Transport]
    timeout: float
    delay: float
    max_buffer_bytes: int
    spool_dir: Path | None
    measure: Measure = unmeasured
    batch: int = BATCH
    is_shown: bool = False
    why_not: str = ""


class Pipeline:
    """
    The way of one process's records from `add` to the receiver.

    It is made at the first record of a process, and of no use in a forked child: ask `here`.

    Args:
        settings: How to export.
        resource: What `batch.resource` returned.
    """

    def __init__(self, settings: Settings, resource: bytes) -> None:
        self.here = here()
        self._settings = settings
        self._resource = resource
        self._buffer = Buffer(settings.max_buffer_bytes)
        self._spool: Spool | None = None
        self._sender: Sender | None = None
        self._when_added: Callable[[], object] | None = None
        self._batch = settings.batch
        self._refusal = (NO_RECEIVER, settings.why_not) if settings.why_not else None
        self._end_by: float | None = None
        self._woken = 0
        self._orphans = self._left_by_others()

    def start(self, inherited: "Pipeline | None") -> None:
        """
        Open the spool and start the sender, unless this is uWSGI's master.

        Args:
            inherited: The pipeline of the process that forked this one. What waits there is its to send; but uWSGI's
                master never sends, so its first worker takes it over.
        """
        settings = self._settings
        if process.is_uwsgi_master() or settings.why_not:
            return
        self._spool = self._open_spool()
        if inherited is not None and inherited._sender is None and process.is_first_uwsgi_worker():
            for entry in inherited._buffer.take(len(inherited._buffer), 1 << 62):
                self._buffer.adopt(entry.lane, entry.record, None)
        self._sender = Sender(
            self._buffer,
            settings.connect,
            timeout=settings.timeout,
            delay=settings.delay,
            forget=self._forget,
            bury=DeadLetters(settings.spool_dir if self._spool is not None else None).keep,
            adopt=self._adopt,
            measure=settings.measure,
            batch=settings.batch,
            show=Console().show if settings.is_shown else None,
        )
        self._sender.start()
        if not threading.main_thread().is_alive():
            # This is an `atexit` hook: ours is not called any more.
            self._when_added = self._flush_late
        process.at_end_of_child(self.end)

    def lane(self, rank: int, severity: int, scope: bytes) -> Lane:
        """Return what records of one logger and severity have in common, for `add`."""
        return Lane(rank, severity, self._resource, scope)

    def add(self, lane: Lane, record: bytes) -> None:
        """Take one encoded record; on the calling thread."""
        if self._refusal is not None:
            reason, why = self._refusal
            self._buffer.refuse(lane.severity, reason)
            diagnostics.count(f"were dropped: {why}")
            return
        spool = self._spool
        place = None if spool is None else spool.append(lane.scope, lane.severity, record)
        if self._buffer.add(lane, record, place):
            self._wake()
        if self._when_added is not None:
            self._when_added()

    def _wake(self) -> None:
        """Wake the sender each time as many records as fill a request have come."""
        requests = self._buffer.last() // self._batch
        if requests != self._woken and self._sender is not None:
            self._woken = requests
            self._sender.wake()

    def flush(self, timeout: float) -> bool:
        """Wait until nothing that was added before waits any longer, *timeout* seconds at most; tell whether so."""
        if self._buffer.is_mine():
            # A signal handler has interrupted `add`, which goes on when this returns, and the sender after that.
            return False
        return self._sender.flush(timeout) if self._sender is not None else len(self._buffer) == 0

    def end(self) -> None:
        """
        Deliver what waits, because the process ends; what is added from now on is delivered before `add` returns.

        Hooks and signals may come here one after the other, or one in the other: the deadline is that of the first.
        """
        if self._end_by is None:
            self._end_by = time.monotonic() + AT_END
            # Before anything is delivered: threads that go on logging would keep the buffer from becoming empty.
            self._when_added = self._flush_late
        while self._refusal is None and len(self._buffer):
            if not self.flush(max(0.0, self._end_by - time.monotonic())):
                self._give_up()
                break

    def when_free(self, call: Callable[[], object]) -> None:
        """Call *call* from a signal handler: now, or on a thread, where the signal interrupted what it waits for."""
        if self._buffer.is_mine():
            # An interpreter that is ending has no more threads, and delivers already.
            with suppress(RuntimeError):
                threading.Thread(target=call, name="otel-bridge-end", daemon=True).start()
        else:
            call()

    def _flush_late(self) -> None:
        if not self.flush(max(LATE, (self._end_by or 0.0) - time.monotonic())):
            self._give_up()

    def _give_up(self) -> None:
        """Say what is not delivered, once, and let no further record wait for it."""
        if self._when_added is None:
            return
        self._when_added = None
        left = self.statistics()
        kept = f", of which the spool keeps {left.spooled}" if self._spool is not None else ""
        diagnostics.say(f"{left.waiting} log records were not delivered before the process ended{kept}.")

    def stop(self, timeout: float) -> bool:
        """Flush, end the sender, and take no more; tell whether everything was delivered."""
        is_flushed = self.flush(timeout)
        self._refusal = SHUT_DOWN, SHUT_DOWN
        if self._sender is not None:
            self._sender.stop()
        if self._spool is not None:
            self._spool.close()
        return is_flushed

    def statistics(self) -> Statistics:
        """Read all counts at one moment."""
        return replace(self._buffer.statistics(), spooled=self._spool.spooled_records if self._spool else 0)

    def _open_spool(self) -> Spool | None:
        if self._settings.spool_dir is None:
            return None
        try:
            return Spool(self._settings.spool_dir, self._resource)
        except (SpoolError, OSError) as exc:
            diagnostics.say(f"Log records are kept in memory only: {exc}")
            return None

    def _adopt(self) -> None:
        """Take over what others left, as long as it fills no more than half of the buffer: the rest is safe on disk."""
        while 2 * self._buffer.waiting_bytes < self._settings.max_buffer_bytes:
            if (orphan := next(self._orphans, None)) is None:
                return
            resource, (place, scope, severity, record) = orphan
            self._buffer.adopt(Lane(rank(severity), severity, resource, scope), record, place)

    def _left_by_others(self) -> Iterator[tuple[bytes, Spooled]]:
        for left in self._spool.adopt() if self._spool is not None else ():
            for spooled in left.records:
                yield left.resource, spooled

    def _forget(self, entries: Sequence[Entry]) -> None:
        if self._spool is not None:
            self._spool.acknowledge(entry.place for entry in entries)
