"""The `otel-bridge` command."""

import json
import os
import subprocess
import sys

import pytest

from otel_bridge.catalogue import shipped


def otel_bridge(*arguments: str, without: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command; *without* names packages that cannot be imported then."""
    blocked = "".join(f"sys.modules[{name!r}] = None; " for name in without.split())
    code = f"import sys; {blocked}from otel_bridge.cli import main; main()"
    return subprocess.run(  # noqa: S603 - the tests' own
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "COLUMNS": "100", "TERM": "dumb"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "example"), [("demo", "otel-bridge demo"), ("events", "otel-bridge events --json")]
)
def test_help(command: str, example: str) -> None:
    """The help of each command has an example."""
    done = otel_bridge(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert example in done.stdout
    assert command in otel_bridge("--help").stdout


def test_events_for_machines() -> None:
    """`events --json` prints every event of every system, one object a line."""
    done = otel_bridge("events", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    printed = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(event["system"], event["event"]) for event in printed] == [
        (system.name, event.name) for system, event in shipped().events
    ]
    assert all(event["keys"] or event["keys"] == [] for event in printed)


def test_events_of_one_system() -> None:
    """`events --system` prints the events of that system, with their keys."""
    done = otel_bridge("events", "--system", "open-organisatie")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Open Organisatie: " in done.stdout
    assert "medewerker_created" in done.stdout
    assert "id, naam" in done.stdout
    assert "zaak_created" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("events", "--system", "open-formulieren"), "'open-formulieren' is no system; choose from open-klant"),
        (("demo", "--loki", "http://127.0.0.1:3100"), "name the Collector too, with --otlp"),
        (("demo", "--otlp", "http://127.0.0.1:4318"), "with --loki, --elasticsearch or both"),
    ],
)
def test_wrong_arguments(arguments: tuple[str, ...], sentence: str) -> None:
    """A wrong argument is said, with what to write instead; there is no traceback."""
    done = otel_bridge(*arguments)
    assert done.returncode == 2
    assert sentence in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("without", "arguments", "extra"),
    [
        ("typer", (), "cli"),
        ("rich", ("events",), "cli"),
        ("yaml", ("events",), "cli"),
        ("django", ("demo",), "demo"),
        ("django_structlog", ("demo", "--serve"), "demo"),
        ("opentelemetry.instrumentation.django", ("demo",), "demo"),
    ],
)
def test_missing_extra(without: str, arguments: tuple[str, ...], extra: str) -> None:
    """Without an extra there is one sentence with the command that brings it, and exit status 1."""
    done = otel_bridge(*arguments, without=without)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("otel-bridge: ")
    assert done.stderr.endswith(f" is missing; install it with: pip install 'otel-bridge[{extra}]'\n")
    assert done.stderr.count("\n") == 1


def test_port_is_taken() -> None:
    """What the system refuses is one sentence too."""
    done = otel_bridge("demo", "--serve", "--host", "192.0.2.1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("otel-bridge: ")
    assert done.stderr.count("\n") == 1
