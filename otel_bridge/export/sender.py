"""The one thread of a process that sends what waits, again and again until the receiver has it."""

import math
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value

from otel_bridge.diagnostics import diagnostics
from otel_bridge.export import batch
from otel_bridge.export.buffer import FULL, Buffer, Entry
from otel_bridge.export.transport import Answer, Outcome, Transport

BATCH: Final = 512
"""Records in a request, where nobody wants another number; more save nothing."""
BATCH_BYTES: Final = 2 << 20
"""Bytes of records in a request: half of what gRPC servers accept by default."""
FIRST_PAUSE: Final = 0.5
"""Seconds before the second attempt; doubled for each one after it, less up to half by chance."""
LONGEST_PAUSE: Final = 30.0
FLUSH_PAUSE: Final = 0.25
"""Seconds between two attempts while somebody waits for a flush."""
SAY_EVERY: Final = 60.0

NOT_ABOUT_RECORDS: Final = frozenset(
    {"301", "302", "303", "307", "308", "401", "403", "404", "405", "407"}
    | {"UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED"}
)
"""Refusals of whoever asks rather than of what is sent: the records wait until somebody mends the configuration."""


Measure = Callable[[int, Callable[[], Answer]], Answer]
"""Is given how many records a request holds, and what sends it; returns the answer."""


def unmeasured(_records: int, send: Callable[[], Answer]) -> Answer:
    """Send, and measure nothing."""
    return send()


class Flush(NamedTuple):
    """Somebody waits until no record up to a number waits any longer, or until the deadline."""

    number: int
    deadline: float
    done: Callable[[bool], object]


class Sender:
    """
    Sends what a buffer holds.

    Args:
        buffer: Where the records wait.
        connect: Makes the transport, in the thread that uses it.
        timeout: Seconds for one request.
        delay: Seconds that a record waits for others at most.
        forget: Is given records that are settled, for whatever reason.
        bury: Is given records that the receiver refuses for good, before that.
        adopt: Puts what other processes left into the buffer, as much as there is room for; called again and again.
        measure: Measures each request.
        batch: Records in a request at most.
        show: Is given what a request holds before it is sent, also when it is sent again.
    """

    def __init__(
        self,
        buffer: Buffer,
        connect: Callable[[], Transport],
        *,
        timeout: float,
        delay: float,
        forget: Callable[[Sequence[Entry]], None],
        bury: Callable[[Sequence[Entry]], None],
        adopt: Callable[[], object],
        measure: Measure,
        batch: int,
        show: Callable[[Sequence[Entry]], object] | None,
    ) -> None:
        self._buffer = buffer
        self._connect = connect
        self._timeout = timeout
        self._delay = delay
        self._forget = forget
        self._bury = bury
        self._adopt = adopt
        self._measure = measure
        self._batch = batch
        self._show = show
        # Reentrant, so that a signal handler may wake or flush while its thread is in here. Looked up now, because
        # gevent may have replaced it since this module was imported.
        self._wakes: queue.SimpleQueue[Flush | None] = queue.SimpleQueue()
        self._flushes: list[Flush] = []
        self._transport: Transport | None = None
        self._failures = 0
        self._not_before = 0.0
        self._say_after = 0.0
        self._dropped = 0
        self._stopped = False
        self._here = threading.Lock()
        self._deadline = math.inf
        self._thread = threading.Thread(target=self._run, name="otel-bridge", daemon=True)

    def start(self) -> None:
        """Start the thread. Where the interpreter is ending and grants no more threads, `flush` does its work."""
        with suppress(RuntimeError):
            self._thread.start()

    def wake(self) -> None:
        """Send now, rather than when the delay has passed."""
        self._wakes.put(None)

    def flush(self, timeout: float) -> bool:
        """
        Send everything that was emitted before this call.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether nothing of it waits any longer.
        """
        answer: queue.SimpleQueue[bool] = queue.SimpleQueue()
        flush = Flush(self._buffer.last(), time.monotonic() + timeout, answer.put)
        if self._thread is threading.current_thread():
            return not self._buffer.holds(flush.number)
        if self._thread.is_alive():
            self._wakes.put(flush)
        elif self._here.acquire(timeout=timeout):
            try:
                self._flush_here(flush)
            finally:
                self._here.release()
        try:
            return answer.get(timeout=timeout)
        except queue.Empty:
            return False

    def stop(self) -> None:
        """Let the thread end; what waits stays in the buffer."""
        self._stopped = True
        self._wakes.put(None)

    def _run(self) -> None:
        # What the transport's libraries log is about the sending of logs, and must not be sent.
        attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
        while not self._stopped:
            self._wait()
            self._send_what_waits()
            self._answer_flushes()
        if self._transport is not None:
            self._transport.close()

    def _flush_here(self, flush: Flush) -> None:
        token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
        self._flushes.append(flush)
        self._deadline = flush.deadline
        while flush in self._flushes:
            self._send_what_waits()
            self._answer_flushes()
            time.sleep(max(0.0, min(self._not_before, flush.deadline) - time.monotonic()))
        detach(token)

    def _wait(self) -> None:
        """Wait until the delay or the pause has passed, a batch is full, or somebody wants a flush."""
        until = max(time.monotonic() + (FLUSH_PAUSE if self._flushes else self._delay), self._not_before)
        while (left := until - time.monotonic()) > 0 and not self._stopped:
            try:
                wake = self._wakes.get(timeout=left)
            except queue.Empty:
                return
            if wake is not None:
                self._flushes.append(wake)
                return
            if time.monotonic() >= self._not_before:
                return

    def _answer_flushes(self) -> None:
        for flush in self._flushes[:]:
            is_done = not self._buffer.holds(flush.number)
            if is_done or time.monotonic() >= flush.deadline:
                self._flushes.remove(flush)
                flush.done(is_done)

    def _hear_flushes(self) -> None:
        with suppress(queue.Empty):
            while True:
                wake = self._wakes.get_nowait()
                if wake is not None:
                    self._flushes.append(wake)

    def _send_what_waits(self) -> None:
        self._adopt()
        while entries := self._buffer.take(self._batch, BATCH_BYTES):
            try:
                is_settled = self._deliver(entries)
            except Exception as exc:  # noqa: BLE001 - the thread must live, whatever a library raises
                is_settled = self._failed(
                    Answer(Outcome.UNAVAILABLE, error_type=type(exc).__qualname__, message=str(exc))
                )
            if not is_settled:
                self._buffer.put_back()
                break
            self._hear_flushes()
            self._answer_flushes()
            self._adopt()
        self._forget(self._buffer.discarded())
        self._say_dropped()

    def _say_dropped(self) -> None:
        dropped = sum(number for (reason, _), number in self._buffer.statistics().dropped.items() if reason == FULL)
        if dropped > self._dropped:
            news, self._dropped = dropped - self._dropped, dropped
            diagnostics.count(f"were dropped: {FULL}", news)

    def _deliver(self, entries: list[Entry]) -> bool:
        """Send *entries*, in halves where the receiver refuses them together; tell whether all are settled."""
        parts = [entries]
        while parts:
            part = parts.pop(0)
            answer = self._send(part)
            if answer.outcome is Outcome.ACCEPTED:
                self._settle(part, min(answer.rejected, len(part)), answer)
            elif answer.outcome is Outcome.UNAVAILABLE or answer.error_type in NOT_ABOUT_RECORDS:
                return self._failed(answer)
            elif len(part) > 1:
                half = len(part) // 2
                parts[:0] = part[:half], part[half:]
            else:
                self._settle(part, 1, answer)
        return True

    def _send(self, entries: list[Entry]) -> Answer:
        if self._show is not None:
            self._show(entries)
        if self._transport is None:
            self._transport = self._connect()
        request = batch.request((entry.lane.resource, entry.lane.scope, entry.record) for entry in entries)
        send, timeout = self._transport.send, min(self._timeout, self._deadline - time.monotonic())
        return self._measure(len(entries), lambda: send(request, timeout))

    def _settle(self, entries: list[Entry], rejected: int, answer: Answer) -> None:
        self._buffer.settle(len(entries), rejected)
        if rejected == len(entries):
            self._bury(entries)
        self._forget(entries)
        if rejected:
            diagnostics.count(
                f"were refused by the receiver: {answer.error_type or ''} {answer.message}".rstrip(), rejected
            )
        if self._failures:
            self._failures = 0
            self._not_before = 0.0
            if self._say_after:
                self._say_after = 0.0
                diagnostics.say("Log records are delivered again.")

    def _failed(self, answer: Answer) -> bool:
        self._failures += 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures - 1, 10)) * random.uniform(0.5, 1)  # noqa: S311
        if self._flushes:
            pause = FLUSH_PAUSE
        now = time.monotonic()
        self._not_before = now + max(pause, answer.retry_after or 0.0)
        if now >= self._say_after:
            self._say_after = now + SAY_EVERY
            waiting = self._buffer.statistics().waiting
            said = f"{waiting} log records wait: {answer.error_type or ''} {answer.message}"
            diagnostics.say(f"{said.rstrip(' .')}.")
        return False
