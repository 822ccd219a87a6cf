"""Without touching the application: `OTEL_BRIDGE_AUTO`, and OpenTelemetry's entry points."""

import os
from collections.abc import Collection
from typing import Any, Final

from opentelemetry._logs import LoggerProvider, NoOpLoggerProvider
from opentelemetry.environment_variables import _OTEL_PYTHON_LOGGER_PROVIDER

from otel_bridge.export.default import default_provider
from otel_bridge.integrations import install, watch

NAME: Final = "otel_bridge"
"""What the entry points are called."""


def start() -> None:
    """
    Install the bridge here and after each later configuration, unless the application has done so.

    Never raises an `Exception`.
    """
    if not install.is_installed():
        install.install(**_options())
    if install.is_installed():
        watch.logging_configured(install.again)


def _options() -> dict[str, Any]:
    # OpenTelemetry's SDK configures itself first, without asking for this variable; whoever has set it means it.
    return {"logger_provider": logger_provider()} if os.environ.get(_OTEL_PYTHON_LOGGER_PROVIDER) == NAME else {}


def logger_provider() -> LoggerProvider:
    """
    Return the default provider: the entry point that `OTEL_PYTHON_LOGGER_PROVIDER=otel_bridge` asks for.

    Returns:
        A provider that does nothing where there is no default one.
    """
    return default_provider() or NoOpLoggerProvider()


class Instrumentor:
    """
    What `opentelemetry-instrument` calls, unless `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS` names it.

    It has the methods of `opentelemetry.instrumentation.instrumentor.BaseInstrumentor`, without that package.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return the packages that must be there beside this one: none."""
        return ()

    def instrument(self, **_options: Any) -> None:
        """Install the bridge here and after each later configuration. Never raises an `Exception`."""
        start()

    def uninstrument(self, **_options: Any) -> None:
        """Take it away again."""
        install.uninstall()
