"""Where a record is logged: its span, and whether an exporter is at work there."""

from typing import NamedTuple

from opentelemetry import trace
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, Context
from opentelemetry.trace import SpanContext, format_span_id, format_trace_id


class Surroundings(NamedTuple):
    """What a record says of where it was logged, looked up once for each context."""

    context: Context
    span_context: SpanContext
    ids: tuple[str, str]
    """Trace and span id as applications write them."""
    is_suppressed: bool
    """Whether an exporter is at work here."""


def surroundings(context: Context) -> Surroundings:
    """Look at *context*."""
    span_context = trace.get_current_span(context).get_span_context()
    ids = format_trace_id(span_context.trace_id), format_span_id(span_context.span_id)
    return Surroundings(context, span_context, ids, bool(context.get(_SUPPRESS_INSTRUMENTATION_KEY)))
