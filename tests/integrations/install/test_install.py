"""`install()` in the settings of the five systems: the real ones, in a process of their own."""

import json
import re
from pathlib import Path
from typing import Final

import pytest

from tests.integrations.install.project import INSTALL, SET_UP, SETTINGS, Project, needs_open_api_framework
from tests.otlp import HttpReceiver, Record

pytestmark = needs_open_api_framework

FIXED_TIME: Final = """
import structlog

def fixed_time(_, __, event_dict):
    event_dict["timestamp"] = "2025-05-19T14:09:20.339166Z"
    return event_dict

structlog.processors.TimeStamper = lambda **_: fixed_time
"""
"""So that two runs print the same."""
OLDER: Final = """
from tests.chains import older
structlog.configure(processors=older())
"""
GENERATIONS: Final = {
    "newer": FIXED_TIME + SETTINGS,
    "older": FIXED_TIME + SETTINGS + OLDER,
    "without format_exc_info": FIXED_TIME
    + SETTINGS
    + "from maykin_common.logging.config import structlog_configure_defaults as configure\n"
    + "configure(format_exc_info=False)\n",
}
"""The settings of each generation of the chain."""
STORY: Final = """
class Title:
    def __str__(self):
        return "Ongeldig"

logger = structlog.stdlib.get_logger("openzaak.zaken")
# One only: the order of several is that of addresses.
structlog.contextvars.bind_contextvars(request_id="9c3d")
logger.info("zaak_created", uuid="2f9e9a5b", identificatie="ZAAK-1", data={"bsn": "123456782"})
logger.bind(client_id="x").warning("user %s of %d", "a", 2)
logger.debug("below the level")
try:
    raise KeyError("outer", 2)
except KeyError as exc:
    logger.exception("api.uncaught_exception")
    logger.error("api.handled_exception", exc_info=exc, code="error", status=500, title=Title())
    logging.getLogger("django.request").error("Internal Server Error: %s", "/x", exc_info=True)
logging.getLogger("celery.worker").error("foreign", extra={"data": {"id": 1}})
logging.getLogger("openzaak.zaken").info("of the project")
logging.getLogger("mozilla_django_oidc.views").warning("prints twice: its logger propagates")
logging.getLogger("celery.worker").warning("below the level of the root logger")
structlog.contextvars.clear_contextvars()
structlog.stdlib.get_logger("not.configured").warning("below the level of the root logger")
structlog.stdlib.get_logger("django_structlog.middlewares").info("its handler may have a higher level than its logger")
"""
"""What the five systems log: events with context, exceptions, arguments, and records of libraries."""


def bodies(records: list[Record]) -> list[str]:
    """Return what was said, in the order of time."""
    return [record.body for record in sorted(records, key=lambda one: one.attributes["log.record.uid"])]


@pytest.mark.parametrize("log_format", ["json", "plain_console"])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_is_printed_is_the_same(
    image: Path, tmp_path: Path, receiver: HttpReceiver, generation: str, log_format: str
) -> None:
    """Byte by byte, on stdout and stderr, for each generation of the chain: without, with the line, and without it."""
    environ = {"LOG_FORMAT_CONSOLE": log_format, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
    printed, received = [], []
    for line, auto in (("", ""), (INSTALL, ""), ("", "true")):
        project = Project(tmp_path, GENERATIONS[generation] + line)
        done = project.run(SET_UP, STORY, executable=image, OTEL_BRIDGE_AUTO=auto, **environ)
        # The traceback of a library's record is printed as the address of an object.
        printed.append([re.sub(r"0x[0-9a-f]+", "", text) for text in (done.stdout, done.stderr)])
        received.append(len(receiver.records))
    assert printed[0] == printed[1] == printed[2] != ["", ""]
    assert received == [0, 9, 18]


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_is_printed_arrives_once(tmp_path: Path, receiver: HttpReceiver, generation: str, level: str) -> None:
    """Of structlog and of other libraries, at every level: no record twice, none lost, none that is not printed."""
    project = Project(tmp_path, GENERATIONS[generation] + INSTALL)
    done = project.run(SET_UP, STORY, LOG_LEVEL=level, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    lines = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert bodies(receiver.records) == list(dict.fromkeys(lines))
    assert len(lines) > 3
