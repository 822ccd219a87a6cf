"""What otel-bridge says of itself: on logger `otel_bridge`, at most once a minute, and in numbers."""

import logging
import threading
import time
from collections import Counter
from typing import Final

INTERVAL: Final = 60.0
"""Seconds between two warnings."""

logger: Final = logging.getLogger("otel_bridge")


class Diagnostics:
    """Counts what went wrong by reason, and says it without ever raising or flooding."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._said: Counter[str] = Counter()
        self._next = 0.0
        self._speaking = threading.local()

    def count(self, reason: str, number: int = 1) -> None:
        """Count *number* records for *reason*, a sentence's end such as `"were dropped: no provider"`."""
        self.counts[reason] += number
        if time.monotonic() < self._next or getattr(self._speaking, "now", False):
            return
        self._next = time.monotonic() + INTERVAL
        news, self._said = self.counts - self._said, self.counts.copy()
        self.say("; ".join(f"{number} log records {reason}" for reason, number in news.items()) + ".")

    def say(self, sentence: str) -> None:
        """Warn on logger `otel_bridge`."""
        # A handler of this very warning may come here again.
        self._speaking.now = True
        try:
            logger.warning("%s", sentence)
        except Exception:  # noqa: BLE001, S110 - a handler of the application failed; nothing is left to say it to
            pass
        finally:
            self._speaking.now = False


diagnostics: Final = Diagnostics()
"""Those of this process."""
