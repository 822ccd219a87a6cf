"""Handlers for records of other libraries, beside those that print them: on the loggers of this process."""

import copy
import logging
import logging.handlers
from collections.abc import Iterator, Mapping
from typing import Any

from otel_bridge.bridge.handler import LogBridgeHandler
from otel_bridge.diagnostics import logger as own_logger
from otel_bridge.integrations import official


class Beside(LogBridgeHandler):
    """
    Stands beside another handler, with its level.

    Its filters are copied, so that one which counts counts for each of both.
    """

    def __init__(self, other: logging.Handler, options: Mapping[str, Any]) -> None:
        super().__init__(other.level, **options)
        self.other = other
        self.filters = [copy.copy(one) for one in other.filters if one is not official.MUTE]


def is_console(kind: type) -> bool:
    """Tell whether handlers of class *kind* print, or hand over to a thread that does."""
    return kind is logging.handlers.QueueHandler or (
        issubclass(kind, logging.StreamHandler) and not issubclass(kind, logging.FileHandler)
    )


def is_file(kind: type) -> bool:
    """Tell whether handlers of class *kind* write to a file."""
    return issubclass(kind, logging.FileHandler)


def put(options: Mapping[str, Any]) -> None:
    """
    Put a handler beside each that prints, unless the logger has one of the application's own, and do `replace`.

    Args:
        options: Arguments of the handlers.
    """
    replace(options)
    # The root logger may have a higher level than warnings, and `dictConfig` disables loggers that it does not name.
    own_logger.disabled = False
    if own_logger.level == logging.NOTSET:
        own_logger.setLevel(logging.WARNING)
    for logger in _loggers():
        if not any(isinstance(one, LogBridgeHandler) and not isinstance(one, Beside) for one in logger.handlers):
            _put_beside(logger, _outputs(logger), options)


def replace(options: Mapping[str, Any]) -> None:
    """Put a handler in the place of each of OpenTelemetry's that would send the same records."""
    for logger in _loggers():
        theirs = [one for one in logger.handlers if official.repeats(one)]
        for one in theirs:
            one.addFilter(official.MUTE)
        _put_beside(logger, theirs, options)
        for one in theirs:
            official.say(one)


def _put_beside(logger: logging.Logger, others: list[logging.Handler], options: Mapping[str, Any]) -> None:
    present = [one.other for one in logger.handlers if isinstance(one, Beside)]
    for other in others:
        if other not in present:
            logger.addHandler(Beside(other, options))


def take() -> None:
    """Take them off again."""
    for logger in _loggers():
        for one in logger.handlers[:]:
            one.removeFilter(official.MUTE)
            if isinstance(one, Beside):
                logger.removeHandler(one)


def _outputs(logger: logging.Logger) -> list[logging.Handler]:
    """Return the console handlers of *logger*, or where it has none, its files."""
    consoles = [one for one in logger.handlers if is_console(type(one))]
    return consoles or [one for one in logger.handlers if is_file(type(one))]


def _loggers() -> Iterator[logging.Logger]:
    yield logging.getLogger()
    for logger in list(logging.Logger.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            yield logger
