"""Everything of a provider that belongs to one process: buffer, spool, sender."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from otel_bridge.diagnostics import diagnostics
from otel_bridge.export import process
from otel_bridge.export.adoption import Adoption, Legacy
from otel_bridge.export.blocks import Entry, Lane
from otel_bridge.export.buffer import Buffer
from otel_bridge.export.console import Console
from otel_bridge.export.dead_letters import DeadLetters
from otel_bridge.export.delivery import Delivery, Measure, unmeasured
from otel_bridge.export.folder import SpoolError
from otel_bridge.export.sender import BATCH, Sender
from otel_bridge.export.spool import Spool
from otel_bridge.export.statistics import Statistics
from otel_bridge.export.transport import NO_RECEIVER, Transport
from otel_bridge.forks import Here, here

AT_END: Final = 4.5
"""Seconds to deliver what waits when the process ends; with the interpreter's own end it takes five."""
SHUT_DOWN: Final = "shut down"
"""The reason of what is emitted after `stop`."""
LATE: Final = 1.0
"""Seconds to deliver what is logged after that."""
WITHOUT_THREADS: Final = (
    "uWSGI runs without threads: log records wait until a request lets another thread run, or until the worker ends; "
    "set enable-threads = true."
)
"""Said once by each server."""


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
        self.here: Here = here()
        self._settings = settings
        self._resource = resource
        self.lane: Callable[[int, int, bytes], Lane] = lru_cache(maxsize=1024)(
            lambda rank, severity, scope: Lane(rank, severity, resource, scope)
        )
        """Returns what records of one rank, severity and scope have in common, for `add`: the same for all of them."""
        self._buffer = Buffer(settings.max_buffer_bytes)
        self._spool: Spool | None = None
        self._sender: Sender | None = None
        self._legacy: Legacy | None = None
        self._when_added: Callable[[], object] | None = None
        self._refusal = (NO_RECEIVER, settings.why_not) if settings.why_not else None
        self._end_by: float | None = None
        self._woken = 0

    def start(self, inherited: "Pipeline | None") -> None:
        """
        Open the spool and start the sender, unless this is uWSGI's master.

        Args:
            inherited: The pipeline of the process that forked this one. What waits there is its to send; but uWSGI's
                master never sends, so its first worker takes it over.
        """
        if process.is_uwsgi_master():
            self._legacy = Legacy(self._buffer)
            return
        if self._refusal is not None:
            return
        self._spool = self._open_spool()
        if inherited is not None and inherited._legacy is not None and process.is_first_uwsgi_worker():
            inherited._legacy.take(self._spool, self._buffer)
        self._sender = self._make_sender()
        is_sending = self._sender.start()
        if not threading.main_thread().is_alive():
            # This is an `atexit` hook: ours is not called any more.
            self._when_added = self._flush_late
        elif not is_sending:
            self._when_added = self._start_late
            diagnostics.say("Log records wait, because the system grants no thread that sends them.")
        if process.is_first_uwsgi_worker() and process.lacks_threads():
            diagnostics.say(WITHOUT_THREADS)

    def _open_spool(self) -> Spool | None:
        if self._settings.spool_dir is None:
            return None
        try:
            return Spool(self._settings.spool_dir, self._resource)
        except (SpoolError, OSError) as exc:
            diagnostics.say(f"Log records are kept in memory only: {exc}")
            return None

    def _make_sender(self) -> Sender:
        settings, spool = self._settings, self._spool
        delivery = Delivery(
            self._buffer,
            settings.connect,
            timeout=settings.timeout,
            forget=self._forget,
            bury=DeadLetters(settings.spool_dir if spool is not None else None).keep,
            measure=settings.measure,
            show=Console().show if settings.is_shown else None,
        )
        adoption = Adoption(spool, self._buffer, settings.max_buffer_bytes // 2)
        return Sender(
            self._buffer,
            delivery,
            batch=settings.batch,
            delay=settings.delay,
            forget=self._forget,
            adopt=adoption.go_on,
            ended=lambda: spool.close() if spool is not None else None,
        )

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
        requests = self._buffer.last() // self._settings.batch
        if requests != self._woken and self._sender is not None:
            self._woken = requests
            self._sender.wake()

    def flush(self, timeout: float) -> bool:
        """Wait until nothing that was added before waits any longer, *timeout* seconds at most; tell whether so."""
        if self._buffer.is_mine():
            # A signal handler has interrupted `add`, which goes on when this returns, and the sender after that.
            return False
        if self._sender is None or self._refusal is not None:
            return len(self._buffer) == 0
        return self._sender.flush(_bounded(timeout))

    def end(self) -> None:
        """
        Deliver what waits, because the process ends; what is added from now on is delivered before `add` returns.

        Hooks and signals may come here one after the other, or one in the other: the deadline is that of the first.
        """
        if self._refusal is not None or not self.here[0]:
            return
        if self._end_by is None:
            self._end_by = time.monotonic() + AT_END
            # Before anything is delivered: threads that go on logging would keep the buffer from becoming empty.
            self._when_added = self._flush_late
        while len(self._buffer) and self._when_added is not None:
            self._deliver_by(self._end_by)
        self._trim()

    def when_free(self, call: Callable[[], object]) -> None:
        """Call *call* from a signal handler: now, or on a thread, where the signal interrupted what it waits for."""
        if self._buffer.is_mine():
            # An interpreter that is ending has no more threads, and delivers already.
            with suppress(RuntimeError):
                threading.Thread(target=call, name="otel-bridge-end", daemon=True).start()
        else:
            call()

    def _start_late(self) -> None:
        if self._sender is not None and self._sender.start():
            self._when_added = None

    def _flush_late(self) -> None:
        self._deliver_by(max(time.monotonic() + LATE, self._end_by or 0.0))
        self._trim()

    def _deliver_by(self, deadline: float) -> None:
        """Flush; where that fails, say so, once, and let no further record wait for it."""
        if not self.flush(deadline - time.monotonic()) and self._when_added is not None:
            self._when_added = None
            self._say_left("the process ended")

    def _trim(self) -> None:
        if self._spool is not None:
            self._spool.trim()

    def _say_left(self, what: str) -> None:
        left = self.statistics()
        kept = f", of which the spool keeps {left.spooled}" if self._spool is not None else ""
        diagnostics.say(f"{left.waiting} log records were not delivered before {what}{kept}.")

    def stop(self, timeout: float) -> bool:
        """Take no more, flush, and end the sender; tell whether everything was delivered."""
        if self._refusal is None:
            self._refusal = SHUT_DOWN, SHUT_DOWN
            if self._sender is not None:
                # A signal handler that has interrupted `add` cannot wait for the sender, which waits for that.
                self._sender.stop(0.0 if self._buffer.is_mine() else _bounded(timeout))
            if len(self._buffer):
                self._say_left("the exporter was shut down")
        return len(self._buffer) == 0

    def statistics(self) -> Statistics:
        """Read all counts at one moment."""
        return replace(self._buffer.statistics(), spooled=self._spool.spooled_records if self._spool else 0)

    def _forget(self, entries: Sequence[Entry]) -> None:
        if self._spool is not None:
            self._spool.acknowledge(entry.place for entry in entries)


def _bounded(timeout: float) -> float:
    """Return seconds that every wait accepts, for any number."""
    return min(max(0.0, timeout), threading.TIMEOUT_MAX)
