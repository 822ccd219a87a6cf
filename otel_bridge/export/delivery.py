"""What becomes of a batch: it is sent, in halves where it is refused, and settled; or it waits."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from otel_bridge.diagnostics import diagnostics
from otel_bridge.export import batch
from otel_bridge.export.blocks import Entry
from otel_bridge.export.buffer import Buffer
from otel_bridge.export.transport import Answer, Outcome, Transport

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


class Delivery:
    """
    Delivers batches that were taken from a buffer, one after the other.

    Args:
        buffer: Where settled records are counted.
        connect: Makes the transport, in the thread that uses it.
        timeout: Seconds for one request.
        forget: Is given records that are settled, for whatever reason.
        bury: Is given records that the receiver refuses for good, before that.
        measure: Measures each request.
        show: Is given what a request holds before it is sent, also when it is sent again.
    """

    def __init__(
        self,
        buffer: Buffer,
        connect: Callable[[], Transport],
        *,
        timeout: float,
        forget: Callable[[Sequence[Entry]], None],
        bury: Callable[[Sequence[Entry]], None],
        measure: Measure,
        show: Callable[[Sequence[Entry]], object] | None = None,
    ) -> None:
        self._deadline = math.inf
        self._buffer = buffer
        self._connect = connect
        self._timeout = timeout
        self._forget = forget
        self._bury = bury
        self._measure = measure
        self._show = show
        self._transport: Transport | None = None

    def deliver(self, entries: list[Entry]) -> Answer | None:
        """
        Send *entries*, in halves where the receiver refuses them together.

        Returns:
            `None` if all are settled; else the answer for which the rest of them must wait.
        """
        parts = [entries]
        while parts:
            part = parts.pop(0)
            answer = self._send(part)
            if answer.outcome is Outcome.ACCEPTED:
                self._settle(part, min(answer.rejected, len(part)), answer)
            elif answer.outcome is Outcome.UNAVAILABLE or answer.error_type in NOT_ABOUT_RECORDS:
                return answer
            elif len(part) > 1:
                half = len(part) // 2
                parts[:0] = part[:half], part[half:]
            else:
                self._settle(part, 1, answer)
        return None

    @contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """Let no request take longer meanwhile than until *deadline*, by the monotonic clock."""
        self._deadline = deadline
        try:
            yield
        finally:
            self._deadline = math.inf

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def _send(self, entries: list[Entry]) -> Answer:
        if self._show is not None:
            self._show(entries)
        if self._transport is None:
            self._transport = self._connect()
        request = batch.request((entry.lane.resource, entry.lane.scope, entry.record) for entry in entries)
        send, timeout = self._transport.send, min(self._timeout, self._deadline - time.monotonic())
        return self._measure(len(entries), lambda: send(request, timeout))

    def _settle(self, entries: list[Entry], rejected: int, answer: Answer) -> None:
        if rejected == len(entries):
            self._bury(entries)
        # Before they are counted: a process that sees nothing waiting any longer may end at once.
        self._forget(entries)
        self._buffer.settle(len(entries), rejected)
        if rejected:
            diagnostics.count(
                f"were refused by the receiver: {answer.error_type or ''} {answer.message}".rstrip(), rejected
            )
