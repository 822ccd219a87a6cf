"""The application under test: it logs as users do, and writes down what it logs before and after each call."""

import faulthandler
import itertools
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import structlog

from otel_bridge import LogBridge
from tests.export.faults import LoggerProvider


class Application:
    """
    A structlog application with a provider of ours.

    Args:
        journal: The file to write down in; a line is one write, which a kill leaves whole.
        options: Those of the provider; `connect` it makes itself.
    """

    def __init__(self, journal: str, options: Mapping[str, Any]) -> None:
        self.given = journal, options
        self._journal = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._numbers = itertools.count()
        self.provider = LoggerProvider(**options)
        structlog.configure(
            processors=[structlog.processors.add_log_level, LogBridge(self.provider), lambda *_: ""],
            logger_factory=structlog.ReturnLoggerFactory(),
        )
        self.logger = structlog.get_logger()

    def note(self, kind: str, said: object) -> None:
        """Write a line down."""
        os.write(self._journal, f"{kind} {said}\n".encode())

    def log(self, level: str = "info", **more: object) -> None:
        """Log one record."""
        serial = f"{os.getpid()}.{next(self._numbers)}"
        self.note("before", serial)
        getattr(self.logger, level)("zaak_created", serial=serial, **more)
        self.note("after", serial)

    def flush(self, seconds: float = 10.0) -> None:
        """Flush, and write down what that returned and how long it took."""
        began = time.monotonic()
        is_flushed = self.provider.force_flush(int(seconds * 1000))
        if not is_flushed:
            # Where its threads are tells why.
            faulthandler.dump_traceback()
        self.note("flushed", json.dumps([is_flushed, time.monotonic() - began]))

    def tell(self) -> None:
        """Write down the statistics of this process."""
        found = asdict(self.provider.statistics())
        dropped = {" ".join(key): number for key, number in found.pop("dropped").items()}
        self.note("statistics", json.dumps({"pid": os.getpid(), **found, "dropped": dropped}))
