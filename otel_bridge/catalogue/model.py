"""What a catalogue holds: systems, the events that they log, and the keys of those events."""

from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

KeyType: TypeAlias = Literal["keyword", "text", "integer", "number", "boolean", "timestamp", "map", "list", "exception"]
"""What a value is: a short identifying string, free text, …, an exception in any of the shapes that it is logged in."""

KnownFrom: TypeAlias = Literal["manual", "source", "observed"]
"""Who says so: the system's own manual, the source code of the system or its library, or a running system."""


class CatalogueError(ValueError):
    """A catalogue file is wrong; the message names the file, the place, the value, and the remedy."""


@dataclass(frozen=True)
class Key:
    """
    One key of an event dict.

    Attributes:
        name: As it is logged.
        type: What its value is.
        meaning: One short sentence.
        example: A value as it is logged; for the type `exception` the rendered traceback.
        nullable: Whether the value may be `None`.
        personal: Whether the value may hold personal data.
        known_from: Who says that the key is there; `None` on a key that belongs to no event.
    """

    name: str
    type: KeyType
    meaning: str
    example: object
    nullable: bool = False
    personal: bool = False
    known_from: KnownFrom | None = None


@dataclass(frozen=True)
class Event:
    """
    One event: what a system says when one thing happened.

    Attributes:
        name: The value of `event` (or of *message_key*).
        when: One sentence: what happened.
        known_from: Who says that the event is there.
        keys: Those the event itself carries, in documented order; what is bound around it is its system's context.
        level: Name of the level, `None` where it is unknown or varies.
        logger: Name of the logger, `None` where it is unknown or varies.
        message_key: The key that holds the name: `event`, except for what never was a structlog event.
        group: Name of the common group that the event comes from, `None` for a system's own.
    """

    name: str
    when: str
    known_from: KnownFrom
    keys: tuple[Key, ...] = ()
    level: str | None = None
    logger: str | None = None
    message_key: str = "event"
    group: str | None = None

    def example(self) -> dict[str, object]:
        """
        Give an example of the event's keys, to be logged as keyword arguments beside the name.

        Returns:
            A fresh dict; keys of type `exception` are left out, as they need a real one: see `has_exception`.
        """
        return {key.name: deepcopy(key.example) for key in self.keys if key.type != "exception"}

    @property
    def has_exception(self) -> bool:
        """Whether the event carries an exception."""
        return any(key.type == "exception" for key in self.keys)


@dataclass(frozen=True)
class Group:
    """Events of one library, which many systems log."""

    name: str
    title: str
    events: tuple[Event, ...]


@dataclass(frozen=True)
class System:
    """
    One application and everything that it is known to log.

    Attributes:
        name: Short name, as its file: `open-zaak`.
        title: Its name for people: Open Zaak.
        service_name: Its `OTEL_SERVICE_NAME`, without the suffix that some of its processes add.
        own: The events that are the system's own.
        context: Keys bound around an event, during a request or a task; any event may carry them.
        groups: What its libraries log. An event of the same name that is the system's own takes precedence.
    """

    name: str
    title: str
    service_name: str
    own: tuple[Event, ...]
    context: tuple[Key, ...] = ()
    groups: tuple[Group, ...] = ()

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The system's own events, then those of its libraries; each name once."""
        by_name: dict[str, Event] = {}
        for event in (*self.own, *(event for group in self.groups for event in group.events)):
            by_name.setdefault(event.name, event)
        return tuple(by_name.values())

    @property
    def documented(self) -> tuple[Event, ...]:
        """Those of the system's own events that its manual names."""
        return tuple(event for event in self.own if event.known_from == "manual")

    def event(self, name: str) -> Event:
        """
        Find an event by its name.

        Raises:
            KeyError: The system logs no event of that name.
        """
        return {event.name: event for event in self.events}[name]


@dataclass(frozen=True)
class Catalogue:
    """
    Several systems, described.

    Attributes:
        systems: Each has its own name.
        record: Keys of every event dict, which become fields of the log record and no attributes.
    """

    systems: tuple[System, ...]
    record: tuple[Key, ...] = ()

    @property
    def events(self) -> tuple[tuple[System, Event], ...]:
        """Every event of every system, with what its libraries log: an event is named by system and name."""
        return tuple((system, event) for system in self.systems for event in system.events)

    def keys(self) -> dict[str, frozenset[KeyType]]:
        """
        Collect every key that an event dict may carry, apart from those of `record`.

        Returns:
            Names, sorted, to all types that they are logged with: `code` is an integer here and a keyword there.
        """
        keys = [key for system in self.systems for key in system.context]
        keys += [key for _, event in self.events for key in event.keys]
        names = sorted({key.name for key in keys})
        return {name: frozenset(key.type for key in keys if key.name == name) for name in names}

    def system(self, name: str) -> System:
        """
        Find a system by its short name.

        Raises:
            KeyError: The catalogue has no system of that name.
        """
        return {system.name: system for system in self.systems}[name]
