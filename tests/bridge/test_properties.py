"""What holds for every event, whatever is in it."""

import copy
import enum
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_bridge import LogBridge, LogBridgeHandler
from otel_bridge.bridge.mapping import ATTRIBUTES
from otel_bridge.bridge.rules import RULES
from otel_bridge.bridge.trace import BOUND_KEYS
from otel_bridge.bridge.values import SHORT
from tests.bridge.foreign import (
    BrokenMapping,
    Endless,
    NoClass,
    Raises,
    UnprintableError,
    deep,
    itself,
    laughs,
    raised,
)
from tests.otlp import Memory, Record, complaints

SIZE = 4 * 2**20
"""Bytes of the largest record: what gRPC takes by default."""


class Colour(enum.Enum):
    """An enumeration."""

    RED = object()


class Text(str):
    """A text of a library."""

    __slots__ = ()


texts = st.one_of(
    st.text(max_size=20),
    st.text(st.characters(categories=["Cs", "Lu", "Cc"]), max_size=5),
    st.sampled_from(["", "\0", "\ud800", "x" * 5000, "bsn=123456782", "é" * 300, "zaak_created"]),
    st.builds(Text, st.text(max_size=5)),
)
plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**63, -(2**63) - 1, 10**30]),
    st.builds(pow, st.just(10), st.just(5000)),
    st.floats(),
    st.binary(max_size=20),
    texts,
    st.datetimes(),
    st.dates(),
    st.timedeltas(),
    st.decimals(),
    st.uuids(),
    st.just(Colour.RED),
)
foreign = st.one_of(
    st.builds(Raises),
    st.builds(NoClass),
    st.builds(BrokenMapping),
    st.builds(Endless),
    st.builds(itself),
    st.builds(deep),
    st.builds(laughs),
    st.builds(lambda: raised(UnprintableError())),
    st.builds(lambda: raised(KeyError("outer", 2))),
    st.builds(lambda: raised(ExceptionGroup("many", [ValueError("\ud800")]))),
    st.builds(object),
    st.just(int),
    st.builds(lambda: [{"exc_type": Raises(), "exc_value": NoClass(), "frames": 5}]),
)
keys = st.one_of(texts, st.none(), st.integers(), st.tuples(st.integers()), st.just(Colour.RED), st.floats())


def containers(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Put *items* in everything that holds some, mixed."""
    lists = st.lists(items, max_size=5)
    return st.one_of(
        lists,
        lists.map(tuple),
        lists.map(deque),
        lists.map(lambda shared: [shared, shared, {"again": shared}]),
        st.dictionaries(keys, items, max_size=5),
        st.dictionaries(texts, items, max_size=5).map(OrderedDict),
    )


data = st.recursive(st.one_of(plain, st.sets(st.one_of(st.integers(), texts, st.none()))), containers, max_leaves=15)
anything = st.recursive(st.one_of(plain, foreign), containers, max_leaves=15)
documented = st.sampled_from(
    [*RULES, *BOUND_KEYS, "message", "level_number", "http.response.status_code", "error.type"]
)


def events(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[Any, Any]]:
    """Make event dicts of *values*, under keys that are documented and others."""
    return st.dictionaries(st.one_of(documented, keys), values, max_size=12)


def types(value: Any) -> Any:
    """Return the types of *value* and of what it holds."""
    if isinstance(value, dict):
        return type(value), [(type(key), types(item)) for key, item in value.items()]
    return type(value), [types(item) for item in value] if isinstance(value, list | tuple | deque) else None


def emitted(event_dict: Any) -> Record:
    """Emit *event_dict* between two neighbours, check what holds for every record, and return its own."""
    memory = Memory()
    bridge = LogBridge(memory.provider)
    started = time.thread_time()
    with complaints() as said:
        for each in ({"event": "before"}, event_dict, {"event": "after"}):
            assert bridge(None, "info", each) is each
    assert time.thread_time() - started < 2
    records = sorted(memory.records, key=lambda record: str(record.attributes["log.record.uid"]))
    assert (records[0].body, records[2].body, len(records)) == ("before", "after", 3)
    assert said == []
    assert len(memory.encoded) < SIZE
    return records[1]


def check(record: Record) -> None:
    """Check that *record* is one that every store takes."""
    assert 0 < len(record.attributes) <= ATTRIBUTES
    assert all(0 < len(key) < SHORT + 50 for key in record.attributes)
    assert None not in record.attributes.values()
    assert type(record.body) is str
    assert record.scope
    assert 0 < record.timestamp < 2**63
    assert "\0" not in record.body + record.severity_text + record.scope + "".join(record.attributes)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(events(anything))
def test_any_event_becomes_a_record(event_dict: dict[Any, Any]) -> None:
    """Nothing raises, its neighbours arrive with it, and it is one that every store takes."""
    check(emitted(event_dict))


@pytest.mark.parametrize(
    "make",
    [
        lambda: {"event": Raises(), "level": NoClass(), "exc_info": Raises(), "timestamp": NoClass()},
        lambda: {"event": laughs(), "a": laughs(), "b": itself(), "c": deep(), "d": {"e": laughs()}.values()},
        lambda: {key: NoClass() for key in RULES},
        lambda: {key: Raises() for key in RULES},
        lambda: {key: BrokenMapping() for key in RULES},
        lambda: {key: laughs() for key in RULES},
        lambda: {5: 1, None: 2, "": 3, "\ud800": 4, "\0": 5, (1, 2): 6},
        lambda: {f"key{number}": "x" * 20_000 for number in range(500)},
        lambda: {f"key{number}": [b"x" * 20_000] * 500 for number in range(5)},
        lambda: {"a": [["x" * 200] * 500] * 500},
        lambda: {"a": [['"' * 16_000, 1], 1] * 500},
        lambda: {"exception": [{"exc_type": laughs(), "exc_value": Raises(), "exc_notes": [laughs()]}]},
        lambda: {f"key{number}": ["x" * 300] * 1000 for number in range(1000)},
        lambda: {"event": "x" * 10_000_000, "level": "x" * 10_000_000, "logger": "x" * 10_000_000},
        lambda: {"x" * 10_000_000: "x" * 10_000_000},
    ],
    ids=range(15),
)
def test_known_bad_events_become_records(make: Callable[[], dict[Any, Any]]) -> None:
    """Those that were seen to break others, or ours."""
    check(emitted(make()))


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(events(data))
def test_the_event_dict_stays_as_it_was(event_dict: dict[Any, Any]) -> None:
    """Equal in every part, and of the same types."""
    before = copy.deepcopy(event_dict)
    emitted(event_dict)
    assert (event_dict, types(event_dict)) == (before, types(before))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(events(anything))
def test_any_event_dict_holds_the_same_objects(event_dict: dict[Any, Any]) -> None:
    """Where nothing can be compared, what stands under each key is what stood there."""
    before = [(key, id(value)) for key, value in event_dict.items()]
    emitted(event_dict)
    assert [(key, id(value)) for key, value in event_dict.items()] == before


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.dictionaries(st.one_of(st.sampled_from(sorted(vars(logging.makeLogRecord({})))), texts), anything, max_size=8)
)
def test_any_record_of_logging_becomes_a_record(extra: dict[str, Any]) -> None:
    """Made by hand with whatever `logging` itself would refuse."""
    memory = Memory()
    with complaints() as said:
        LogBridgeHandler(logger_provider=memory.provider).emit(logging.makeLogRecord(extra))
    assert said == []
    check(memory.record)


@pytest.mark.parametrize("value", [itself, deep, laughs, Endless], ids=lambda make: make.__name__)
@pytest.mark.parametrize("key", ["data", "event", "exception", "exc_info", "positional_args", "code", "title"])
def test_no_value_takes_long(key: str, value: Any) -> None:
    """Under any key."""
    check(emitted({key: value()}))


@given(st.uuids())
def test_a_uuid_is_itself(value: UUID) -> None:
    """Its text, in the body and elsewhere."""
    record = emitted({"event": value, "uuid": value})
    assert (record.body, record.attributes["uuid"]) == (str(value), str(value))
