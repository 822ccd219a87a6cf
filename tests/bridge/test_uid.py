"""The `log.record.uid` of each record."""

import os
import re
import time
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from otel_bridge.bridge.uid import ALPHABET, RecordUid

NOW = 1_747_663_760_339_166_000


def test_it_has_the_shape_of_a_ulid() -> None:
    """26 characters of Crockford's base 32."""
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", RecordUid()(NOW))


def test_it_begins_with_the_milliseconds_of_the_record() -> None:
    """Its first ten characters are the time, as in any ULID."""
    number = 0
    for character in RecordUid()(NOW)[:10]:
        number = number * 32 + ALPHABET.index(character)
    assert number == NOW // 1_000_000


def test_those_of_one_process_are_in_order() -> None:
    """Elasticsearch keeps what is close in time close together."""
    uid = RecordUid()
    uids = [uid(NOW + number * 1000) for number in range(5000)]
    assert uids == sorted(uids)


def test_threads_never_get_the_same() -> None:
    """Four threads make 40,000, all of them different."""
    uid = RecordUid()

    def make(_: int) -> list[str]:
        return [uid(time.time_ns()) for _ in range(10_000)]

    with ThreadPoolExecutor(4) as pool:
        made = [one for many in pool.map(make, range(4)) for one in many]
    assert len(set(made)) == 40_000


def test_two_processes_of_one_host_never_get_the_same() -> None:
    """What stands for the process is random: two makers at one instant differ."""
    assert RecordUid()(NOW) != RecordUid()(NOW)


def test_a_forked_child_has_a_process_of_its_own() -> None:
    """After a fork, with the parent's count and at the parent's instant, the child makes others."""
    uid = RecordUid()
    uid(NOW)
    reading, writing = os.pipe()
    if not (child := os.fork()):
        os.write(writing, uid(NOW).encode())
        os._exit(0)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        os.close(writing)
        theirs = pipe.read().decode()
    assert theirs[10:20] != uid(NOW)[10:20]


@given(st.integers(min_value=0, max_value=2**63))
def test_any_instant_has_one(nanoseconds: int) -> None:
    """Nothing raises, and it stays as long."""
    assert len(RecordUid()(nanoseconds)) == 26
