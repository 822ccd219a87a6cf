"""The spool: what returned from `append` is delivered once, however the process ends."""

import contextlib
import ctypes
import errno
import gc
import json
import logging
import mmap
import os
import random
import signal
import sys
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

from otel_bridge import forks
from otel_bridge.diagnostics import Diagnostics
from otel_bridge.export import spool as module
from otel_bridge.export.folder import SpoolError
from otel_bridge.export.frames import HEAD, HEADER
from otel_bridge.export.inspection import inspect
from otel_bridge.export.segment import Segment
from otel_bridge.export.spool import Spool

PADDING: Final = b" " * 330
SMALL: Final = 1 << 16
"""Bytes of a segment, so that many are made."""
THREADS: Final = 4
libc: Final = ctypes.PyDLL(None, use_errno=True)
"""Calls C without giving up the GIL, as uWSGI forks."""
FORKS: Final = {"Python": os.fork, "libc": libc.fork}


def start(work: Callable[[], object]) -> int:
    """Start *work* in a forked child, and return its process id."""
    with warnings.catch_warnings():
        # Another test may have left a thread.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if not pid:
        end = 1
        try:
            warnings.simplefilter("ignore")
            work()
            end = 0
        except BaseException:  # noqa: BLE001 - the test runner is the parent's
            traceback.print_exc()
        finally:
            os._exit(end)
    return pid


def ends_well(pid: int) -> bool:
    """Wait for a process, and tell whether it came to its end."""
    return os.waitpid(pid, 0)[1] == 0


def result(work: Callable[[], object]) -> Any:
    """Return what *work* returns, as JSON, in a process that then ends by `os._exit`."""
    reading, writing = os.pipe()

    def tell() -> None:
        os.write(writing, json.dumps(work()).encode())

    pid = start(tell)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    assert ends_well(pid)
    return json.loads(told)


def fill(spool: Spool, names: Iterable[object]) -> list[int | None]:
    """Append a record for each name."""
    return [spool.append(b"scope", 9, f"{name}".encode() + PADDING) for name in names]


def left(folder: Path) -> list[str]:
    """Return the names of the records that can be adopted, and leave them."""
    spool = Spool(folder, b"tester")
    names = [record.record.split()[0].decode() for found in spool.adopt() for record in found.records]
    spool.close()
    return names


def leave(folder: Path, names: Iterable[object]) -> None:
    """Let a process append records, and end by `os._exit`."""
    assert ends_well(start(lambda: fill(Spool(folder, b"resource", segment_bytes=SMALL), names)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is not there yet."""
    return tmp_path / "spool"


@pytest.fixture
def spool(folder: Path) -> Iterator[Spool]:
    """A spool with small segments."""
    spool = Spool(folder, b"resource", segment_bytes=SMALL)
    yield spool
    spool.close()


# The end of a process.


def test_what_os_exit_leaves_is_adopted_in_order(folder: Path) -> None:
    """Nothing runs at `os._exit`, and nothing needs to."""
    leave(folder, range(1000))
    assert left(folder) == [f"{number}" for number in range(1000)]


def test_what_is_adopted_is_as_it_was_appended(folder: Path) -> None:
    """Resource, scope, severity and record."""
    assert ends_well(start(lambda: Spool(folder, b"theirs").append(b"scope", 17, b"record")))
    spool = Spool(folder, b"ours")
    (found,) = spool.adopt()
    assert (found.resource, found.records[0][1:]) == (b"theirs", (b"scope", 17, b"record"))
    spool.close()


def killed_while_four_threads_append(folder: Path, target: int) -> None:
    """Kill a process once its threads appended *target* records, and check what is left."""
    # Written in one step: `struct.pack_into` writes zeros first, and a process may be killed just then.
    appended = (ctypes.c_uint64 * THREADS).from_buffer(mmap.mmap(-1, THREADS * 8))

    def write(spool: Spool, thread: int) -> None:
        for number in count():
            assert spool.append(b"scope", 9, b"%d-%d" % (thread, number) + PADDING) is not None
            appended[thread] = number + 1

    def work() -> None:
        spool = Spool(folder, b"resource", segment_bytes=SMALL)
        threads = [threading.Thread(target=write, args=(spool, thread)) for thread in range(THREADS)]
        for thread in threads:
            thread.start()
        threads[0].join()

    pid = start(work)
    while sum(appended) < target:
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
        time.sleep(0)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    found = Counter(left(folder))
    promised = {f"{t}-{n}" for t, end in enumerate(appended) for n in range(end)}
    assert set(found.values()) == {1}
    assert promised <= set(found)
    # Each thread may have been killed between writing a record and returning.
    assert len(found) <= len(promised) + THREADS


@pytest.mark.parametrize("number", range(10))
def test_nothing_that_returned_is_lost_to_sigkill(folder: Path, number: int) -> None:
    """At whatever instant it comes, each record is adopted once."""
    killed_while_four_threads_append(folder, random.Random(number).randrange(1, 10_000))  # noqa: S311 - no secret


@pytest.mark.soak
def test_nothing_that_returned_is_lost_to_sigkill_however_often(folder: Path) -> None:
    """At two hundred instants, each record is adopted once."""
    for number in range(200):
        killed_while_four_threads_append(folder / f"{number}", random.randrange(1, 30_000))  # noqa: S311 - no secret


def test_what_is_acknowledged_is_not_adopted_after_sigkill(folder: Path) -> None:
    """Also of a segment that is still being written: whoever adopts it does not deliver it twice."""

    def work() -> None:
        spool = Spool(folder, b"resource", segment_bytes=SMALL)
        spool.acknowledge(fill(spool, range(1000))[::2])
        os.kill(os.getpid(), signal.SIGKILL)

    os.waitpid(start(work), 0)
    assert left(folder) == [f"{number}" for number in range(1, 1000, 2)]


def test_what_an_adopter_leaves_is_adopted_by_the_next(folder: Path) -> None:
    """If it ends before it has delivered everything, another one has just the rest."""
    leave(folder, range(100))

    def work() -> None:
        spool = Spool(folder, b"resource")
        for found in spool.adopt():
            spool.acknowledge(record.place for record in found.records[:40])

    assert ends_well(start(work))
    assert left(folder) == [f"{number}" for number in range(40, 100)]


def test_what_close_leaves_is_adopted(folder: Path, spool: Spool) -> None:
    """What was not delivered before a shutdown is whoever comes next's, in the same process too."""
    places = fill(spool, range(100))
    spool.acknowledge(places[:99])
    spool.close()
    assert left(folder) == ["99"]


# Who owns what.


def test_a_living_process_keeps_its_own(folder: Path, spool: Spool) -> None:
    """Nobody else adopts what it has, or what it adopted."""
    leave(folder, ["adopted"])
    fill(spool, ["own"])
    assert [len(found.records) for found in spool.adopt()] == [1]
    assert result(lambda: left(folder)) == []
    assert left(folder) == []


def test_a_process_keeps_its_own_although_it_looked(folder: Path, spool: Spool) -> None:
    """Closing a descriptor of a file drops its POSIX locks: `adopt` and `inspect` open none of those it has."""
    fill(spool, range(3))
    assert list(spool.adopt()) == []
    assert [(found.is_owned, found.waiting) for found in inspect(folder)] == [(True, 3)]
    assert result(lambda: left(folder)) == []


def test_several_adopters_share_what_is_left(folder: Path) -> None:
    """Four that begin at once adopt each record once."""
    for number in range(8):
        leave(folder, (f"{number}-{record}" for record in range(500)))
    ready, go = os.pipe(), os.pipe()
    reading, writing = os.pipe()

    def work() -> None:
        spool = Spool(folder, b"resource")
        os.write(ready[1], b"x")
        os.close(go[1])
        os.read(go[0], 1)
        for found in spool.adopt():
            for record in found.records:
                os.write(writing, record.record.split()[0] + b"\n")
            spool.acknowledge(record.place for record in found.records)

    pids = [start(work) for _ in range(4)]
    for _ in pids:
        os.read(ready[0], 1)
    for descriptor in (*ready, *go, writing):
        os.close(descriptor)
    with os.fdopen(reading) as pipe:
        names = pipe.read().split()
    assert list(map(ends_well, pids)) == [True] * 4
    assert sorted(names) == sorted(f"{number}-{record}" for number in range(8) for record in range(500))
    assert list(folder.iterdir()) == []


# Forks.


class Held(bytes):
    """A scope that holds its thread in the midst of an append."""

    inside = threading.Semaphore(0)
    go_on = threading.Event()

    def __len__(self) -> int:
        """Wait, and say so."""
        self.inside.release()
        self.go_on.wait()
        return super().__len__()


@pytest.mark.parametrize("fork", FORKS.values(), ids=FORKS)
def test_a_fork_in_the_midst_of_appends_blocks_nobody_and_loses_nothing(folder: Path, fork: Callable[[], int]) -> None:
    """Four threads of the parent are in `append`: child and grandchild append, and so do the threads."""

    def descend(spool: Spool, generation: int) -> None:
        # The last one ends first.
        if generation <= 3:
            pid = fork()
            if not pid:
                fill(spool, (f"{generation}-{number}" for number in range(300)))
                descend(spool, generation + 1)
                fill(spool, (f"{generation}-{number}" for number in range(300, 500)))
                os._exit(0)
            assert ends_well(pid)

    def work() -> None:
        spool = Spool(folder, b"resource", segment_bytes=SMALL)
        fill(spool, ["0-0"])
        threads = [
            threading.Thread(target=spool.append, args=(Held(b"scope"), 9, b"0-%d " % number)) for number in range(1, 5)
        ]
        for thread in threads:
            thread.start()
            Held.inside.acquire()
        descend(spool, 1)
        Held.go_on.set()
        for thread in threads:
            thread.join()
        fill(spool, (f"0-{number}" for number in range(5, 500)))

    assert ends_well(start(work))
    assert sorted(left(folder)) == sorted(f"{generation}-{number}" for generation in range(4) for number in range(500))


def test_forks_under_load_block_nobody_and_lose_nothing(folder: Path) -> None:
    """While four threads append, twenty children do, with threads of their own, and each has a child as well."""
    reading, writing = os.pipe()

    def write(spool: Spool, name: str, numbers: Iterable[int], stop: threading.Event) -> None:
        for number in numbers:
            if stop.is_set():
                break
            if spool.append(b"scope", 9, f"{name}-{number}".encode() + PADDING) is not None:
                os.write(writing, f"{name}-{number}\n".encode())

    def writers(spool: Spool, numbers: Callable[[], Iterable[int]], stop: threading.Event) -> list[threading.Thread]:
        names = [f"{os.getpid()}-{thread}" for thread in range(THREADS)]
        threads = [threading.Thread(target=write, args=(spool, name, numbers(), stop)) for name in names]
        for thread in threads:
            thread.start()
        return threads

    def descend(spool: Spool) -> None:
        threads = writers(spool, lambda: range(100), threading.Event())
        grandchild = start(lambda: write(spool, f"{os.getpid()}-x", range(100), threading.Event()))
        assert ends_well(grandchild)
        for thread in threads:
            thread.join()

    def work() -> None:
        spool = Spool(folder, b"resource", segment_bytes=SMALL)
        stop = threading.Event()
        threads = writers(spool, count, stop)
        for _ in range(20):
            assert ends_well(start(lambda: descend(spool)))
        stop.set()
        for thread in threads:
            thread.join()

    pid = start(work)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        names = pipe.read().split()
    assert ends_well(pid)
    assert len(names) > 20 * 500
    assert sorted(left(folder)) == sorted(names)


@pytest.mark.parametrize("fork", FORKS.values(), ids=FORKS)
def test_a_child_touches_nothing_of_its_parents(folder: Path, fork: Callable[[], int]) -> None:
    """It neither writes into the parent's segments, nor acknowledges, closes or deletes them."""

    def work() -> None:
        spool = Spool(folder, b"resource", segment_bytes=SMALL)
        places = fill(spool, range(300))
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        pid = fork()
        if not pid:
            spool.acknowledge(places)
            fill(spool, ["child"])
            spool.acknowledge(places)
            assert spool.spooled_records == 1
            spool.close()
            os._exit(0)
        assert ends_well(pid)
        assert before.items() <= {path.name: path.read_bytes() for path in folder.iterdir()}.items()

    assert ends_well(start(work))
    assert sorted(left(folder)) == sorted(["child", *map(str, range(300))])


def test_a_child_does_not_keep_what_its_parent_left(folder: Path) -> None:
    """A child that never logs outlives its parent, whose descriptors it has, but not its locks."""
    alive, dead = os.pipe()

    def work() -> None:
        fill(Spool(folder, b"resource"), ["record"])
        if not os.fork():
            os.close(dead)
            os.read(alive, 1)

    assert ends_well(start(work))
    assert left(folder) == ["record"]
    os.close(alive)
    os.close(dead)


def test_the_threads_of_a_child_begin_anew_together(folder: Path) -> None:
    """All that they append can be acknowledged, although none was first."""
    spool = Spool(folder, b"resource", segment_bytes=SMALL)

    def work() -> None:
        sys.setswitchinterval(1e-6)
        barrier = threading.Barrier(THREADS)
        places: list[int | None] = []

        def write() -> None:
            barrier.wait()
            places.append(spool.append(b"scope", 9, b"record"))

        threads = [threading.Thread(target=write) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spool.acknowledge(places)
        spool.close()
        assert list(folder.iterdir()) == []

    for _ in range(50):
        assert ends_well(start(work))


@pytest.mark.parametrize("fork", FORKS.values(), ids=FORKS)
def test_a_child_adopts_what_its_parent_left(folder: Path, fork: Callable[[], int]) -> None:
    """The parent ends first; the child adopts its records, and nobody else does as long as the child lives."""
    alive, dead = os.pipe()
    reading, writing = os.pipe()

    def work() -> None:
        spool = Spool(folder, b"resource", segment_bytes=SMALL)
        fill(spool, range(300))
        pid = fork()
        if pid:
            os._exit(0)
        os.close(dead)
        os.read(alive, 1)
        fill(spool, ["own"])
        assert sum(len(found.records) for found in spool.adopt()) == 300
        fill(spool, range(1000))
        assert result(lambda: left(folder)) == []
        os.write(writing, b"done")

    pid = start(work)
    os.close(alive)
    os.close(writing)
    assert ends_well(pid)
    os.close(dead)
    with os.fdopen(reading) as pipe:
        assert pipe.read() == "done"


def test_a_fork_in_a_signal_handler_deletes_nothing_of_the_parents(folder: Path) -> None:
    """The child comes back into the append of its parent, whose segments it has closed."""
    spool = Spool(folder, b"resource", segment_bytes=SMALL)

    class Forking(bytes):
        """A scope that forks, and lets the child append."""

        pid = -1

        def __len__(self) -> int:
            """Fork."""
            if Forking.pid < 0:
                Forking.pid = os.fork()
                if not Forking.pid:
                    fill(spool, ["child"])
            return super().__len__()

    def work() -> None:
        spool.acknowledge(fill(spool, ["before"]))
        place = spool.append(Forking(b"scope"), 9, b"parent" + PADDING)
        if not Forking.pid:
            assert place is None
            os._exit(0)
        assert ends_well(Forking.pid)

    assert ends_well(start(work))
    assert sorted(left(folder)) == ["child", "parent"]


def test_a_process_that_closed_all_descriptors_keeps_those_it_opened_then(folder: Path, spool: Spool) -> None:
    """Who becomes a daemon closes all descriptors: the spool closes none that has the number of one of its own."""
    fill(spool, range(300))

    def work() -> None:
        os.closerange(3, 256)
        theirs = [os.open(folder.parent, os.O_RDONLY) for _ in range(100)]
        assert fill(spool, ["child"]) != [None]
        assert list(spool.adopt()) == []
        for descriptor in theirs:
            os.fstat(descriptor)

    assert ends_well(start(work))


def test_the_process_id_is_compared_where_the_kernel_wipes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old kernels know no page that a fork wipes."""
    monkeypatch.setattr(forks, "WIPE_ON_FORK", 9999)
    spool = Spool(folder, b"resource")
    fill(spool, ["parent"])
    assert ends_well(start(lambda: fill(spool, ["child"])))
    spool.close()
    assert sorted(left(folder)) == ["child", "parent"]


# Appending while appending.


@pytest.mark.parametrize("way", ["signal handler", "__del__"])
def test_an_append_within_an_append_is_as_good_as_any(folder: Path, way: str) -> None:
    """A signal handler, or `__del__`, that appends while its own thread is in `append` neither blocks nor loses."""
    spool = Spool(folder, b"resource", segment_bytes=SMALL)
    inner = count()

    class Dying:
        def __del__(self) -> None:
            assert fill(spool, [f"inner-{next(inner)}"]) != [None]

    class Interrupting(bytes):
        """A scope that lets something append in the midst of an append."""

        def __len__(self) -> int:
            """Interrupt."""
            if way == "__del__":
                Dying()
            else:
                signal.raise_signal(signal.SIGUSR1)
            return super().__len__()

    def work() -> int:
        signal.signal(signal.SIGUSR1, lambda *_: fill(spool, [f"inner-{next(inner)}"]))
        for number in range(500):
            assert spool.append(Interrupting(b"scope"), 9, b"outer-%d" % number + PADDING) is not None
        return next(inner)

    number = result(work)
    assert number >= 500
    assert sorted(left(folder)) == sorted(
        [f"outer-{outer}" for outer in range(500)] + [f"inner-{inner}" for inner in range(number)]
    )


def test_a_signal_at_any_instant_may_append(folder: Path) -> None:
    """One comes 0.2 ms after the last one was handled, whatever it interrupts."""

    def work() -> int:
        spool = Spool(folder, b"resource", segment_bytes=SMALL)
        inner = count()

        def handle(*_: object) -> None:
            assert None not in fill(spool, [f"inner-{next(inner)}"])
            signal.setitimer(signal.ITIMER_REAL, 0.0002)

        signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, 0.0002)
        assert None not in fill(spool, range(50_000))
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        return next(inner)

    inner = result(work)
    assert inner > 10
    assert sorted(left(folder)) == sorted([*map(str, range(50_000)), *(f"inner-{number}" for number in range(inner))])


def test_what_a_signal_handler_raises_passes_and_harms_no_other_record(folder: Path) -> None:
    """Such as Celery's soft time limit, at any instant."""

    class TimeLimitError(Exception):
        pass

    def limit(*_: object) -> None:
        raise TimeLimitError

    def work() -> list[int]:
        # What a signal raises in a callback of the collector, such as Hypothesis's, goes no further.
        gc.disable()
        spool = Spool(folder, b"resource", segment_bytes=SMALL)
        signal.signal(signal.SIGALRM, limit)
        appended = [0] * 300
        for number in range(300):
            with contextlib.suppress(TimeLimitError):
                # A segment is made in about a millisecond: some are interrupted, some are not.
                signal.setitimer(signal.ITIMER_REAL, 0.0001 * (1 + number % 60))
                for record in range(500):
                    # Not in the condition of a `while`: CPython 3.13 lets what is raised there pass the `with`.
                    assert spool.append(b"scope", 9, f"{number}-{record}".encode() + PADDING) is not None
                    appended[number] = record + 1
                signal.setitimer(signal.ITIMER_REAL, 0)
        return appended

    appended = result(work)
    found = Counter(left(folder))
    assert set(found.values()) == {1}
    assert {f"{number}-{record}" for number in range(300) for record in range(appended[number])} <= set(found)


def test_what_is_raised_between_any_two_lines_harms_no_other_record(folder: Path, spool: Spool) -> None:
    """A record that was interrupted is there or not; the next one, which is shorter, is not hidden by its remains."""

    class Interrupt(BaseException):
        pass

    def interrupt_at(line: int) -> None:
        lines = count()

        def trace(frame: FrameType, event: str, _argument: object) -> Any:
            if frame.f_code is Segment.write.__code__ and event == "line" and next(lines) == line:
                raise Interrupt
            return trace

        sys.settrace(trace)
        try:
            spool.append(b"scope", 9, b"interrupted" + PADDING * 2)
        finally:
            sys.settrace(tracing)

    tracing = sys.gettrace()
    fill(spool, ["first"])
    for line in count():
        try:
            interrupt_at(line)
        except Interrupt:
            fill(spool, [line])
            assert not any(found.damaged for found in inspect(folder))
        else:
            break
    spool.close()
    assert line > 8
    assert [name for name in left(folder) if name != "interrupted"] == ["first", *map(str, range(line))]


# A disk that is full, and other limits.


def mount(folder: Path, options: str, flags: int = 0) -> None:
    """Mount a tmpfs that only this process sees, at a folder that is there; skip where that is not permitted."""
    new_namespace, new_user, private, recursive = 0x20000, 0x10000000, 1 << 18, 0x4000
    if libc.unshare(new_namespace | (new_user if os.geteuid() else 0)):
        raise OSError(ctypes.get_errno(), "unshare")
    libc.mount(b"none", b"/", None, private | recursive, None)
    if libc.mount(b"tmpfs", f"{folder}".encode(), b"tmpfs", flags, options.encode()):
        raise OSError(ctypes.get_errno(), "mount")


def on_tmpfs(folder: Path, options: str, work: Callable[[], object], flags: int = 0) -> Any:
    """Return what *work* returns in a process that sees a tmpfs at *folder*; skip where that is not permitted."""
    folder.mkdir(mode=0o700)

    def mounted() -> object:
        try:
            mount(folder, options, flags)
        except OSError as exc:
            return {"skip": f"{exc}"}
        return work()

    returned = result(mounted)
    if isinstance(returned, dict) and "skip" in returned:
        pytest.skip(f"no tmpfs can be mounted: {returned['skip']}")
    return returned


def test_a_full_disk_kills_nobody(folder: Path) -> None:
    """What is reserved can be written, the rest stays in memory; and when there is room again, it is used."""

    def work() -> list[object]:
        module.RETRY = 0.0  # type: ignore[misc]
        spool = Spool(folder, b"resource", segment_bytes=1 << 18)
        places = fill(spool, [0])
        filler = folder / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        places += fill(spool, range(1, 1000))
        kept = len(places) - places.count(None)
        filler.unlink()
        places += fill(spool, range(1000, 1100))
        spool.close()
        return [kept, places[1000:].count(None), len(left(folder)) - kept]

    kept, failed, later = on_tmpfs(folder, "size=1m,mode=700", work)
    assert kept == ((1 << 18) - HEADER.size - len(b"resource")) // (HEAD.size + len(b"scope") + len(PADDING) + 3)
    assert (failed, later) == (0, 100)


def test_a_disk_that_is_full_from_the_beginning_is_said_once(
    folder: Path, contained: Diagnostics, caplog: pytest.LogCaptureFixture
) -> None:
    """Records stay in memory, and a thousand of them say it in one sentence."""
    del contained

    def work() -> list[object]:
        spool = Spool(folder, b"resource")
        places = fill(spool, range(1000))
        return [places.count(None), [record.getMessage() for record in caplog.records], [*map(str, folder.iterdir())]]

    with caplog.at_level(logging.WARNING, "otel_bridge"):
        missed, messages, files = on_tmpfs(folder, "size=1m,mode=700", work)
    assert (missed, len(messages), files) == (1000, 1, [])
    assert f"memory only, because {folder}" in messages[0]


def test_a_limit_on_the_size_of_files_kills_nobody(folder: Path) -> None:
    """`ulimit -f` is met when a segment is reserved, and its file is not left behind."""

    def work() -> list[object]:
        import resource  # noqa: PLC0415 - not on every platform

        resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL // 2, SMALL // 2))
        return [fill(Spool(folder, b"resource", segment_bytes=SMALL), ["record"]), [*map(str, folder.iterdir())]]

    assert result(work) == [[None], []]


def test_a_limit_on_descriptors_kills_nobody(folder: Path) -> None:
    """Where no file can be opened, records stay in memory."""

    def work() -> list[int | None]:
        import resource  # noqa: PLC0415 - not on every platform

        spool = Spool(folder, b"resource", segment_bytes=SMALL)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
        return fill(spool, ["record"])

    assert result(work) == [None]


def test_a_folder_that_is_gone_kills_nobody(folder: Path, spool: Spool, contained: Diagnostics) -> None:
    """Nothing is appended, nothing adopted, and nothing raised."""
    del contained
    folder.rmdir()
    assert (fill(spool, ["record"]), list(spool.adopt())) == ([None], [])


def test_a_segment_that_somebody_deletes_is_written_no_more(
    folder: Path, spool: Spool, contained: Diagnostics, caplog: pytest.LogCaptureFixture
) -> None:
    """As what tidies `/tmp` does: the next records are in a new one, and what is in memory only is said, once."""
    del contained
    places = fill(spool, range(2))
    (path,) = folder.iterdir()
    path.unlink()
    with caplog.at_level(logging.WARNING, "otel_bridge"):
        spool.acknowledge([])
        spool.acknowledge([])
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} was deleted: 2 log records are in memory only."
    ]
    fill(spool, ["next"])
    spool.acknowledge(places)
    assert spool.spooled_bytes == SMALL
    spool.close()
    assert left(folder) == ["next"]


def test_a_disk_that_does_not_take_a_record_in_time_keeps_it_all_the_same(
    folder: Path, contained: Diagnostics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `fsync`, it survives the process, if not the machine; the next ones are in memory only."""
    del contained

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    spool = Spool(folder, b"resource", segment_bytes=SMALL, fsync=True)
    fill(spool, [1])
    monkeypatch.setattr(Segment, "sync", broken)
    assert fill(spool, [2]) != [None]
    assert fill(spool, [3]) == [None]
    spool.close()
    assert left(folder) == ["1", "2"]


def test_no_more_is_kept_than_is_permitted(folder: Path, contained: Diagnostics) -> None:
    """The bound is that of the folder, whoever wrote into it; what is acknowledged makes room at once."""
    del contained
    leave(folder, range(300))
    theirs = sum(path.stat().st_size for path in folder.iterdir())
    spool = Spool(folder, b"resource", max_bytes=theirs + 2 * SMALL, segment_bytes=SMALL)
    places = fill(spool, range(1000))
    assert None in places
    assert spool.spooled_bytes == 2 * SMALL
    assert sum(path.stat().st_size for path in folder.iterdir()) == theirs + 2 * SMALL
    spool.acknowledge(places)
    assert fill(spool, ["again"]) != [None]
    spool.close()


def test_a_disk_that_failed_is_tried_again_after_a_minute(
    folder: Path, contained: Diagnostics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before, because trying takes long; and what succeeds ends it."""
    del contained
    spool = Spool(folder, b"resource", max_bytes=SMALL - 1, segment_bytes=SMALL)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert fill(spool, [1]) == [None]
    monkeypatch.setattr(spool._folder, "_max_bytes", SMALL)
    now += 59
    assert fill(spool, [2]) == [None]
    now += 2
    assert fill(spool, [3]) != [None]
    spool.close()


def test_a_handler_that_logs_what_is_said_does_not_loop(folder: Path, contained: Diagnostics) -> None:
    """The bridge itself may be on the logger that says that the disk is full."""
    del contained
    spool = Spool(folder, b"resource", max_bytes=0)

    class Appending(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            """Append what is said."""
            fill(spool, [record.getMessage()])

    handler = Appending()
    logging.getLogger("otel_bridge").addHandler(handler)
    assert fill(spool, ["record"]) == [None]
    logging.getLogger("otel_bridge").removeHandler(handler)


def test_a_record_larger_than_a_segment_has_one_to_itself(spool: Spool, folder: Path) -> None:
    """It is as durable as any."""
    assert spool.append(b"scope", 9, b"large " + bytes(3 * SMALL)) is not None
    fill(spool, ["small"])
    spool.close()
    assert left(folder) == ["large", "small"]


def test_many_that_append_at_once_reserve_little_each(spool: Spool) -> None:
    """Each has a segment of its own, but twenty of them take what three do."""

    class Nested(bytes):
        """A scope in the midst of whose append another one is appended."""

        depth = 0

        def __len__(self) -> int:
            """Append."""
            Nested.depth += 1
            if Nested.depth < 20:
                assert spool.append(Nested(b"scope"), 9, b"record") is not None
            return super().__len__()

    spool.append(Nested(b"scope"), 9, b"record")
    assert Nested.depth >= 20
    assert spool.spooled_bytes <= 3.5 * SMALL


def test_with_fsync_records_are_there_as_well(folder: Path) -> None:
    """Appends wait for the disk, and return."""
    spool = Spool(folder, b"resource", segment_bytes=SMALL, fsync=True)
    assert None not in fill(spool, range(300))
    spool.close()
    assert left(folder) == [f"{number}" for number in range(300)]


def test_what_is_appended_after_close_is_in_memory_only(spool: Spool) -> None:
    """It is not an error."""
    fill(spool, ["before"])
    spool.close()
    assert fill(spool, ["after"]) == [None]


def test_to_close_while_threads_append_harms_nobody(folder: Path) -> None:
    """What returned a place is adopted."""
    spool = Spool(folder, b"resource", segment_bytes=SMALL)
    appended: list[str] = []

    def write(thread: int) -> None:
        for number in count():
            if spool.append(b"scope", 9, f"{thread}-{number}".encode() + PADDING) is None:
                break
            appended.append(f"{thread}-{number}")

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    while len(appended) < 5000:
        time.sleep(0)
    spool.close()
    for thread in threads:
        thread.join()
    assert set(appended) <= set(left(folder))


# What is on disk.


def test_what_is_acknowledged_is_deleted(spool: Spool, folder: Path) -> None:
    """Segments that are full go at once, the one that is being written when it is closed."""
    spool.acknowledge(fill(spool, range(1000)))
    assert len(list(folder.iterdir())) == 1
    spool.close()
    assert list(folder.iterdir()) == []


def test_what_is_trimmed_holds_nothing(spool: Spool, folder: Path) -> None:
    """Segments with a record that waits stay, and are written; the others go, and the next record gets a new one."""
    (place,) = fill(spool, ["first"])
    spool.trim()
    fill(spool, ["second"])
    assert len(list(folder.iterdir())) == 1
    spool.acknowledge([place])
    spool.trim()
    assert [found.waiting for found in inspect(folder)] == [1]
    spool.close()
    assert left(folder) == ["second"]


def test_trimming_while_threads_append_loses_nothing(spool: Spool, folder: Path) -> None:
    """A segment that a thread is writing is not touched."""
    missed: list[None] = []

    def write(thread: int) -> None:
        for number in range(3000):
            (place,) = fill(spool, [f"{thread}-{number}"])
            if place is None:
                missed.append(place)
            if number % 3:
                spool.acknowledge([place])

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        spool.trim()
    spool.close()
    assert missed == []
    kept = [f"{thread}-{number}" for thread in range(THREADS) for number in range(0, 3000, 3)]
    assert sorted(left(folder)) == sorted(kept)


def test_what_is_not_in_the_spool_can_be_acknowledged(spool: Spool) -> None:
    """A caller need not know which records are in memory only, or acknowledged already."""
    places = fill(spool, range(3))
    spool.acknowledge([None, *places, *places, 1 << 60])
    assert spool.spooled_records == 0


def test_threads_acknowledge_at_once(folder: Path, spool: Spool) -> None:
    """The sender acknowledges what is delivered, and any thread what it drops."""
    places = fill(spool, range(20_000))
    threads = [threading.Thread(target=spool.acknowledge, args=(places[part::THREADS],)) for part in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert spool.spooled_records == 0
    assert len(list(folder.iterdir())) == 1


def test_it_says_what_it_holds(spool: Spool, folder: Path) -> None:
    """Records that wait, adopted ones too, and the bytes of their segments."""
    leave(folder, range(10))
    fill(spool, range(5))
    assert (spool.spooled_records, spool.spooled_bytes) == (5, SMALL)
    list(spool.adopt())
    assert (spool.spooled_records, spool.spooled_bytes) == (15, 2 * SMALL)


def test_nobody_else_may_read_it(folder: Path) -> None:
    """Whatever the umask."""

    def work() -> list[int]:
        os.umask(0)
        fill(Spool(folder, b"resource"), ["record"])
        return [folder.stat().st_mode & 0o777, *(path.stat().st_mode & 0o777 for path in folder.iterdir())]

    assert result(work) == [0o700, 0o600]


def test_foreign_files_are_left_alone(folder: Path, spool: Spool, contained: Diagnostics) -> None:
    """Whatever their names and contents, links and folders too."""
    del contained
    name = "1840d2c5b3a0f1e2-12345-{}.spool"
    (folder / "README").write_text("theirs")
    (folder / name.format("00000001")).write_text("theirs, under a name of ours")
    (folder / name.format("00000002")).mkdir()
    os.mkfifo(folder / name.format("00000003"))
    (folder / name.format("00000004")).symlink_to("README")
    before = sorted(folder.iterdir())
    assert list(spool.adopt()) == []
    assert sorted(folder.iterdir()) == before


def test_a_link_to_a_segment_is_not_followed(folder: Path, tmp_path: Path, spool: Spool) -> None:
    """It would be deleted from a folder that is not the spool's."""
    leave(tmp_path / "elsewhere", ["record"])
    (theirs,) = (tmp_path / "elsewhere").iterdir()
    (folder / theirs.name).symlink_to(theirs)
    assert list(spool.adopt()) == []
    assert left(tmp_path / "elsewhere") == ["record"]


def test_what_was_killed_before_it_wrote_is_deleted(folder: Path, spool: Spool) -> None:
    """A file of ours that is empty, or of zeros, has nothing to deliver."""
    for number, content in enumerate([b"", bytes(7), bytes(4096)]):
        (folder / f"1840d2c5b3a0f1e2-12345-0000000{number}.spool").write_bytes(content)
    assert list(spool.adopt()) == []
    assert list(folder.iterdir()) == []


def test_what_is_damaged_is_counted_and_the_rest_adopted(folder: Path, contained: Diagnostics) -> None:
    """One record of three has a flipped byte."""
    leave(folder, range(3))
    (path,) = folder.iterdir()
    data = bytearray(path.read_bytes())
    data[data.index(b"1 ")] ^= 1
    path.write_bytes(data)
    assert left(folder) == ["0", "2"]
    assert sum(number for reason, number in contained.counts.items() if "damaged" in reason) == 1


def test_inspect_describes_each_segment(folder: Path, spool: Spool) -> None:
    """Whose it is, whether someone is there, and what waits in it."""
    before = time.time_ns()
    leave(folder, range(3))
    spool.acknowledge(fill(spool, range(5))[:2])
    theirs, ours = inspect(folder)
    assert (theirs.is_owned, theirs.records, theirs.waiting, theirs.damaged, theirs.size) == (False, 3, 3, 0, SMALL)
    assert (ours.pid, ours.is_owned, ours.records, ours.waiting) == (os.getpid(), True, 5, 3)
    assert before < theirs.first < ours.first < time.time_ns()


def test_inspect_describes_what_it_cannot_read(folder: Path, spool: Spool) -> None:
    """A file that is no segment has no process."""
    del spool
    (folder / "1840d2c5b3a0f1e2-12345-00000001.spool").write_text("theirs")
    (found,) = inspect(folder)
    assert (found.pid, found.records, found.size) == (None, 0, 6)


def test_inspect_changes_nothing(folder: Path) -> None:
    """What it saw is adopted afterwards."""
    leave(folder, ["record"])
    inspect(folder)
    assert left(folder) == ["record"]


# Wrong configuration.


def test_a_symlink_is_refused(tmp_path: Path) -> None:
    """Whoever made it chooses where records go."""
    (tmp_path / "there").mkdir(0o700)
    (tmp_path / "link").symlink_to("there")
    with pytest.raises(SpoolError, match=r"link is a symlink; name"):
        Spool(tmp_path / "link", b"")


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_folder_that_others_can_write_is_refused(folder: Path, mode: int) -> None:
    """They could put segments there."""
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(SpoolError, match=r"spool can be written by others; run `chmod go-w"):
        Spool(folder, b"")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(folder: Path) -> None:
    """That user could change what is in it."""
    folder.mkdir(0o700)
    os.chown(folder, 12345, -1)
    with pytest.raises(SpoolError, match=r"spool belongs to user 12345; give it to user 0"):
        Spool(folder, b"")


def test_a_folder_that_cannot_be_written_is_refused(folder: Path) -> None:
    """A volume that is mounted for reading only."""

    def work() -> str:
        try:
            Spool(folder, b"")
        except SpoolError as exc:
            return f"{exc}"
        return ""

    assert "cannot be written; run" in on_tmpfs(folder, "size=1m,mode=700", work, flags=1)


def test_a_file_is_refused(folder: Path) -> None:
    """A spool is a folder."""
    folder.write_text("")
    with pytest.raises(SpoolError, match=r"spool cannot be made: File exists; name"):
        Spool(folder, b"")


def test_a_platform_that_cannot_reserve_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hole in a segment would be the end of the process on a full disk."""
    monkeypatch.delattr(os, "posix_fallocate")
    with pytest.raises(SpoolError, match=r"cannot be a spool on linux; leave OTEL_BRIDGE_SPOOL_DIR unset"):
        Spool(folder, b"")
    assert not folder.exists()
