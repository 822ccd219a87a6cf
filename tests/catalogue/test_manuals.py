"""
The catalogue against the five manuals, both ways.

The first half reads the manuals' text without a look at the catalogue, the second compares the two. The manuals are not
part of this repository: `OTEL_BRIDGE_MANUALS` names the directory with their text, one `<system>.txt` each.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import pytest

from otel_bridge.catalogue import Event, System, shipped
from otel_bridge.catalogue.examples import EXAMPLES

DIRECTORY: Final = Path(
    os.environ.get("OTEL_BRIDGE_MANUALS", Path(__file__).resolve().parents[3] / "shared" / "manuals")
)

pytestmark = pytest.mark.skipif(
    not DIRECTORY.is_dir(), reason=f"the manuals' text is not in {DIRECTORY}; name its directory in OTEL_BRIDGE_MANUALS"
)

MISPRINTS: Final = {
    "request_startedorspawned": "request_started or spawned",
    "contextcloud_event,": "context:cloud_event,",
    ",codeincoming_cloud_event_handled(": ",code.incoming_cloud_event_handled(",
    ",createdincoming_cloud_event_uncaught_exception(": ",created.incoming_cloud_event_uncaught_exception(",
    ",handlerinformatieobjecttype_created(": ",handler.informatieobjecttype_created(",
    "Specific context foronderwerpobject_deleted:cascadeandremaining_klantcontacten": (
        "onderwerpobject_deleted: Additional context:cascade,remaining_klantcontacten"
    ),
}
"""Words that stand together in a manual although they are two, to the same with what parts them."""

LOG_LINE: Final = re.compile(r"^\{\n.*?^\}$(?!\n\])", re.DOTALL | re.MULTILINE)
"""A log line in JSON, over several lines."""

STATEMENT: Final = re.compile(r"((?:[a-z_]+/)*[a-z]+(?:_[a-z]+)+)(?::|\s*\((INFO|WARNING|ERROR)\))")
"""One event, or several with slashes between them, as a manual begins to tell of it: a colon follows, or the level."""

BULLET: Final = re.compile(r"^( +)• ([a-z_]+):? ?(.*)$", re.MULTILINE)
"""An event, or further to the right one of its keys."""


@dataclass
class Documented:
    """What a manual says of one event."""

    keys: list[str] = field(default_factory=list)
    level: str | None = None


class Manual:
    """The text of a manual, without its examples, and the examples."""

    def __init__(self, system: str) -> None:
        text = (DIRECTORY / f"{system}.txt").read_text(encoding="utf-8")
        for misprint, meant in MISPRINTS.items():
            text = text.replace(misprint, meant)
        self.examples: list[dict[str, Any]] = [_json(match[0]) for match in LOG_LINE.finditer(text)]
        self.prose = LOG_LINE.sub("", text)

    def listed(self) -> dict[str, Documented]:
        """Every event in the manual's lists."""
        events: dict[str, Documented] = {}
        for names, level, keys in _bullets(self.prose) if "•" in self.prose else _statements(self.prose):
            for name in names:
                event = events.setdefault(name, Documented(level=level))
                event.keys += keys
        return events

    def words(self) -> set[str]:
        """Every word with an underscore in it, outside the examples."""
        return set(re.findall(r"\bapi\.[a-z_]+|\b[a-z]+(?:_[a-z]+)+", self.prose))

    def standard(self) -> list[str]:
        """The keys that the manual calls standard fields of an exception."""
        return [key for found in re.findall(r"standard and include:\s+([^.]+)\.", self.prose) for key in _keys(found)]

    def frequent(self) -> set[str]:
        """The keys that the manual's introduction explains."""
        return set(re.findall(r"(?:^|\.)([a-z_]+)(?=$|The |Present )", self.prose, re.MULTILINE))


def _json(text: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(re.sub(r",(\s*[}\]])", r"\1", text))
    return value


def _keys(text: str) -> list[str]:
    return [key for key in re.split(r"[,.\s]+|\band\b", text) if key]


def _statements(prose: str) -> Iterator[tuple[list[str], str | None, list[str]]]:
    starts = list(STATEMENT.finditer(prose))
    for start, following in zip_longest(starts, starts[1:]):
        told = prose[start.end() : following and following.start()].split("\n", maxsplit=1)[0]
        _, _, keys = told.partition("Additional context:")
        yield start[1].split("/"), start[2] and start[2].lower(), _keys(keys)


def _bullets(prose: str) -> Iterator[tuple[list[str], str | None, list[str]]]:
    name = ""
    for indent, word, rest in BULLET.findall(prose):
        if len(indent) > 2:
            yield [name], None, [word]
        else:
            name = word
            yield [name], None, _keys(rest.partition("Additional context:")[2])


BOUND: Final = {"source", "request_id", "user_id"}
"""Keys in a log line that are bound around the event. So is `exception_id`, but by the event's own code."""

NOT_DESCRIBED: Final = {
    ("open-zaak", "request_id"): "no longer bound from 1.25 on",
    ("open-zaak", "user_id"): "no longer bound from 1.25 on",
    ("open-zaak", "request_started"): "no longer logged from 1.25 on",
    ("open-notificaties", "execute_notification"): "a task, whose end is told",
}
"""What stands in a manual and not in the catalogue, and why."""

OTHER_TYPES: Final = {
    ("open-klant", "nummer"): "a number in the manual, text in the code",
    ("referentielijsten", "id"): "text in the manual, a number in the code",
}
"""Keys whose example in the manual has another type than in the catalogue, and why."""

SYSTEMS: Final = [pytest.param(system, id=system.name) for system in shipped().systems]

every_system = pytest.mark.parametrize("system", SYSTEMS)


def claimed(event: Event) -> list[str]:
    """Give the keys of which the catalogue says that the manual names them."""
    return [key.name for key in event.keys if key.known_from == "manual"]


def described(system: System) -> dict[str, Event]:
    """Give the events of which the catalogue says that the manual names them."""
    return {event.name: event for event in system.documented}


def excused(system: System) -> set[str]:
    """Give what the manual names and the catalogue does not describe, for a reason."""
    return {word for name, word in NOT_DESCRIBED if name == system.name}


@every_system
def test_events(system: System) -> None:
    """The events that a manual names, in lists and log lines, are those that the catalogue has from it: none more."""
    manual = Manual(system.name)
    named = set(manual.listed()) | {line["event"] for line in manual.examples}
    assert set(described(system)) == named


@every_system
def test_listed_keys(system: System) -> None:
    """An event has the keys that stand between its name and the next event's in the manual, in that order."""
    listed = Manual(system.name).listed()
    assert {name: claimed(described(system)[name]) for name in listed} == {n: event.keys for n, event in listed.items()}


@every_system
def test_listed_levels(system: System) -> None:
    """An event has the level that stands behind its name in the manual."""
    listed = {name: event.level for name, event in Manual(system.name).listed().items() if event.level}
    assert {name: described(system)[name].level for name in listed} == listed


@every_system
def test_logged_keys(system: System) -> None:
    """The keys in a log line of the manual are those of the event, of every record, and those that are bound."""
    manual = Manual(system.name)
    record = {key.name for key in shipped().record}
    for line in manual.examples:
        own = [key for key in line if key not in record | BOUND]
        keys = claimed(described(system)[line["event"]])
        assert set(own) <= set(keys) if line["event"] in manual.listed() else own == keys
        assert BOUND & set(line) <= {key.name for key in system.context} | excused(system)


@every_system
def test_logged_origin(system: System) -> None:
    """An event has the level and the logger of its log line in the manual."""
    for line in Manual(system.name).examples:
        event = described(system)[line["event"]]
        assert (event.level, event.logger) == (line["level"], line["logger"])


@every_system
def test_logged_types(system: System) -> None:
    """A key in a log line of the manual has a value of the key's type, but for a few that are known."""
    for line in Manual(system.name).examples:
        for key in described(system)[line["event"]].keys:
            if key.name in line and (system.name, key.name) not in OTHER_TYPES:
                assert EXAMPLES[key.type](line[key.name]), (line["event"], key.name, line[key.name])


@every_system
def test_words(system: System) -> None:
    """Every word with an underscore in a manual is an event or a key of the catalogue, or has a reason not to be."""
    events = {event.name for event in system.events}
    keys = {key.name for event in system.own for key in event.keys} | {key.name for key in system.context}
    assert Manual(system.name).words() - events - keys == excused(system)


@every_system
def test_standard_keys(system: System) -> None:
    """The keys that a manual calls standard in exceptions, or explains at its beginning, are in the catalogue."""
    manual = Manual(system.name)
    keys = {key.name for key in (*shipped().record, *system.context, *system.event("api.handled_exception").keys)}
    assert {*manual.standard(), *manual.frequent()} <= keys | excused(system)
