"""A bounded store of log records, in memory."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from otel_bridge.demo.decoding import Record, as_text

CAPACITY: Final = 50_000
"""How many records are kept; the oldest go first."""

FIELDS: Final[Mapping[str, Callable[[Record], str]]] = {
    "event": lambda record: as_text(record["body"]),
    "level": lambda record: record["severity_text"],
    "logger": lambda record: record["scope"],
    "trace_id": lambda record: record["trace_id"],
    "span_id": lambda record: record["span_id"],
}
"""What can be asked for besides attributes, by the name that the event dict has for it."""


class Memory:
    """
    Keeps the last records.

    Args:
        capacity: How many.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._records: deque[Record] = deque(maxlen=capacity)
        self._lock = threading.Lock()

    def add(self, records: Iterable[Record]) -> None:
        """Keep *records*."""
        with self._lock:
            self._records.extend(records)

    def find(self, where: Mapping[str, str]) -> list[Record]:
        """
        Return the records that match, oldest first.

        Args:
            where: Names, of `FIELDS` or of attributes, to the text of the value that they must have.
        """
        with self._lock:
            kept = list(self._records)
        return [record for record in kept if all(_text(record, name) == value for name, value in where.items())]


def _text(record: Record, name: str) -> str | None:
    if name in FIELDS:
        return FIELDS[name](record)
    attributes = record["attributes"]
    return as_text(attributes[name]) if name in attributes else None
