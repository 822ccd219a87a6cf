"""
OTLP as lines of JSON, in a file or on standard output.

https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/: each line is a request.
"""

import errno
import json
import os
import stat
import sys
import time
from pathlib import Path
from typing import Final

from otel_bridge.export.otlp_json import as_json
from otel_bridge.export.transport import Answer, Outcome

if sys.platform != "win32":
    import fcntl

MODE: Final = 0o600
"""Logs are for the application's own user."""
PAUSE: Final = 0.002
"""Seconds between two looks at a lock that another writer holds, or at a pipe that is full."""
STDOUT: Final = 1
"""Not `sys.stdout`, which Celery sends to its loggers."""


class FileTransport:
    """
    Appends requests to a file, a line each; the contract is that of `Transport`.

    Several processes may append to one file. It is opened for each line, so that it may be moved away meanwhile.

    Args:
        path: The file, made with mode 0600 where it is missing; `None` for standard output, whose reader must keep up:
            a pipe that nobody empties holds the sender as it holds every other writer.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def send(self, request: bytes, timeout: float) -> Answer:
        """Write one `ExportLogsServiceRequest`; see `Transport`."""
        where = self._path or "standard output"
        try:
            written = json.dumps(as_json(request), ensure_ascii=False, separators=(",", ":"))
        except Exception as exc:  # noqa: BLE001 - it would be the same each time
            return Answer(
                Outcome.REFUSED, error_type=type(exc).__qualname__, message=f"{where}: no JSON for a request."
            )
        try:
            self._append(f"{written}\n".encode(), timeout)
        except Exception as exc:  # noqa: BLE001 - whatever it is, the records are not in the file
            message = f"{where} cannot be written ({getattr(exc, 'strerror', None) or exc})."
            return Answer(Outcome.UNAVAILABLE, error_type=type(exc).__qualname__, message=message)
        return Answer(Outcome.ACCEPTED)

    def close(self) -> None:
        """Do nothing: no file is kept open."""

    def _append(self, line: bytes, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        if self._path is None:
            return _write(STDOUT, line, deadline)
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), MODE)
        try:
            _lock(file, deadline)
            _append(file, line, deadline)
        finally:
            os.close(file)
        return None


def _lock(file: int, deadline: float) -> None:
    """Keep other writers out until *file* is closed; raises `TimeoutError` where one of them does not end."""
    if sys.platform == "win32":
        return None
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            if time.monotonic() > deadline:
                raise TimeoutError(errno.ETIMEDOUT, "another process holds it") from exc
            time.sleep(PAUSE)


def _append(file: int, line: bytes, deadline: float) -> None:
    """Append *line*, or nothing; what a process that was killed left unfinished stays a line of its own."""
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode):
        return _write(file, line, deadline)
    if status.st_size:
        os.lseek(file, -1, os.SEEK_END)
        line = line if os.read(file, 1) == b"\n" else b"\n" + line
    try:
        return _write(file, line, deadline)
    except OSError:
        os.ftruncate(file, status.st_size)
        raise


def _write(file: int, line: bytes, deadline: float) -> None:
    rest = memoryview(line)
    while rest:
        try:
            rest = rest[os.write(file, rest) :]
        except BlockingIOError:
            # Somebody who shares a pipe has made it one that does not wait; half a line would be no JSON.
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)
