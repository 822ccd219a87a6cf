"""YAML files to the catalogue that they describe: the five that are shipped, and any that a user writes."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final, get_args

from otel_bridge.catalogue import documents
from otel_bridge.catalogue.examples import EXAMPLES
from otel_bridge.catalogue.model import Catalogue, CatalogueError, Event, Group, Key, KnownFrom, System

HERE: Final = Path(__file__).parent

SHIPPED: Final = ("open-klant", "open-zaak", "open-notificaties", "referentielijsten", "open-organisatie")
"""The systems that the package describes: names of YAML files beside this module."""

LEVELS: Final = ("debug", "info", "warning", "error", "critical")

_KEY_FIELDS: Final = ("type", "meaning", "example", "nullable", "personal", "known_from")

_Keys = Mapping[str, Mapping[str, object]]


def read(path: str | Path) -> System:
    """
    Read the description of one system.

    Args:
        path: A YAML file. It may name keys and groups of events of the shipped `common.yaml`.

    Returns:
        The system, with the groups that its `common` names.

    Raises:
        CatalogueError: The file is wrong: one sentence with file, event, key, value, and what to write instead.
    """
    path = Path(path)
    where = path.name
    document = documents.fields(
        documents.load(path),
        where,
        required=("system", "title", "service_name", "events"),
        optional=("context", "common", "keys"),
    )
    keys = {**_common_keys(), **_keys(document.get("keys", {}), where)}
    groups = _common_groups()
    chosen = documents.names(document.get("common", []), f"{where}, common")
    context = documents.names(document.get("context", []), f"{where}, context")
    return System(
        name=documents.text(document["system"], f"{where}, system"),
        title=documents.text(document["title"], f"{where}, title"),
        service_name=documents.text(document["service_name"], f"{where}, service_name"),
        own=_events(document["events"], keys, where),
        context=_event_keys(context, keys, f"{where}, context", None),
        groups=tuple(groups[documents.choice(name, tuple(groups), f"{where}, common")] for name in chosen),
    )


def catalogue(*paths: str | Path) -> Catalogue:
    """
    Read several systems.

    Raises:
        CatalogueError: A file is wrong, or two files describe a system of the same name.
    """
    systems = tuple(read(path) for path in paths)
    names = [system.name for system in systems]
    for name in names:
        if names.count(name) > 1:
            raise CatalogueError(f"The system {name} is described by more than one file; give each its own `system`")
    record = documents.names(_common()["record"], "common.yaml, record")
    return Catalogue(systems, _event_keys(record, _common_keys(), "common.yaml, record", None))


@cache
def shipped() -> Catalogue:
    """Read the five systems that come with the package."""
    return catalogue(*(HERE / f"{name}.yaml" for name in SHIPPED))


@cache
def _common() -> Mapping[str, object]:
    return documents.fields(
        documents.load(HERE / "common.yaml"), "common.yaml", required=("record", "keys", "groups"), optional=()
    )


@cache
def _common_keys() -> _Keys:
    return _keys(_common()["keys"], "common.yaml")


@cache
def _common_groups() -> Mapping[str, Group]:
    groups = documents.mapping(_common()["groups"], "common.yaml, groups")
    return {name: _group(name, group) for name, group in groups.items()}


def _group(name: str, value: object) -> Group:
    where = f"common.yaml, group {name}"
    group = documents.fields(value, where, required=("title", "events"), optional=("message_key",))
    message_key = documents.text(group.get("message_key", "event"), f"{where}, message_key")
    events = _events(group["events"], _common_keys(), "common.yaml", group=name, message_key=message_key)
    return Group(name, documents.text(group["title"], f"{where}, title"), events)


def _keys(value: object, where: str) -> _Keys:
    keys = documents.mapping(value, f"{where}, keys")
    return {name: documents.mapping(key, f"{where}, key {name}") for name, key in keys.items()}


def _events(
    value: object, keys: _Keys, where: str, *, group: str | None = None, message_key: str = "event"
) -> tuple[Event, ...]:
    events = documents.mapping(value, f"{where}, events")
    return tuple(
        _event(name, event, keys, f"{where}, event {name}", group, message_key) for name, event in events.items()
    )


def _event(name: str, value: object, keys: _Keys, where: str, group: str | None, message_key: str) -> Event:
    event = documents.fields(value, where, required=("when", "known_from"), optional=("level", "logger", "keys"))
    known_from = _known_from(event["known_from"], where)
    return Event(
        name=name,
        when=documents.text(event["when"], f"{where}, when"),
        known_from=known_from,
        keys=_event_keys(documents.names(event.get("keys", []), f"{where}, keys"), keys, where, known_from),
        level=documents.choice(event["level"], LEVELS, f"{where}, level") if "level" in event else None,
        logger=documents.text(event["logger"], f"{where}, logger") if "logger" in event else None,
        message_key=message_key,
        group=group,
    )


def _event_keys(entries: Iterable[object], keys: _Keys, where: str, known_from: KnownFrom | None) -> tuple[Key, ...]:
    found: dict[str, Key] = {}
    for entry in entries:
        overrides = documents.mapping(entry, f"{where}, keys") if isinstance(entry, dict) else {str(entry): {}}
        for name, override in overrides.items():
            if name in found:
                raise CatalogueError(f"{where}: names the key {name} twice; name it once")
            place = f"{where}, key {name}"
            described = {**keys.get(name, {}), **documents.mapping(override, place)}
            found[name] = _key(name, {"known_from": known_from, **described}, place)
    return tuple(found.values())


def _key(name: str, value: Mapping[str, object], where: str) -> Key:
    if "type" not in value:
        raise CatalogueError(f"{where}: is described nowhere; describe it under `keys` of the file")
    key = documents.fields(value, where, required=("type", "meaning", "example"), optional=_KEY_FIELDS)
    type_ = documents.choice(key["type"], tuple(EXAMPLES), f"{where}, type")
    if not EXAMPLES[type_](key["example"]):
        raise CatalogueError(f"{where}: the example {key['example']!r} is no {type_}; write one that is")
    return Key(
        name=name,
        type=type_,
        meaning=documents.text(key["meaning"], f"{where}, meaning"),
        example=key["example"],
        nullable=documents.flag(key.get("nullable", False), f"{where}, nullable"),
        personal=documents.flag(key.get("personal", False), f"{where}, personal"),
        known_from=None if key["known_from"] is None else _known_from(key["known_from"], where),
    )


def _known_from(value: object, where: str) -> KnownFrom:
    allowed: tuple[KnownFrom, ...] = get_args(KnownFrom)
    return documents.choice(value, allowed, f"{where}, known_from")
