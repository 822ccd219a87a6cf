"""Handlers for records of other libraries, beside those that print them: in a configuration for `dictConfig`."""

import copy
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from otel_bridge.bridge.handler import LogBridgeHandler
from otel_bridge.diagnostics import logger as own_logger
from otel_bridge.integrations.handlers import is_console, is_file

HANDLER: Final = "otel_bridge.LogBridgeHandler"
PREFIX: Final = "otel_bridge_"
"""Begins the name of what is put in; then comes the name of what it stands beside."""
ROLES: Final = ("own", "official", "console", "file")
"""What handlers may be: ours, OpenTelemetry's, or such as print."""

Entry = dict[str, Any]
Entries = dict[str, Any]


def put(config: Entry, options: Mapping[str, Any]) -> None:
    """
    Put a handler beside each that prints, with its level and its filters, and in the place of each of OpenTelemetry's.

    Logger `otel_bridge` gets a level: that of the root logger is ERROR in the five systems, and warnings would be lost.

    Args:
        config: A configuration for `logging.config.dictConfig`; it is changed, unless it is incremental.
        options: Arguments of the handlers.

    Raises:
        ValueError: *config* is not of the shape that `dictConfig` takes; nothing was changed.
    """
    if _a(dict, config, "LOGGING").get("incremental"):
        return
    handlers, filters = {**_section(config, "handlers")}, {**_section(config, "filters")}
    changed: list[tuple[Entry, list[Any]]] = []
    for where, logger in _loggers(config):
        kept, outputs = _choose(logger, handlers, where)
        for name in outputs:
            handlers[PREFIX + name] = _beside(name, handlers[name], filters, options)
        if outputs:
            changed.append((logger, [*kept, *(PREFIX + name for name in outputs if PREFIX + name not in kept)]))
    # Only now, when nothing can be wrong any more.
    for logger, names in changed:
        # A new list, because several loggers may share the one that is there.
        logger["handlers"] = names
    config.update({name: section for name, section in (("handlers", handlers), ("filters", filters)) if section})
    if changed:
        config.setdefault("loggers", {}).setdefault(own_logger.name, {"level": "WARNING"})


def _choose(logger: Entry, handlers: Entries, where: str) -> tuple[list[Any], list[str]]:
    """Return the names that a logger keeps, and the names of those that get one beside them, or in their place."""
    names = [*_a((list, tuple), logger.get("handlers", []), f"{where}['handlers']")]
    roles = {name: _role(handlers[name]) for name in names if isinstance(name, str) and name in handlers}
    own, theirs, consoles, files = ([name for name in roles if roles[name] == role] for role in ROLES)
    if any(not name.startswith(PREFIX) for name in own):
        return names, []
    return [name for name in names if name not in theirs], theirs + (consoles or files)


def _role(entry: Entry) -> str | None:
    """Tell what a handler does, without importing its class: an application's may need the settings first."""
    factory = entry.get("class", entry.get("()"))
    if isinstance(factory, str) and factory.startswith("opentelemetry.") and factory.endswith(".LoggingHandler"):
        return "official" if entry.get("logger_provider") is None else None
    kind = _loaded(factory) if isinstance(factory, str) else factory
    if isinstance(kind, type):
        if issubclass(kind, LogBridgeHandler):
            return "own"
        return "console" if is_console(kind) else "file" if is_file(kind) else None
    return "console" if "stream" in entry or str(factory).endswith("StreamHandler") else None


def _loaded(path: str) -> object:
    module, _, name = path.rpartition(".")
    return getattr(sys.modules.get(module), name, None)


def _beside(name: str, entry: Entry, filters: Entries, options: Mapping[str, Any]) -> Entry:
    beside = {"class": HANDLER, **options}
    if "level" in entry:
        beside["level"] = entry["level"]
    if "filters" in entry:
        used = _a((list, tuple), entry["filters"], f"LOGGING['handlers'][{name!r}]['filters']")
        beside["filters"] = [_copied(one, filters) for one in used]
    return beside


def _copied(one: Any, filters: Entries) -> Any:
    """Copy a filter, so that one which counts counts for each of both handlers."""
    if not isinstance(one, str):
        return copy.copy(one)
    if one in filters:
        filters[PREFIX + one] = copy.copy(filters[one])
    return PREFIX + one


def _loggers(config: Entry) -> Iterator[tuple[str, Entry]]:
    for name, logger in _section(config, "loggers").items():
        where = f"LOGGING['loggers'][{name!r}]"
        yield where, _a(dict, logger, where)
    if "root" in config:
        yield "LOGGING['root']", _a(dict, config["root"], "LOGGING['root']")


def _section(config: Entry, name: str) -> Entries:
    """Return a section, each of whose entries is a dict."""
    section: Entries = _a(dict, config.get(name, {}), f"LOGGING[{name!r}]")
    for key, entry in section.items():
        _a(dict, entry, f"LOGGING[{name!r}][{key!r}]")
    return section


def _a(kind: type | tuple[type, ...], value: Any, where: str) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{where} is of type {type(value).__name__}")  # noqa: TRY004 - it is the value of a setting
    return value
