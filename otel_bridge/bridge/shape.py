"""
Events of one shape: what all of them have in common is mapped and encoded once.

An application logs few shapes of events, and each many times: the same keys with the same name, level and logger, and
other texts. This is the fast way, for providers that offer templates; whatever it does not know goes the long way of
`otel_bridge.bridge.mapping`, which also tells it what a shape means.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from time import time_ns
from typing import Any, Final, Protocol

from opentelemetry.trace import SpanContext

from otel_bridge.bridge.mapping import LogFields, Mapper
from otel_bridge.bridge.surroundings import Surroundings
from otel_bridge.bridge.timestamps import from_iso
from otel_bridge.bridge.uid import RecordUid

NAMING: Final = ("event", "level", "logger", "timestamp")
"""Keys without which an event has no shape."""
CONSTANT: Final = frozenset({"event", "level", "logger", "source"})
"""Keys of few values: events with others there have another shape, as have those with other flags and statuses."""
IDS: Final = ("trace_id", "span_id", "parent_span_id")
MOST_OF_ONE_NAME: Final = 8
MOST_NAMES: Final = 2048


class Template(Protocol):
    """What a provider makes of a shape: everything but the texts is encoded."""

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


class Shape:
    """
    What is known of an event before its texts are read.

    Args:
        event_dict: An event of the shape.
        texts: Its keys whose values are the texts, to the attributes that take them.
        template: What makes a record of the texts.
    """

    __slots__ = ("_constants", "_has_ids", "_read_constants", "_read_texts", "_types", "template")

    def __init__(self, event_dict: Mapping[str, Any], texts: Mapping[str, str], template: Template) -> None:
        constants = [key for key in event_dict if key not in texts and key not in IDS and key != "timestamp"]
        self._read_constants = itemgetter(*constants)
        self._constants = self._read_constants(event_dict)
        # 1 equals True and 200.0 equals 200, but they are not sent as the same.
        self._types = [(key, type(event_dict[key])) for key in constants if isinstance(event_dict[key], int)]
        self._read_texts: Callable[[Mapping[str, Any]], tuple[str, ...]] = (
            itemgetter(*texts) if len(texts) > 1 else lambda event_dict: tuple(event_dict[key] for key in texts)
        )
        self._has_ids = not event_dict.keys().isdisjoint(IDS)
        self.template = template

    def texts(self, event_dict: Mapping[str, Any], ids: tuple[str, str]) -> tuple[str, ...] | None:
        """
        Read the texts of an event.

        Args:
            event_dict: An event dict with as many keys as the shape has.
            ids: Trace and span id of the current span, as applications write them.

        Returns:
            Its texts, in order; `None` if it is of another shape.
        """
        try:
            if self._read_constants(event_dict) != self._constants:
                return None
            if self._types and any(type(event_dict[key]) is not kind for key, kind in self._types):
                return None
            if self._has_ids and (event_dict["trace_id"], event_dict["span_id"]) != ids:
                return None
            return self._read_texts(event_dict)
        except KeyError:
            return None


class Shapes:
    """
    The shapes of the events that one provider gets.

    Args:
        mapper: Whose rules apply.
        template: Makes a template of the constant fields of a shape and the names of its texts.
    """

    def __init__(self, mapper: Mapper, template: Callable[[LogFields, Sequence[str]], Template]) -> None:
        self._mapper = mapper
        self._template = template
        self._are_plain = mapper.are_plain
        self._shapes: dict[tuple[str, int], list[Shape]] = {}
        self._attempts: Counter[str] = Counter()

    def emit(self, event_dict: Mapping[str, Any], around: Surroundings, record_uid: RecordUid) -> bool:
        """Emit the record of an event, if its shape is known and its texts are plain; tell whether so."""
        try:
            for shape in self._shapes[event_dict["event"], len(event_dict)]:
                texts = shape.texts(event_dict, around.ids)
                if texts is not None:
                    break
            else:
                return False
            timestamp = from_iso(event_dict["timestamp"])
            if timestamp is None or not self._are_plain(texts):
                return False
            observed = time_ns()
            shape.template.emit(texts, timestamp, observed, around.span_context, record_uid(observed))
        except (KeyError, IndexError, TypeError):
            return False
        return True

    def learn(self, event_dict: Mapping[str, Any], fields: LogFields, around: Surroundings) -> None:
        """Remember the shape of an event that *fields* were made of, if it has one."""
        name = fields.event_name
        if name is None or self._attempts[name] >= MOST_OF_ONE_NAME or len(self._attempts) >= MOST_NAMES:
            return
        self._attempts[name] += 1
        texts = self._texts(event_dict, fields, around)
        if texts is not None:
            names = list(texts.values())
            constant = {key: value for key, value in fields.attributes.items() if key not in names}
            template = self._template(fields._replace(attributes=constant), names)
            self._shapes.setdefault((name, len(event_dict)), []).append(Shape(event_dict, texts, template))

    def _texts(self, event_dict: Mapping[str, Any], fields: LogFields, around: Surroundings) -> dict[str, str] | None:
        """Find the keys whose texts go to one attribute each as they are; `None` if there is anything else."""
        if fields.cut or fields.timestamp is None or fields.event_name != event_dict.get("event"):
            return None
        if any(type(event_dict.get(key)) is not str for key in NAMING):
            return None
        texts: dict[str, str] = {}
        for key, value in event_dict.items():
            if key in IDS:
                if fields.span_context is not around.span_context or f"bound.{key}" in fields.attributes:
                    return None
            elif value is not None and key not in CONSTANT and key != "timestamp":
                attribute = self._mapper.destination(key, value, event_dict)
                if attribute is None:
                    return None
                if type(value) is str:
                    texts[key] = attribute
        are_copied = all(fields.attributes.get(name) == event_dict[key] for key, name in texts.items())
        return texts if are_copied and len(set(texts.values())) == len(texts) else None
