"""What is configured later gets the bridge too."""

import logging.config
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import structlog
from structlog import _config

_watched: Final[set[str]] = set()


def structlog_configured(then: Callable[[], object]) -> None:
    """Call *then* after each later `structlog.configure` and `structlog.configure_once`; of several, only the first."""
    if "structlog" in _watched:
        return
    _watched.add("structlog")
    # The second is what `configure_once` and `structlog.stdlib.recreate_defaults` call.
    for module in (structlog, _config):
        module.configure = _followed(module.configure, then)  # type: ignore[attr-defined]


def _followed(configure: Callable[..., object], then: Callable[[], object]) -> Callable[..., object]:
    @wraps(configure)
    def configured(*args: Any, **kwargs: Any) -> None:
        configure(*args, **kwargs)
        then()

    return configured


def logging_configured(then: Callable[[], object]) -> None:
    """
    Call *then* after each later `logging.config.dictConfig`; of several, only the first.

    By its documented extension point, which serves those too who have imported that function before:
    https://docs.python.org/3/library/logging.config.html#logging.config.dictConfig.
    """
    if "logging" in _watched:
        return
    _watched.add("logging")
    before: Any = logging.config.dictConfigClass

    class Configurator(before):  # type: ignore[misc]  # a class that is known only now
        def configure(self) -> None:
            super().configure()
            then()

    logging.config.dictConfigClass = Configurator
