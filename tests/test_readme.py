"""The README's code runs, and does what the README says."""

import re
from pathlib import Path
from typing import Final

import pytest

from otel_bridge.catalogue import read
from tests.conftest import Run
from tests.otlp import HttpReceiver

README: Final = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the README's code blocks in *language*, in order."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


FIVE_SYSTEMS, STRUCTLOG, DJANGO, OFFICIAL = blocks("python")

LOG: Final = """
import logging, structlog
structlog.get_logger("openzaak").warning("zaak_created", uuid="1f")
logging.getLogger("django.request").error("Bad Request")
"""
CONFIGURE: Final = "import logging.config\nlogging.config.dictConfig(LOGGING)"
SETTINGS: Final = "from otel_bridge.demo.today import *"
"""The settings of the five systems, with open-api-framework's chain and loggers."""


@pytest.mark.parametrize(
    ("parts", "arrived"),
    [
        ((STRUCTLOG,), ["zaak_created"]),
        ((STRUCTLOG, DJANGO, CONFIGURE), ["zaak_created", "Bad Request"]),
        ((SETTINGS, FIVE_SYSTEMS, CONFIGURE), ["zaak_created", "Bad Request"]),
        ((OFFICIAL,), ["zaak_created"]),
    ],
    ids=["structlog", "Django", "one of the five systems", "the official SDK"],
)
def test_python(run: Run, receiver: HttpReceiver, parts: tuple[str, ...], arrived: list[str]) -> None:
    """Each configuration delivers what is logged, once."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "DJANGO_SETTINGS_MODULE": "otel_bridge.demo.today"}
    run("import otel_bridge", *parts, LOG, **environ)
    assert [record.body for record in receiver.records] == arrived


def test_own_events(tmp_path: Path) -> None:
    """The example of a catalogue is one."""
    [example] = blocks("yaml")
    (tmp_path / "webshop.yaml").write_text(example, encoding="utf-8")
    assert [event.name for event in read(tmp_path / "webshop.yaml").events] == ["basket_paid"]


def test_links() -> None:
    """Every file that the README links to is there."""
    for target in re.findall(r"\]\(([^):]+)\)", README):
        assert (Path(__file__).parent.parent / target).is_file()


def test_make() -> None:
    """Every target of `make` that the README names is there."""
    targets = re.findall(r"^([a-z]+):", (Path(__file__).parent.parent / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"`?make ([a-z]+)", README)) <= set(targets)
