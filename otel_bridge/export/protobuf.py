"""
The protobuf encoding of what OTLP sends, and the only place that knows its field numbers.

Wire format: https://protobuf.dev/programming-guides/encoding/. Messages:
https://github.com/open-telemetry/opentelemetry-proto, `common/v1`, `resource/v1`, `logs/v1`.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from struct import Struct
from typing import Final

from otel_bridge.bridge.values import AnyValue

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
"""Wire types."""


def varint(number: int) -> bytes:
    """Encode an unsigned integer below 2**64."""
    if number < COMMON:
        return VARINTS[number]
    return _varint(number)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


COMMON: Final = 4096
"""Most lengths of texts, attributes and records are less."""
VARINTS: Final = tuple(map(_varint, range(COMMON)))
SHORT: Final = COMMON // 4 - 4
"""Texts of fewer characters, of four bytes at most, have such a length with what stands around them."""


def _tag(field: int, wire_type: int) -> bytes:
    return varint(field << 3 | wire_type)


REQUEST_RESOURCE_LOGS: Final = _tag(1, _LENGTH)
RESOURCE_LOGS_RESOURCE: Final = _tag(1, _LENGTH)
RESOURCE_LOGS_SCOPE_LOGS: Final = _tag(2, _LENGTH)
RESOURCE_LOGS_SCHEMA_URL: Final = _tag(3, _LENGTH)
SCOPE_LOGS_SCOPE: Final = _tag(1, _LENGTH)
SCOPE_LOGS_LOG_RECORDS: Final = _tag(2, _LENGTH)
SCOPE_LOGS_SCHEMA_URL: Final = _tag(3, _LENGTH)
SCOPE_NAME: Final = _tag(1, _LENGTH)
SCOPE_VERSION: Final = _tag(2, _LENGTH)
SCOPE_ATTRIBUTES: Final = _tag(3, _LENGTH)
RESOURCE_ATTRIBUTES: Final = _tag(1, _LENGTH)
RECORD_SEVERITY_NUMBER: Final = _tag(2, _VARINT)
RECORD_SEVERITY_TEXT: Final = _tag(3, _LENGTH)
RECORD_BODY: Final = _tag(5, _LENGTH)
RECORD_ATTRIBUTES: Final = _tag(6, _LENGTH)
RECORD_DROPPED_ATTRIBUTES_COUNT: Final = _tag(7, _VARINT)
RECORD_EVENT_NAME: Final = _tag(12, _LENGTH)
KEY: Final = _tag(1, _LENGTH)
VALUE: Final = _tag(2, _LENGTH)
ITEM: Final = _tag(1, _LENGTH)
STRING: Final = _tag(1, _LENGTH)
TRUE: Final = _tag(2, _VARINT) + b"\1"
FALSE: Final = _tag(2, _VARINT) + b"\0"
INT: Final = _tag(3, _VARINT)
DOUBLE: Final = _tag(4, _FIXED64)
ARRAY: Final = _tag(5, _LENGTH)
KVLIST: Final = _tag(6, _LENGTH)
BYTES: Final = _tag(7, _LENGTH)

_double: Final = Struct("<d").pack

_times: Final = Struct("<sQsQ")
times: Final = _times.pack
"""Timestamp and observed timestamp: called with `TIME`, nanoseconds, `OBSERVED_TIME`, nanoseconds."""
TIMES_LENGTH: Final = _times.size
TIME: Final = _tag(1, _FIXED64)
OBSERVED_TIME: Final = _tag(11, _FIXED64)

_TRACE_ID: Final = _tag(9, _LENGTH) + varint(16)
_SPAN_ID: Final = _tag(10, _LENGTH) + varint(8)
_FLAGS: Final = _tag(8, _FIXED32)


def field(tag: bytes, content: bytes) -> bytes:
    """Encode a field of variable length: a text, bytes, or a message."""
    return tag + varint(len(content)) + content


def text_field(tag: bytes, text: str | None) -> bytes:
    """Encode a text; nothing where it is empty, which is what an absent one means."""
    return field(tag, text.encode()) if text else b""


@lru_cache(maxsize=1024)
def span_fields(trace_id: int, span_id: int, trace_flags: int) -> bytes:
    """Encode the fields of a record that name its span; an id of 0 is none and is left out."""
    return b"".join(
        (
            _TRACE_ID + trace_id.to_bytes(16, "big") if trace_id else b"",
            _SPAN_ID + span_id.to_bytes(8, "big") if span_id else b"",
            _FLAGS + trace_flags.to_bytes(4, "little") if trace_flags else b"",
        )
    )


def any_value(value: AnyValue) -> bytes:  # noqa: PLR0911 - one line for each kind of value
    """
    Encode an `AnyValue` message, without tag and length.

    Args:
        value: A value as `otel_bridge.bridge.values` makes them: texts encodable, integers in 64 bits, keys unique.
    """
    kind = type(value)
    if kind is str:
        return field(STRING, value.encode())  # type: ignore[union-attr]  # it is a text
    if value is None:
        return b""
    if kind is bool:
        return TRUE if value else FALSE
    if kind is int:
        return INT + varint(value & 0xFFFF_FFFF_FFFF_FFFF)  # type: ignore[operator]  # it is an integer
    if kind is float:
        return DOUBLE + _double(value)
    if kind is bytes:
        return field(BYTES, value)  # type: ignore[arg-type]  # it is bytes
    if isinstance(value, Mapping):
        return field(KVLIST, b"".join(key_value(ITEM, key, item) for key, item in value.items()))
    return field(ARRAY, b"".join(field(ITEM, any_value(item)) for item in value))  # type: ignore[union-attr]


def key_value(tag: bytes, key: str, value: AnyValue) -> bytes:
    """Encode one `KeyValue` as a field of the message that holds it."""
    if type(value) is str and len(value) < SHORT:
        # Most values are: measured, half of the cost of three nested fields.
        text = value.encode()
        length = VARINTS[len(text)]
        pair = b"".join((_key(key), VALUE, VARINTS[len(text) + len(length) + 1], STRING, length, text))
        return tag + varint(len(pair)) + pair
    return field(tag, _key(key) + field(VALUE, any_value(value)))


@lru_cache(maxsize=4096)
def _key(key: str) -> bytes:
    return field(KEY, key.encode())


def attributes(tag: bytes, pairs: Iterable[tuple[str, AnyValue]]) -> bytes:
    """Encode attributes as fields of the message that holds them."""
    return b"".join(key_value(tag, key, value) for key, value in pairs)
