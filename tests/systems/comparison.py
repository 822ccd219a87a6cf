"""What was printed beside what arrived: every line has its one record, from the same process, with every key."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from otel_bridge.bridge.timestamps import nanoseconds
from otel_bridge.demo.expected import Line
from tests.otlp import Record

COMPARED: Final = (str, int, float)
RENDERED: Final = ("title", "error", "reason")
"""Keys whose value stdout shows by its `repr`, or whose value is one in itself."""


class Event(NamedTuple):
    """What tells one event from others: a library's record has on stdout the time at which it was printed."""

    event: str
    logger: str
    level: str
    timestamp: int | None


def problems(printed: Mapping[int, Sequence[Line]], records: Sequence[Record]) -> list[str]:
    """
    Compare what each process printed with what arrived.

    Args:
        printed: Process ids to lines; 0 for those processes that forked others.
        records: What the receiver has.

    Returns:
        A sentence for each line without a record, and each record without a line or there twice; for each record of
        another process; for each key or value that differs. Empty if all is as it should be.
    """
    uids = Counter(str(record.attributes.get("log.record.uid")) for record in records)
    said = [f"{uid} is there {number} times" for uid, number in uids.items() if number > 1]
    arrived = _records(records)
    lines = _lines(printed, arrived)
    for event in sorted(lines.keys() | arrived.keys(), key=str):
        pairs = lines.get(event, []), arrived.get(event, [])
        if len(pairs[0]) != len(pairs[1]):
            said.append(
                f"{event}: printed by {[pid for pid, _ in pairs[0]]}, arrived from {[pid for pid, _ in pairs[1]]}"
            )
            continue
        for (pid, line), (sender, record) in zip(*pairs, strict=True):
            said += (f"{event} {problem}" for problem in _differences(pid, line, sender, record))
    return said


def _lines(printed: Mapping[int, Sequence[Line]], arrived: Container[Event]) -> dict[Event, list[tuple[int, Line]]]:
    found: defaultdict[Event, list[tuple[int, Line]]] = defaultdict(list)
    for pid in sorted(printed):
        for line in printed[pid]:
            event = Event(line.event, line.logger, line.level, nanoseconds(line.printed.get("timestamp")))
            found[event if event in arrived else event._replace(timestamp=None)].append((pid, line))
    return found


def _records(records: Iterable[Record]) -> dict[Event, list[tuple[int, Record]]]:
    found: defaultdict[Event, list[tuple[int, Record]]] = defaultdict(list)
    for record in sorted(records, key=lambda one: (one.resource["process.pid"], one.timestamp)):
        timestamp = record.timestamp if record.event_name else None
        event = Event(record.body, record.scope, record.severity_text, timestamp)
        found[event].append((record.resource["process.pid"], record))
    return found


def _differences(pid: int, line: Line, sender: int, record: Record) -> Iterator[str]:
    if pid not in (0, sender):
        yield f"was printed by {pid}, and came from {sender}"
    if record.trace_id != (line.trace_id or record.trace_id):
        yield f"has trace_id {record.trace_id!r} for {line.trace_id!r}"
    for name, value in line.attributes.items():
        if name not in record.attributes:
            yield f"lacks {name}"
        elif _is_comparable(line, name, value) and record.attributes[name] != value:
            yield f"has {name} {record.attributes[name]!r} for {value!r}"


def _is_comparable(line: Line, name: str, value: object) -> bool:
    rendered = name in RENDERED or name.startswith("exception.")
    return line.is_structlog and isinstance(value, COMPARED) and not rendered
