"""
Events of one shape: what all of them have in common is mapped and encoded once.

An application logs few shapes of events, and each many times: the same keys with the same name, level and logger, and
other values. This is the fast way, for providers that offer templates; whatever it does not know goes the long way of
`otel_bridge.bridge.mapping`, which also tells it what a shape means.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from time import time_ns
from typing import Any, Final, NamedTuple, Protocol

from opentelemetry.trace import SpanContext

from otel_bridge.bridge.mapping import ATTRIBUTES, LogFields, Mapper
from otel_bridge.bridge.rules import STATUSES
from otel_bridge.bridge.surroundings import Surroundings
from otel_bridge.bridge.timestamps import from_iso
from otel_bridge.bridge.uid import record_uid
from otel_bridge.bridge.values import AnyValue

NAMING: Final = ("event", "level", "logger", "timestamp")
"""Keys without which an event has no shape."""
CONSTANT: Final = frozenset({"event", "level", "logger", "source"})
"""Keys of few values: events with others there have another shape, as have those with other flags and statuses."""
IDS: Final = ("trace_id", "span_id", "parent_span_id")
FIELDS: Final = frozenset({*CONSTANT, *IDS, "timestamp"})
MOST_OF_ONE_NAME: Final = 16
"""Shapes of one event; those that are learned in the second half are for all flags and statuses."""
MOST_NAMES: Final = 2048


class Template(Protocol):
    """What a provider makes of a shape: everything but the values that differ is encoded."""

    def emit(
        self, texts: Sequence[str], timestamp: int, observed_timestamp: int, span_context: SpanContext, uid: str
    ) -> None:
        """
        Emit the record of an event of the shape.

        Args:
            texts: Plain texts, in the order of the names that the template was made for.
            timestamp: Nanoseconds since the UNIX epoch, as *observed_timestamp*.
            observed_timestamp: When the bridge saw it.
            span_context: Of the current span, valid or not.
            uid: For `log.record.uid`.

        Raises:
            IndexError: A text is too long for the template; nothing was emitted.
        """

    def emit_values(
        self,
        values: Sequence[AnyValue],
        further: Iterable[tuple[str, AnyValue]],
        timestamp: int,
        observed_timestamp: int,
        span_context: SpanContext,
        uid: str,
    ) -> None:
        """
        Emit the record of an event of the shape, whatever its values; otherwise as `emit`.

        Args:
            values: Encodable values, in the order of the names that the template was made for; `None` for none.
            further: Attributes beside those.
            timestamp: As for `emit`.
            observed_timestamp: As for `emit`.
            span_context: As for `emit`.
            uid: As for `emit`.
        """


class Keys(NamedTuple):
    """What becomes of the keys of an event whose values differ from one event of its shape to the next."""

    copied: Mapping[str, str]
    """Keys that go to one attribute each, whatever their value."""
    derived: Sequence[str]
    """Keys of whose value a rule makes attributes."""
    are_plain: bool
    """Whether all are copied, and none holds a secret."""


class Shape:
    """
    What is known of an event before its values are read.

    Args:
        event_dict: An event of the shape.
        keys: Those whose values differ.
        mapper: Whose rules apply.
        template: What makes a record of the values.
        names: Of the attributes that the template has.
    """

    def __init__(
        self,
        event_dict: Mapping[str, Any],
        keys: Keys,
        mapper: Mapper,
        template: Template,
        names: frozenset[str],
    ) -> None:
        differing = {*keys.copied, *keys.derived, *IDS, "timestamp"}
        constants = [key for key in event_dict if key not in differing]
        self._read_constants = itemgetter(*constants)
        self._constants = self._read_constants(event_dict)
        # 1 equals True and 200.0 equals 200, but they are not sent as the same.
        self._types = [(key, type(event_dict[key])) for key in constants if isinstance(event_dict[key], int)]
        copied = tuple(keys.copied)
        self._read_values: Callable[[Mapping[str, Any]], tuple[Any, ...]] = (
            itemgetter(*copied) if len(copied) > 1 else lambda event_dict: tuple(event_dict[key] for key in copied)
        )
        self._has_ids = not event_dict.keys().isdisjoint(IDS)
        self._keys = keys
        self._mapper = mapper
        self._are_plain = mapper.are_plain if keys.are_plain else _never
        self._template = template
        self._names = names

    def emit(self, event_dict: Mapping[str, Any], around: Surroundings) -> bool:
        """
        Emit the record of an event, if it is of this shape; tell whether so.

        Args:
            event_dict: An event dict with as many keys as the shape has.
            around: Where it was logged.

        Raises:
            KeyError: It has other keys.
            ValueError: Its timestamp is none.
        """
        if self._read_constants(event_dict) != self._constants or (self._types and not self._has_types(event_dict)):
            return False
        if self._has_ids and (event_dict["trace_id"], event_dict["span_id"]) != around.ids:
            return False
        values = self._read_values(event_dict)
        timestamp = from_iso(event_dict["timestamp"])
        if timestamp is None:
            return False
        observed = time_ns()
        uid = record_uid(observed)
        if self._are_plain(values):
            try:
                self._template.emit(values, timestamp, observed, around.span_context, uid)
            except IndexError:
                pass
            else:
                return True
        return self._emit_values(event_dict, timestamp, observed, around.span_context, uid)

    def _has_types(self, event_dict: Mapping[str, Any]) -> bool:
        return all(type(event_dict[key]) is kind for key, kind in self._types)

    def _emit_values(
        self, event_dict: Mapping[str, Any], timestamp: int, observed: int, span_context: SpanContext, uid: str
    ) -> bool:
        mapped = self._mapper.values(event_dict, self._keys.copied, self._keys.derived)
        if mapped is None or not self._names.isdisjoint(mapped.derived):
            return False
        if len(self._names) + len(mapped.derived) >= ATTRIBUTES:
            return False
        self._template.emit_values(mapped.copied, mapped.derived.items(), timestamp, observed, span_context, uid)
        return True


def _never(_values: object) -> bool:
    return False


class Shapes:
    """
    The shapes of the events that one provider gets.

    Args:
        mapper: Whose rules apply.
        template: Makes a template of the constant fields of a shape and the names of its other attributes.
    """

    def __init__(self, mapper: Mapper, template: Callable[[LogFields, Sequence[str]], Template]) -> None:
        self._mapper = mapper
        self._template = template
        self._shapes: dict[tuple[str, int], list[Shape]] = {}
        self._attempts: Counter[str] = Counter()

    def emit(self, event_dict: Mapping[str, Any], around: Surroundings) -> bool:
        """Emit the record of an event, if its shape is known; tell whether so."""
        try:
            shapes = self._shapes[event_dict["event"], len(event_dict)]
        except (KeyError, TypeError):
            return False
        for shape in shapes:
            try:
                if shape.emit(event_dict, around):
                    return True
            except (KeyError, TypeError, ValueError):
                continue
        return False

    def learn(self, event_dict: Mapping[str, Any], fields: LogFields, around: Surroundings) -> None:
        """Remember the shape of an event that *fields* were made of, if it has one."""
        name = fields.event_name
        if name is None or self._attempts[name] >= MOST_OF_ONE_NAME or len(self._attempts) >= MOST_NAMES:
            return
        self._attempts[name] += 1
        if not _is_simple(event_dict, fields, around):
            return
        keys = self._keys(event_dict, is_general=self._attempts[name] > MOST_OF_ONE_NAME // 2)
        mapped = None if keys is None else self._mapper.values(event_dict, keys.copied, keys.derived)
        if keys is None or mapped is None:
            return
        names = list(keys.copied.values())
        differing = {**dict(zip(names, mapped.copied, strict=True)), **mapped.derived}
        is_right = all(fields.attributes.get(attribute) == value for attribute, value in differing.items())
        if is_right and len(differing) == len(names) + len(mapped.derived):
            constant = {key: value for key, value in fields.attributes.items() if key not in differing}
            template = self._template(fields._replace(attributes=constant), names)
            taken = frozenset((*constant, *names))
            shape = Shape(event_dict, keys, self._mapper, template, taken)
            self._shapes.setdefault((name, len(event_dict)), []).append(shape)

    def _keys(self, event_dict: Mapping[str, Any], *, is_general: bool) -> Keys | None:
        """
        Tell the keys whose values differ from those that make the shape.

        Args:
            event_dict: The event.
            is_general: Whether flags, statuses and what is `None` differ too.

        Returns:
            Those that differ; `None` if the event has no shape.
        """
        copied: dict[str, str] = {}
        derived: list[str] = []
        for key, value in event_dict.items():
            if key in FIELDS:
                continue
            destination = self._mapper.destination(key, event_dict)
            if destination is None:
                if value is not None:
                    return None
            elif not is_general and (value is None or type(value) is bool or _is_status(destination, value)):
                continue
            elif isinstance(destination, str):
                copied[key] = destination
            else:
                derived.append(key)
        return Keys(copied, derived, are_plain=not derived and not any(map(self._mapper.is_secret, copied)))


def _is_simple(event_dict: Mapping[str, Any], fields: LogFields, around: Surroundings) -> bool:
    """Tell whether what is no attribute is as in every event of the shape."""
    if fields.cut or fields.timestamp is None or fields.event_name != event_dict.get("event"):
        return False
    if "level_number" in event_dict or any(type(event_dict.get(key)) is not str for key in NAMING):
        return False
    has_ids = not event_dict.keys().isdisjoint(IDS)
    bound = {f"bound.{key}" for key in IDS}
    return not has_ids or (fields.span_context is around.span_context and bound.isdisjoint(fields.attributes))


def _is_status(destination: object, value: object) -> bool:
    return destination in STATUSES and type(value) is int
