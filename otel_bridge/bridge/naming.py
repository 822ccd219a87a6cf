"""What an event is called: its text, its name where it has one, and the logger that it is from."""

import re
from collections.abc import Mapping
from typing import Any, Final

from otel_bridge.bridge.rules import text_of
from otel_bridge.bridge.values import Walk

EVENT_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._-][A-Za-z0-9]+)*")
"""What is a static identifier rather than free text:
https://opentelemetry.io/docs/specs/semconv/general/events/#event-definition"""
EVENT_NAME_LENGTH: Final = 256
DEFAULT_SCOPE: Final = "structlog"


def body(walk: Walk, event_dict: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the event as a text, and whether positional arguments went into it."""
    event, args = event_dict.get("event"), event_dict.get("positional_args")
    if isinstance(event, str) and isinstance(args, tuple) and args:
        try:
            # As structlog.stdlib.PositionalArgumentsFormatter does.
            return event % (args[0] if len(args) == 1 and isinstance(args[0], dict) and args[0] else args), True
        except Exception:  # noqa: BLE001 - arguments that do not fit stay beside the event
            return event, False
    if type(event) is not str:
        # So that what is secret in a map stays so in its text.
        event = "" if event is None else walk.attribute("event", event)
    return text_of(event), False


def event_name(event_dict: Mapping[str, Any]) -> str | None:
    """Return the event where it is a name: what the application says it is, else what it logged."""
    for name in (event_dict.get("otel.event.name"), event_dict.get("event")):
        if isinstance(name, str) and len(name) <= EVENT_NAME_LENGTH and EVENT_NAME.fullmatch(name):
            return str.__str__(name)
    return None


def scope_name(event_dict: Mapping[str, Any], logger_name: str | None) -> str:
    """Return the name of the logger: as the chain wrote it, else *logger_name*."""
    return text_of(first(event_dict.get("logger"), event_dict.get("logger_name"), logger_name)) or DEFAULT_SCOPE


def first(*values: object) -> object:
    """Return the first value that is there, without asking a foreign type for its truth."""
    return next((value for value in values if value is not None), "")
