"""Handlers in a configuration for `dictConfig`."""

import copy
import logging.config
import pprint
from collections.abc import Iterator
from typing import Any, Final

import pytest

from otel_bridge import install
from otel_bridge.integrations.install import uninstall
from tests.otlp import Memory

HANDLERS: Final[dict[str, dict[str, Any]]] = {
    "colour": {"class": "colorlog.StreamHandler"},
    "console": {"class": "logging.StreamHandler", "level": "INFO"},
    "debug": {"class": "logging.StreamHandler", "level": "DEBUG", "stream": "ext://sys.stdout"},
    "even": {"()": "logging.StreamHandler", "filters": ["even"]},
    "file": {"class": "logging.FileHandler", "filename": "/dev/null", "delay": True, "level": "ERROR"},
    "memory": {"class": "logging.handlers.MemoryHandler", "capacity": 9},
    "null": {"class": "logging.NullHandler"},
    "otel": {"class": "otel_bridge.LogBridgeHandler"},
    "own": {"class": "not.there.Handler"},
    "queue": {"class": "logging.handlers.QueueHandler", "queue": "queue.SimpleQueue"},
}


@pytest.fixture(autouse=True)
def uninstalled() -> Iterator[None]:
    """Take away what a test has installed, and what it has configured."""
    yield
    uninstall()
    for name in ("a", "a.b", "a.b.c"):
        logger = logging.getLogger(name)
        for handler in logger.handlers[:]:
            logger.removeHandler(handler)
            handler.close()
        logger.propagate, logger.level, logger.disabled = True, logging.NOTSET, False


def config(**loggers: dict[str, Any]) -> dict[str, Any]:
    """Write a configuration with loggers `a`, `a.b`, `a.b.c`, and the handlers that they use."""
    used = {name for one in loggers.values() for name in one["handlers"]}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"even": {"()": Even}},
        "handlers": {name: {**HANDLERS[name]} for name in sorted(used)},
        "loggers": {name.replace("_", "."): {"level": "DEBUG", **one} for name, one in loggers.items()},
    }


class Even(logging.Filter):
    """Lets every second record pass."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - the signature is its parent's
        """Count."""
        self.seen += 1
        return self.seen % 2 == 0


def sent(memory: Memory, settings: dict[str, Any], *calls: tuple[str, str]) -> list[str]:
    """Install into *settings*, log at a level on each logger, and return what was sent."""
    logging.config.dictConfig(install(settings, logger_provider=memory.provider))
    for name, level in calls:
        getattr(logging.getLogger(name), level)(f"{name} {level}")
    return [record.body for record in memory.records]


ALL = [(name, level) for name in ("a", "a.b", "a.b.c") for level in ("debug", "info", "error")]


@pytest.mark.parametrize(
    ("loggers", "expected"),
    [
        ({"a": {"handlers": ["console"]}}, ["info", "error"] * 3),
        ({"a": {"handlers": ["console"]}, "a_b": {"handlers": ["console"]}}, ["info", "error"] * 3),
        ({"a": {"handlers": ["console"]}, "a_b": {"handlers": [], "propagate": False}}, ["info", "error"]),
        ({"a": {"handlers": ["console"], "level": "ERROR"}}, ["error"] * 3),
        (
            {"a": {"handlers": ["console"]}, "a_b": {"handlers": ["debug"]}},
            ["info", "error", *["debug", "info", "error"] * 2],
        ),
        ({"a": {"handlers": ["file"]}}, ["error"] * 3),
        ({"a": {"handlers": ["file", "console"]}}, ["info", "error"] * 3),
        ({"a": {"handlers": ["memory", "null"], "propagate": False}}, []),
        ({"a": {"handlers": ("console", "console")}}, ["info", "error"] * 3),
    ],
    ids=["parent", "both", "no propagate", "level", "child below", "file", "file and console", "neither", "twice"],
)
def test_what_is_printed_is_sent_once(memory: Memory, loggers: dict[str, Any], expected: list[str]) -> None:
    """Levels of loggers and handlers hold, and `propagate` does."""
    assert [body.split()[1] for body in sent(memory, config(**loggers), *ALL)] == expected


def test_of_a_filter_that_counts_each_has_its_own(memory: Memory) -> None:
    """What is printed is what would be without the bridge, and what is sent is the same."""
    settings = config(a={"handlers": ["even"], "propagate": False})
    assert sent(memory, settings, *[("a", level) for level in ("debug", "info", "warning", "error")]) == [
        "a info",
        "a error",
    ]


def test_the_root_logger(memory: Memory) -> None:
    """Under `root`, as under the empty name."""
    settings = config(root={"handlers": ["console"], "level": "WARNING"})
    settings["root"] = settings["loggers"].pop("root")
    assert sent(memory, settings, *ALL) == ["a error", "a.b error", "a.b.c error"]


def test_in_front_of_a_queue(memory: Memory) -> None:
    """Behind it, nobody could tell any more what structlog has logged."""
    settings = config(a={"handlers": ["queue"], "propagate": False})
    assert install(settings, logger_provider=memory.provider)["loggers"]["a"]["handlers"] == [
        "queue",
        "otel_bridge_queue",
    ]


def test_a_class_is_not_imported(memory: Memory) -> None:
    """An application's may need the settings first; its name has to do."""
    settings = config(a={"handlers": ["colour", "own"]})
    install(settings, logger_provider=memory.provider)
    assert settings["loggers"]["a"]["handlers"] == ["colour", "own", "otel_bridge_colour"]


def test_a_second_call_changes_nothing(memory: Memory) -> None:
    """Nor does a third."""
    settings = config(a={"handlers": ["console", "even"]}, a_b={"handlers": ["file"]})
    once = [copy.copy(sent(memory, settings)), pprint.pformat(settings)]
    assert [sent(memory, settings), pprint.pformat(settings)] == once


def test_a_list_that_loggers_share(memory: Memory) -> None:
    """As in open-api-framework: the list stays as it is, and each logger gets one handler."""
    shared = ["console"]
    settings = config(a={"handlers": shared}, a_b={"handlers": shared})
    install(settings, logger_provider=memory.provider)
    assert shared == ["console"]
    assert [settings["loggers"][name]["handlers"] for name in ("a", "a.b")] == [["console", "otel_bridge_console"]] * 2


def test_the_application_s_own_handler_stays(memory: Memory) -> None:
    """A logger that has one gets no other."""
    settings = config(a={"handlers": ["console", "otel"]})
    before = copy.deepcopy(settings)
    assert install(settings, logger_provider=memory.provider) == before


@pytest.mark.parametrize("settings", [{}, {"version": 1, "incremental": True, "handlers": {"x": {"level": "INFO"}}}])
def test_nothing_to_do(memory: Memory, settings: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is said, and nothing changed."""
    before = copy.deepcopy(settings)
    assert install(settings, logger_provider=memory.provider) == before
    assert not [one for one in caplog.records if one.name == "otel_bridge"]


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        (["console"], "LOGGING is of type list"),
        ({"handlers": ["console"]}, "LOGGING['handlers'] is of type list"),
        ({"handlers": {"console": "stdout"}}, "LOGGING['handlers']['console'] is of type str"),
        ({"handlers": {"console": {}}, "loggers": {"a": ["console"]}}, "LOGGING['loggers']['a'] is of type list"),
        ({"handlers": {"console": {}}, "root": {"handlers": "console"}}, "LOGGING['root']['handlers'] is of type str"),
        ({"loggers": None}, "LOGGING['loggers'] is of type NoneType"),
        (
            {"handlers": {"c": {"class": "logging.StreamHandler", "filters": 1}}, "root": {"handlers": ["c"]}},
            "LOGGING['handlers']['c']['filters'] is of type int",
        ),
    ],
)
def test_an_unexpected_shape(memory: Memory, settings: Any, where: str, caplog: pytest.LogCaptureFixture) -> None:
    """One warning that says where, and it is unchanged."""
    before = copy.deepcopy(settings)
    assert install(settings, logger_provider=memory.provider) == before
    [said] = [one.getMessage() for one in caplog.records if one.name == "otel_bridge"]
    assert f": {where};" in said
