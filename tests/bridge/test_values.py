"""Any Python value to one that every OpenTelemetry provider can encode."""

import array
import enum
import math
import time
from collections import Counter, OrderedDict, UserDict, deque, namedtuple
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from django.db.models import QuerySet
from django.utils.functional import SimpleLazyObject, lazystr
from django.utils.safestring import mark_safe

from otel_bridge.bridge.redaction import Redaction
from otel_bridge.bridge.values import DEPTH, NODES, RECORD_TEXT, SHORT, TEXT, WIDTH, Walk, is_a, safe_text
from tests.bridge.foreign import BrokenMapping, Endless, NoClass, Raises, deep, itself, laughs
from tests.conftest import Run

Point = namedtuple("Point", "x y")


class Colour(enum.Enum):
    """An enumeration."""

    RED = 1


class Level(enum.IntEnum):
    """One whose members are integers."""

    HIGH = 3


class Choice(enum.StrEnum):
    """One whose members are texts."""

    OPEN = "open"


class Text(str):
    """A text of a library, as those of `invalid_params`."""

    __slots__ = ()

    def __str__(self) -> str:
        return "another"


def convert(value: object) -> Any:
    """Convert *value* as an attribute, with nothing redacted."""
    return Walk(None).attribute("key", value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        ("", ""),
        ("Ærø €", "Ærø €"),
        (True, True),
        (False, False),
        (0, 0),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**63, "9223372036854775808"),
        (-(2**63) - 1, "-9223372036854775809"),
        (0.1, 0.1),
        (math.inf, math.inf),
        (b"\x00\xff", b"\x00\xff"),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"ab"), b"ab"),
        (None, None),
        (datetime(2025, 5, 19, 14, 9, 20, tzinfo=UTC), "2025-05-19T14:09:20+00:00"),
        (date(2025, 5, 19), "2025-05-19"),
        (datetime(2025, 5, 19, 14, 9, tzinfo=UTC).timetz(), "14:09:00+00:00"),
        (timedelta(minutes=1, milliseconds=500), 60.5),
        (Colour.RED, "RED"),
        (Level.HIGH, "HIGH"),
        (Choice.OPEN, "OPEN"),
        (Decimal("1.10"), "1.10"),
        (Fraction(1, 3), "1/3"),
        (UUID("2f9e9a5b-d549-4faa-a411-594aa8a52eee"), "2f9e9a5b-d549-4faa-a411-594aa8a52eee"),
        (PurePosixPath("/tmp/x"), "/tmp/x"),  # noqa: S108 - only its text
        (lazystr("Bad Request"), "Bad Request"),
        (mark_safe("<b>"), "<b>"),
        (Text("this"), "this"),
        (ValueError("wrong"), "wrong"),
        ({"b", "a"}, ["a", "b"]),
        (frozenset({2, 1}), [1, 2]),
        ({"a": 1}.keys(), ["a"]),
        ({"a": 1}.values(), [1]),
        ({"a": "b"}.items(), [["a", "b"]]),
        ((1, 2), [1, 2]),
        (Point(1, 2), [1, 2]),
        (deque([1, 2]), [1, 2]),
        (range(3), [0, 1, 2]),
        (array.array("i", [1, 2]), [1, 2]),
        ({"a": {"b": [1]}}, {"a": {"b": [1]}}),
        (OrderedDict(a=1), {"a": 1}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (UserDict(a=1), {"a": 1}),
        (Counter("a"), {"a": 1}),
        ({"a": None}, {"a": None}),
        ([None, 1], [None, 1]),
        ([], []),
        ({}, {}),
        (int, "<class 'int'>"),
    ],
)
def test_a_value_becomes_its_otlp_value(value: object, expected: object) -> None:
    """Each type has one form, whatever stands around it."""
    converted = convert(value)
    assert (type(converted), converted) == (type(expected), expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, "a"], ["1", "a"]),
        ([1, 2.5], [1.0, 2.5]),
        ([1, True], ["1", "true"]),
        ([None, 1, "a"], [None, "1", "a"]),
        (["a", {"b": 1}], ["a", '{"b": 1}']),
        (["a", ["é"]], ["a", '["é"]']),
        ([{"a": 1}, {"b": 2}], [{"a": 1}, {"b": 2}]),
        ({1, "a"}, ["1", "a"]),
    ],
)
def test_the_items_of_a_list_are_of_one_type(value: object, expected: object) -> None:
    """The SDK drops lists of mixed types, so their items are written as texts, and numbers as floats."""
    converted = convert(value)
    assert [converted, *map(type, converted)] == [expected, *map(type, expected)]  # type: ignore[call-overload]


def test_nan_stays() -> None:
    """It is a double as any other."""
    assert math.isnan(convert(math.nan))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("\ud800", "\\ud800"), ("a\0b", "a\\x00b"), ({"\ud800": "\0"}, {"\\ud800": "\\x00"})],
)
def test_what_utf_8_or_a_store_refuses_is_escaped(value: object, expected: object) -> None:
    """A lone surrogate costs the official encoder a batch, a NUL costs Elasticsearch's keyword its meaning."""
    assert convert(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({1: "a"}, {"1": "a"}),
        ({None: 1}, {"None": 1}),
        ({(1, 2): 1}, {"[1, 2]": 1}),
        ({Colour.RED: 1}, {"RED": 1}),
        ({Choice.OPEN: 1}, {"OPEN": 1}),
        ({"": 1}, {"(empty)": 1}),
        ({1: "a", "1": "b"}, {"1": "a", "1_": "b"}),
        ({"\0": 1, "\\x00": 2}, {"\\x00": 1, "\\x00_": 2}),
    ],
)
def test_the_keys_of_a_map_are_texts_and_unique(value: object, expected: object) -> None:
    """A kvlist has string keys, none of them empty and none twice."""
    assert convert(value) == expected


@pytest.mark.parametrize("kind", [Raises, NoClass, BrokenMapping])
def test_a_value_that_raises_is_named_by_its_type(kind: type) -> None:
    """Nothing of it comes out, but that it was there."""
    assert convert(kind()) == f"<unprintable tests.bridge.foreign.{kind.__name__} object>"


def test_a_value_that_raises_costs_only_itself() -> None:
    """What stands beside it in a container stays."""
    assert convert([NoClass(), Raises(), "a"])[2] == "a"


def test_a_key_that_raises_is_named_by_its_type() -> None:
    """A key has a text, too."""
    assert safe_text(Raises()) == "<unprintable tests.bridge.foreign.Raises object>"


def test_a_queryset_gives_its_type() -> None:
    """Its text would run a query."""
    assert convert(QuerySet()) == "django.db.models.query.QuerySet"


def test_a_lazy_object_is_not_made() -> None:
    """`request.user` runs a query as soon as somebody asks what it is."""
    made: list[int] = []
    user = SimpleLazyObject(lambda: made.append(1))
    assert [convert(user), safe_text(user), made] == [*["django.utils.functional.SimpleLazyObject"] * 2, []]


def test_a_model_gives_its_primary_key() -> None:
    """Its own text is the application's code, which may run a query."""
    model = type("Model", (), {"__module__": "django.db.models.base"})
    zaak = type("Zaak", (model,), {"__str__": Raises.__str__, "pk": 7})
    assert convert(zaak()) == "Zaak object (7)"


def test_a_class_is_known_without_importing_it() -> None:
    """Applications without Django do not pay for it."""
    assert is_a(OrderedDict, ("builtins", "dict"))


def test_a_container_that_contains_itself_is_cut() -> None:
    """A cycle ends where it begins."""
    assert convert(itself()) == {"key": "value", "self": "… dict"}


def test_depth_is_bounded() -> None:
    """2,000 levels of lists end after a few, and say so."""
    walk = Walk(None)
    converted = walk.attribute("key", deep())
    assert repr(converted).count("[") == DEPTH
    assert "… list" in repr(converted)
    assert walk.cut == 1


def test_width_is_bounded() -> None:
    """Of a million items some are kept, and the number of the rest."""
    walk = Walk(None)
    converted = walk.attribute("key", list(map(str, range(1_000_000))))
    assert isinstance(converted, list)
    assert [len(converted), converted[-1], walk.cut] == [WIDTH + 1, f"… {1_000_000 - WIDTH} more", 1_000_000 - WIDTH]


def test_the_width_of_maps_is_bounded() -> None:
    """So are maps."""
    assert convert(dict.fromkeys(range(1000), 1))["…"] == f"{1000 - WIDTH} more"


def test_a_sequence_that_never_ends_is_cut() -> None:
    """Its length is believed, its items are not read."""
    assert convert(Endless())[-1] == f"… {10**15 - WIDTH} more"


def test_shared_containers_do_not_multiply() -> None:
    """Thirty lists that hold each other twice are not a billion values."""
    started = time.thread_time()
    assert str(convert(laughs())).count("ha") <= NODES
    assert time.thread_time() - started < 1


def test_one_record_holds_so_many_values() -> None:
    """Many containers together are bounded, too."""
    converted = convert([list(range(500)) for _ in range(500)])
    assert sum(len(item) for item in converted if isinstance(item, list)) <= NODES


def test_a_long_text_says_how_long_it_was() -> None:
    """What was cut is marked and counted."""
    walk = Walk(None)
    assert walk.attribute("key", "x" * 100_000) == "x" * TEXT + "… [100000 characters]"
    assert walk.cut == 1


def test_long_bytes_say_how_long_they_were() -> None:
    """Bytes as well."""
    assert convert(b"x" * 100_000) == b"x" * TEXT + "… [100000 bytes]".encode()


def test_a_text_longer_than_is_looked_at_says_how_long_it_was() -> None:
    """Even where its first part became short by redaction."""
    walk = Walk(Redaction())
    text = walk.attribute("key", "password=" + "x" * 2 * RECORD_TEXT)
    assert text == f"password=[redacted: password]… [{2 * RECORD_TEXT + 9} characters]"


@pytest.mark.parametrize("text", ["x" * 16_000, b"x" * 16_000])
def test_the_long_texts_of_one_record_are_bounded_together(text: object) -> None:
    """512 of 16,000 characters each would be 8 MB."""
    assert sum(map(len, convert([text] * WIDTH))) < RECORD_TEXT + WIDTH * 40


def test_a_short_text_is_always_kept() -> None:
    """Identifiers stay whole behind whatever was too long."""
    walk = Walk(None)
    walk.attribute("key", ["x" * TEXT] * 100)
    assert walk.attribute("key", "x" * SHORT) == "x" * SHORT


def test_quotes_in_quotes_do_not_multiply() -> None:
    """A mixed list in a mixed list is JSON in JSON, where each quote takes twice as much at each level."""
    value: Any = '"' * 16_000
    for _ in range(DEPTH):
        value = [value, 1]
    assert len(str(convert(value))) < 2 * RECORD_TEXT


def test_a_long_key_is_cut() -> None:
    """Keys are bounded, too."""
    [key] = convert({"k" * 1000: 1})
    assert key == "k" * SHORT + "… [1000 characters]"


def test_an_integer_that_python_does_not_write_is_hexadecimal() -> None:
    """CPython refuses decimals of more than 4,300 digits."""
    assert convert(10**5000).startswith("0x")


def test_an_object_of_the_application_is_its_text() -> None:
    """Anything that has no form of its own is its `str()`."""
    assert convert(type("Zaak", (), {"__str__": lambda _: "ZAAK-1"})()) == "ZAAK-1"


def test_importing_needs_no_django(run: Run) -> None:
    """Its classes are known by name."""
    assert run("import sys, otel_bridge; print('django' in sys.modules)") == "False\n"


def test_secrets_in_bytes_are_redacted() -> None:
    """A request's body may be logged as bytes."""
    assert Walk(Redaction()).attribute("body", b"a=1&password=x\xff") == b"a=1&password=[redacted: password]"
