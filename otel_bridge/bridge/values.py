"""Any Python value to one that every OpenTelemetry provider can encode."""

import json
from collections.abc import Iterable, Mapping, Sequence, Set, ValuesView
from datetime import date, datetime, time, timedelta
from enum import Enum
from functools import lru_cache
from itertools import islice
from typing import Final

from otel_bridge.bridge.redaction import Redaction, replacement

AnyValue = str | bool | int | float | bytes | list["AnyValue"] | dict[str, "AnyValue"] | None
"""https://opentelemetry.io/docs/specs/otel/logs/data-model/#type-any"""

CONTAINERS: Final = (Mapping, Set, Sequence, ValuesView)
INT64: Final = range(-(2**63), 2**63)
DEPTH: Final = 8
"""How many containers may stand in each other."""
WIDTH: Final = 512
"""How many items of one container are kept."""
NODES: Final = 4096
"""How many values one record may hold, so that shared containers in each other do not multiply without end."""
TEXT: Final = 16_384
"""How many characters of a text, or bytes, are kept."""
RECORD_TEXT: Final = 262_144
"""How many characters, or bytes, all long texts of one record may hold together; of one text no more is looked at."""
SHORT: Final = 256
"""A text up to this length costs nothing of `RECORD_TEXT`."""
EMPTY_KEY: Final = "(empty)"
"""Stands for an empty key, which is no attribute key: https://opentelemetry.io/docs/specs/otel/common/#attribute"""

NO_TEXT: Final = frozenset(
    {
        ("django.db.models.query", "QuerySet"),
        ("django.db.models.query", "RawQuerySet"),
        ("django.db.models.manager", "BaseManager"),
        ("django.utils.functional", "LazyObject"),
        ("django.forms.forms", "BaseForm"),
        ("django.forms.formsets", "BaseFormSet"),
        ("rest_framework.serializers", "BaseSerializer"),
    }
)
"""Classes whose text runs a query or other work: the value gives its type."""
MODEL: Final = ("django.db.models.base", "Model")
"""A model's text is its application's code, which may run a query: the value gives its type and primary key."""
LAZY: Final = ("django.utils.functional", "Promise")


class Walk:
    """
    One record's walk over its values; holds what is left of the record's bounds.

    Args:
        redaction: What to replace on the way; `None` replaces nothing.
        has_secrets: Whether there may be anything to replace in the texts, beside the values of secret keys.
    """

    __slots__ = ("_nodes", "_redaction", "_text", "_texts", "cut")

    def __init__(self, redaction: Redaction | None, *, has_secrets: bool = True) -> None:
        self._redaction = redaction
        self._texts = redaction if has_secrets else None
        self._nodes = NODES
        self._text = RECORD_TEXT
        self.cut = 0
        """How many values were shortened or left out."""

    def attribute(self, name: str, value: object) -> AnyValue:
        """Convert the value of attribute *name*; `None` where there is nothing to send. Never raises."""
        redaction = self._redaction
        if redaction is not None and value is not None and (kind := redaction.kind(name)):
            return replacement(kind)
        if type(value) is str:
            return self.text(value)
        return self._value(value, ())

    def text(self, text: str, most: int = TEXT) -> str:
        """Make *text* encodable and redacted, and no longer than *most* characters. Never raises."""
        length = len(text)
        if length > RECORD_TEXT:
            text = text[:RECORD_TEXT]
        if not text.isascii() or "\0" in text:
            text = _encodable(text)
        if self._texts is not None:
            text = self._texts.text(text)
        return text if length <= SHORT else self._within_bounds(text, most, length)

    def _within_bounds(self, text: str, most: int, length: int) -> str:
        """Take *text*, which was *length* characters long, out of what the record may still hold."""
        room = min(most, self._text)
        self._text -= min(len(text), room)
        if len(text) <= room and length <= RECORD_TEXT:
            return text
        self.cut += 1
        return shortened(text, room, length)

    def _value(self, value: object, parents: tuple[int, ...]) -> AnyValue:  # noqa: PLR0911 - a table of types
        self._nodes -= 1
        if self._nodes < 0:
            self.cut += 1
            return "…"
        kind = type(value)
        # Measured, a third of the cost of asking for the base classes first.
        if value is None or kind is bool or kind is float:
            return value  # type: ignore[return-value]  # these are what they are
        try:
            if kind is str:
                return self.text(value)  # type: ignore[arg-type]  # it is a text
            if kind is int:
                return _integer(value)  # type: ignore[arg-type]  # it is an integer
            if kind is dict or kind is list or kind is tuple:
                return self._container(value, parents)  # type: ignore[arg-type]  # it can be iterated
            return self._known(value, parents)
        except Exception:  # noqa: BLE001 - a foreign type may raise anything from anywhere
            return f"<unprintable {_name(type(value))} object>"

    def _known(self, value: object, parents: tuple[int, ...]) -> AnyValue:  # noqa: PLR0911 - a table of types
        kind: type = type(value)
        if _is_opaque(kind):
            # Asking a lazy object what it is runs its work, too.
            return _name(kind)
        if isinstance(value, Enum):
            return self.text(value.name if isinstance(value.name, str) else str(value))
        if isinstance(value, str):
            return self.text(str.__str__(value))
        if isinstance(value, int):
            return _integer(int.__int__(value))
        if isinstance(value, float):
            return float.__float__(value)
        if isinstance(value, timedelta):
            return value.total_seconds()
        if isinstance(value, bytes | bytearray | memoryview):
            return self._bytes(bytes(value))
        if isinstance(value, CONTAINERS) and not is_a(kind, LAZY):
            return self._container(value, parents)
        return self.text(_text(value))

    def _bytes(self, value: bytes) -> bytes:
        length, kept = len(value), value[:RECORD_TEXT]
        if self._redaction is not None:
            # Latin-1 has a character for each byte.
            kept = self._redaction.text(kept.decode("latin-1")).encode("latin-1", "replace")
        room = min(TEXT, self._text)
        self._text -= min(len(kept), room)
        if len(kept) <= room and length <= RECORD_TEXT:
            return kept
        self.cut += 1
        return kept[:room] + f"… [{length} bytes]".encode()

    def _container(self, value: Iterable[object], parents: tuple[int, ...]) -> AnyValue:
        if id(value) in parents or len(parents) >= DEPTH:
            self.cut += 1
            return f"… {_name(type(value))}"
        inside = (*parents, id(value))
        if type(value) is dict or isinstance(value, Mapping):
            return self._mapping(value, inside)
        items = [self._value(item, inside) for item in islice(iter(value), WIDTH)]
        if type(value) is not list and isinstance(value, Set):
            items.sort(
                key=lambda item: (type(item).__name__, item if isinstance(item, str | int | float) else str(item))
            )
        if (more := len(value) - WIDTH) > 0:  # type: ignore[arg-type]  # sets and sequences have a length
            self.cut += more
            items.append(f"… {more} more")
        return self._of_one_type(items)

    def _of_one_type(self, items: list[AnyValue]) -> AnyValue:
        """
        Write the items of a mixed list as texts.

        The official SDK drops a list whose items are of more than one type: `opentelemetry.attributes`.
        """
        types = {type(item) for item in items if item is not None}
        if len(types) < 2:
            return items
        if types == {int, float}:
            return [item if item is None else float(item) for item in items]  # type: ignore[arg-type]  # all are numbers
        return [item if item is None or isinstance(item, str) else self._json(item) for item in items]

    def _json(self, item: AnyValue) -> str:
        text = json.dumps(item, default=str, ensure_ascii=False)
        # Quotes in quotes double at each level.
        return text if len(text) <= SHORT else self._within_bounds(text, TEXT, len(text))

    def _mapping(self, value: Mapping[object, object], inside: tuple[int, ...]) -> dict[str, AnyValue]:
        converted: dict[str, AnyValue] = {}
        for key, item in islice(value.items(), WIDTH):
            name = self.key(key)
            while name in converted:
                name += "_"
            kind = self._redaction.kind(name) if self._redaction is not None and item is not None else None
            converted[name] = replacement(kind) if kind else self._value(item, inside)
        if (more := len(value) - WIDTH) > 0:
            self.cut += more
            converted["…"] = f"{more} more"
        return converted

    def key(self, key: object) -> str:
        """Make *key* a key of an attribute or a map: a text, encodable, not empty, of bounded length. Never raises."""
        if type(key) is not str:
            key = str.__str__(key) if isinstance(key, str) and not isinstance(key, Enum) else safe_text(key)
        if not key.isascii() or "\0" in key:
            key = _encodable(key)
        return shortened(key, SHORT, len(key)) if len(key) > SHORT else key or EMPTY_KEY


def safe_text(value: object) -> str:
    """Return the text of any value, within the bounds, or a placeholder that names its type. Never raises."""
    kind: type = type(value)
    try:
        if not _is_opaque(kind) and not isinstance(value, str | bytes) and isinstance(value, CONTAINERS):
            value = Walk(None).attribute("", value)
        return _encodable(_text(value))
    except Exception:  # noqa: BLE001 - a foreign type may raise anything from anywhere
        return f"<unprintable {_name(type(value))} object>"


def shortened(text: str, most: int, length: int) -> str:
    """Cut *text* to *most* characters and say that it was *length* long."""
    return f"{text[:most]}… [{length} characters]"


def _text(value: object) -> str:
    kind: type = type(value)
    if _is_opaque(kind):
        return _name(kind)
    if isinstance(value, Enum):
        return str(value.name)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if is_a(kind, MODEL):
        return f"{kind.__name__} object ({value.pk})"  # type: ignore[attr-defined]  # every model has one
    return str.__str__(str(value))


def _integer(value: int) -> int | str:
    if value in INT64:
        return value
    # Python refuses to write very long decimals: https://docs.python.org/3/library/stdtypes.html#int-max-str-digits
    return str(value) if value.bit_length() < 10_000 else _hexadecimal(value)


def _hexadecimal(value: int) -> str:
    text = hex(value)
    return shortened(text, SHORT, len(text))


def _encodable(text: str) -> str:
    """Write as escapes what UTF-8 cannot hold (lone surrogates) and what stores refuse (NUL)."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}" if kind.__module__ != "builtins" else kind.__qualname__


@lru_cache(maxsize=1024)
def is_a(kind: type, ancestor: tuple[str, str]) -> bool:
    """Tell whether *kind* descends from a class named by module and name, without importing it."""
    return any((base.__module__, base.__name__) == ancestor for base in kind.__mro__)


@lru_cache(maxsize=1024)
def _is_opaque(kind: type) -> bool:
    return any((base.__module__, base.__name__) in NO_TEXT for base in kind.__mro__)
