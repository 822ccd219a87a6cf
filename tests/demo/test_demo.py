"""The demo in processes of its own: what it prints, and its exit status."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import urllib3

from otel_bridge.catalogue import shipped
from otel_bridge.demo import choice, stacks, visit
from otel_bridge.demo.application import ApplicationError, application, running
from otel_bridge.demo.expected import lines
from otel_bridge.demo.receiver import Receiver

CLI = (sys.executable, "-m", "otel_bridge.cli", "demo")
MAKE = (sys.executable, "-m", "otel_bridge.demo")


def demo(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the demo as on a terminal of 100 columns."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(  # noqa: S603 - the tests' own
        command,
        env={**inherited, "COLUMNS": "100", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_embedded() -> None:
    """With nothing but Python it finds everything within 30 seconds, shows one request, and says how to go on."""
    began = time.monotonic()
    done = demo(*CLI)
    assert time.monotonic() - began < 30
    assert (done.returncode, done.stderr) == (0, "")
    for sentence in (
        "Embedded: an OTLP receiver that keeps records in memory",
        "Chosen because it needs nothing but Python.",
        "Everything was found in Embedded store: ",
        "inpBsn=[redacted:",
        "curl 'http://127.0.0.1:",
        "make demo STACK=native",
    ):
        assert sentence in done.stdout
    assert max(map(len, done.stdout.splitlines()[:-20])) <= 100


def test_nothing_arrives() -> None:
    """Where records do not arrive it says which, and exits with 1."""
    done = demo(*CLI, "--timeout", "0", OTEL_LOGS_EXPORTER="none")
    assert (done.returncode, done.stderr) == (1, "")
    assert "Embedded store request_started is missing" in done.stdout
    assert "Not everything was found in Embedded store" in done.stdout


def test_asked_for() -> None:
    """`make demo` says that STACK asked for the stack, where it did."""
    done = demo(*MAKE, STACK="embedded")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Chosen because STACK=embedded asks for it." in done.stdout


@pytest.mark.parametrize(
    ("command", "environ", "sentence"),
    [
        (MAKE, {"STACK": "kubernetes"}, "STACK=kubernetes is not known; set it to containers, native, embedded"),
        (
            (*CLI, "--timeout", "0", "--otlp", "http://127.0.0.1:9", "--loki", "http://127.0.0.1:9"),
            {},
            "Loki does not answer at http://127.0.0.1:9/loki/",
        ),
    ],
)
def test_errors(command: tuple[str, ...], environ: dict[str, str], sentence: str) -> None:
    """What cannot be is one sentence on standard error, and exit status 1."""
    done = demo(*command, **environ)
    assert done.returncode == 1
    assert done.stderr.startswith("otel-bridge")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_keep() -> None:
    """KEEP=1 leaves the receiver running, with what it holds, until the printed command."""
    done = demo(*CLI, KEEP="1")
    assert done.returncode == 0
    pid = int(done.stdout.partition("`kill ")[2].partition("`")[0])
    try:
        url = done.stdout.partition("Embedded store: ")[2].split()[0]
        answer = urllib3.request("GET", f"{url}/records?event=zaak_created")
        assert answer.data.count(b"\n") == 2
    finally:
        os.kill(pid, signal.SIGTERM)


def test_every_documented_event(embedded: Receiver) -> None:
    """The application logs every event of the five manuals, under its documented logger and level."""
    with application(embedded.url) as started:
        for request in visit.requests("run"):
            started.send(request)
        printed = {(line.event, line.logger, line.level) for line in lines(started.printed())}
    for system in shipped().systems:
        for event in system.documented:
            assert (event.name, event.logger or system.service_name, event.level or "info") in printed


def test_delivered_at_the_end(embedded: Receiver) -> None:
    """What the application logged last is delivered when it is stopped."""
    with application(embedded.url) as started:
        for request in visit.requests("run"):
            started.send(request)
        printed = lines(started.printed())
    assert len(embedded.memory.find({})) == len(printed)


def test_does_not_start(tmp_path: Path) -> None:
    """An application that does not start is reported with the end of what it said."""
    script = tmp_path / "broken.py"
    script.write_text("raise SystemExit('no database')")
    with pytest.raises(ApplicationError, match="does not run\n    no database"), running([str(script)], {}):
        pass


def test_no_engine_and_nothing_built(tmp_path: Path) -> None:
    """Without containers, and with no native servers built, it is the embedded receiver, and both are said."""
    done = demo(*MAKE, PATH="", XDG_CACHE_HOME=str(tmp_path), STACK="")
    assert (done.returncode, done.stderr) == (0, "")
    assert "and the native servers are not built. Starting" in done.stdout
    assert "Embedded: an OTLP receiver" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("asked", choice.KINDS)
def test_installed_package(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package has the embedded receiver alone, and says that the others need a checkout."""
    monkeypatch.setattr(choice, "checkout", lambda: None)
    assert choice.choose(None) == choice.choose("")
    assert choice.choose(None)[0] is stacks.embedded
    if asked == "embedded":
        assert choice.choose(asked) == (stacks.embedded, "STACK=embedded asks for it")
    else:
        with pytest.raises(stacks.StackError, match=f"STACK={asked} needs a checkout"):
            choice.choose(asked)
