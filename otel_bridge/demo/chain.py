"""The structlog chain of the five systems: from the real open-api-framework, or the same written out."""

import importlib.util
import os
import sys
from importlib.metadata import version
from typing import Any, Final

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

ENVIRONMENT: Final = {
    "_USE_STRUCTLOG": "True",
    "LOG_FORMAT_CONSOLE": "json",
    "LOG_LEVEL": "DEBUG",
    "LOG_QUERIES": "False",
    "LOG_REQUESTS": "False",
    "LOG_STDOUT": "True",
    "SECRET_KEY": "for the demonstration",
}
"""What open-api-framework reads: structlog, JSON on the console, every documented event whatever its level."""


def is_real() -> bool:
    """Tell whether an open-api-framework with the chain is installed; on Python 3.11 pip gives one of 2024 without."""
    return importlib.util.find_spec("open_api_framework") is not None and (
        importlib.util.find_spec("maykin_common") is not None
        and importlib.util.find_spec("maykin_common.logging") is not None
    )


def described() -> str:
    """Say whose chain it is, and where it is not the real one, what is missing."""
    if is_real():
        return f"the chain of the real open-api-framework {version('open-api-framework')}"
    missing = "`pip install 'otel-bridge[demo]'`" if sys.version_info >= (3, 12) else "Python 3.12 or newer"
    return f"open-api-framework's chain, written out: the real one needs {missing}"


def logging_config() -> dict[str, Any]:
    """
    Configure structlog as the five systems do, and return their `LOGGING`.

    Returns:
        A configuration for `logging.config.dictConfig`. Of its handlers only the console is kept: the others open
        files and a database.
    """
    config = _real() if is_real() else _written_out()
    return {**config, "handlers": {"console": config["handlers"]["console"]}}


def _real() -> dict[str, Any]:
    os.environ.update(ENVIRONMENT)
    # Reads the environment, so not before it is set; and is missing on Python 3.11.
    from open_api_framework.conf import base  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415

    config: dict[str, Any] = vars(base)["LOGGING"]
    return config


def _written_out() -> dict[str, Any]:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            *BEFORE_ARGUMENTS,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            structlog.processors.UnicodeDecoder(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    json = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processor": structlog.processors.JSONRenderer(),
        "foreign_pre_chain": [
            structlog.contextvars.merge_contextvars,
            *BEFORE_ARGUMENTS,
            structlog.stdlib.PositionalArgumentsFormatter(),
        ],
    }
    console = {"level": ENVIRONMENT["LOG_LEVEL"], "class": "logging.StreamHandler", "formatter": "json"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": json},
        "handlers": {"console": console},
        "loggers": {
            "": {"handlers": ["console"], "level": "ERROR", "propagate": False},
            **{name: to_console(level) for name, level in LEVELS.items()},
        },
    }


def to_console(level: str) -> dict[str, Any]:
    """Configure a logger that writes to the console from *level*."""
    return {"handlers": ["console"], "level": level, "propagate": False}


def add_open_telemetry_spans(_logger: WrappedLogger, _method_name: str, event_dict: EventDict) -> EventDict:
    """Add the ids of the current span, as maykin-common's processor of this name does."""
    span = trace.get_current_span()
    if span.is_recording():
        context = span.get_span_context()
        event_dict.update(span_id=format(context.span_id, "016x"), trace_id=format(context.trace_id, "032x"))
        if parent := getattr(span, "parent", None):
            event_dict["parent_span_id"] = format(parent.span_id, "016x")
    return event_dict


BEFORE_ARGUMENTS: Final[tuple[Processor, ...]] = (
    structlog.processors.TimeStamper(fmt="iso"),
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    add_open_telemetry_spans,
)
"""What structlog's own chain and that of other libraries' records have in common."""

LEVELS: Final = {
    "vng_api_common": "DEBUG",
    "notifications_api_common": "DEBUG",
    "django.request": "DEBUG",
    "django.server": "WARNING",
    "django.template": "INFO",
    "django_structlog": "INFO",
}
"""The loggers that open-api-framework configures, apart from each project's own."""
