"""How the systems configured logging in Celery's processes before maykin-common 0.22 did it for them."""

import logging.config

import structlog
from celery.signals import setup_logging
from structlog.processors import JSONRenderer, StackInfoRenderer, TimeStamper, UnicodeDecoder, format_exc_info
from structlog.stdlib import PositionalArgumentsFormatter, ProcessorFormatter, add_log_level, add_logger_name

COMMON = [TimeStamper(fmt="iso"), add_logger_name, add_log_level]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": ProcessorFormatter,
            "processor": JSONRenderer(),
            "foreign_pre_chain": [structlog.contextvars.merge_contextvars, *COMMON, PositionalArgumentsFormatter()],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "loggers": {
        "root": {"handlers": ["console"], "level": "INFO"},
        "django_structlog": {"handlers": ["console"], "level": "INFO"},
    },
}
"""It knows nothing of what the settings configured."""


def setup_celery_structlog() -> None:
    """Configure `logging` and structlog anew whenever Celery would configure `logging`."""
    setup_logging.connect(_configure, weak=False)


def _configure(**_: object) -> None:
    logging.config.dictConfig(LOGGING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            *COMMON,
            PositionalArgumentsFormatter(),
            StackInfoRenderer(),
            format_exc_info,
            UnicodeDecoder(),
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
