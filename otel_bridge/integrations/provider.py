"""The default provider, where `OTEL_PYTHON_LOGGER_PROVIDER` names it."""

import os
from typing import Any, Final

from opentelemetry._logs import LoggerProvider, NoOpLoggerProvider
from opentelemetry.environment_variables import _OTEL_PYTHON_LOGGER_PROVIDER

from otel_bridge.export.default import default_provider

NAME: Final = "otel_bridge"
"""What its entry point is called."""


def logger_provider() -> LoggerProvider:
    """
    Return the default provider: the entry point that OpenTelemetry's API calls.

    Returns:
        A provider that does nothing where there is no default one.
    """
    return default_provider() or NoOpLoggerProvider()


def named() -> dict[str, Any]:
    """
    Return the option of `otel_bridge.LogBridge` that the variable means.

    Under `opentelemetry-instrument` the SDK has set a global provider of its own before the API looks for this one.
    """
    return {"logger_provider": logger_provider()} if os.environ.get(_OTEL_PYTHON_LOGGER_PROVIDER) == NAME else {}
