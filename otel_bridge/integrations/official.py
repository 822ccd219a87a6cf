"""OpenTelemetry's own ways from structlog and `logging`: what they send, the bridge sends too."""

import logging
from typing import Final

from opentelemetry._logs import get_logger_provider
from opentelemetry._logs._internal import ProxyLoggerProvider

from otel_bridge.bridge.values import is_a
from otel_bridge.diagnostics import diagnostics

OFFICIAL: Final = (
    ("opentelemetry.sdk._logs._internal", "LoggingHandler"),
    ("opentelemetry.instrumentation.logging.handler", "LoggingHandler"),
    ("opentelemetry.instrumentation.structlog", "StructlogProcessor"),
)
"""By module and name, so that nothing is imported. The first is the SDK's, which
`OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED` puts on the root logger."""

_said: Final[set[str]] = set()


def repeats(one: object) -> bool:
    """
    Tell whether *one* is OpenTelemetry's handler or processor, and sends to the application's global provider.

    One that was given another provider is the application's own way to somewhere else.
    """
    kind: type = type(one)
    if not any(is_a(kind, name) for name in OFFICIAL):
        return False
    provider = getattr(one, "_logger_provider", None)
    return provider is get_logger_provider() or isinstance(provider, ProxyLoggerProvider)


def say(one: object) -> None:
    """Say that *one* is switched off; of each class once."""
    name = type(one).__name__
    if name not in _said:
        _said.add(name)
        diagnostics.say(f"OpenTelemetry's {name} is switched off: otel-bridge sends the same records, once.")


class Mute(logging.Filter):
    """
    Rejects every record.

    The handler stays where it is: OpenTelemetry would put it back after each configuration of `logging`.
    """

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - the signature is its parent's
        """Say no."""
        return False


MUTE: Final = Mute()
