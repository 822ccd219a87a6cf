"""When to send again what was not taken: https://opentelemetry.io/docs/specs/otlp/#failures."""

import random
import time
from typing import Final

from otel_bridge.diagnostics import diagnostics
from otel_bridge.export.transport import Answer

FIRST_PAUSE: Final = 0.5
"""Seconds before the second attempt; doubled for each one after it, less up to half by chance."""
LONGEST_PAUSE: Final = 30.0
FLUSH_PAUSE: Final = 0.25
"""Seconds between two attempts while somebody waits for a flush."""
SAY_EVERY: Final = 60.0


class Retry:
    """The attempts since the receiver last took something."""

    def __init__(self) -> None:
        self.not_before = 0.0
        """When the next attempt may be, by the monotonic clock."""
        self._failures = 0
        self._say_after = 0.0

    def failed(self, answer: Answer, waiting: int, *, is_awaited: bool) -> None:
        """
        Put off the next attempt, and say why, once a minute.

        Args:
            answer: What came of this one.
            waiting: Records that wait.
            is_awaited: Whether somebody waits for a flush.
        """
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures, 10)) * random.uniform(0.5, 1)  # noqa: S311
        if is_awaited:
            pause = FLUSH_PAUSE
        self._failures += 1
        now = time.monotonic()
        self.not_before = now + max(pause, answer.retry_after or 0.0)
        if now >= self._say_after:
            self._say_after = now + SAY_EVERY
            said = f"{waiting} log records wait: {answer.error_type or ''} {answer.message}"
            diagnostics.say(f"{said.rstrip(' .')}.")

    def succeeded(self) -> None:
        """Begin anew, and say so where a failure was said."""
        if self._failures:
            self._failures, self.not_before, self._say_after = 0, 0.0, 0.0
            diagnostics.say("Log records are delivered again.")
