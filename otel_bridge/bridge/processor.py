"""The structlog processor."""

import logging
import sys
from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any, ClassVar, Final
from weakref import WeakSet

from opentelemetry._logs import LoggerProvider
from structlog.typing import EventDict, WrappedLogger

from otel_bridge.bridge.emitter import Emitter
from otel_bridge.bridge.exceptions import Stacktrace
from otel_bridge.bridge.mapping import Mapper
from otel_bridge.bridge.origin import PROCESS_EVENT, first_time
from otel_bridge.bridge.redaction import Redaction

REDACTION: Final = Redaction()
"""The default rules."""


class LogBridge:
    """
    A structlog processor that emits each event as an OpenTelemetry log record.

    Put it before `structlog.processors.format_exc_info` where the chain has that (there the exception is still
    whole), else before the last processor, and after `structlog.stdlib.filter_by_level`. A processor behind it that
    raises `structlog.DropEvent` drops the line on stdout, not the record.

    Args:
        logger_provider: The provider to use. Without one it is the application's global provider where it has set
            one, else one that is built from the `OTEL_*` environment variables at the first record of each process.
        keys: Rules of your own: the attribute that takes a key's value (`{"tenant": "tenant.id"}`), or `None` to
            drop the key. They win over the documented ones.
        levels: The lowest level to emit by logger name and all names below it, as in
            `{"": "info", "django.db": "warning"}`; without, everything that the chain lets through.
        redaction: What to replace before a record leaves the process; `None` for nothing.
        stacktrace: How much of a stack trace to keep: `"full"`, `"short"` (the last frames of each exception in the
            chain) or `"none"`.
        renamed: What your chain calls a documented key, by the documented name: `{"event": "message"}` for
            `structlog.processors.EventRenamer("message")`, `{"timestamp": "ts"}` for `TimeStamper(key="ts")`.
        timezone: The zone of timestamps that name none, such as those of `TimeStamper(utc=False)`.

    Raises:
        ValueError: A level of *levels* or the value of *stacktrace* is not known.
    """

    _alive: ClassVar[WeakSet["LogBridge"]] = WeakSet()
    _is_alone: ClassVar = True
    _depth: ClassVar = 2
    """How many frames below structlog's own `_stands_behind_another` runs."""

    def __init__(
        self,
        logger_provider: LoggerProvider | None = None,
        *,
        keys: Mapping[str, str | None] | None = None,
        levels: Mapping[str, str] | None = None,
        redaction: Redaction | None = REDACTION,
        stacktrace: Stacktrace = "full",
        renamed: Mapping[str, str] | None = None,
        timezone: tzinfo = UTC,
    ) -> None:
        mapper = Mapper(keys=keys, renamed=renamed, redaction=redaction, stacktrace=stacktrace, timezone=timezone)
        self._emitter = Emitter(logger_provider, mapper, levels or {})
        self._alive.add(self)
        LogBridge._is_alone = len(self._alive) == 1

    def __call__(self, logger: WrappedLogger, method_name: str, event_dict: EventDict) -> EventDict:
        """Emit *event_dict* and return it unchanged. Never raises an `Exception`."""
        # Behind a renderer it is no dict any more, which must not break the application either.
        record: Any = event_dict.get("_record") if isinstance(event_dict, dict) else None
        if record is None:
            if LogBridge._is_alone or not self._stands_behind_another():
                self._emitter.emit(event_dict, method_name, logger, named=True)
        elif not issubclass(type(record), logging.LogRecord) or first_time(record, self._emitter.logger_provider):
            named = event_dict.get("_from_structlog") is not False
            self._emitter.emit(event_dict, method_name, logger, named=named)
        return event_dict

    def _stands_behind_another(self) -> bool:
        """Tell whether the running chain has a bridge to the same provider before this one."""
        frame = sys._getframe(self._depth)
        if frame.f_code is not PROCESS_EVENT:
            return False
        processors = frame.f_locals["self"]._processors
        same = [
            bridge
            for bridge in processors
            if isinstance(bridge, LogBridge) and bridge._emitter.logger_provider is self._emitter.logger_provider
        ]
        return bool(same) and same[0] is not self
