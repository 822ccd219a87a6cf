"""The `logging.Handler` for records that never met structlog."""

import logging
from collections.abc import Mapping
from typing import Any, Final

import structlog
from opentelemetry._logs import LoggerProvider

from otel_bridge.bridge.emitter import Emitter
from otel_bridge.bridge.mapping import Mapper
from otel_bridge.bridge.origin import first_time, is_from_structlog
from otel_bridge.bridge.processor import REDACTION
from otel_bridge.bridge.severity import SEVERITIES
from otel_bridge.bridge.values import CONTAINERS, safe_text

OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""Attributes that every record has: https://docs.python.org/3/library/logging.html#logrecord-attributes."""


class LogBridgeHandler(logging.Handler):
    """
    A handler that emits each record of `logging` as an OpenTelemetry log record, unless structlog made it.

    Put it beside the console handlers. Where `structlog.contextvars` are bound, the record gets them, as it does on
    stdout through `foreign_pre_chain`.

    Args:
        level: The lowest level to handle.
        logger_provider: As for `otel_bridge.LogBridge`, whose other options are taken too.
        levels: As for `otel_bridge.LogBridge`.
        options: `keys`, `redaction`, `stacktrace`: as for `otel_bridge.LogBridge`.
    """

    def __init__(
        self,
        level: int | str = logging.NOTSET,
        logger_provider: LoggerProvider | None = None,
        *,
        levels: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(level)
        self._emitter = Emitter(logger_provider, Mapper(**{"redaction": REDACTION, **options}), levels or {})

    def emit(self, record: logging.LogRecord) -> None:
        """Emit *record* once, unless structlog made it. Never raises an `Exception`."""
        if is_from_structlog(record) or not first_time(record, self._emitter.logger_provider):
            return
        fields = event_dict(record)
        self._emitter.emit(fields, fields["level"], None, named=False)


def event_dict(record: logging.LogRecord) -> dict[str, Any]:
    """
    Write *record* as the event dict that `foreign_pre_chain` would make of it, its exception still whole.

    An extra that has the name of a field of the record goes beside it (`extra.event`).
    """
    level = safe_text(record.levelname).lower()
    fields = {
        **_message(record),
        "level": level,
        "level_number": None if level in SEVERITIES else record.levelno,
        "logger": record.name,
        "timestamp": record.created,
        "exc_info": record.exc_info,
        "stack_info": record.stack_info,
        "pathname": record.pathname,
        "func_name": record.funcName,
        "lineno": record.lineno,
    }
    if record.exc_text is not None:
        fields["exception"] = record.exc_text
    extra = {key: value for key, value in vars(record).items() if key not in OWN}
    for key in extra.keys() & fields.keys():
        extra[f"extra.{key}"] = extra.pop(key)
    return {**structlog.contextvars.get_contextvars(), **extra, **fields}


def _message(record: logging.LogRecord) -> dict[str, Any]:
    try:
        if isinstance(record.msg, CONTAINERS) and not isinstance(record.msg, str):
            # Its text has no bounds; those of the mapping are for what it holds.
            return {"event": record.msg, "positional_args": record.args} if record.args else {"event": record.msg}
        return {"event": record.getMessage()}
    except Exception:  # noqa: BLE001 - arguments that do not fit, or a message whose text raises
        return {"event": record.msg, "positional_args": record.args}
