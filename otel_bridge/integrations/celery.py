"""Celery configures logging itself, or lets the application do it anew; the bridge is put back after that."""

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from typing import Any, Final

MODULE: Final = "celery.app.log"
"""What configures logging. It is imported by processes of Celery alone, when they are about to do so."""

BEFORE: Final = ("import_modules", "celeryd_init")
"""Signals that worker and beat send before logging is configured."""
AFTER: Final = (
    "after_setup_logger",
    "after_setup_task_logger",
    "celeryd_after_setup",
    "beat_init",
    "worker_process_init",
)
"""Signals that they send after that: https://docs.celeryq.dev/en/stable/userguide/signals.html."""


class _Finder:
    """Finds nothing, and calls *then* when `MODULE` is looked for."""

    def __init__(self, then: Callable[[], object]) -> None:
        self._then = then

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """Return `None`: https://docs.python.org/3/library/importlib.html#importlib.abc.MetaPathFinder."""
        if name == MODULE:
            self._then()
        return None


def logging_configured(then: Callable[[], object]) -> None:
    """Call *then* whenever Celery has configured logging; Celery is not imported unless the application does so."""
    if MODULE in sys.modules:
        _connect(then)
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder(lambda: _connect(then)))


def _connect(then: Callable[[], object]) -> None:
    from celery import signals  # noqa: PLC0415 - the application imports it, too

    def receiver(**_: Any) -> None:
        then()

    def be_the_last(**_: Any) -> None:
        # Only behind others: a receiver of this signal keeps Celery from configuring logging itself.
        signals.setup_logging.disconnect(dispatch_uid=__name__)
        if signals.setup_logging.has_listeners():
            signals.setup_logging.connect(receiver, weak=False, dispatch_uid=__name__)

    be_the_last()
    for name in BEFORE:
        getattr(signals, name).connect(be_the_last, weak=False, dispatch_uid=__name__)
    for name in AFTER:
        getattr(signals, name).connect(receiver, weak=False, dispatch_uid=__name__)
