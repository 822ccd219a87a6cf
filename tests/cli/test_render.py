"""`otel-bridge render`, as it is run."""

import subprocess
import sys
from pathlib import Path

from otel_bridge.catalogue.rendering import FILES

WEBSHOP = """
system: webshop
title: Webshop
service_name: webshop
keys:
  basket: {type: keyword, meaning: The basket., example: b1}
events:
  basket_paid: {when: A basket was paid., known_from: source, keys: [basket]}
"""


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "otel_bridge.cli", "render", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command


def test_it_writes_every_generated_file_and_says_so(tmp_path: Path) -> None:
    """Each generated file is written below the folder, and named."""
    printed = _run(str(tmp_path))
    assert printed.returncode == 0, printed.stderr
    assert [line.removeprefix(f"wrote {tmp_path}/") for line in printed.stdout.splitlines()] == list(FILES)


def test_a_users_own_system_is_added_to_the_shipped_ones(tmp_path: Path) -> None:
    """A user's YAML adds its keys to those of the five systems."""
    (tmp_path / "webshop.yaml").write_text(WEBSHOP)
    assert _run(str(tmp_path), str(tmp_path / "webshop.yaml")).returncode == 0
    page = (tmp_path / "docs/events.md").read_text()
    assert "`basket_paid`" in page
    assert "`zaak_created`" in page


def test_the_shipped_systems_can_be_left_out(tmp_path: Path) -> None:
    """With --only, nothing but the user's own systems is rendered."""
    (tmp_path / "webshop.yaml").write_text(WEBSHOP)
    assert _run("--only", str(tmp_path), str(tmp_path / "webshop.yaml")).returncode == 0
    assert "zaak_created" not in (tmp_path / "docs/events.md").read_text()


def test_a_wrong_file_is_one_sentence(tmp_path: Path) -> None:
    """What is wrong with a catalogue file is one sentence on standard error, and status 1."""
    (tmp_path / "webshop.yaml").write_text(WEBSHOP.replace("keyword", "word"))
    printed = _run(str(tmp_path), str(tmp_path / "webshop.yaml"))
    assert printed.returncode == 1
    assert len(printed.stderr.strip().splitlines()) == 1
    assert "webshop.yaml" in printed.stderr
