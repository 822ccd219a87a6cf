"""The structlog chains of the five systems, whose logs this project is for."""

from collections.abc import Callable
from typing import Any, Final

import structlog
from structlog.processors import StackInfoRenderer, TimeStamper, UnicodeDecoder, format_exc_info
from structlog.stdlib import (
    PositionalArgumentsFormatter,
    ProcessorFormatter,
    add_log_level,
    add_logger_name,
    filter_by_level,
)


def older() -> list[Any]:
    """Return the chain of open-api-framework up to 0.14, as the five systems pin it."""
    return [
        structlog.contextvars.merge_contextvars,
        filter_by_level,
        TimeStamper(fmt="iso"),
        add_logger_name,
        add_log_level,
        PositionalArgumentsFormatter(),
        StackInfoRenderer(),
        format_exc_info,
        UnicodeDecoder(),
        ProcessorFormatter.wrap_for_formatter,
    ]


def newer() -> list[Any]:
    """Return the chain that maykin-common configures itself, from 0.22 on; it needs Python 3.12."""
    from django.conf import settings  # noqa: PLC0415
    from maykin_common.logging.config import structlog_configure_defaults  # noqa: PLC0415

    if not settings.configured:
        settings.configure()
    before = structlog.get_config()
    structlog_configure_defaults()
    processors: list[Any] = structlog.get_config()["processors"]
    structlog.configure(**before)
    return processors


CHAINS: Final[dict[str, Callable[[], list[Any]]]] = {"older": older, "newer": newer}
