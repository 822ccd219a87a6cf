"""What the application printed, as records that each store must hold."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from otel_bridge.bridge.mapping import Mapper
from otel_bridge.bridge.redaction import Redaction

MAPPER: Final = Mapper(redaction=Redaction())


class Line(NamedTuple):
    """A line of the application's log."""

    event: str
    level: str
    logger: str
    request_id: str | None
    trace_id: str | None
    printed: Mapping[str, Any]
    """All of it."""
    attributes: Mapping[str, object]
    """Names of the attributes that its record must have, to values."""
    is_structlog: bool
    """Whether it is an event of structlog; a record of another library has on stdout what its arguments look like."""


def lines(output: str) -> list[Line]:
    """Read the lines of JSON in *output*; what else is there (Python's own warnings) is no log."""
    return [line for text in output.splitlines() if (line := _line(text)) is not None]


def _line(text: str) -> Line | None:
    try:
        printed = json.loads(text)
    except ValueError:
        return None
    if not isinstance(printed, dict) or "event" not in printed:
        return None
    fields = MAPPER.fields(printed)
    return Line(
        fields.body,
        fields.severity_text,
        fields.scope_name,
        printed.get("request_id"),
        printed.get("trace_id"),
        printed,
        dict(_attributes(fields.attributes)),
        is_structlog=fields.event_name is not None,
    )


def _attributes(attributes: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for name, value in attributes.items():
        if name == "exc_info":
            # Today stdout has only the `repr` of a foreign record's exception; the bridge sends the exception.
            yield "exception.type", None
        else:
            yield name, value
