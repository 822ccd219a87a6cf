"""Without touching the application: `OTEL_BRIDGE_AUTO`, and `opentelemetry-instrument`."""

from collections.abc import Collection
from typing import Any

from otel_bridge.integrations import install, watch


def start() -> None:
    """
    Install the bridge here and after each later configuration, unless the application has done so.

    Never raises an `Exception`.
    """
    if not install.is_installed():
        install.install()
    if install.is_installed():
        watch.logging_configured(install.again)


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
