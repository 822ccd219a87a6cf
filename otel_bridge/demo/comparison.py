"""What a store holds, beside what the application printed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from otel_bridge.demo.decoding import as_text
from otel_bridge.demo.expected import Line
from otel_bridge.demo.stores import Stored

PLACES: Final = ("", "extra.")
"""A key outside the catalogue is under `extra` in the real stores."""

COMPARED: Final = (str, int, float)
"""Types of values that every store gives back as they were; it may shape maps and lists its own way."""

LONG: Final = 38


def problems(expected: Iterable[Line], found: Iterable[Stored], name_of: Callable[[str], str]) -> list[str]:
    """
    Compare the records of one question.

    Args:
        expected: What was printed.
        found: What the store holds.
        name_of: What the store calls an attribute.

    Returns:
        A sentence for each record that is missing, or there without having been printed, or there twice; for each
        key of a record that is missing; for each value that is another one. Empty if all is as it should be.
    """
    left: defaultdict[tuple[str, str], list[Stored]] = defaultdict(list)
    for stored in found:
        left[stored.event, stored.logger].append(stored)
    said: list[str] = []
    for line in expected:
        if candidates := left[line.event, line.logger]:
            said += _differences(line, candidates.pop(0), name_of)
        else:
            said.append(f"{shortened(line.event)} is missing")
    rest = [stored for group in left.values() for stored in group]
    return [*said, *(f"{shortened(stored.event)} was not sent, or is there twice" for stored in rest)]


def _differences(line: Line, stored: Stored, name_of: Callable[[str], str]) -> Iterator[str]:
    what = shortened(line.event)
    if stored.level != line.level:
        yield f"{what} has level {stored.level!r} for {line.level!r}"
    if stored.trace_id != (line.trace_id or ""):
        yield f"{what} has trace_id {stored.trace_id!r} for {line.trace_id!r}"
    for attribute, value in line.attributes.items():
        name = place(stored, attribute, value, name_of)
        if name is None:
            yield f"{what} lacks {attribute}"
        elif line.is_structlog and isinstance(value, COMPARED) and not attribute.startswith("exception."):
            kept, sent = as_text(stored.keys.get(name)), as_text(value)
            if kept != sent:
                yield f"{what} has {name} {kept!r} for {sent!r}"


def place(stored: Stored, attribute: str, value: object, name_of: Callable[[str], str]) -> str | None:
    """Find the name under which *stored* has *attribute*, or how its keys begin if it is a map; `None` for none."""
    for name in (name_of(prefix + attribute) for prefix in PLACES):
        if name in stored.keys:
            return name
        if isinstance(value, dict) and any(key.startswith((f"{name}_", f"{name}.")) for key in stored.keys):
            return name
    return None


def shortened(event: str) -> str:
    """Cut an event to what fits on a line beside other things."""
    return event if len(event) <= LONG else f"{event[: LONG - 1]}…"
