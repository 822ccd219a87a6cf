"""How a record that structlog made is told from one that never met structlog, and each is emitted once."""

import logging
import sys
import threading
from collections import deque
from types import FrameType
from typing import Final

from structlog._base import BoundLoggerBase

FRAMES: Final = 40
"""How far up the stack to look; structlog's call is about ten frames above a handler."""
LOG: Final = logging.Logger._log.__code__
PROCESS_EVENT: Final = BoundLoggerBase._process_event.__code__
PROXY_TO_LOGGER: Final = BoundLoggerBase._proxy_to_logger.__code__

REMEMBERED: Final = 8
"""How many records each thread remembers: those that log further records while they are handled."""


class _Emitted(threading.local):
    """The latest records of a thread, each with the provider that it was emitted to."""

    def __init__(self) -> None:
        self.records: deque[tuple[object, object]] = deque(maxlen=REMEMBERED)


_emitted: Final = _Emitted()


def is_from_structlog(record: logging.LogRecord) -> bool:
    """
    Tell whether a structlog logger made *record*, which a handler on the calling thread is handling.

    `ProcessorFormatter.wrap_for_formatter` marks its records. Chains that end in a renderer or in
    `render_to_log_kwargs` leave no mark; there the stack tells: the logging call comes from structlog's own
    `_proxy_to_logger`, not from one of its processors, and not from a handler of another record. Behind a
    `logging.handlers.QueueHandler` that stack is gone: put the bridge's handler before the queue.
    """
    if hasattr(record, "_logger") and hasattr(record, "_name"):
        return True
    frame: FrameType | None = sys._getframe(1)
    calls = 0
    for _ in range(FRAMES):
        if frame is None or calls > 1 or frame.f_code is PROCESS_EVENT:
            return False
        if frame.f_code is PROXY_TO_LOGGER:
            return True
        calls += frame.f_code is LOG
        frame = frame.f_back
    return False


def first_time(record: logging.LogRecord, logger_provider: object) -> bool:
    """
    Tell whether *record* has not yet been emitted to *logger_provider*, and remember that it has.

    Handlers of a logger and of its parents, and `ProcessorFormatter` for each handler, show the same record again, one
    after the other on the same thread. The record itself is not marked: a mark would be printed by
    `structlog.stdlib.ExtraAdder`. Nor is it known by its identity, because `ProcessorFormatter` makes a copy for each
    handler; but every copy shares the number that its record wrote under `relativeCreated`.
    """
    identity = getattr(record, "relativeCreated", record)
    if any(known is identity and provider is logger_provider for known, provider in _emitted.records):
        return False
    _emitted.records.append((identity, logger_provider))
    return True
