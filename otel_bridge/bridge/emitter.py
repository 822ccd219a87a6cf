"""From an event dict to a provider's logger, with everything that goes wrong contained."""

from collections.abc import Mapping
from functools import lru_cache
from time import time_ns
from typing import Any

from opentelemetry._logs import LoggerProvider
from opentelemetry.context import Context, get_current

from otel_bridge.bridge.mapping import Mapper
from otel_bridge.bridge.provider import Target, resolve
from otel_bridge.bridge.severity import severity
from otel_bridge.bridge.shape import Shapes
from otel_bridge.bridge.surroundings import Surroundings, surroundings
from otel_bridge.bridge.uid import record_uid
from otel_bridge.diagnostics import diagnostics


class Emitter:
    """
    Emits one log record for each event dict.

    Args:
        logger_provider: The provider to use; `None` for the application's global one, else the default.
        mapper: The rules by which event dicts become log records.
        levels: The lowest level to emit by logger name and all names below it; `""` names every logger.

    Raises:
        ValueError: A level of *levels* is not known.
    """

    def __init__(self, logger_provider: LoggerProvider | None, mapper: Mapper, levels: Mapping[str, str]) -> None:
        self.logger_provider = logger_provider
        self._mapper = mapper
        self._thresholds = {name: severity(level).value for name, level in levels.items()}
        if unknown := sorted(name for name, threshold in self._thresholds.items() if not threshold):
            raise ValueError(
                f"levels[{unknown[0]!r}]={levels[unknown[0]]!r} is no level; write 'warning', for example."
            )
        self._threshold = lru_cache(maxsize=1024)(self._find_threshold)
        self._target: Target | None = None
        self._shapes: Shapes | None = None
        self._around = surroundings(Context())

    def emit(self, event_dict: Mapping[str, Any], method_name: str, logger: object, *, named: bool) -> None:
        """
        Map *event_dict* and hand its record to the provider.

        Args:
            event_dict: The event dict; read only.
            method_name: The name of the logging method.
            logger: What it was logged with; its `name` stands for a missing `logger`.
            named: Whether the event may be a name.

        What is logged while an exporter works, under OpenTelemetry's suppress-instrumentation key, is not emitted:
        exporting it would log again, without end.

        Never raises an `Exception`; one that a provider raised is counted and said.
        """
        try:
            context = get_current()
            around = self._around
            if around.context is not context:
                around = self._around = surroundings(context)
            provider = self.logger_provider
            if provider is None:
                provider = resolve()
            if around.is_suppressed or provider is None:
                return
            target = self._target
            if target is None or target.provider is not provider:
                target = self._find_target(provider)
            if not (named and self._shapes is not None and self._shapes.emit(event_dict, around)):
                self._emit(event_dict, method_name, logger, named, target, around)
        except Exception as exc:  # noqa: BLE001 - the one place where errors are kept from the application
            diagnostics.count(f"were lost to {type(exc).__module__}.{type(exc).__qualname__}")

    def _find_target(self, provider: LoggerProvider) -> Target:
        target = Target(provider)
        has_shapes = target.takes_fields and not self._mapper.is_renaming
        self._shapes = Shapes(self._mapper, target.template) if has_shapes else None
        self._target = target
        return target

    def _emit(
        self,
        event_dict: Mapping[str, Any],
        method_name: str,
        logger: object,
        named: bool,  # noqa: FBT001
        target: Target,
        around: Surroundings,
    ) -> None:
        name = getattr(logger, "name", None)
        logger_name = name if isinstance(name, str) else None
        fields = self._mapper.fields(event_dict, method_name, logger_name, around.span_context, named=named)
        if self._thresholds and 0 < fields.severity_number.value < self._threshold(fields.scope_name):
            return
        observed = time_ns()
        for name in ("process.pid", "thread.id", "thread.name"):
            # Both stores would mix what the record and its resource say under one name.
            if name in fields.attributes and fields.attributes[name] == target.resource.get(name):
                del fields.attributes[name]
        if named and self._shapes is not None:
            self._shapes.learn(event_dict, fields, around)
        fields.attributes["log.record.uid"] = record_uid(observed)
        target.emit(fields, observed, around)
        if fields.cut:
            diagnostics.count("were shortened: they exceeded the bounds of otel_bridge.bridge.values")

    def _find_threshold(self, scope_name: str) -> int:
        names = [scope_name]
        while "." in names[-1]:
            names.append(names[-1].rpartition(".")[0])
        return next((self._thresholds[name] for name in (*names, "") if name in self._thresholds), 0)
