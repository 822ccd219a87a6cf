"""Standard output as a second place for records: `OTEL_LOGS_EXPORTER=otlp,console`."""

from collections.abc import Sequence
from typing import Final

from otel_bridge.diagnostics import diagnostics
from otel_bridge.export import batch
from otel_bridge.export.blocks import Entry
from otel_bridge.export.file import FileTransport
from otel_bridge.export.transport import Outcome

TIMEOUT: Final = 1.0
"""Seconds to wait for whoever reads it."""


class Console:
    """
    Writes the records of one process to standard output, each once, as lines of OTLP's JSON.

    It is beside the way of the records: what becomes of them is the receiver's to say.
    """

    def __init__(self) -> None:
        self._transport = FileTransport(None)
        self._last = 0
        self._has_failed = False

    def show(self, entries: Sequence[Entry]) -> None:
        """
        Write *entries*, but those that were shown before, when they were sent for the first time.

        Never raises: why nothing can be written is said once, until something can be again.
        """
        new = [entry for entry in entries if entry.number > self._last]
        if not new:
            return
        self._last = new[-1].number
        request = batch.request((entry.lane.resource, entry.lane.scope, entry.record) for entry in new)
        answer = self._transport.send(request, TIMEOUT)
        has_failed = answer.outcome is not Outcome.ACCEPTED
        if has_failed and not self._has_failed:
            diagnostics.say(f"Log records are not shown: {answer.message}")
        self._has_failed = has_failed
