"""Which span a record belongs to."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from opentelemetry.trace import SpanContext, TraceFlags

BOUND_KEYS: Final = frozenset({"trace_id", "span_id", "parent_span_id", "trace_flags", "traceparent"})
"""Keys by which applications bind trace context themselves, structlog's own recipe and maykin-common's among them:
https://www.structlog.org/en/stable/frameworks.html#opentelemetry"""

TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
"""https://www.w3.org/TR/trace-context/#traceparent-header-field-values"""


class _Bound(NamedTuple):
    """Trace context as numbers; 0 where nothing usable was bound."""

    trace_id: int = 0
    span_id: int = 0
    trace_flags: int = 0


def span_context(event_dict: Mapping[str, object], current: SpanContext) -> tuple[SpanContext, dict[str, object]]:
    """
    Choose between the current span and what the application bound.

    Args:
        event_dict: An event dict that holds at least one of `BOUND_KEYS`; read only.
        current: The context of the current span, valid or not.

    Returns:
        The current span's context where it is valid, else the bound one; and what was bound and says something else
        than the chosen one, as attributes under names of their own (`bound.trace_id`): the stores have a `trace_id`.
    """
    bound = {key: event_dict[key] for key in BOUND_KEYS & event_dict.keys() if not _is_nothing(event_dict[key])}
    pair = _from_pair(bound)
    header = _from_traceparent(bound.get("traceparent"))
    chosen = current
    if not current.is_valid and (pair.trace_id or header.trace_id):
        trace_id, span_id, flags = pair if pair.trace_id else header
        chosen = SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(flags))
    is_same = pair.trace_id == chosen.trace_id != 0
    said = {
        "trace_id": is_same,
        "span_id": pair.span_id == chosen.span_id != 0,
        "parent_span_id": is_same and _number(bound.get("parent_span_id"), 16) > 0,
        "trace_flags": is_same,
        "traceparent": header[:2] == (chosen.trace_id, chosen.span_id) and header.trace_id != 0,
    }
    return chosen, {f"bound.{key}": value for key, value in bound.items() if not said[key]}


def _is_nothing(value: object) -> bool:
    """Tell whether *value* stands for no trace: `None`, an empty text, or zeros."""
    return value is None or (type(value) is int and value == 0) or (type(value) is str and not value.strip("0"))


def _from_pair(bound: Mapping[str, object]) -> _Bound:
    flags = bound.get("trace_flags")
    return _Bound(
        _number(bound.get("trace_id"), 32),
        _number(bound.get("span_id"), 16),
        flags if isinstance(flags, int) and 0 <= flags <= 255 else _number(flags, 2),
    )


def _from_traceparent(header: object) -> _Bound:
    parts = TRACEPARENT.fullmatch(header) if isinstance(header, str) else None
    return _Bound(*(int(part, 16) for part in parts.groups())) if parts else _Bound()


def _number(value: object, digits: int) -> int:
    """Parse exactly *digits* hexadecimal digits; anything else is 0, which names no trace and no span."""
    if not isinstance(value, str) or len(value) != digits or not value.isalnum():
        return 0
    try:
        return int(value, 16)
    except ValueError:
        return 0
