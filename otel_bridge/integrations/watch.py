"""What is configured later gets the bridge too."""

import logging.config
from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog


def structlog_configured(then: Callable[[], object]) -> None:
    """Call *then* after each later `structlog.configure` and `structlog.configure_once`."""
    for name in ("configure", "configure_once"):
        setattr(structlog, name, _followed(getattr(structlog, name), then))


def _followed(configure: Callable[..., object], then: Callable[[], object]) -> Callable[..., object]:
    @wraps(configure)
    def configured(*args: Any, **kwargs: Any) -> None:
        configure(*args, **kwargs)
        then()

    return configured


def logging_configured(then: Callable[[], object]) -> None:
    """
    Call *then* after each later `logging.config.dictConfig`.

    By its documented extension point, which also those meet who have imported the function before:
    https://docs.python.org/3/library/logging.config.html#logging.config.dictConfig.
    """
    before: Any = logging.config.dictConfigClass

    class Configurator(before):  # type: ignore[misc]  # a class that is known only now
        def configure(self) -> None:
            super().configure()
            then()

    logging.config.dictConfigClass = Configurator
