"""The buffer: what goes first, what order is kept, what is counted."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_bridge.export.blocks import OVERHEAD, Entry, Lane
from otel_bridge.export.buffer import BLOCK, LARGE, PROTECTED, Buffer, rank, severity_range

LOTS = 1 << 30


def add(buffer: Buffer, severity: int, record: bytes = b"r", rank_: int | None = None) -> int:
    """Add a record that is in the spool too."""
    buffer.add(Lane(rank(severity) if rank_ is None else rank_, severity, b"resource", b"scope"), record, 7)
    return buffer.last()


def taken(buffer: Buffer, most: int = 512, most_bytes: int = LOTS) -> list[bytes]:
    """Take records and return their bytes."""
    return [entry.record for entry in buffer.take(most, most_bytes)]


@pytest.mark.parametrize(
    ("number", "name"),
    [
        *((-1, "UNSPECIFIED"), (0, "UNSPECIFIED"), (25, "UNSPECIFIED"), (1, "TRACE"), (5, "DEBUG"), (9, "INFO")),
        *((12, "INFO"), (13, "WARN"), (17, "ERROR"), (21, "FATAL"), (24, "FATAL")),
    ],
)
def test_a_severity_has_a_range(number: int, name: str) -> None:
    """https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber."""
    assert severity_range(number) == name


def test_ranks_follow_severity() -> None:
    """Debug goes before what names no severity and information, those before warnings, those before errors."""
    assert [rank(number) for number in (1, 5, 0, 9, 13, 17, 21, 99)] == [0, 0, 1, 1, 2, 3, 3, 1]
    assert rank(21) < PROTECTED


def test_records_are_taken_in_the_order_in_which_they_came() -> None:
    """Whatever their severities."""
    buffer = Buffer(LOTS)
    for number, severity in enumerate([9, 17, 5, 13, 9, 21]):
        add(buffer, severity, bytes([number]))
    assert b"".join(taken(buffer)) == bytes(range(6))


@pytest.mark.parametrize(("most", "most_bytes", "count"), [(3, LOTS, 3), (512, 2 * (100 + OVERHEAD), 2), (512, 1, 1)])
def test_so_many_are_taken_at_most(most: int, most_bytes: int, count: int) -> None:
    """By number, by bytes; but one at least."""
    buffer = Buffer(LOTS)
    for _ in range(5):
        add(buffer, 9, bytes(100))
    assert len(buffer.take(most, most_bytes)) == count


def test_a_quarter_of_the_buffer_is_on_its_way_at_most() -> None:
    """What is more severe finds room while a receiver holds the rest up."""
    buffer = Buffer(100 * (100 + OVERHEAD))
    for _ in range(100):
        add(buffer, 5, bytes(100))
    assert len(buffer.take(512, LOTS)) == 25
    for _ in range(75):
        add(buffer, 17, bytes(100))
    assert buffer.statistics().dropped == {("buffer full", "DEBUG"): 75}


def test_what_is_put_back_comes_first_again() -> None:
    """Without what was settled of it; what came meanwhile stands behind."""
    buffer = Buffer(LOTS)
    for number, severity in enumerate([9, 17, 5, 9]):
        add(buffer, severity, bytes([number]))
    buffer.take(512, LOTS)
    buffer.settle(1)
    add(buffer, 21, b"\x04")
    buffer.put_back()
    assert b"".join(taken(buffer)) == bytes([1, 2, 3, 4])


def test_the_least_severe_and_oldest_go_when_it_is_full() -> None:
    """Protected ones last of all."""
    buffer = Buffer(3 * (1 + OVERHEAD))
    for number, (severity, protected) in enumerate([(9, PROTECTED), (17, None), (5, None), (9, None), (13, None)]):
        add(buffer, severity, bytes([number]), protected)
    assert buffer.statistics().dropped == {("buffer full", "DEBUG"): 1, ("buffer full", "INFO"): 1}
    add(buffer, 17, b"\x05")
    add(buffer, 17, b"\x06")
    assert buffer.statistics().dropped["buffer full", "WARN"] == 1
    assert buffer.statistics().dropped["buffer full", "ERROR"] == 1
    assert b"".join(taken(buffer, 512, LOTS)) == b"\x00"


def test_what_goes_is_told_once_and_without_its_bytes() -> None:
    """So that it can be taken out of the spool, and memory stays bounded meanwhile."""
    buffer = Buffer(1)
    add(buffer, 9, bytes(1000))
    [entry] = buffer.discarded()
    assert (entry.place, entry.record) == (7, b"")
    assert buffer.discarded() == []


def test_what_is_refused_at_once_is_created_and_dropped() -> None:
    """By its reason and severity."""
    buffer = Buffer(LOTS)
    buffer.refuse(13, "shut down")
    found = buffer.statistics()
    assert (found.created, found.dropped, found.waiting) == (1, {("shut down", "WARN"): 1}, 0)


def test_a_record_is_held_until_it_is_settled_or_dropped() -> None:
    """Also while it is on its way."""
    buffer = Buffer(LOTS)
    first, second = add(buffer, 17), add(buffer, 9)
    assert buffer.last() == second
    buffer.take(1, LOTS)
    assert buffer.holds(first)
    buffer.settle(1)
    assert not buffer.holds(first)
    assert buffer.holds(second)


def test_what_was_adopted_is_not_created() -> None:
    """It was in the process that left it."""
    buffer = Buffer(LOTS)
    buffer.adopt(Lane(1, 9, b"", b""), b"r", 1)
    found = buffer.statistics()
    assert (found.created, found.adopted, found.waiting) == (0, 1, 1)


def _settle(buffer: Buffer, number: int) -> None:
    count = min(number, len(buffer._in_flight))
    buffer.settle(count, min(count, number % 3))


STEPS: dict[str, Callable[[Buffer, int], object]] = {
    "add": lambda buffer, number: add(buffer, number % 25, bytes(number)),
    "adopt": lambda buffer, number: buffer.adopt(Lane(number % 5, 9, b"", b""), bytes(number), None),
    "refuse": lambda buffer, number: buffer.refuse(number % 25, "shut down"),
    "take": lambda buffer, number: buffer.take(number, LOTS),
    "settle": _settle,
    "put back": lambda buffer, _: buffer.put_back(),
}


@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 300)), max_size=60), st.integers(0, 20_000))
def test_the_counts_balance(steps: list[tuple[str, int]], max_bytes: int) -> None:
    """After any steps; bytes too, which are over the bound by what is on its way at most."""
    buffer = Buffer(max_bytes)
    for step, number in steps:
        STEPS[step](buffer, number)
        found = buffer.statistics()
        settled = found.exported + found.rejected + sum(found.dropped.values())
        assert found.created + found.adopted == settled + found.waiting
        assert found.waiting_bytes == sum(len(entry.record) + OVERHEAD for entry in _waiting(buffer))
        numbers = [[entry.number for block in queue for entry in block.entries] for queue in buffer._queues]
        assert numbers == [sorted(queue) for queue in numbers]


def _waiting(buffer: Buffer) -> list[Entry]:
    return [*buffer._in_flight, *(entry for queue in buffer._queues for block in queue for entry in block.entries)]


@given(st.lists(st.tuples(st.integers(1, 24), st.integers(0, 200)), max_size=200), st.integers(1, 70))
def test_whatever_is_taken_and_put_back_stays_in_order(records: list[tuple[int, int]], most: int) -> None:
    """Blocks are cut and put together again, and every record comes out once, in the order in which it came."""
    buffer = Buffer(LOTS)
    for number, (severity, size) in enumerate(records):
        buffer.add(Lane(rank(severity), severity, b"", b""), number.to_bytes(2) + bytes(size), None)
    came = []
    while entries := buffer.take(most, 5000):
        buffer.settle(half := len(entries) // 2)
        buffer.put_back()
        came += [entry.record[:2] for entry in entries[:half]]
        [first, *_] = buffer.take(1, LOTS)
        buffer.settle(1)
        came.append(first.record[:2])
    assert came == [number.to_bytes(2) for number in range(len(records))]


def test_adding_takes_no_lock_until_a_block_is_full() -> None:
    """So a signal handler that interrupts whoever holds it may log, and is not held up."""
    buffer = Buffer(LOTS)
    lane = Lane(1, 9, b"", b"")
    with buffer._lock:
        for _ in range(3 * BLOCK):
            buffer.add(lane, b"r", None)
        assert buffer._number == 0
    assert buffer.last() == 3 * BLOCK


def test_a_large_record_is_counted_at_once() -> None:
    """Memory is bounded however large records are."""
    buffer = Buffer(1000)
    assert buffer.add(Lane(1, 9, b"", b""), bytes(LARGE), None)
    assert buffer.waiting_bytes == 0


def test_what_a_signal_handler_interrupts_is_counted_once() -> None:
    """A handler that raises between two steps leaves nothing twice, and nothing behind."""
    buffer = Buffer(LOTS)
    for _ in range(10):
        buffer.add(Lane(1, 9, b"", b""), b"r", None)
    leave = buffer._leave_collected

    def interrupted() -> None:
        if buffer._collected:
            raise KeyboardInterrupt
        leave()

    buffer._leave_collected = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        buffer.collect()
    buffer._leave_collected = leave  # type: ignore[method-assign]
    assert len(buffer.take(512, LOTS)) == 10
    assert buffer.statistics().created == 10
