"""From ten records to a million: all arrive, none twice, each costs the same, and what waits has its bound."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.bench.application import OURS, SPOOL
from tests.bench.processes import run
from tests.bench.receiver import UIDS, Receiver, receiving
from tests.bench.subject import WARM

SIZES: Final = (10, 1_000, 100_000, 1_000_000)
BOUND: Final = 64 << 20
"""Bytes by which the process may grow: what may wait, of which next to nothing does here."""

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """A receiver in a process of its own."""
    with receiving(UIDS) as running:
        yield running


def deliver(receiver: Receiver, variant: str, records: int) -> Any:
    """Log so many records on some threads, and deliver them."""
    receiver.counted()
    how = {"variant": variant, "records": records, "threads": min(4, records // 10), "chain": True}
    return run("delivery", endpoint=receiver.http, **how)


@pytest.mark.parametrize("variant", [OURS, SPOOL])
@pytest.mark.parametrize("records", SIZES)
def test_all_arrive_and_none_twice(receiver: Receiver, variant: str, records: int) -> None:
    """With a spool and without, and the process does not grow with their number."""
    found = deliver(receiver, variant, records)
    assert receiver.counted() == (WARM + records, WARM + records)
    assert found["bytes"] < BOUND


def test_a_record_costs_the_same_however_many_there_are(receiver: Receiver) -> None:
    """A million take no more CPU each than ten thousand do."""
    few, many = (deliver(receiver, OURS, records)["cpu"] / records for records in (10_000, 1_000_000))
    assert many < 1.5 * few
