"""The default provider, configured by the standard environment at the first record."""

import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from otel_bridge.diagnostics import diagnostics
from otel_bridge.export.statistics import Statistics

if TYPE_CHECKING:
    from otel_bridge.export.provider import LoggerProvider
    from otel_bridge.export.transport import Transport

EXPORTERS: Final = ("otlp", "console", "none")
"""Values of `OTEL_LOGS_EXPORTER`:
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#exporter-selection"""

SENDS_GRPC: Final = "maykin_common.otel"
"""Where no protocol is named, its `setup_otel` sends traces over gRPC, unlike OpenTelemetry itself; so that is what the
endpoint speaks that such an application is given."""

_built: "dict[None, LoggerProvider | None]" = {}
_building: Final = threading.local()


def is_disabled() -> bool:
    """Tell whether the environment wants no telemetry: `OTEL_SDK_DISABLED`."""
    return os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def default_provider() -> "LoggerProvider | None":
    """
    Return the default provider, building it at the first call.

    It serves forked children as well, each with a buffer and a connection of its own.

    Returns:
        The provider; `None` where `OTEL_SDK_DISABLED` is true, `OTEL_LOGS_EXPORTER` is `none`, or what the
        environment asks for cannot be built, which is said once on logger `otel_bridge`.
    """
    if _built:
        return _built[None]
    if getattr(_building, "now", False):
        # What is said of the environment is logged, and would come here again without end.
        return None
    _building.now = True
    try:
        # No lock, which a signal handler or a forked child could find taken: of two providers that are built at once,
        # one is used, and the other has started nothing yet.
        return _built.setdefault(None, _build())
    finally:
        _building.now = False


def _build() -> "LoggerProvider | None":
    exporter = os.environ.get("OTEL_LOGS_EXPORTER", "").strip() or "otlp"
    if exporter == "none" or is_disabled():
        return None
    if exporter not in EXPORTERS:
        wrong = f"OTEL_LOGS_EXPORTER={exporter!r} is not known; set it to {' or '.join(EXPORTERS)}."
        diagnostics.say(f"Log records are not exported: {wrong}")
        return None
    try:
        # At the first record only: an import of otel_bridge stays light.
        from otel_bridge.export.provider import LoggerProvider  # noqa: PLC0415

        return LoggerProvider(connect=_console if exporter == "console" else None, protocol=_protocol())
    except Exception as exc:  # noqa: BLE001 - a wrong environment must not break the application
        diagnostics.say(f"Log records are not exported: {exc}")
        return None


def _protocol() -> str | None:
    is_named = any(os.environ.get(f"OTEL_EXPORTER_OTLP_{name}", "").strip() for name in ("PROTOCOL", "LOGS_PROTOCOL"))
    return "grpc" if SENDS_GRPC in sys.modules and not is_named else None


def _console() -> "Transport":
    from otel_bridge.export.file import FileTransport  # noqa: PLC0415

    return FileTransport(None)


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
