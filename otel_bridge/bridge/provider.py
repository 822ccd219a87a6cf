"""The seam to OpenTelemetry's Logs API: which provider gets a record, and as which class."""

import inspect
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache, partial

from opentelemetry._logs import Logger, LoggerProvider, LogRecord, get_logger_provider
from opentelemetry._logs._internal import ProxyLoggerProvider


def no_default() -> LoggerProvider | None:
    """Stand for the default provider where there is none."""
    return None


default: Callable[[], LoggerProvider | None] = no_default
"""Returns the provider of this process where neither the caller nor the application has one; `None` exports nothing.
`otel_bridge` puts the exporter half here, which this half does not know."""


def resolve(given: LoggerProvider | None) -> LoggerProvider | None:
    """
    Choose the provider: the one given, else the application's global one, else the default of this process.

    It is asked for each record, so that a global provider that the application sets late gets what comes after.
    """
    if given is not None:
        return given
    application = get_logger_provider()
    return default() if isinstance(application, ProxyLoggerProvider) else application


class Target:
    """
    A provider, with what is looked up once for it.

    Args:
        provider: Any provider of OpenTelemetry's Logs API.
    """

    def __init__(self, provider: LoggerProvider) -> None:
        self.provider = provider
        self.logger: Callable[[str], Logger] = lru_cache(maxsize=1024)(provider.get_logger)
        self.record: Callable[..., LogRecord] = _record_class(provider)
        resource = getattr(provider, "resource", None)
        self.resource: Mapping[str, object] = getattr(resource, "attributes", {})
        """Attributes that need not be said again on each record."""


def _record_class(provider: LoggerProvider) -> Callable[..., LogRecord]:
    """Find the class that the provider's loggers emit; an SDK before 1.38 takes only its own, resource included."""
    sdk = sys.modules.get("opentelemetry.sdk._logs")
    if sdk is None or not isinstance(provider, sdk.LoggerProvider):
        return LogRecord
    takes_api_records = "severity_number" in inspect.signature(sdk.Logger.emit).parameters
    return LogRecord if takes_api_records else partial(sdk.LogRecord, resource=provider.resource)
