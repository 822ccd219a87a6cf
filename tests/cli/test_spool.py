"""`otel-bridge spool`: what processes that are gone left, seen and delivered."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_cli import otel_bridge
from tests.conftest import Run
from tests.otlp import GrpcReceiver, HttpReceiver

NOWHERE = "http://127.0.0.1:9"
"""Nothing listens at the port of `discard`."""
LOG = f"""
import os, sys
os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "{NOWHERE}"
from otel_bridge import LogBridge
bridge = LogBridge()
def log(first, last):
    for number in range(first, last):
        bridge(None, "info", {{"event": "zaak_created", "number": number}})
"""

Leave = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a spool."""
    return tmp_path / "spool"


@pytest.fixture
def leave(run: Run, folder: Path) -> Leave:
    """Leave records in the spool, by a process that is gone at once."""

    def leave(first: int, last: int) -> None:
        run(LOG, f"log({first}, {last}); os._exit(0)", OTEL_BRIDGE_SPOOL_DIR=str(folder), OTEL_SERVICE_NAME="openzaak")

    return leave


@pytest.fixture
def alive(folder: Path) -> Iterator[None]:
    """A process that has two records in the spool, and lives."""
    with subprocess.Popen(  # noqa: S603 - the tests' own code
        [sys.executable, "-c", LOG + "log(0, 2); print(flush=True); sys.stdin.read(); os._exit(0)"],
        env={"OTEL_BRIDGE_SPOOL_DIR": str(folder), "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield


def listed(folder: Path) -> list[dict[str, Any]]:
    """What `list --json` prints."""
    done = otel_bridge("spool", "list", str(folder), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def numbers(receiver: HttpReceiver | GrpcReceiver) -> list[int]:
    """Which records arrived."""
    return [record.attributes["number"] for record in receiver.records]


def test_list_for_machines(leave: Leave, folder: Path) -> None:
    """Each segment is one JSON object, with all that is known of it."""
    leave(0, 3)
    [segment] = listed(folder)
    path = Path(segment["path"])
    assert segment["pid"] == int(path.name.split("-")[1])
    assert segment["bytes"] == path.stat().st_size
    assert (segment["records"], segment["waiting"], segment["damaged"], segment["owned"]) == (3, 3, 0, False)
    assert segment["first"] <= segment["last"] <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))


def test_list_for_people(leave: Leave, folder: Path) -> None:
    """A table has a row for each, and the sums in its title."""
    leave(0, 3)
    leave(3, 5)
    done = otel_bridge("spool", "list", str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 segments, 5 records wait" in " ".join(done.stdout.split())
    assert all(text in done.stdout for text in ("3 of 3", "2 of 2", "gone"))


def test_list_leaves_all_as_it_is(leave: Leave, folder: Path) -> None:
    """Looking adopts nothing."""
    leave(0, 3)
    assert listed(folder) == listed(folder)


@pytest.mark.usefixtures("alive")
def test_list_knows_who_is_alive(folder: Path) -> None:
    """A segment that a process has is owned."""
    [segment] = listed(folder)
    assert (segment["owned"], segment["waiting"]) == (True, 2)
    assert "alive" in otel_bridge("spool", "list", str(folder)).stdout


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_drain_delivers_each_record_once(
    leave: Leave, folder: Path, receiver: HttpReceiver, grpc_receiver: GrpcReceiver, protocol: str
) -> None:
    """What several processes left arrives, by either protocol, and is deleted from the disk."""
    for first in (0, 700, 1400):
        leave(first, first + 700)
    used = grpc_receiver if protocol == "grpc" else receiver
    done = otel_bridge("spool", "drain", str(folder), "--endpoint", used.endpoint, "--protocol", protocol)
    assert (done.returncode, done.stderr) == (0, "")
    assert "delivered 2100 records" in done.stdout
    assert sorted(numbers(used)) == list(range(2100))
    assert listed(folder) == []


def test_drain_twice(leave: Leave, folder: Path, receiver: HttpReceiver) -> None:
    """What was delivered is not delivered again."""
    leave(0, 3)
    for _ in range(2):
        assert otel_bridge("spool", "drain", str(folder), "--endpoint", receiver.endpoint).returncode == 0
    assert numbers(receiver) == [0, 1, 2]


def test_drained_records_keep_their_resource(leave: Leave, folder: Path, receiver: HttpReceiver) -> None:
    """They are from the service that logged them, not from this command."""
    leave(0, 1)
    otel_bridge("spool", "drain", str(folder), "--endpoint", receiver.endpoint)
    assert receiver.records[0].resource["service.name"] == "openzaak"


def test_drain_reads_the_environment(
    leave: Leave, folder: Path, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Endpoint, headers and folder, as the exporter does."""
    leave(0, 1)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=amsterdam")
    monkeypatch.setenv("OTEL_BRIDGE_SPOOL_DIR", str(folder))
    assert otel_bridge("spool", "drain").returncode == 0
    headers = {name.lower(): value for name, value in receiver.metadata[0].items()}
    assert (headers["x-tenant"], headers["path"]) == ("amsterdam", "/v1/logs")


@pytest.mark.parametrize("path", ["", "/", "/v1/logs", "/otlp/v1/logs"])
def test_the_path_of_the_endpoint(leave: Leave, folder: Path, receiver: HttpReceiver, path: str) -> None:
    """It is completed where there is none, and else taken as it stands."""
    leave(0, 1)
    otel_bridge("spool", "drain", str(folder), "--endpoint", receiver.endpoint + path)
    assert receiver.metadata[0]["path"] == (path if len(path) > 1 else "/v1/logs")


@pytest.mark.usefixtures("alive")
def test_drain_leaves_to_the_living_what_is_theirs(folder: Path, receiver: HttpReceiver) -> None:
    """It is skipped, which is said, and is no failure."""
    done = otel_bridge("spool", "drain", str(folder), "--endpoint", receiver.endpoint)
    assert (done.returncode, receiver.requests) == (0, [])
    assert "a process has it, 2 records wait there" in done.stdout
    assert [segment["waiting"] for segment in listed(folder)] == [2]


def test_drain_keeps_its_deadline(leave: Leave, folder: Path, receiver: HttpReceiver) -> None:
    """Where nothing answers, all stays where it was, to be delivered later."""
    leave(0, 3)
    started = time.monotonic()
    done = otel_bridge("spool", "drain", str(folder), "--endpoint", NOWHERE, "--timeout", "0.5")
    assert time.monotonic() - started < 5
    assert done.returncode == 1
    assert "3 records still wait" in done.stdout
    assert "nothing listens there" in done.stderr
    assert otel_bridge("spool", "drain", str(folder), "--endpoint", receiver.endpoint).returncode == 0
    assert numbers(receiver) == [0, 1, 2]


def test_drain_says_what_is_damaged(leave: Leave, folder: Path, receiver: HttpReceiver) -> None:
    """The other records arrive, and the exit status tells that it is not all."""
    leave(0, 3)
    [path] = folder.iterdir()
    content = bytearray(path.read_bytes())
    content[content.rindex(b"zaak_created")] ^= 1
    path.write_bytes(content)
    assert [(segment["waiting"], segment["damaged"]) for segment in listed(folder)] == [(2, 1)]
    done = otel_bridge("spool", "drain", str(folder), "--endpoint", receiver.endpoint)
    assert done.returncode == 1
    assert "1 records are damaged" in done.stdout
    assert numbers(receiver) == [0, 1]


def test_an_empty_spool(folder: Path) -> None:
    """There is nothing to list and nothing to deliver, which is no failure."""
    folder.mkdir(mode=0o700)
    assert listed(folder) == []
    assert otel_bridge("spool", "drain", str(folder), "--endpoint", NOWHERE).returncode == 0


def missing(folder: Path) -> None:
    """Make no folder."""


def file(folder: Path) -> None:
    """Make a file in its place."""
    folder.touch()


def anyones(folder: Path) -> None:
    """Make a folder that others can write."""
    folder.mkdir()
    folder.chmod(0o777)


def symlink(folder: Path) -> None:
    """Make a symlink to a folder."""
    elsewhere = folder.with_name("elsewhere")
    elsewhere.mkdir(mode=0o700)
    folder.symlink_to(elsewhere)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (missing, "cannot be read (No such file or directory)"),
        (file, "cannot be read (Not a directory)"),
        (anyones, "can be written by others; run `chmod go-w"),
        (symlink, "is a symlink; name the folder that it points to"),
    ],
)
def test_folders_that_are_no_spool(folder: Path, make: Callable[[Path], None], sentence: str) -> None:
    """What is wrong is one sentence, and nothing is made."""
    make(folder)
    done = otel_bridge("spool", "drain", str(folder), "--endpoint", NOWHERE)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"otel-bridge: {folder} {sentence}")
    assert folder.exists() == (make is not missing)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--endpoint", "collector"), "endpoint='collector' is no URL of http or https"),
        (("--protocol", "carrier-pigeon"), "protocol='carrier-pigeon' is not http/protobuf or grpc"),
    ],
)
def test_wrong_targets(leave: Leave, folder: Path, arguments: tuple[str, ...], sentence: str) -> None:
    """Nothing is adopted for a target that there cannot be."""
    leave(0, 1)
    done = otel_bridge("spool", "drain", str(folder), *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert sentence in done.stderr


def test_grpc_without_its_package(leave: Leave, folder: Path) -> None:
    """One sentence says how to install it."""
    leave(0, 1)
    done = otel_bridge("spool", "drain", str(folder), "--protocol", "grpc", without="h2")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "pip install 'otel-bridge[grpc]'" in done.stderr
