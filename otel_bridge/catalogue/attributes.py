"""The attributes that the mapping makes of a catalogue's keys, and where the stores keep them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from otel_bridge.bridge.mapping import Mapper
from otel_bridge.bridge.rules import DERIVED, RULES
from otel_bridge.bridge.rules import Event as EventOfRule
from otel_bridge.bridge.trace import BOUND_KEYS
from otel_bridge.catalogue.model import Catalogue, CatalogueError, Event, Key, KeyType, System

TYPES: Final[Mapping[str, KeyType]] = {
    **dict.fromkeys(DERIVED, "keyword"),
    **{f"bound.{key}": "keyword" for key in BOUND_KEYS},
    "log.record.uid": "keyword",
    "code.line.number": "integer",
    "http.response.status_code": "integer",
    "process.pid": "integer",
    "thread.id": "integer",
    "code.stacktrace": "text",
    "exception.message": "text",
    "exception.stacktrace": "text",
}
"""Attributes that the mapping itself can write, whatever the catalogue."""

EXTRA: Final = "extra"
"""Where both stores keep the keys that no catalogue has."""
EXCEPTION: Final = ("exception.type", "exception.message", "exception.stacktrace")
"""What an exception becomes, in whatever shape and under whichever key it is logged."""


class Stored(NamedTuple):
    """Where the stores keep what one key of an event dict became."""

    key: str
    attribute: str
    """Its name in OTLP."""
    loki: str
    """Its name in structured metadata, where a map's keys follow it, joined by `_`."""
    elasticsearch: str
    """Its path in a document; it is found without `attributes.` too, unless the document has a field of that name."""


def attributes(catalogue: Catalogue) -> dict[str, KeyType]:
    """
    List every attribute that the mapping can produce from the catalogue's events.

    Returns:
        Names after mapping, sorted, to their types; `exception` is none of these, a list of maps is a `map`.

    Raises:
        CatalogueError: Two events give one attribute different types; the stores would refuse one of them.
    """
    found: dict[str, KeyType] = dict(TYPES)
    said: dict[str, str] = {}
    for system, event in catalogue.events:
        for name, kind in _event_attributes(system, event):
            where = f"{system.name}, event {event.name}"
            if name == EXTRA:
                raise CatalogueError(
                    f"{where}: {EXTRA} holds the keys that no catalogue has; give the key another name"
                )
            if found.setdefault(name, kind) != kind and name not in TYPES:
                raise CatalogueError(
                    f"{where}: attribute {name} is of type {kind}, but in {said[name]} of type {found[name]}; "
                    "give both the same type, or one of the keys another name"
                )
            said.setdefault(name, where)
    return dict(sorted(found.items()))


def event_dict(system: System, event: Event) -> dict[str, Any]:
    """Write an event as the chain hands it to the bridge, with the context of its system around it."""
    keys = {key.name: key for key in (*system.context, *event.keys)}
    return {_logged(key): key.example for key in keys.values()} | {event.message_key: event.name}


def loki_names(catalogue: Catalogue) -> dict[str, str]:
    """
    Name each attribute as Loki does, with `_` for every other character.

    Of two attributes that would have one name (`exception_type` and `exception.type`) Loki keeps one, now this and now
    that: the one that is not the mapping's own, and then the longer, has `attributes_` in front.
    """
    names: dict[str, str] = {}
    for name in sorted(attributes(catalogue), key=lambda name: (name not in TYPES, len(name), name)):
        plain = re.sub(r"\W", "_", name)
        names[name] = f"attributes_{plain}" if plain in names.values() else plain
    return names


def stored(catalogue: Catalogue) -> list[Stored]:
    """List where each key of the catalogue's events is found, sorted by key and attribute; each pair once."""
    pairs = {pair for system, event in catalogue.events for pair in _destinations(system, event)}
    loki = loki_names(catalogue)
    return [Stored(key, name, loki[name], f"attributes.{name}") for key, name in sorted(pairs)]


def _destinations(system: System, event: Event) -> Iterator[tuple[str, str]]:
    keys = event_dict(system, event)
    subject = EventOfRule(event.name, keys)
    for key, value in keys.items():
        rule = RULES.get(key, key)
        if key == "exception":
            yield from ((logged, name) for logged in ("exc_info", "exception") for name in EXCEPTION)
        elif key == "message" and event.has_exception:
            yield key, "exception.message"
        elif isinstance(rule, str):
            yield key, rule
        elif rule is not None:
            yield from ((key, name) for name, _ in rule(subject, key, value))


def _event_attributes(system: System, event: Event) -> Iterator[tuple[str, KeyType]]:
    keys = {key.name: key for key in (*system.context, *event.keys)}
    for name, value in Mapper().fields(event_dict(system, event)).attributes.items():
        key = keys.get(name)
        kind = TYPES.get(name) or (_kind(key, value) if key else "keyword")
        yield name, kind


def _kind(key: Key, value: object) -> KeyType:
    if isinstance(value, str) and key.type in ("integer", "number"):
        return "keyword"
    if key.type == "list" and isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return "map"
    return key.type


def _logged(key: Key) -> str:
    """The name under which a rendered traceback, which the examples are, is logged."""
    return "exception" if key.type == "exception" else key.name
