"""Which span a record belongs to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext, TraceFlags

from otel_bridge.bridge.trace import BOUND_KEYS, span_context
from tests.bridge.foreign import Raises

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
OTHER_TRACE_ID, OTHER_SPAN_ID = "f" * 32, "f" * 16
HEADER = f"00-{TRACE_ID}-{SPAN_ID}-01"
CURRENT = SpanContext(int(TRACE_ID, 16), int(SPAN_ID, 16), is_remote=False, trace_flags=TraceFlags(1))


def ids(context: SpanContext) -> tuple[str, str, int]:
    """Return trace id, span id and flags as they are bound."""
    return f"{context.trace_id:032x}", f"{context.span_id:016x}", context.trace_flags


@pytest.mark.parametrize(
    ("bound", "flags"),
    [
        ({"trace_id": TRACE_ID, "span_id": SPAN_ID}, 0),
        ({"trace_id": TRACE_ID.upper(), "span_id": SPAN_ID.upper()}, 0),
        ({"trace_id": TRACE_ID, "span_id": SPAN_ID, "trace_flags": "01"}, 1),
        ({"trace_id": TRACE_ID, "span_id": SPAN_ID, "trace_flags": 1}, 1),
        ({"trace_id": TRACE_ID, "span_id": SPAN_ID, "parent_span_id": OTHER_SPAN_ID}, 0),
        ({"traceparent": HEADER}, 1),
        ({"traceparent": HEADER, "trace_id": "nonsense", "span_id": None}, 1),
    ],
)
def test_without_a_span_what_is_bound_is_used(bound: dict[str, object], flags: int) -> None:
    """Hexadecimal ids, with or without flags, or a header's value."""
    assert ids(span_context(bound, INVALID_SPAN_CONTEXT)[0]) == (TRACE_ID, SPAN_ID, flags)


def test_a_bound_trace_needs_no_span() -> None:
    """Queries by trace find the record all the same."""
    assert ids(span_context({"trace_id": TRACE_ID}, INVALID_SPAN_CONTEXT)[0]) == (TRACE_ID, "0" * 16, 0)


@pytest.mark.parametrize(
    "bound",
    [
        {"trace_id": TRACE_ID, "span_id": SPAN_ID},
        {"trace_id": TRACE_ID, "span_id": SPAN_ID, "parent_span_id": OTHER_SPAN_ID},
        {"trace_id": TRACE_ID, "span_id": SPAN_ID, "trace_flags": "01"},
        {"traceparent": HEADER},
    ],
)
@pytest.mark.parametrize("current", [CURRENT, INVALID_SPAN_CONTEXT], ids=["in a span", "in none"])
def test_what_the_record_says_is_said_once(bound: dict[str, object], current: SpanContext) -> None:
    """Nothing that became a field is an attribute, too."""
    assert span_context(bound, current)[1] == {}


def test_the_current_span_wins() -> None:
    """What is bound may be of the request before."""
    bound = {"trace_id": OTHER_TRACE_ID, "span_id": OTHER_SPAN_ID}
    assert span_context(bound, CURRENT)[0] is CURRENT


def test_ids_that_disagree_stay_under_names_of_their_own() -> None:
    """The stores have a `trace_id` already."""
    bound = {"trace_id": OTHER_TRACE_ID, "span_id": OTHER_SPAN_ID}
    assert span_context(bound, CURRENT)[1] == {"bound.trace_id": OTHER_TRACE_ID, "bound.span_id": OTHER_SPAN_ID}


def test_a_header_that_disagrees_stays() -> None:
    """So does a header's value."""
    header = f"00-{OTHER_TRACE_ID}-{OTHER_SPAN_ID}-01"
    assert span_context({"traceparent": header}, CURRENT)[1] == {"bound.traceparent": header}


@pytest.mark.parametrize(
    "bound",
    [
        {"trace_id": "nonsense"},
        {"trace_id": TRACE_ID[:31], "span_id": SPAN_ID},
        {"trace_id": "0" * 32, "span_id": SPAN_ID},
        {"trace_id": "+" + "1" * 31},
        {"trace_id": "1_" * 16},
        {"trace_id": 5, "span_id": 6},
        {"span_id": SPAN_ID},
        {"trace_flags": "01"},
        {"traceparent": "00-nonsense"},
        {"traceparent": f"00-{'0' * 32}-{SPAN_ID}-01"},
    ],
)
def test_what_names_no_trace_leaves_the_record_without_one(bound: dict[str, object]) -> None:
    """Nothing is made up."""
    assert not span_context(bound, INVALID_SPAN_CONTEXT)[0].is_valid


@pytest.mark.parametrize("key", sorted(BOUND_KEYS))
def test_what_names_no_trace_stays(key: str) -> None:
    """Whatever the application bound is not lost."""
    assert span_context({key: "nonsense"}, INVALID_SPAN_CONTEXT)[1] == {f"bound.{key}": "nonsense"}


@pytest.mark.parametrize("key", sorted(BOUND_KEYS))
def test_null_is_nothing(key: str) -> None:
    """A bound `None` is left out."""
    assert span_context({key: None}, INVALID_SPAN_CONTEXT) == (INVALID_SPAN_CONTEXT, {})


@given(
    st.dictionaries(
        st.sampled_from(sorted(BOUND_KEYS)), st.one_of(st.text(), st.integers(), st.none(), st.builds(Raises))
    ),
    st.sampled_from([CURRENT, INVALID_SPAN_CONTEXT]),
)
def test_nothing_raises(bound: dict[str, object], current: SpanContext) -> None:
    """Whatever is bound, the record has a context that can be encoded."""
    context = span_context(bound, current)[0]
    assert 0 <= context.trace_id < 2**128
    assert 0 <= context.span_id < 2**64
