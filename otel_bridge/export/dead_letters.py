"""Records that the receiver refuses for good, kept in a file for people to look at and to send again."""

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from otel_bridge.diagnostics import diagnostics
from otel_bridge.export import batch
from otel_bridge.export.blocks import Entry
from otel_bridge.export.file import FileTransport
from otel_bridge.export.transport import Outcome

NAME: Final = "dead-letters.jsonl"
"""The file's name in the folder of the spool, whose adopters leave it alone."""
MOST: Final = 64 << 20
"""Bytes from which on nothing more is appended."""
TIMEOUT: Final = 1.0
"""Seconds to wait for another process that is writing the file."""


class DeadLetters:
    """
    Appends refused records to a file, each as a request of its own in a line of OTLP's JSON, with mode 0600.

    Several processes may share the file.

    Args:
        folder: That of the spool; `None` keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / NAME
        self._has_failed = False

    def keep(self, entries: Sequence[Entry]) -> None:
        """Append *entries*. Never raises: why nothing can be kept is said once, until something can be again."""
        if self._path is None:
            return
        for entry in entries:
            why = self._why_not(self._path) or self._append(self._path, entry)
            if why and not self._has_failed:
                diagnostics.say(f"Log records that the receiver refuses are not kept: {why}")
            self._has_failed = bool(why)

    def _append(self, path: Path, entry: Entry) -> str:
        answer = FileTransport(path).send(
            batch.request([(entry.lane.resource, entry.lane.scope, entry.record)]), TIMEOUT
        )
        return "" if answer.outcome is Outcome.ACCEPTED else answer.message

    def _why_not(self, path: Path) -> str:
        try:
            status = path.lstat()
        except OSError:
            # It is not there, or writing it will say why.
            return ""
        if not stat.S_ISREG(status.st_mode):
            return f"{path} is no file; move it away."
        return f"{path} holds {status.st_size} bytes of at most {MOST}; move it away." if status.st_size >= MOST else ""
