"""Timestamps to nanoseconds since the UNIX epoch, exactly."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otel_bridge.bridge.timestamps import LATEST, nanoseconds

INSTANT = 1_747_663_760_339_166_000
"""2025-05-19T14:09:20.339166Z"""


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2025-05-19T14:09:20.339166Z", INSTANT),
        ("2025-05-19T14:09:20Z", INSTANT - 339_166_000),
        ("2025-05-19T16:09:20.339166+02:00", INSTANT),
        ("2025-05-19T14:09:20.339166+00:00", INSTANT),
        ("2025-05-19 14:09:20.339166", INSTANT),
        ("2025-05-19T14:09:20,339166Z", INSTANT),
        ("2025-05-19T14:09:20.339166123Z", INSTANT + 123),
        ("2025-05-19T14:09:20.3391665Z", INSTANT + 500),
        ("20250519T140920.339166Z", INSTANT),
        (datetime(2025, 5, 19, 14, 9, 20, 339166, tzinfo=UTC), INSTANT),
        (datetime(2025, 5, 19, 16, 9, 20, 339166, tzinfo=timezone(timedelta(hours=2))), INSTANT),
        (1747663760, 1_747_663_760_000_000_000),
        (1747663760.339166, INSTANT),
    ],
)
def test_an_instant_is_exact(timestamp: object, expected: int) -> None:
    """Every form that `TimeStamper` and the five systems write keeps each of its digits."""
    assert nanoseconds(timestamp) == expected


def test_a_naive_text_is_in_the_given_zone() -> None:
    """`TimeStamper(utc=False)` writes the local time."""
    assert nanoseconds("2025-05-19T16:09:20.339166", ZoneInfo("Europe/Amsterdam")) == INSTANT


def test_a_naive_datetime_is_in_the_given_zone() -> None:
    """So does `datetime.now()`."""
    naive = datetime(2025, 5, 19, 16, 9, 20, 339166)  # noqa: DTZ001 - what is tested
    assert nanoseconds(naive, ZoneInfo("Europe/Amsterdam")) == INSTANT


def test_a_naive_datetime_is_utc_without_a_zone() -> None:
    """What names no zone, where none is given either, is UTC."""
    assert nanoseconds(datetime(2025, 5, 19, 14, 9, 20, 339166)) == INSTANT  # noqa: DTZ001 - what is tested


@pytest.mark.parametrize(
    "timestamp",
    [
        None,
        True,
        "",
        "yesterday",
        "14:09:20",
        float("nan"),
        float("inf"),
        float("-inf"),
        1e300,
        0,
        -1,
        -0.5,
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
        1_747_663_760_339,
        1_747_663_760_339_166_000,
        10**100,
        date(2025, 5, 19),
        datetime.min,  # noqa: DTZ901 - what is tested
        datetime.max.replace(tzinfo=UTC),
        object(),
        [],
        b"2025-05-19T14:09:20Z",
    ],
)
def test_what_names_no_instant_that_can_be_kept_is_none(timestamp: object) -> None:
    """Before 1970, beyond 2262, in milliseconds, or no timestamp at all: nothing is raised and nothing made up."""
    assert nanoseconds(timestamp) is None


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2262, 1, 1)))  # noqa: DTZ001 - Hypothesis wants these naive
def test_text_is_never_read_through_a_float(instant: datetime) -> None:
    """Every microsecond that there is survives."""
    aware = instant.replace(tzinfo=UTC)
    exact = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    assert nanoseconds(aware.isoformat()) == exact


@given(st.one_of(st.text(), st.floats(), st.integers(), st.datetimes(), st.binary(), st.decimals()))
@example("0001-01-01T00:00:00+23:59")
@example("2025-05-19T14:09:20.\u0661\u0662Z")
def test_nothing_raises(timestamp: object) -> None:
    """Any value is an instant that the stores can keep, or none."""
    found = nanoseconds(timestamp)
    assert found is None or 0 < found <= LATEST
