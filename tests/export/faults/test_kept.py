"""The spool from one process to the next: what is damaged, foreign, full or contended costs nothing else."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from otel_bridge.export.inspection import inspect
from tests.export.faults.receiver import HttpReceiver
from tests.export.faults.runner import NOWHERE, Run, Runner, adopt

COUNT: Final = 400


def leave(runner: Runner, spool: Path, count: int = COUNT) -> Run:
    """Leave *count* records in the spool, of a process that was killed."""
    run = runner.run("steady", NOWHERE, count=count, way="SIGKILL", options={"spool_dir": str(spool)})
    run.wait()
    assert len(run.returned) == count
    return run


def test_two_processes_adopt_at_once(runner: Runner, healthy: HttpReceiver, tmp_path: Path) -> None:
    """Each record is adopted by one of them, and sent once."""
    left = [leave(runner, tmp_path / "spool", 200) for _ in range(4)]
    options = {"spool_dir": str(tmp_path / "spool")}
    runs = [runner.run("steady", healthy, count=1, flush=20, options=options) for _ in range(4)]
    for run in runs:
        assert run.wait() == 0, run.said
    assert healthy.serials == set().union(*(run.returned for run in (*left, *runs)))
    assert healthy.again == 0
    assert sum(run.statistics[0]["adopted"] for run in runs) == 800


def test_more_than_the_buffer_holds_is_adopted_bit_by_bit(
    runner: Runner, healthy: HttpReceiver, tmp_path: Path
) -> None:
    """Nothing that is safe on disk is dropped for want of memory."""
    left = leave(runner, tmp_path / "spool", 3000)
    run = adopt(runner, healthy, tmp_path / "spool", max_buffer_bytes=100_000)
    healthy.wait(lambda ledger: ledger.serials >= left.returned)
    assert run.statistics[0]["dropped"] == {}


def _cut(path: Path) -> None:
    os.truncate(path, 40_000)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[30_000] ^= 0xFF
    path.write_bytes(data)


def _zero(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:30_000] + bytes(20_000) + data[50_000:])


DAMAGE: Final[dict[str, Callable[[Path], None]]] = {"a torn tail": _cut, "a flipped bit": _flip, "a hole": _zero}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_costs_what_is_damaged(
    runner: Runner, healthy: HttpReceiver, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """What is whole is delivered, nothing that was never logged, and the file goes."""
    left = leave(runner, tmp_path / "spool")
    [segment] = (tmp_path / "spool").glob("*.spool")
    damage(segment)
    run = adopt(runner, healthy, tmp_path / "spool")
    arrived = healthy.serials - run.returned
    assert arrived < left.returned
    assert len(arrived) > 50
    assert not segment.exists()


def test_foreign_files_stay(runner: Runner, healthy: HttpReceiver, tmp_path: Path) -> None:
    """Others' files, folders and links are left alone, whatever their names."""
    spool = tmp_path / "spool"
    left = leave(runner, spool)
    (spool / "README").write_text("mine")
    (spool / "0000000000000001-1-00000000.spool").write_text("not a segment")
    (spool / "0000000000000002-1-00000000.spool").mkdir()
    (spool / "0000000000000003-1-00000000.spool").symlink_to("/etc/passwd")
    adopt(runner, healthy, spool)
    assert healthy.serials >= left.returned
    names = {"README", *(f"000000000000000{number}-1-00000000.spool" for number in (1, 2, 3))}
    assert names <= {path.name for path in spool.iterdir()}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a disk in memory, with options such as its size."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if subprocess.run(command, check=False, capture_output=True).returncode:  # noqa: S603 - fixed arguments
            pytest.skip("a disk can be mounted by root only")
        return folder

    yield mount
    subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)  # noqa: S603, S607 - likewise


@pytest.mark.parametrize("name", [".", "spool"])
def test_a_folder_that_cannot_be_written_falls_back_to_memory(
    runner: Runner, healthy: HttpReceiver, disk: Callable[[str], Path], name: str
) -> None:
    """That is said once, of one that is there and of one that cannot be made; everything is delivered."""
    run = runner.run("steady", healthy, count=50, options={"spool_dir": str(disk("ro,mode=700") / name)})
    assert run.wait() == 0, run.said
    assert healthy.serials == run.returned
    assert run.said.count("kept in memory only") == 1


def test_a_full_disk_falls_back_to_memory(runner: Runner, healthy: HttpReceiver, disk: Callable[[str], Path]) -> None:
    """Nothing is lost and nothing crashes (a hole in a mapped file would be SIGBUS); it is said once."""
    healthy.down()
    run = runner.run("steady", healthy, count=40_000, flush=30, options={"spool_dir": str(disk("size=6m") / "spool")})
    run.until(lambda run: len(run.returned) == 40_000)
    healthy.up()
    assert run.wait() == 0, run.said
    assert healthy.serials == run.returned
    assert run.said.count("kept in memory only") == 1
    assert run.statistics[0]["dropped"] == {}


def test_a_limit_of_file_sizes_falls_back_to_memory(runner: Runner, healthy: HttpReceiver, tmp_path: Path) -> None:
    """A quota that has no room for a segment is a disk that is full."""
    options = {"spool_dir": str(tmp_path / "spool")}
    run = runner.run("steady", healthy, count=200, options=options, limits=(("file", 1 << 20),))
    assert run.wait() == 0, run.said
    assert healthy.serials == run.returned
    assert run.said.count("kept in memory only") == 1


def test_threads_that_begin_together_are_in_the_spool(runner: Runner, tmp_path: Path) -> None:
    """The first records of a process too: who comes second waits until there is a spool."""
    for number in range(8):
        spool = tmp_path / str(number)
        run = runner.run("together", NOWHERE, threads=40, options={"spool_dir": str(spool)})
        run.wait()
        assert len(run.returned) == 40
        assert sum(segment.waiting for segment in inspect(spool)) == 40
