"""One call for everything: the bridge in structlog's chain, and handlers beside those that print."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from otel_bridge.diagnostics import diagnostics
from otel_bridge.export.default import is_disabled
from otel_bridge.integrations import celery, chain, dictconfig, handlers, watch
from otel_bridge.integrations.printed import PrintedBridge
from otel_bridge.integrations.provider import named

CHAIN_ONLY: Final = ("renamed", "timezone")
"""Options that mean nothing for records of `logging`."""

Config = TypeVar("Config")


class Installation:
    """
    The bridge and its handlers, as they are to be put wherever something is configured.

    Args:
        options: Arguments of `otel_bridge.LogBridge`.

    Raises:
        TypeError, ValueError: An option is not known, or its value is not.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.bridge = PrintedBridge(**options)
        self.handler_options = {name: value for name, value in options.items() if name not in CHAIN_ONLY}

    def put_into_chain(self) -> None:
        """Put the bridge into the configured chain."""
        chain.put(self.bridge)

    def put_on_loggers(self) -> None:
        """Put handlers on the loggers of this process."""
        handlers.put(self.handler_options)

    def put_in(self, config: Any) -> None:
        """
        Put handlers in a configuration, and on the loggers of this process only in the place of OpenTelemetry's.

        Raises:
            ValueError: *config* is not of the shape that `dictConfig` takes; it is unchanged.
        """
        handlers.replace(self.handler_options)
        dictconfig.put(config, self.handler_options)

    def take(self) -> None:
        """Take them away again."""
        chain.take(self.bridge)
        handlers.take()


_installed: Final[list[Installation]] = []
"""The one that is installed, if any."""


def install(config: Config = None, **options: Any) -> Config:  # type: ignore[assignment]  # None is a Config, too
    """
    Send everything that this application logs, and leave what it prints as it is.

    The bridge goes into its slot of structlog's chain: before the exception is rendered, else before the last
    processor. That list is changed in place, and again after each later `structlog.configure`. For what other libraries
    log, a `LogBridgeHandler` goes beside each handler that prints (on a logger without such: that writes to a file),
    with its level: in *config* where there is one, else on the loggers of this process. OpenTelemetry's own processor
    and handlers are switched off where they would send the same records.

    Call it as often as you like: a record is sent once, and the options of the last call count. A bridge or handler
    that the application has put there itself stays as it is. With `OTEL_SDK_DISABLED=true` nothing happens at all.

    Args:
        config: A configuration for `logging.config.dictConfig`, such as Django's `LOGGING`; it is changed.
        options: As for `otel_bridge.LogBridge`.

    Returns:
        *config*. Never raises an `Exception`: what is wrong is said on logger `otel_bridge`, and *config* unchanged.
    """
    if not is_disabled():
        with _contained("otel-bridge is not installed"):
            installation = _installation({**named(), **options})
            installation.put_into_chain()
            watch.structlog_configured(_again_into_chain)
            celery.logging_configured(again)
            if config is None:
                installation.put_on_loggers()
            else:
                _put_in(config, installation)
    return config


def again() -> None:
    """Put what is installed where logging may have been configured anew. Never raises an `Exception`."""
    _again_into_chain()
    with _contained("Handlers are not installed again"):
        for installation in _installed:
            installation.put_on_loggers()


def _again_into_chain() -> None:
    with _contained("The bridge is not installed again"):
        for installation in _installed:
            installation.put_into_chain()


def uninstall() -> None:
    """Take the bridge and its handlers away; those in a configuration for `dictConfig` stay there."""
    while _installed:
        _installed.pop().take()


def is_installed() -> bool:
    """Tell whether `install` was called, and worked."""
    return bool(_installed)


def _installation(options: dict[str, Any]) -> Installation:
    if not _installed or _installed[0].options != options:
        installation = Installation(options)
        uninstall()
        _installed.append(installation)
    return _installed[0]


def _put_in(config: Any, installation: Installation) -> None:
    try:
        installation.put_in(config)
    except ValueError as exc:
        diagnostics.say(
            f"LOGGING is left as it is, and only events of structlog are sent: {exc}; "
            "write it as logging.config.dictConfig takes it."
        )


@contextmanager
def _contained(what: str) -> Iterator[None]:
    try:
        yield
    except Exception as exc:  # noqa: BLE001 - an application that cannot read its settings answers nobody
        diagnostics.say(f"{what}: {type(exc).__name__}: {exc}.")
