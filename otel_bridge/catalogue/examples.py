"""What an example of each type of key looks like."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from otel_bridge.catalogue.model import KeyType


def _is_timestamp(value: object) -> bool:
    try:
        return isinstance(value, str) and "T" in value and datetime.fromisoformat(value) is not None
    except ValueError:
        return False


EXAMPLES: Final[Mapping[KeyType, Callable[[object], bool]]] = {
    "keyword": lambda value: isinstance(value, str),
    "text": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "timestamp": _is_timestamp,
    "map": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "exception": lambda value: isinstance(value, str),
}
"""Types to whether a value is an example of one. An exception is written as its traceback, rendered."""
