"""The comparison sees what it is there to see."""

import json
from dataclasses import dataclass
from typing import Any, Final

import pytest

from otel_bridge import LogBridge
from otel_bridge.demo import expected
from otel_bridge.demo.expected import Line
from tests.otlp import Memory, Record
from tests.systems.comparison import problems

PID: Final = 5
PRINTED: Final = {
    "event": "zaak_created",
    "level": "info",
    "logger": "openzaak",
    "timestamp": "2026-11-20T18:26:10.846363Z",
    "uuid": "1f",
}


@dataclass
class Case:
    """What one process printed, and what arrived from it."""

    lines: list[Line]
    records: list[Record]
    pid: int = PID

    @property
    def problems(self) -> list[str]:
        """What the comparison says."""
        return problems({self.pid: self.lines}, self.records)


@pytest.fixture
def case() -> Case:
    """One event that was printed, and arrived."""
    memory = Memory({"process.pid": PID})
    event: dict[str, Any] = dict(PRINTED)
    LogBridge(memory.provider)(None, "info", event)
    return Case(expected.lines(json.dumps(PRINTED)), memory.records)


def test_nothing_is_wrong(case: Case) -> None:
    """Where each line has its record."""
    assert case.problems == []


def test_a_line_without_a_record(case: Case) -> None:
    """It was lost."""
    case.records.clear()
    assert "printed by [5], arrived from []" in case.problems[0]


def test_a_record_without_a_line(case: Case) -> None:
    """Nobody printed it."""
    case.lines.clear()
    assert "printed by [], arrived from [5]" in case.problems[0]


def test_a_record_that_came_twice(case: Case) -> None:
    """It is the same record."""
    case.records *= 2
    assert "is there 2 times" in case.problems[0]


def test_a_record_of_another_process(case: Case) -> None:
    """A child must not send what its parent logged."""
    case.pid = 6
    assert "was printed by 6, and came from 5" in case.problems[0]


@pytest.mark.parametrize(("attributes", "said"), [({}, "lacks uuid"), ({"uuid": "2e"}, "has uuid '2e' for '1f'")])
def test_a_key_that_differs(case: Case, attributes: dict[str, str], said: str) -> None:
    """Or is missing."""
    kept = {name: value for name, value in case.records[0].attributes.items() if name != "uuid"}
    case.records[0] = case.records[0]._replace(attributes={**kept, **attributes})
    assert case.problems[0].endswith(said)
