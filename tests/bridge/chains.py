"""The chains of the five systems, and a stream to see what they print."""

import io
import logging
import logging.config
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import structlog
from maykin_common.logging import config as maykin
from maykin_common.logging import processors as maykin_processors

from tests.chains import older

NOW = "2025-05-19T14:09:20.339166Z"

# What the chain asks of Django's settings.
vars(maykin_processors)["settings"] = SimpleNamespace(DEBUG=False)


def fixed_time(_: object, __: str, event_dict: Any) -> Any:
    """Stand for `TimeStamper`, so that two runs print the same."""
    event_dict["timestamp"] = NOW
    return event_dict


def newer() -> list[Any]:
    """Return the chain of maykin-common, as it configures it."""
    maykin.structlog_configure_defaults()
    return list(structlog.get_config()["processors"])


def celery() -> list[Any]:
    """Return the chain of its Celery workers without `format_exc_info`."""
    maykin.structlog_configure_defaults(format_exc_info=False)
    return list(structlog.get_config()["processors"])


GENERATIONS: dict[str, Callable[[], list[Any]]] = {"older": older, "newer": newer, "celery": celery}


def slot(processors: Sequence[Any]) -> int:
    """Return where the bridge goes: before `format_exc_info`, else before the last processor."""
    found = [number for number, one in enumerate(processors) if one is structlog.processors.format_exc_info]
    return found[0] if found else len(processors) - 1


def configure(processors: Sequence[Any], bridge: Any = None, **options: Any) -> None:
    """Configure structlog with *processors*, the bridge in its slot, and a time that stands still."""
    chain = [fixed_time if isinstance(one, structlog.processors.TimeStamper) else one for one in processors]
    if bridge is not None:
        chain.insert(slot(processors), bridge)
    structlog.configure(
        processors=chain,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
        **{"wrapper_class": structlog.stdlib.BoundLogger, **options},
    )


def console(formatter: str = "json") -> io.StringIO:
    """Make the console handler of the five systems the root logger's only one, and return what it prints to."""
    stream = io.StringIO()
    options: dict[str, Any] = dict(maykin.logging_formatters[formatter])
    made = options.pop("()")(
        **{
            **options,
            "foreign_pre_chain": [
                fixed_time if isinstance(one, structlog.processors.TimeStamper) else one
                for one in options["foreign_pre_chain"]
            ],
        }
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(made)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    return stream
