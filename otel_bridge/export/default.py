"""The default provider, configured by the standard environment at the first record."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from otel_bridge.export.statistics import Statistics

if TYPE_CHECKING:
    from otel_bridge.export.provider import LoggerProvider

_built: "dict[None, LoggerProvider | None]" = {}


def is_disabled() -> bool:
    """Tell whether the environment wants no telemetry: `OTEL_SDK_DISABLED`."""
    from otel_bridge.export import environment  # noqa: PLC0415

    return environment.is_disabled(os.environ)


def default_provider() -> "LoggerProvider | None":
    """
    Return the default provider, building it at the first call.

    It serves forked children as well, each with a buffer and a connection of its own.

    Returns:
        The provider; `None` where `OTEL_SDK_DISABLED` is true, `OTEL_LOGS_EXPORTER` is `none`, or the exporter cannot
        be imported, which is said once on logger `otel_bridge`.
    """
    # No lock, which a signal handler or a forked child could find taken: of two providers that are built at once (what
    # is said of the environment may itself be logged), one is used, and the other has started nothing yet.
    return _built[None] if _built else _built.setdefault(None, _build())


def _build() -> "LoggerProvider | None":
    # At the first record only: an import of otel_bridge stays light.
    from otel_bridge.export import environment, setting  # noqa: PLC0415

    if is_disabled() or not (exporters := environment.exporters(os.environ)):
        return None
    try:
        from otel_bridge.export.endpoint import STANDARD_OUTPUT  # noqa: PLC0415
        from otel_bridge.export.provider import LoggerProvider  # noqa: PLC0415

        if "otlp" in exporters:
            return LoggerProvider(console="console" in exporters)
        return LoggerProvider(endpoint=STANDARD_OUTPUT)
    except Exception as exc:  # noqa: BLE001 - whatever is wrong must not break the application
        setting.say_once(f"Log records are not exported: {exc}")
        return None


def force_flush(timeout: float = 5.0) -> bool:
    """
    Wait until the receiver has settled everything that this process emitted to the default provider.

    Args:
        timeout: Seconds to wait at most.

    Returns:
        Whether nothing of it waits any longer. True where there is no default provider. Never raises.
    """
    return _ask(lambda provider: provider.force_flush(int(timeout * 1000)))


def shutdown(timeout: float = 5.0) -> bool:
    """
    Flush the default provider and end it; what is logged afterwards is counted as dropped.

    Args:
        timeout: Seconds to wait at most.

    Returns:
        Whether everything was delivered. True where there is no default provider. Never raises.
    """
    return _ask(lambda provider: provider.shutdown(int(timeout * 1000)))


def statistics() -> Statistics:
    """Return what became of the records that this process emitted to the default provider, at one moment."""
    provider = _built.get(None)
    return Statistics() if provider is None else provider.statistics()


def _ask(work: "Callable[[LoggerProvider], bool]") -> bool:
    provider = _built.get(None)
    return provider is None or work(provider)
