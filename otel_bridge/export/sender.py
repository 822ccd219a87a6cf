"""The one thread of a process that sends what waits, again and again until the receiver has it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, detach, set_value

from otel_bridge.diagnostics import diagnostics
from otel_bridge.export.blocks import Entry
from otel_bridge.export.buffer import FULL, Buffer
from otel_bridge.export.delivery import Delivery
from otel_bridge.export.flushes import Flush, Flushes
from otel_bridge.export.retry import FLUSH_PAUSE, Retry
from otel_bridge.export.transport import Answer, Outcome

BATCH: Final = 512
"""Records in a request, where nobody wants another number; more save nothing."""
BATCH_BYTES: Final = 2 << 20
"""Bytes of records in a request: half of what gRPC servers accept by default."""


class Sender:
    """
    Sends what a buffer holds.

    Args:
        buffer: Where the records wait.
        delivery: Delivers what is taken from it.
        batch: Records in a request at most.
        delay: Seconds that a record waits for others at most.
        forget: Is given records that were dropped.
        adopt: Puts what other processes left into the buffer, as much as there is room for; called again and again.
        ended: Is called once nothing is sent any more.
    """

    def __init__(
        self,
        buffer: Buffer,
        delivery: Delivery,
        *,
        batch: int,
        delay: float,
        forget: Callable[[Sequence[Entry]], None],
        adopt: Callable[[], object],
        ended: Callable[[], object],
    ) -> None:
        self._buffer = buffer
        self._delivery = delivery
        self._batch = batch
        self._delay = delay
        self._forget = forget
        self._adopt = adopt
        self._ended = ended
        self._flushes = Flushes()
        self._retry = Retry()
        self._dropped = 0
        self._is_stopped = False
        # Whoever holds it sends. Reentrant, so that a thread can tell that it is itself.
        self._here = threading.RLock()
        self._thread = threading.Thread(target=self._run, name="otel-bridge", daemon=True)

    def start(self) -> bool:
        """
        Start the thread, and tell whether it runs; it can be tried again.

        A system may have no more threads to grant, and an interpreter that is ending grants none: then `flush` sends.
        """
        with suppress(RuntimeError):
            self._thread.start()
        return self._thread.is_alive()

    def wake(self) -> None:
        """Send now, rather than when the delay has passed."""
        self._flushes.ask(None)

    def flush(self, timeout: float) -> bool:
        """
        Send everything that was emitted before this call.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether nothing of it waits any longer.
        """
        asked = self._flushes.until(self._buffer.last(), time.monotonic() + timeout)
        if self._is_here():
            # It would wait for itself.
            return not self._buffer.holds(asked.number)
        if self._thread.is_alive():
            self._flushes.ask(asked)
        elif self._here.acquire(timeout=asked.left):
            try:
                self._flush_here(asked)
            finally:
                self._here.release()
        return asked.wait()

    def stop(self, timeout: float) -> None:
        """Flush, and end the thread; after so many seconds at most, what waits stays in the buffer."""
        deadline = time.monotonic() + timeout
        if timeout and not self._is_stopped:
            self.flush(timeout)
        self._is_stopped = True
        left = max(0.0, deadline - time.monotonic())
        if self._thread.is_alive():
            self._flushes.ask(None)
            if not self._is_here():
                self._thread.join(left)
        elif not self._is_here() and self._here.acquire(timeout=left):
            self._end()
            self._here.release()

    def _is_here(self) -> bool:
        """Tell whether it is this thread that sends, as finalisers and signal handlers that interrupt it may find."""
        return self._here._is_owned()  # type: ignore[attr-defined, no-any-return]  # as threading.Condition asks it

    def _run(self) -> None:
        with self._here, _uninstrumented():
            while not self._is_stopped:
                self._wait()
                self._send_what_waits()
                self._flushes.answer(self._buffer.holds)
            self._end()

    def _end(self) -> None:
        self._flushes.hear_all()
        self._flushes.answer(self._buffer.holds, is_over=True)
        self._delivery.close()
        self._ended()

    def _flush_here(self, asked: Flush) -> None:
        self._flushes.ask(asked)
        self._flushes.hear_all()
        with _uninstrumented(), self._delivery.until(asked.deadline):
            while asked in self._flushes:
                self._send_what_waits()
                self._flushes.answer(self._buffer.holds)
                time.sleep(max(0.0, min(self._retry.not_before, asked.deadline) - time.monotonic()))

    def _wait(self) -> None:
        """Wait until the delay or the pause has passed, a batch is full, or somebody wants a flush."""
        flushes, retry = self._flushes, self._retry
        known = len(flushes)
        until = max(time.monotonic() + (FLUSH_PAUSE if known else self._delay), retry.not_before)
        while (left := until - time.monotonic()) > 0 and not self._is_stopped:
            if flushes.hear(left) and (len(flushes) > known or time.monotonic() >= retry.not_before):
                return

    def _send_what_waits(self) -> None:
        try:
            while (entries := self._take()) and self._deliver(entries):
                self._flushes.hear_all()
                self._flushes.answer(self._buffer.holds)
        except Exception as exc:  # noqa: BLE001 - the thread must live, whatever a library raises
            self._put_off(Answer(Outcome.UNAVAILABLE, error_type=type(exc).__qualname__, message=str(exc)))
        self._buffer.put_back()
        self._forget(self._buffer.discarded())
        self._say_dropped()

    def _take(self) -> list[Entry]:
        # What others left is safe where it is, and keeps nobody from stopping.
        if not self._is_stopped:
            self._adopt()
        return self._buffer.take(self._batch, BATCH_BYTES)

    def _deliver(self, entries: list[Entry]) -> bool:
        answer = self._delivery.deliver(entries)
        if answer is None:
            self._retry.succeeded()
        else:
            self._put_off(answer)
        return answer is None

    def _put_off(self, answer: Answer) -> None:
        self._retry.failed(answer, self._buffer.statistics().waiting, is_awaited=len(self._flushes) > 0)

    def _say_dropped(self) -> None:
        dropped = sum(number for (reason, _), number in self._buffer.statistics().dropped.items() if reason == FULL)
        if dropped > self._dropped:
            news, self._dropped = dropped - self._dropped, dropped
            diagnostics.count(f"were dropped: {FULL}", news)


@contextmanager
def _uninstrumented() -> Iterator[None]:
    """Work under the key that suppresses instrumentation: what transports log and trace is about sending itself."""
    token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
    try:
        yield
    finally:
        detach(token)
