"""Dead letters: what the receiver refuses for good is kept where a spool is, and only there."""

import json
import stat
from pathlib import Path
from typing import Any, Final

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ScopeLogs

from otel_bridge.diagnostics import Diagnostics
from otel_bridge.export import dead_letters
from otel_bridge.export.blocks import Entry, Lane
from otel_bridge.export.dead_letters import NAME, DeadLetters
from tests.cli.test_cli import otel_bridge
from tests.conftest import Run
from tests.export.faults.receiver import Behaviour, HttpReceiver, all_but_poison, no_poison
from tests.export.test_file import parsed
from tests.otlp import flattened

LOG: Final = """
    import os, sys, threading
    from otel_bridge import LogBridge, force_flush, statistics
    bridge = LogBridge()

    def log(serial, **keys):
        bridge(None, "info", {"event": "zaak_created", "serial": str(serial), **keys})

    def tell():
        said = statistics()
        print(force_flush(), said.exported, said.rejected, said.spooled)
"""
POISON: Final = 'for n in range(40): log(n, **({"poison": "yes"} if n in (3, 17) else {}))\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a spool."""
    return tmp_path / "spool"


def kept(folder: Path) -> list[Any]:
    """Return the records of the dead letters, each of which is a request of its own."""
    lines = (folder / NAME).read_text().splitlines()
    requests = [flattened(parsed(line)) for line in lines]
    assert all(len(records) == 1 for records in requests)
    return [record for records in requests for record in records]


def entry(name: str) -> Entry:
    """Make a refused record."""
    record = ScopeLogs(log_records=[LogRecord(event_name=name)]).SerializeToString()
    return Entry(1, Lane(1, 9, b"", b""), record, 1)


def test_refused_records_are_kept_as_they_were(run: Run, folder: Path) -> None:
    """The one that the receiver refuses alone, with its resource and scope; all others arrive."""
    with HttpReceiver(always=no_poison) as receiver:
        told = run(
            LOG,
            POISON + "force_flush(); tell()",
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint.removesuffix("/v1/logs"),
            OTEL_BRIDGE_SPOOL_DIR=str(folder),
            OTEL_SERVICE_NAME="openzaak",
        )
        assert told == "True 38 2 0\n"
        records = kept(folder)
        assert len(receiver.serials) == 38
    assert {record.attributes["serial"] for record in records} == {"3", "17"}
    assert {(record.resource["service.name"], record.event_name) for record in records} == {
        ("openzaak", "zaak_created")
    }
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600


def test_a_partial_success_of_nothing_is_a_refusal(run: Run, folder: Path) -> None:
    """Where the receiver took none of a request, it is known which records those are."""
    with HttpReceiver(always=all_but_poison) as receiver:
        run(
            LOG,
            'log(1, poison="yes"); force_flush(); log(2); force_flush()',
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint.removesuffix("/v1/logs"),
            OTEL_BRIDGE_SPOOL_DIR=str(folder),
        )
    assert [record.attributes["serial"] for record in kept(folder)] == ["1"]


@pytest.mark.parametrize("behaviour", [no_poison, all_but_poison])
def test_without_a_spool_nothing_is_kept(run: Run, tmp_path: Path, behaviour: Behaviour) -> None:
    """Nobody named a place for it; it is counted, as ever."""
    before = set(tmp_path.iterdir())
    with HttpReceiver(always=behaviour) as receiver:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint.removesuffix("/v1/logs")}
        assert (
            run(LOG, f"os.chdir({str(tmp_path)!r})\n" + POISON + "force_flush(); tell()", **environ) == "True 38 2 0\n"
        )
    assert {path.name for path in set(tmp_path.iterdir()) - before} == {"script.py"}


def test_the_file_is_no_segment(run: Run, folder: Path) -> None:
    """Whoever adopts the spool leaves it alone."""
    with HttpReceiver(always=no_poison) as receiver:
        environ = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint.removesuffix("/v1/logs"),
            "OTEL_BRIDGE_SPOOL_DIR": str(folder),
        }
        run(LOG, POISON, **environ)
        content = (folder / NAME).read_bytes()
        run(LOG, "log(40)", **environ)
    assert (folder / NAME).read_bytes() == content
    assert NAME not in otel_bridge("spool", "list", str(folder), "--json").stdout


def test_drain_keeps_dead_letters(run: Run, folder: Path) -> None:
    """In the folder that it drains; that it could not deliver all is its exit status."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BRIDGE_SPOOL_DIR": str(folder)}
    run(LOG, POISON + "os._exit(0)", **environ)
    with HttpReceiver(always=no_poison) as receiver:
        done = otel_bridge("spool", "drain", str(folder), "--endpoint", receiver.endpoint)
    assert done.returncode == 1
    assert "delivered 38 records" in done.stdout
    assert "2 records were refused" in done.stdout
    assert {record.attributes["serial"] for record in kept(folder)} == {"3", "17"}
    assert [path.name for path in folder.iterdir()] == [NAME]


def test_many_writers(run: Run, folder: Path) -> None:
    """Lines of several processes do not mix."""
    code = """
    for process in range(4):
        if not os.fork():
            for number in range(25):
                log(f"{process}.{number}", poison="yes", padding="x" * 9000)
            force_flush()
            os._exit(0)
    for _ in range(4): os.wait()
    """
    with HttpReceiver(always=no_poison) as receiver:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint.removesuffix("/v1/logs")}
        run(LOG, code, OTEL_BRIDGE_SPOOL_DIR=str(folder), **environ)
    serials = sorted(record.attributes["serial"] for record in kept(folder))
    assert serials == sorted(f"{process}.{number}" for process in range(4) for number in range(25))


def test_it_is_bounded(folder: Path, contained: Diagnostics, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its bound nothing is appended, which is said once; when it is moved away, it goes on."""
    folder.mkdir()
    said: list[str] = []
    monkeypatch.setattr(contained, "say", said.append)
    monkeypatch.setattr(dead_letters, "MOST", 300)
    letters = DeadLetters(folder)
    letters.keep([entry(f"zaak_{number}") for number in range(20)])
    few = len(kept(folder))
    assert 0 < few < 20
    assert len(said) == 1
    assert "of at most 300; move it away." in said[0]
    (folder / NAME).rename(folder / "elsewhere")
    letters.keep([entry("zaak_21")])
    assert [record.event_name for record in kept(folder)] == ["zaak_21"]


@pytest.mark.parametrize("name", ["folder", "symlink", "no folder"])
def test_it_never_raises(folder: Path, contained: Diagnostics, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whatever stands in its place is left as it is; that nothing is kept is said once."""
    said: list[str] = []
    monkeypatch.setattr(contained, "say", said.append)
    elsewhere = folder.with_name("elsewhere")
    if name != "no folder":
        folder.mkdir()
        (folder / NAME).mkdir() if name == "folder" else (folder / NAME).symlink_to(elsewhere)
    letters = DeadLetters(folder)
    letters.keep([entry("zaak_1")])
    letters.keep([entry("zaak_2")])
    assert len(said) == 1
    assert said[0].startswith("Log records that the receiver refuses are not kept: ")
    assert not elsewhere.exists()


def test_a_line_is_otlp(folder: Path) -> None:
    """What reads OTLP's JSON can send it again, the Collector's `otlpjsonfile` receiver for example."""
    folder.mkdir()
    DeadLetters(folder).keep([entry("zaak_1")])
    assert json.loads((folder / NAME).read_text()) == {
        "resourceLogs": [{"scopeLogs": [{"logRecords": [{"eventName": "zaak_1"}]}]}]
    }
