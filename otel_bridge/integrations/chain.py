"""The bridge's slot in structlog's chain."""

from collections.abc import Sequence
from typing import Any, Final

import structlog
from structlog.processors import EventRenamer, ExceptionRenderer
from structlog.stdlib import filter_by_level
from structlog.testing import LogCapture

from otel_bridge.bridge.processor import LogBridge
from otel_bridge.integrations import official

LOSSY: Final = (ExceptionRenderer, EventRenamer)
"""Behind these the exception is a text (`structlog.processors.format_exc_info` is the first), or the event has another
name."""


def slot(processors: Sequence[Any]) -> int:
    """
    Find where the bridge goes.

    Returns:
        The index of the first processor that loses something, else of the last one; behind `filter_by_level` always.
    """
    before = next((number for number, one in enumerate(processors) if isinstance(one, LOSSY)), len(processors) - 1)
    after = next((number for number, one in enumerate(processors) if one is filter_by_level), -1)
    return max(0, before, after + 1)


def put(bridge: LogBridge) -> None:
    """
    Put *bridge* into its slot of the configured chain, unless a bridge is there, or a test that captures its events.

    The list itself is changed: loggers that `cache_logger_on_first_use` has bound already hold it.
    """
    processors = structlog.get_config()["processors"]
    theirs = [one for one in processors if official.repeats(one)]
    chain = [one for one in processors if not official.repeats(one)]
    if not any(isinstance(one, LogBridge | LogCapture) for one in chain):
        chain.insert(slot(chain), bridge)
    _replace(processors, chain)
    for one in theirs:
        official.say(one)


def take(bridge: LogBridge) -> None:
    """Take *bridge* out of the configured chain."""
    processors = structlog.get_config()["processors"]
    _replace(processors, [one for one in processors if one is not bridge])


def _replace(processors: Any, chain: list[Any]) -> None:
    if isinstance(processors, list):
        processors[:] = chain
    else:
        structlog.configure(processors=chain)
