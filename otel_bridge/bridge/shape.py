"""
Events of one shape: what all of them have in common is mapped and encoded once.

An application logs few shapes of events, and each many times: the same keys with the same name, level and logger, and
other values. This is the fast way, for providers that offer templates; whatever it does not know goes the long way of
`otel_bridge.bridge.mapping`, which also tells it what a shape means.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from time import time_ns
from typing import Any, Final, NamedTuple, Protocol

from opentelemetry.trace import SpanContext

from otel_bridge.bridge.mapping import ATTRIBUTES, LogFields, Mapped, Mapper
from otel_bridge.bridge.rules import STATUSES
from otel_bridge.bridge.surroundings import Surroundings
from otel_bridge.bridge.timestamps import from_iso
from otel_bridge.bridge.uid import record_uid
from otel_bridge.bridge.values import SHORT, AnyValue

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
        self,
        texts: Sequence[str],
        further: Collection[tuple[str, AnyValue]],
        timestamp: int,
        observed_timestamp: int,
        span_context: SpanContext,
        uid: str,
    ) -> None:
        """
        Emit the record of an event of the shape.

        Args:
            texts: ASCII, in the order of the names that the template was made for.
            further: Attributes beside those, of any encodable value.
            timestamp: Nanoseconds since the UNIX epoch, as *observed_timestamp*.
            observed_timestamp: When the bridge saw it.
            span_context: Of the current span, valid or not.
            uid: For `log.record.uid`.

        Raises:
            IndexError: A text is too long for the template; nothing was emitted.
        """


class Keys(NamedTuple):
    """The keys of an event whose values differ from one event of its shape to the next."""

    texts: Mapping[str, str]
    """Those of short texts, to the attribute that takes it."""
    others: Sequence[str]


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
        differing = {*keys.texts, *keys.others, *IDS, "timestamp"}
        constants = [key for key in event_dict if key not in differing]
        self._read_constants = itemgetter(*constants)
        self._constants = self._read_constants(event_dict)
        # 1 equals True and 200.0 equals 200, but they are not sent as the same.
        self._types = [(key, type(event_dict[key])) for key in constants if isinstance(event_dict[key], int)]
        texts = tuple(keys.texts)
        self._read_texts: Callable[[Mapping[str, Any]], Sequence[Any]] = (
            itemgetter(*texts) if len(texts) > 1 else lambda event_dict: tuple(event_dict[key] for key in texts)
        )
        self._has_ids = not event_dict.keys().isdisjoint(IDS)
        self._others = keys.others
        self._mapper = mapper
        self._are_plain = mapper.are_plain
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
            IndexError: A text is too long.
            ValueError: Its timestamp is none.
        """
        if self._read_constants(event_dict) != self._constants or (self._types and not self._has_types(event_dict)):
            return False
        if self._has_ids and (event_dict["trace_id"], event_dict["span_id"]) != around.ids:
            return False
        values = self._read_texts(event_dict)
        texts = values if self._are_plain(values) else self._mapper.short_texts(values)
        further = self._further(event_dict) if self._others else ()
        timestamp = from_iso(event_dict["timestamp"])
        if texts is None or further is None or timestamp is None:
            return False
        observed = time_ns()
        self._template.emit(texts, further, timestamp, observed, around.span_context, record_uid(observed))
        return True

    def _has_types(self, event_dict: Mapping[str, Any]) -> bool:
        return all(type(event_dict[key]) is kind for key, kind in self._types)

    def _further(self, event_dict: Mapping[str, Any]) -> Mapped | None:
        found = self._mapper.attributes(event_dict, self._others)
        if found is None or not self._names.isdisjoint([name for name, _ in found]):
            return None
        return found if len(self._names) + len(found) < ATTRIBUTES else None


class Shapes:
    """
    The shapes of the events that one provider gets.

    Args:
        mapper: Whose rules apply.
        template: Makes a template of the constant fields of a shape and the names of its texts, if it can.
    """

    def __init__(self, mapper: Mapper, template: Callable[[LogFields, Sequence[str]], Template | None]) -> None:
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
            except (KeyError, IndexError, TypeError, ValueError):
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
        is_general = self._attempts[name] > MOST_OF_ONE_NAME // 2
        keys = self._keys(event_dict, is_general=is_general)
        others = None if keys is None else self._mapper.attributes(event_dict, keys.others)
        if keys is None or others is None:
            return
        names = list(keys.texts.values())
        texts = self._mapper.short_texts([event_dict[key] for key in keys.texts]) or []
        pairs = [*zip(names, texts, strict=False), *others]
        differing = {name for name, _ in pairs}
        is_right = all(fields.attributes.get(name) == value for name, value in pairs)
        if is_right and len(differing) == len(names) + len(others):
            constant = {key: value for key, value in fields.attributes.items() if key not in differing}
            template = self._template(fields._replace(attributes=constant), names)
            if template is None:
                return
            shape = Shape(event_dict, keys, self._mapper, template, frozenset((*constant, *names)))
            self._shapes.setdefault((name, len(event_dict)), []).append(shape)

    def _keys(self, event_dict: Mapping[str, Any], *, is_general: bool) -> Keys | None:
        """
        Tell the keys whose values differ from those that make the shape.

        Args:
            event_dict: The event.
            is_general: Whether flags, statuses and what is `None` differ too, and texts may be of any kind.

        Returns:
            Those that differ; `None` if the event has no shape.
        """
        texts: dict[str, str] = {}
        others: list[str] = []
        for key, value in event_dict.items():
            if key in FIELDS:
                continue
            destination = self._mapper.destination(key, event_dict)
            if destination is None:
                if value is not None:
                    return None
            elif is_general:
                others.append(key)
            elif value is None or type(value) is bool or (destination in STATUSES and type(value) is int):
                continue
            elif isinstance(destination, str) and _is_short(value) and not self._mapper.is_secret(key):
                texts[key] = destination
            else:
                others.append(key)
        return Keys(texts, others)


def _is_simple(event_dict: Mapping[str, Any], fields: LogFields, around: Surroundings) -> bool:
    """Tell whether what is no attribute is as in every event of the shape."""
    if fields.cut or fields.timestamp is None or fields.event_name != event_dict.get("event"):
        return False
    if "level_number" in event_dict or any(type(event_dict.get(key)) is not str for key in NAMING):
        return False
    has_ids = not event_dict.keys().isdisjoint(IDS)
    bound = {f"bound.{key}" for key in IDS}
    return not has_ids or (fields.span_context is around.span_context and bound.isdisjoint(fields.attributes))


def _is_short(value: object) -> bool:
    return type(value) is str and len(value) <= SHORT and value.isascii()
