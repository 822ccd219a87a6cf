"""Reading the catalogue: what the shipped files hold, and what is said of a file that is wrong."""

import re
from pathlib import Path

import pytest

from otel_bridge.catalogue import Catalogue, CatalogueError, Key, System, catalogue, documents, read, shipped
from otel_bridge.catalogue.examples import EXAMPLES
from otel_bridge.catalogue.reading import HERE, SHIPPED

every_system = pytest.mark.parametrize("system", [pytest.param(system, id=system.name) for system in shipped().systems])

OWN_FILE = """
system: my-app
title: My App
service_name: myapp
context: [request_id]
common: [requests]
keys:
  order:
    type: keyword
    meaning: The order.
    example: A-1
  total:
    type: number
    meaning: What it costs.
    example: 12.5
    nullable: true
events:
  order_placed:
    when: A customer placed an order.
    level: info
    logger: myapp.orders
    known_from: source
    keys:
      - order
      - total: {example: 20, personal: true}
      - uuid
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write a user's own file."""
    path = tmp_path / "my-app.yaml"
    path.write_text(OWN_FILE, encoding="utf-8")
    return path


def keys_of(system: System) -> list[Key]:
    """Give every key that the system logs."""
    return [*system.context, *(key for event in system.events for key in event.keys)]


def nine_digits(value: object) -> list[str]:
    """Find the numbers of nine digits in a value's text."""
    return re.findall(r"(?<!\d)\d{9}(?!\d)", str(value))


def is_citizen_number(digits: str) -> bool:
    """Apply the eleven-test of the Dutch citizen service number."""
    weighted = sum(int(digit) * weight for digit, weight in zip(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True))
    return weighted % 11 == 0 and set(digits) != {"0"}


def test_shipped_systems() -> None:
    """Five systems are shipped, each under the service name that its containers set."""
    assert {system.name: system.service_name for system in shipped().systems} == {
        "open-klant": "openklant",
        "open-zaak": "openzaak",
        "open-notificaties": "opennotificaties",
        "referentielijsten": "referentielijsten",
        "open-organisatie": "openorganisatie",
    }


def test_shipped_counts() -> None:
    """The five manuals name 197 events together."""
    assert {system.name: len(system.documented) for system in shipped().systems} == {
        "open-klant": 63,
        "open-zaak": 103,
        "open-notificaties": 20,
        "referentielijsten": 8,
        "open-organisatie": 3,
    }


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_file(name: str) -> None:
    """A shipped file has the name of its system."""
    assert read(HERE / f"{name}.yaml").name == name


@every_system
def test_events_say_when(system: System) -> None:
    """An event says in one sentence when it is logged."""
    assert not [event.when for event in system.events if not re.fullmatch(r"[A-Z][^.]*\.", event.when)]


@every_system
def test_keys_say_what_they_mean(system: System) -> None:
    """A key says in one short sentence what it means."""
    assert not [key.meaning for key in keys_of(system) if not re.fullmatch(r"[A-Z][^.]{,100}\.", key.meaning)]


@every_system
def test_examples_have_their_type(system: System) -> None:
    """A key has an example of its type."""
    assert not [key for key in keys_of(system) if not EXAMPLES[key.type](key.example)]


@every_system
def test_examples_are_safe(system: System) -> None:
    """No example holds a number that could be a citizen's."""
    numbers = [number for key in keys_of(system) for number in nine_digits(key.example)]
    assert not [number for number in numbers if is_citizen_number(number)]


@every_system
def test_example(system: System) -> None:
    """An event's example has its keys, but for an exception, of which it says that it has one."""
    for event in system.events:
        exceptions = {key.name for key in event.keys if key.type == "exception"}
        assert set(event.example()) == {key.name for key in event.keys} - exceptions
        assert event.has_exception == bool(exceptions)


def test_example_is_the_callers_own() -> None:
    """What a caller changes in an example does not change the next."""
    event = shipped().system("open-notificaties").event("notification_received")
    attributes = event.example()["additional_attributes"]
    assert isinstance(attributes, dict)
    attributes.clear()
    assert event.example()["additional_attributes"]


@every_system
def test_names_are_unique(system: System) -> None:
    """A system has one event of a name, also where a library logs one of the same name."""
    names = [event.name for event in system.events]
    assert len(names) == len(set(names))


def test_own_event_takes_precedence() -> None:
    """An event that the system's own file describes is not taken from the library's."""
    event = shipped().system("open-organisatie").event("api.handled_exception")
    assert (event.logger, event.group) == ("openorganisatie.utils.views", None)


def test_events_are_named_by_system_and_name() -> None:
    """Open Klant and Open Zaak each have a klantcontact_created, with keys of its own."""
    of_klant, of_zaak = (shipped().system(name).event("klantcontact_created") for name in ("open-klant", "open-zaak"))
    assert [key.name for key in of_klant.keys][:3] == ["uuid", "nummer", "onderwerp"]
    assert [key.name for key in of_zaak.keys] == ["uuid", "zaak_uuid", "client_id"]


def test_a_key_may_differ_by_event() -> None:
    """`code` is an HTTP status on request_finished, and the name of an error on api.handled_exception."""
    system = shipped().system("open-klant")
    types = [
        key.type
        for name in ("request_finished", "api.handled_exception")
        for key in system.event(name).keys
        if key.name == "code"
    ]
    assert types == ["integer", "keyword"]


def test_keys_have_one_type_but_for_two() -> None:
    """A key has one type everywhere, apart from `code` and `id`."""
    assert {name for name, types in shipped().keys().items() if len(types) > 1} == {"code", "id"}


def test_what_is_not_logged() -> None:
    """Open Zaak has no request events and no request_id, and Referentielijsten has no tasks."""
    zaak, lijsten = shipped().system("open-zaak"), shipped().system("referentielijsten")
    assert not {"request_started", "request_finished"} & {event.name for event in zaak.events}
    assert not {"request_id", "user_id"} & {key.name for key in zaak.context}
    assert "task_started" not in {event.name for event in lijsten.events}


def test_uwsgi_has_a_message_key_of_its_own() -> None:
    """The lines of uWSGI have their text under `msg`, and everything else has it under `event`."""
    keys = {(event.group == "uwsgi", event.message_key) for _, event in shipped().events}
    assert keys == {(True, "msg"), (False, "event")}


def test_described_keys_are_used() -> None:
    """No key is described in a shipped file and used by nothing."""
    files = [documents.load(HERE / f"{name}.yaml") for name in (*SHIPPED, "common")]
    described = {name for file in files for name in documents.mapping(file["keys"], "keys")}
    assert described <= {key.name for key in shipped().record} | set(shipped().keys())


def test_own_file(file: Path) -> None:
    """A user's own file is read as the shipped ones are, and may name their common keys and events."""
    system = read(file)
    event = system.event("order_placed")
    assert (system.name, system.title, system.service_name) == ("my-app", "My App", "myapp")
    assert (event.when, event.level, event.logger) == ("A customer placed an order.", "info", "myapp.orders")
    total = Key("total", "number", "What it costs.", 20, nullable=True, personal=True, known_from="source")
    assert event.keys[1] == total
    assert event.keys[2].meaning == "The object that it is about."
    assert [key.name for key in system.context] == ["request_id"]
    assert system.event("request_started").group == "requests"


def test_own_catalogue(file: Path) -> None:
    """A catalogue of a user's own files has no system besides."""
    own = catalogue(file)
    assert isinstance(own, Catalogue)
    assert [system.name for system in own.systems] == ["my-app"]
    assert own.keys()["total"] == {"number"}
    assert own.record == shipped().record


def test_one_system_twice(file: Path) -> None:
    """Two files cannot describe one system."""
    with pytest.raises(CatalogueError, match="my-app is described by more than one file"):
        catalogue(file, file)


@pytest.mark.parametrize("name", ["event", "system"])
def test_unknown_name(name: str) -> None:
    """Asking for a system or an event that there is not is a KeyError with its name."""
    ask = {"event": shipped().systems[0].event, "system": shipped().system}[name]
    with pytest.raises(KeyError, match="nonsense"):
        ask("nonsense")


WRONG = {
    "type": (
        "type: keyword",
        "type: string",
        "my-app.yaml, event order_placed, key order, type: is 'string'; write one of: keyword",
    ),
    "example": ("example: A-1", "example: 1", "key order: the example 1 is no keyword"),
    "boolean example": ("example: 20", "example: true", "key total: the example True is no number"),
    "level": ("level: info", "level: INFO", "event order_placed, level: is 'INFO'; write one of: debug, info"),
    "known_from": (
        "known_from: source",
        "known_from: hearsay",
        "known_from: is 'hearsay'; write one of: manual, source",
    ),
    "group": ("[requests]", "[request]", "common: is 'request'; write one of: requests, tasks"),
    "no key": ("- uuid", "- uid", "event order_placed, key uid: is described nowhere; describe it under `keys`"),
    "no when": ("    when: A customer placed an order.\n", "", "event order_placed: has no `when`; add it"),
    "empty when": ("when: A customer placed an order.", "when:", "event order_placed, when: is None; write some text"),
    "misspelt field": ("nullable: true", "nulable: true", "key total: has the unknown field `nulable`; the known ones"),
    "flag": ("personal: true", "personal: maybe", "key total, personal: is 'maybe'; write true or false"),
    "keys": ("context: [request_id]", "context: request_id", "context: is 'request_id'; write a list of names"),
    "events": ("events:", "happenings:", "my-app.yaml: has no `events`; add it"),
    "key named twice": ("- uuid", "- order", "event order_placed: names the key order twice"),
    "key described twice": ("  total:\n", "  order:\n", "'order' stands here twice"),
    "name": ("  order_placed:", "  1:", "events: has the name 1; write a name that is text"),
    "no YAML": ("title: My App", "title: [", "my-app.yaml: is not valid YAML"),
    "no mapping": (OWN_FILE, "- 1", "my-app.yaml: is [1]; write a mapping"),
}


@pytest.mark.parametrize(("right", "wrong", "message"), WRONG.values(), ids=WRONG)
def test_wrong_file(file: Path, right: str, wrong: str, message: str) -> None:
    """A file that is wrong is refused with one line: file, place, value, and what to write instead."""
    assert right in OWN_FILE
    file.write_text(OWN_FILE.replace(right, wrong), encoding="utf-8")
    with pytest.raises(CatalogueError, match=re.escape(message)) as caught:
        read(file)
    assert str(caught.value).startswith("my-app.yaml")
    assert "\n" not in str(caught.value)


def test_timestamp_stays_text(file: Path) -> None:
    """A timestamp that stands without quotes is the text that a log line has."""
    text = OWN_FILE.replace("type: keyword", "type: timestamp").replace("A-1", "2025-05-19T14:09:20.339166Z")
    file.write_text(text, encoding="utf-8")
    assert read(file).event("order_placed").example()["order"] == "2025-05-19T14:09:20.339166Z"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "not UTF-8"])
def test_unreadable_file(tmp_path: Path, content: bytes | None) -> None:
    """A file that cannot be read is refused with its path."""
    path = tmp_path / "gone.yaml"
    if content:
        path.write_bytes(content)
    with pytest.raises(CatalogueError, match=re.escape(f"{path}: cannot be read")):
        read(path)
