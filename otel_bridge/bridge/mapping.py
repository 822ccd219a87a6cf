"""The walk by which an event dict becomes a log record's fields."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any, Final, NamedTuple, get_args

from opentelemetry._logs import SeverityNumber
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

from otel_bridge.bridge import naming
from otel_bridge.bridge.exceptions import STACKTRACE, Stacktrace, exception_info, says_none
from otel_bridge.bridge.redaction import Redaction, are_plain
from otel_bridge.bridge.rules import COMPONENTS, DERIVED, NAMING, RULES, Event, Rule, nowhere, source, text_of
from otel_bridge.bridge.severity import METHOD_LEVELS, severity
from otel_bridge.bridge.timestamps import nanoseconds
from otel_bridge.bridge.trace import BOUND_KEYS, span_context
from otel_bridge.bridge.values import SHORT, AnyValue, Walk

BODY: Final = 65_536
"""How many characters of the event are kept."""
ATTRIBUTES: Final = 128
"""The SDK evicts the first of more attributes than this: https://opentelemetry.io/docs/specs/otel/common/#configurable-parameters"""


class LogFields(NamedTuple):
    """The fields of one log record: https://opentelemetry.io/docs/specs/otel/logs/data-model/."""

    timestamp: int | None
    """Nanoseconds since the UNIX epoch; `None` where the event dict names no instant."""
    severity_number: SeverityNumber
    severity_text: str
    body: str
    event_name: str | None
    span_context: SpanContext
    scope_name: str
    attributes: dict[str, AnyValue]
    """At most `ATTRIBUTES` - 1, leaving room for `log.record.uid`."""
    cut: int
    """How many values and attributes were shortened or left out."""


SCALARS: Final = frozenset({str, int, float, bool, type(None)})

Mapped = list[tuple[str, AnyValue]]
"""Attributes by name, as they come."""


class Mapper:
    """
    Maps event dicts to the fields of log records.

    Args:
        keys: Rules of the application's own: the attribute that takes a key's value, or `None` to drop the key.
        renamed: What the application's chain calls a documented key, by the documented name:
            `{"event": "message"}` for `structlog.processors.EventRenamer("message")`.
        redaction: What to replace in values; `None` replaces nothing.
        stacktrace: How much of a stack trace to keep.
        timezone: The zone of timestamps that name none.

    Raises:
        ValueError: The value of *stacktrace* is not known.
    """

    def __init__(
        self,
        *,
        keys: Mapping[str, str | None] | None = None,
        renamed: Mapping[str, str] | None = None,
        redaction: Redaction | None = None,
        stacktrace: Stacktrace = "full",
        timezone: tzinfo = UTC,
    ) -> None:
        if stacktrace not in get_args(Stacktrace):
            raise ValueError(f"stacktrace={stacktrace!r} is not known; write 'full', 'short' or 'none'.")
        own = {key: nowhere if name is None and key not in RULES else name for key, name in (keys or {}).items()}
        self._rules: Mapping[str, Rule] = {**RULES, **own}
        self._documented = {name: key for key, name in (renamed or {}).items()}
        self._redaction = redaction
        self._stacktrace: Stacktrace = stacktrace
        self._timezone = timezone

    @property
    def is_renaming(self) -> bool:
        """Whether the application's chain calls documented keys otherwise."""
        return bool(self._documented)

    @property
    def are_plain(self) -> Callable[[Sequence[object]], bool]:
        """Tells whether some values are texts that are sent as they are; where it says no, that may still be so."""
        return are_plain if self._redaction is None else self._redaction.are_plain

    def is_secret(self, key: str) -> bool:
        """Tell whether the value of *key* is replaced, whatever it is."""
        return self._redaction is not None and self._redaction.kind(key) is not None

    def destination(self, key: str, event_dict: Mapping[str, Any]) -> Rule:
        """
        Tell where the value of a key of *event_dict* goes, whatever it is.

        Returns:
            The one attribute that takes it; the rule that makes attributes of it; `None` if it is no attribute.
        """
        rule = self._rules.get(key, key)
        if rule is key:
            return Walk(None).key(key)
        if rule in NAMING:
            name = event_dict.get("event")
            return next(iter(rule(Event(name if isinstance(name, str) else "", event_dict), key, "")))[0]
        return rule

    def short_texts(self, values: Sequence[object]) -> list[str] | None:
        """
        Redact texts.

        Args:
            values: Of keys for which `destination` names an attribute, and which hold no secrets.

        Returns:
            The same texts, redacted; `None` if one is not a short text of ASCII.
        """
        for value in values:
            if type(value) is not str or len(value) > SHORT or not value.isascii() or "\0" in value:
                return None
        texts: list[str] = list(values)  # type: ignore[arg-type]  # all are texts
        return texts if self._redaction is None else self._redaction.texts(texts)

    def attributes(self, event_dict: Mapping[str, Any], keys: Sequence[str]) -> Mapped | None:
        """
        Map some keys of an event dict.

        Args:
            event_dict: The event dict, whose `event` is a text; read only.
            keys: Keys for which `destination` is not `None`.

        Returns:
            Names and values of attributes; `None` where something was shortened, where two rules make one attribute,
            or where a foreign type raised.
        """
        walk = Walk(self._redaction, has_secrets=self._may_hold_secrets([event_dict[key] for key in keys]))
        try:
            event = Event(event_dict["event"], event_dict)
            found = [pair for key in keys for pair in self._attribute(walk, event, key, event_dict[key])]
        except Exception:  # noqa: BLE001 - whatever it raised where it was only asked what it is
            return None
        return None if walk.cut or len({name for name, _ in found}) < len(found) else found

    def _may_hold_secrets(self, values: Sequence[object]) -> bool:
        """Tell whether something may have to be replaced in *values*, or in the parts that a rule takes them into."""
        if self._redaction is None or not all(type(value) in SCALARS for value in values):
            return True
        texts = [value for value in values if type(value) is str]
        return self._redaction.texts(texts) is not texts

    def _attribute(self, walk: Walk, event: Event, key: str, value: object) -> Mapped:
        if value is None:
            return []
        rule = self._rules.get(key, key)
        if rule is key:
            return [(walk.key(key), walk.attribute(key, value))]
        if isinstance(rule, str):
            return [(rule, walk.attribute(key, value))]
        # By its key, so that what is secret stays so under whatever name.
        return [(name, walk.attribute(key, part)) for name, part in rule(event, key, value)] if rule else []

    def fields(
        self,
        event_dict: Mapping[str, Any],
        method_name: str = "info",
        logger_name: str | None = None,
        current: SpanContext = INVALID_SPAN_CONTEXT,
        *,
        named: bool = True,
    ) -> LogFields:
        """
        Map one event dict.

        Args:
            event_dict: The event dict; read only.
            method_name: The name of the logging method, which stands for a missing level.
            logger_name: The logger's own name, which stands for a missing `logger`.
            current: The context of the current span, valid or not.
            named: Whether the event may be a name; that of a record of `logging` is free text always.

        Returns:
            The fields of its log record. Never raises, whatever the event dict holds.
        """
        if self._documented:
            event_dict = {self._documented.get(key, key): value for key, value in event_dict.items()}
        try:
            return self._fields(event_dict, method_name, logger_name, current, named)
        except Exception:  # noqa: BLE001 - a foreign type raised where it was only asked what it is
            return self._fields(_plain(event_dict, self._redaction), method_name, logger_name, current, named)

    def _fields(
        self,
        event_dict: Mapping[str, Any],
        method_name: str,
        logger_name: str | None,
        current: SpanContext,
        named: bool,  # noqa: FBT001
    ) -> LogFields:
        walk = Walk(self._redaction)
        level = naming.first(event_dict.get("level"), METHOD_LEVELS.get(method_name, method_name))
        body, is_formatted = naming.body(walk, event_dict)
        attributes = self._attributes(walk, event_dict)
        leftovers: dict[str, object] = {}
        if not BOUND_KEYS.isdisjoint(event_dict):
            current, leftovers = span_context(event_dict, current)
        timestamp = nanoseconds(event_dict.get("timestamp"), self._timezone)
        if timestamp is None and "timestamp" in event_dict:
            leftovers["timestamp"] = event_dict["timestamp"]
        if "positional_args" in event_dict and not is_formatted:
            leftovers["positional_args"] = event_dict["positional_args"]
        for key, value in leftovers.items():
            attributes[key] = walk.attribute(key, value)
        return LogFields(
            timestamp,
            severity(level, event_dict.get("level_number")),
            walk.text(text_of(level)),
            walk.text(body, BODY),
            naming.event_name(event_dict) if named and not is_formatted else None,
            current,
            walk.text(naming.scope_name(event_dict, logger_name)),
            _bounded(attributes, walk),
            walk.cut,
        )

    def _attributes(self, walk: Walk, event_dict: Mapping[str, Any]) -> dict[str, AnyValue]:
        name = event_dict.get("event")
        event = Event(name if isinstance(name, str) else "", event_dict)
        derived: dict[str, AnyValue] = {}
        given: dict[str, AnyValue] = {}
        for key, value in event_dict.items():
            own = walk.key(key)
            for attribute, part in self._attribute(walk, event, key, value):
                (given if attribute == own else derived)[attribute] = part
        if self._rules["source"] is source:
            given.setdefault("source", COMPONENTS[0])
        self._exception(walk, event_dict, derived, given)
        # Last, because a provider with a lower limit evicts the first: the SDK's does.
        for attribute, value in derived.items():
            given.setdefault(attribute, value)
        return given

    def _exception(
        self, walk: Walk, event_dict: Mapping[str, Any], derived: dict[str, AnyValue], given: dict[str, AnyValue]
    ) -> None:
        exc_info, exception = event_dict.get("exc_info"), event_dict.get("exception")
        if exc_info is None and exception is None:
            return
        found = exception_info(exc_info, exception, self._stacktrace)
        if found is None:
            # Not an exception, but what the application logged: only what says that there is none goes.
            leftovers = {"exc_info": exc_info, "exception": exception}
            given |= {key: walk.attribute(key, value) for key, value in leftovers.items() if not says_none(value)}
            return
        if given.get("message") is not None:
            derived["exception.message"] = given.pop("message")
        elif found.message is not None:
            derived["exception.message"] = walk.text(found.message)
        if found.type is not None:
            derived["exception.type"] = walk.text(found.type)
        if found.stacktrace is not None:
            derived["exception.stacktrace"] = walk.text(found.stacktrace, STACKTRACE + SHORT)


def _plain(event_dict: Mapping[Any, Any], redaction: Redaction | None) -> dict[str, Any]:
    """Write an event dict in types of Python's own, so that reading it runs no foreign code; exceptions stay."""
    walk = Walk(redaction)
    plain: dict[str, Any] = {}
    for key, value in event_dict.items():
        name = walk.key(key)
        is_exception = issubclass(type(value), BaseException) or (type(value) is tuple and key == "exc_info")
        plain[name] = value if is_exception else walk.attribute(name, value)
    return plain


def _bounded(attributes: dict[str, AnyValue], walk: Walk) -> dict[str, AnyValue]:
    """Leave out what cannot be sent, and where there are too many attributes, the application's last ones first."""
    kept: dict[str, AnyValue] = {key: value for key, value in attributes.items() if value is not None}
    excess = len(kept) - ATTRIBUTES + 1
    if excess > 0:
        expendable = [key for key in kept if key not in DERIVED and key not in RULES]
        for key in [*kept, *expendable][-excess:]:
            del kept[key]
        walk.cut += excess
    return kept
