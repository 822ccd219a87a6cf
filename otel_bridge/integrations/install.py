"""One call for everything: the bridge in structlog's chain, and handlers beside those that print."""

from typing import Any, Final, TypeVar

from otel_bridge.diagnostics import diagnostics
from otel_bridge.export.default import is_disabled
from otel_bridge.integrations import chain, dictconfig, handlers, watch
from otel_bridge.integrations.printed import PrintedBridge

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

    def put(self) -> None:
        """Put the bridge into the configured chain, and handlers on the loggers of this process."""
        chain.put(self.bridge)
        handlers.put(self.handler_options)

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
    with its level: in *config*, and on the loggers that are configured already.

    Call it as often as you like: a record is sent once, and the options of the last call count. A bridge or handler
    that the application has put there itself stays as it is. With `OTEL_SDK_DISABLED=true` nothing happens at all.

    Args:
        config: A configuration for `logging.config.dictConfig`, such as Django's `LOGGING`; it is changed.
        options: As for `otel_bridge.LogBridge`.

    Returns:
        *config*. Never raises an `Exception`: what is wrong is said on logger `otel_bridge`, and *config* unchanged.
    """
    if is_disabled():
        return config
    try:
        installation = _installation(options)
        installation.put()
    except Exception as exc:  # noqa: BLE001 - an application that cannot read its settings answers nobody
        diagnostics.say(f"otel-bridge is not installed: {type(exc).__name__}: {exc}.")
        return config
    watch.structlog_configured(again)
    if config is not None:
        _put_in(config, installation)
    return config


def again() -> None:
    """Put what is installed where something may be configured anew. Never raises an `Exception`."""
    try:
        for installation in _installed:
            installation.put()
    except Exception as exc:  # noqa: BLE001 - as above
        diagnostics.say(f"otel-bridge is not installed again: {type(exc).__name__}: {exc}.")


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
        dictconfig.put(config, installation.handler_options)
    except Exception as exc:  # noqa: BLE001 - as above
        diagnostics.say(
            f"LOGGING is left as it is, and only events of structlog are sent: {exc}; "
            "write it as logging.config.dictConfig takes it."
        )
