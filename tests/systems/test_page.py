"""What `docs/systems.md` tells operators to write is what is tested here."""

import re
from pathlib import Path
from typing import Final

import pytest
import yaml

from otel_bridge.catalogue import shipped
from tests.systems.catalogue import SYSTEMS, System
from tests.systems.running import WAYS

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = (DOCS / "systems.md").read_text(encoding="utf-8")
each_system = pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)


def block(system: System, language: str) -> str:
    """Return the code block in *language* that is headed by a system's name."""
    [found] = re.findall(rf"^{shipped().system(system.name).title}:\n\n```{language}\n(.*?)```$", PAGE, re.M | re.S)
    return str(found)


@each_system
def test_diff(system: System) -> None:
    """Each diff adds what the tests add to the settings, to the module that the vendor's image runs with."""
    diff = block(system, "diff")
    assert f"+++ b/src/{system.package}/conf/docker.py\n" in diff
    added = re.findall(r"^\+(?!\+\+)(.*)$", diff, re.M)
    assert "".join(f"{line}\n" for line in added) == WAYS["install()"].last_lines


@each_system
def test_compose_file(system: System) -> None:
    """Each service of the system runs the derived image, with the variables that the tests set."""
    composed = yaml.safe_load(block(system, "yaml"))
    assert ("celery" in composed["services"]) == system.has_celery
    for service in composed["services"].values():
        assert service["environment"]["OTEL_SERVICE_NAME"] == system.service_name
        assert WAYS["OTEL_BRIDGE_AUTO"].environ.items() <= service["environment"].items()
        assert service["environment"].keys() <= set(re.findall(r"^\| `(\w+)` \|", PAGE, re.M))
        assert f"`{service['build']['dockerfile']}`" in PAGE


@each_system
def test_table(system: System) -> None:
    """The table has each system's settings, and the name by which its logs are found."""
    [row] = re.findall(rf"^\| {shipped().system(system.name).title} \| (.*) \|$", PAGE, re.M)
    settings, _, service_name, services = row.split(" | ")
    assert settings == f"`src/{system.package}/conf/docker.py`"
    assert service_name == f"`{system.service_name}`"
    composed = yaml.safe_load(block(system, "yaml"))["services"]
    assert services == ", ".join(f"`{name}`" for name in composed)


def test_links() -> None:
    """Every file that the page names is there."""
    for target in re.findall(r"\]\(([^):]+)\)", PAGE):
        assert (DOCS / target).is_file()
    assert (DOCS.parent / "collector" / "otelcol" / "otelcol.yaml").is_file()
