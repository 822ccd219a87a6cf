"""
Reading protobuf: the few messages that receivers send back, and our own requests again.

Wire format: https://protobuf.dev/programming-guides/encoding/.
"""

from collections.abc import Iterator
from typing import Final

_WIDTHS: Final = {1: 8, 5: 4}
"""Wire types of fixed length to their bytes."""
_VARINT, _LENGTH = 0, 2
_LONGEST_VARINT: Final = 10

UINT64: Final = 2**64


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """
    Walk over the fields of an encoded message.

    Yields:
        Number and value of each field, in the message's order: an unsigned integer for a varint, else the bytes as
        they stand (a fixed-width number's are little-endian).

    Raises:
        ValueError: It is no protobuf message.
    """
    position, end = 0, len(message)
    while position < end:
        tag, position = _varint(message, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == _VARINT:
            value, position = _varint(message, position)
            yield number, value
            continue
        if wire_type == _LENGTH:
            length, position = _varint(message, position)
        else:
            length = _WIDTHS.get(wire_type, -1)
        if not number or not 0 <= length <= end - position:
            raise ValueError("no protobuf message")
        yield number, message[position : position + length]
        position += length


def _varint(message: bytes, position: int) -> tuple[int, int]:
    number = 0
    for shift, byte in enumerate(message[position : position + _LONGEST_VARINT]):
        number |= (byte & 127) << 7 * shift
        if byte < 128:
            return number % UINT64, position + shift + 1
    raise ValueError("no protobuf message")


def signed(number: int) -> int:
    """Read an `int64`, which the wire holds as two's complement."""
    return number - UINT64 if number >= UINT64 >> 1 else number


def text(value: int | bytes | None) -> str:
    """Read a `string`; what is not UTF-8 is replaced, and what is no string is empty."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def number(value: int | bytes | None) -> int:
    """Read an `int64`; what is no integer is 0."""
    return signed(value) if isinstance(value, int) else 0


def message(value: int | bytes | None) -> bytes:
    """Read an embedded message; what is none is empty."""
    return value if isinstance(value, bytes) else b""
