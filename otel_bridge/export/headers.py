"""Headers of requests: what may be one, and how the variables write them."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from otel_bridge.export.setting import Setting, say_once

NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""https://www.rfc-editor.org/rfc/rfc9110.html#name-field-names"""
VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""https://www.rfc-editor.org/rfc/rfc9110.html#name-field-values; a line's end would begin another header."""


def headers(setting: Setting | None) -> dict[str, str]:
    """
    Read a variable: https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables.

    Returns:
        Headers, their names in lower case. What is none is said, without its value, and left out.
    """
    found: dict[str, str] = {}
    if setting is None:
        return found
    for position, pair in enumerate(filter(str.strip, setting.value.split(",")), start=1):
        name, equals, value = (unquote(part.strip()) for part in pair.partition("="))
        if equals and _is_header(name, value):
            found[name.lower()] = value
        else:
            wrong = f"{setting.name}: pair {position} is no header, such as name=value with the value URL-encoded"
            say_once(f"{wrong}; it is left out.")
    return found


def checked(given: Mapping[str, str]) -> dict[str, str]:
    """
    Check headers that a program gives.

    Raises:
        ValueError: One of them is none; the message does not hold its value.
    """
    for position, (name, value) in enumerate(given.items(), start=1):
        if not _is_header(name, value):
            raise ValueError(
                f"headers: pair {position} is no header, which has a name of ASCII and a value of one line."
            )
    return {name.lower(): value for name, value in given.items()}


def _is_header(name: str, value: str) -> bool:
    return NAME.fullmatch(name) is not None and VALUE.fullmatch(value) is not None
