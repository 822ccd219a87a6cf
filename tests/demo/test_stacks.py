"""What the demo says to a container engine, and what it leaves as it was."""

from pathlib import Path

import pytest
import yaml

from otel_bridge.demo import choice, stacks


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `docker` that writes down what it is asked, and says that what `RUNNING` names runs."""
    said, script = tmp_path / "said", tmp_path / "docker"
    script.write_text(f'#!/bin/sh\necho "$*" >>{said}\n[ "$2" = ps ] && echo "$RUNNING"\nexit "${{STATUS:-0}}"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("RUNNING", "")
    return said


@pytest.mark.parametrize(
    ("running", "keep", "down"),
    [("", False, ["compose down"]), ("", True, []), ("0123456789ab", False, []), ("0123456789ab", True, [])],
)
def test_containers(*, said: Path, monkeypatch: pytest.MonkeyPatch, running: str, keep: bool, down: list[str]) -> None:
    """They are waited for, and stopped afterwards, unless they ran before or are to be kept."""
    monkeypatch.setenv("RUNNING", running)
    with stacks.containers(said.parent)(keep, 0) as stack:
        assert [store.name for store in stack.stores] == ["Loki", "Elasticsearch"]
        assert stack.leave == (None if running else "docker compose down")
    up = ["compose ps --quiet", "compose up --detach --build --wait"]
    assert said.read_text().splitlines() == [*up, *down]


def test_containers_that_do_not_start(said: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they do not start that is said, and what started is stopped."""
    monkeypatch.setenv("STATUS", "1")
    start = stacks.containers(said.parent)
    with pytest.raises(stacks.StackError, match="failed, as said above"), start(False, 0):  # noqa: FBT003 - its type
        pass
    assert said.read_text().endswith("compose down\n")


def test_containers_that_end() -> None:
    """Another waits for what each container that ends has done: `docker compose up --wait` fails over it otherwise."""
    root = choice.checkout()
    assert root is not None
    services = yaml.safe_load((root / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    ending = {name for name, service in services.items() if service["restart"] == "no"}
    conditions = [item for service in services.values() for item in service.get("depends_on", {}).items()]
    assert ending == {name for name, on in conditions if on["condition"] == "service_completed_successfully"}
