"""A serial for every record, of structlog and of `logging`: it is printed, and goes to the receiver as an attribute."""

import itertools
import logging
import logging.config
import os
import time
from typing import Any, Final

import structlog
from structlog.typing import EventDict

from tests.chains import older

_began: Final = time.time_ns()
_numbers: Final = itertools.count()


def serial() -> str:
    """Return what no other record has: its process, when that began as this program (uWSGI's reloads), a number."""
    return f"{os.getpid()}.{_began}.{next(_numbers)}"


def add_serial(_logger: object, _method_name: str, event_dict: EventDict) -> EventDict:
    """Give an event its serial; a structlog processor."""
    event_dict["serial"] = serial()
    return event_dict


class Record(logging.LogRecord):
    """A record of `logging` with a serial: that of the event, where structlog made it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.serial = self.msg["serial"] if isinstance(self.msg, dict) else serial()


LOGGING: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.JSONRenderer(),
            "foreign_pre_chain": [
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.PositionalArgumentsFormatter(),
                structlog.stdlib.ExtraAdder(allow={"serial"}),
            ],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}},
    # What servers print themselves goes the same way.
    "loggers": {
        name: {"handlers": [], "propagate": True}
        for name in ("gunicorn.access", "gunicorn.error", "uvicorn", "uvicorn.access", "uvicorn.error")
    },
    "root": {"handlers": ["console"], "level": "INFO"},
}


def configure() -> None:
    """Configure structlog and `logging` as the five systems do, with serials, and everything on stdout."""
    logging.setLogRecordFactory(Record)
    logging.config.dictConfig(LOGGING)
    structlog.configure(
        processors=[add_serial, *older()],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
