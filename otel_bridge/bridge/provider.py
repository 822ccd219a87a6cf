"""The seam to OpenTelemetry's Logs API: which provider gets a record, and as which class."""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Protocol

from opentelemetry import trace
from opentelemetry._logs import LoggerProvider, LogRecord, _internal, get_logger_provider
from opentelemetry._logs._internal import ProxyLoggerProvider

from otel_bridge.bridge.mapping import LogFields
from otel_bridge.bridge.shape import Template
from otel_bridge.bridge.surroundings import Surroundings


def no_default() -> LoggerProvider | None:
    """Stand for the default provider where there is none."""
    return None


default: Callable[[], LoggerProvider | None] = no_default
"""Returns the provider of this process where neither the caller nor the application has one; `None` exports nothing.
`otel_bridge` puts the exporter half here, which this half does not know."""


def resolve() -> LoggerProvider | None:
    """
    Choose the provider where none is given: the application's global one, else the default of this process.

    It is asked for each record, so that a global provider that the application sets late gets what comes after.
    """
    global _is_asked  # noqa: PLW0603 - once for each process
    # Where none is set, `get_logger_provider` reads the environment each time, which costs as much as all else here.
    if _internal._LOGGER_PROVIDER is None and _is_asked:
        return default()
    application = get_logger_provider()
    _is_asked = True
    return default() if isinstance(application, ProxyLoggerProvider) else application


_is_asked = False


class FieldsLogger(Protocol):
    """A logger that takes what the bridge mapped as it is; those of our own provider are such."""

    def emit_fields(self, fields: LogFields, observed_timestamp: int) -> None:
        """Emit a record of *fields*, whose values are encodable."""

    def template(self, fields: LogFields, names: Sequence[str]) -> Template | None:
        """Make a template of records that have *fields*, and texts in the attributes *names* besides, if it can."""


class Target:
    """
    A provider, with what is looked up once for it.

    Args:
        provider: Any provider of OpenTelemetry's Logs API.
    """

    def __init__(self, provider: LoggerProvider) -> None:
        self.provider = provider
        self._logger: Callable[[str], Any] = lru_cache(maxsize=1024)(provider.get_logger)
        self._record: Callable[..., LogRecord] = _record_class(provider)
        self.takes_fields = hasattr(provider.get_logger("otel_bridge"), "emit_fields")
        """Whether its loggers are `FieldsLogger`s."""
        self.resource: Mapping[str, object] = getattr(getattr(provider, "resource", None), "attributes", {})
        """Attributes that need not be said again on each record."""

    def emit(self, fields: LogFields, observed_timestamp: int, around: Surroundings) -> None:
        """Emit a record of *fields*, in the class that the provider takes."""
        logger = self._logger(fields.scope_name)
        if self.takes_fields:
            logger.emit_fields(fields, observed_timestamp)
            return
        context = around.context
        if fields.span_context is not around.span_context:
            context = trace.set_span_in_context(trace.NonRecordingSpan(fields.span_context), context)
        logger.emit(
            self._record(
                timestamp=fields.timestamp or observed_timestamp,
                observed_timestamp=observed_timestamp,
                context=context,
                severity_text=fields.severity_text,
                severity_number=fields.severity_number,
                body=fields.body,
                attributes=fields.attributes,
                event_name=fields.event_name,
            )
        )

    def template(self, fields: LogFields, names: Sequence[str]) -> Template | None:
        """Make a template for a shape, if it can; only where the provider takes fields."""
        logger: FieldsLogger = self._logger(fields.scope_name)
        return logger.template(fields, names)


def _record_class(provider: LoggerProvider) -> Callable[..., LogRecord]:
    """Find the class that the provider's loggers emit; an SDK before 1.38 takes only its own, resource included."""
    sdk = sys.modules.get("opentelemetry.sdk._logs")
    if sdk is None or not isinstance(provider, sdk.LoggerProvider):
        return LogRecord
    takes_api_records = "severity_number" in inspect.signature(sdk.Logger.emit).parameters
    return LogRecord if takes_api_records else partial(sdk.LogRecord, resource=provider.resource)
