"""One file of the spool: what is read of it, whatever happened to it."""

import os
from pathlib import Path
from secrets import token_hex

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otel_bridge.export import ownership
from otel_bridge.export.frames import HEAD, HEADER, MARK, read
from otel_bridge.export.ownership import look
from otel_bridge.export.segment import Segment

RESOURCE = b"resource"
RECORDS = [(b"scope", 9, b"first" * 20), (b"", 0, b"second"), (b"scope" * 20, 255, b""), (b"", 1, b""), (b"s", 2, b"l")]
BEGIN = HEADER.size + len(RESOURCE)
ENDS = [BEGIN]
"""Where the header ends, and each frame."""
for scope_, _, record_ in RECORDS:
    ENDS.append(ENDS[-1] + HEAD.size + len(scope_) + len(record_))


def new(folder: Path, number: int = 0) -> Segment:
    """Return a new segment of 1024 bytes."""
    segment = Segment(folder / f"1840d2c5b3a0f1e2-{os.getpid()}-{token_hex(4)}.spool", number)
    assert segment.open(os.O_CREAT | os.O_EXCL)
    segment.allocate(1024, RESOURCE)
    return segment


@pytest.fixture
def segment(tmp_path: Path) -> Segment:
    """A new segment with number 7."""
    return new(tmp_path, 7)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a segment with `RECORDS`."""
    segment = new(tmp_path_factory.mktemp("written"))
    for record in RECORDS:
        segment.write(*record)
    data = segment.dump()
    segment.delete()
    return data


def records(data: bytes) -> list[tuple[bytes, int, bytes]]:
    """Return scope, severity and record of what is read from *data*."""
    return [(frame.scope, frame.severity, frame.record) for frame in read(data).frames]


def test_what_is_written_is_read(written: bytes) -> None:
    """Scope, severity and record come back in order, empty ones too."""
    assert records(written) == RECORDS


def test_the_header_says_whose_it_is(written: bytes) -> None:
    """The resource is that of the process that wrote it."""
    contents = read(written)
    assert (contents.resource, contents.pid, contents.damaged) == (RESOURCE, os.getpid(), 0)


@given(st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 255), st.binary(max_size=60)), max_size=20))
def test_any_records_come_back(
    tmp_path_factory: pytest.TempPathFactory, written: list[tuple[bytes, int, bytes]]
) -> None:
    """Whatever their bytes, zeros too."""
    segment = new(tmp_path_factory.getbasetemp())
    places = [segment.write(*record) for record in written]
    data = segment.dump()
    segment.delete()
    assert records(data) == [record for place, record in zip(places, written, strict=True) if place is not None]


def test_a_tail_that_is_torn_anywhere_is_cut(written: bytes) -> None:
    """Of a file that ends at any byte, each record that is whole is read."""
    for size in range(BEGIN, ENDS[-1] + 1):
        assert records(written[:size]) == RECORDS[: sum(end <= size for end in ENDS[1:])], size


def test_a_tail_that_never_reached_the_disk_is_cut(written: bytes) -> None:
    """Of a file that has zeros from any byte on, nothing is read but what was written, and each record before it."""
    for size in range(BEGIN, ENDS[-1] + 1):
        found = records(written[:size].ljust(1024, b"\0"))
        assert len(found) >= sum(end <= size for end in ENDS[1:]), size
        assert found == RECORDS[: len(found)], size


def test_half_a_header_is_no_segment(written: bytes) -> None:
    """Without its resource nothing can be delivered."""
    for size in range(BEGIN):
        with pytest.raises(ValueError, match=r"short|damaged"):
            read(written[:size])


@given(st.integers(BEGIN, ENDS[-1] - 1), st.integers(1, 255))
def test_a_flipped_byte_costs_its_record_or_the_rest(written: bytes, position: int, flip: int) -> None:
    """A damaged length costs all that follows, anything else one record; nothing is read that was not written."""
    data = bytearray(written)
    data[position] ^= flip
    index = next(number for number, end in enumerate(ENDS[1:]) if position < end)
    offset = position - ENDS[index]
    contents = read(bytes(data))
    if offset < 8:
        assert (records(bytes(data)), contents.damaged) == (RECORDS[:index], 1)
    elif offset == MARK:
        assert (records(bytes(data)), contents.damaged) == (RECORDS, 0)
    else:
        assert (records(bytes(data)), contents.damaged) == (RECORDS[:index] + RECORDS[index + 1 :], 1)


@given(st.binary(max_size=300))
@example(b"\xff" * 300)
@example(b" " * 300)
def test_any_bytes_after_the_header_are_read_without_an_error(written: bytes, tail: bytes) -> None:
    """What is there beyond the frames is never fatal."""
    assert records(written[:BEGIN] + tail) == []


@given(st.binary(max_size=300))
def test_any_other_file_is_no_segment(data: bytes) -> None:
    """It raises one kind of error."""
    with pytest.raises(ValueError, match=r"short|damaged"):
        read(data)


def test_a_record_that_has_no_room_is_not_written(segment: Segment) -> None:
    """The segment stays as it was."""
    assert segment.write(b"", 9, bytes(1024)) is None
    assert read(segment.dump()).frames == []


def test_the_last_byte_can_be_used(segment: Segment) -> None:
    """A record that just fits is written, and read."""
    record = b"x" * (1024 - BEGIN - HEAD.size)
    assert segment.write(b"", 9, record) is not None
    assert records(segment.dump()) == [(b"", 9, record)]


def test_a_place_tells_segment_and_offset(segment: Segment) -> None:
    """The segment's number is above, and a place is never zero."""
    assert segment.write(b"", 9, b"record") == 7 << 32 | BEGIN


def test_a_mark_is_in_the_file(segment: Segment) -> None:
    """Of two records the one that is done is known as such, by whoever reads them."""
    segment.write(b"", 9, b"first")
    place = segment.write(b"", 9, b"second")
    assert place
    segment.mark(place)
    assert [frame.is_done for frame in read(look(segment.path)[0]).frames] == [False, True]


def test_a_record_is_done_once(segment: Segment) -> None:
    """Two marks on one record count as one."""
    place = segment.write(b"", 9, b"first")
    segment.write(b"", 9, b"second")
    assert place
    segment.mark(place)
    segment.mark(place)
    assert segment.waiting == 1


def test_its_bytes_are_on_disk_before_they_are_written(segment: Segment) -> None:
    """The file has no hole, which would be a SIGBUS on a full disk."""
    assert segment.path.stat().st_blocks * 512 >= 1024


def test_nobody_else_may_read_it(segment: Segment) -> None:
    """What is logged is its owner's."""
    assert segment.path.stat().st_mode & 0o777 == 0o600


def test_it_is_opened_once_in_a_process(segment: Segment) -> None:
    """POSIX locks do not exclude their own process."""
    assert not Segment(segment.path, 8).open()


def test_it_can_be_opened_again_when_closed(segment: Segment) -> None:
    """Closing gives up the lock."""
    segment.close()
    assert Segment(segment.path, 8).open()


def test_it_is_not_opened_while_it_is_looked_at(segment: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lock would go with the descriptor of whoever looks at it."""
    segment.close()
    opened: list[bool] = []
    monkeypatch.setattr(ownership, "_is_locked", lambda _: opened.append(Segment(segment.path, 8).open()))
    look(segment.path)
    assert opened == [False]
    assert Segment(segment.path, 8).open()


def test_a_symlink_is_not_followed(segment: Segment) -> None:
    """It may lead anywhere."""
    link = segment.path.with_name("2" + segment.path.name[1:])
    link.symlink_to(segment.path)
    with pytest.raises(OSError, match="symbolic"):
        Segment(link, 8).open()


def test_a_file_with_two_names_is_not_ours(segment: Segment) -> None:
    """It was not made here, and deleting one name would leave the other to be adopted."""
    segment.close()
    link = segment.path.with_name("2" + segment.path.name[1:])
    link.hardlink_to(segment.path)
    assert not Segment(link, 8).open()


def test_a_descriptor_that_is_anothers_by_now_is_not_closed(segment: Segment, tmp_path: Path) -> None:
    """Who becomes a daemon closes all descriptors, and opens files that get their numbers."""
    descriptor = segment._descriptor
    theirs = os.open(tmp_path / "theirs", os.O_RDWR | os.O_CREAT)
    os.dup2(theirs, descriptor)
    segment.close()
    os.fstat(descriptor)
    os.close(descriptor)
    os.close(theirs)
