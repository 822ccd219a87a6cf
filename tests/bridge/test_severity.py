"""Level names and numbers to OpenTelemetry severities."""

import logging

import pytest
from opentelemetry.sdk._logs._internal import std_to_otel

from otel_bridge.bridge.severity import severity


@pytest.mark.parametrize(
    ("level", "number"),
    [
        ("notset", 1),
        ("trace", 1),
        ("debug", 5),
        ("info", 9),
        ("notice", 10),
        ("success", 10),
        ("warn", 13),
        ("warning", 13),
        ("error", 17),
        ("exception", 17),
        ("critical", 21),
        ("fatal", 21),
        ("alert", 22),
        ("emerg", 24),
        ("emergency", 24),
        ("panic", 24),
    ],
)
def test_a_level_has_its_severity(level: str, number: int) -> None:
    """Each level name has the number that the data model's table gives it."""
    assert severity(level).value == number


def test_case_does_not_matter() -> None:
    """The names of `logging` are in capitals."""
    assert severity("WARNING").value == 13


@pytest.mark.parametrize("level", ["verbose", "", None, object(), 1.5, b"info", True, []])
def test_an_unknown_level_has_none(level: object) -> None:
    """What names no level is unspecified, and raises nothing."""
    assert severity(level).value == 0


@pytest.mark.parametrize("number", range(-5, 120))
def test_a_level_number_is_mapped_as_the_official_handler_does(number: int) -> None:
    """Numbers on the scale of `logging` agree with OpenTelemetry's own mapping."""
    assert severity("info", number) == std_to_otel(number)


def test_a_level_number_wins_over_the_name() -> None:
    """A level of the application's own is known by its number."""
    assert severity("info", logging.ERROR).value == 17


@pytest.mark.parametrize("number", [None, "40", 40.0, True, object()])
def test_a_level_number_that_is_none_is_ignored(number: object) -> None:
    """What is no integer leaves the name as it is."""
    assert severity("info", number).value == 9


def test_a_level_may_be_a_number_itself() -> None:
    """Some chains write the number under `level`."""
    assert severity(30).value == 13
