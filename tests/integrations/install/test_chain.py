"""The bridge's slot, in this process."""

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import structlog
from structlog.processors import (
    EventRenamer,
    JSONRenderer,
    KeyValueRenderer,
    StackInfoRenderer,
    add_log_level,
    dict_tracebacks,
    format_exc_info,
)
from structlog.stdlib import filter_by_level

from otel_bridge import LogBridge, Redaction, install
from otel_bridge.integrations.chain import slot
from otel_bridge.integrations.install import again, uninstall
from tests.chains import CHAINS, older
from tests.otlp import Memory

RENDERER: Final = JSONRenderer()


@pytest.fixture(autouse=True)
def uninstalled() -> Iterator[None]:
    """Take away what a test has installed."""
    yield
    uninstall()


def bridges() -> list[int]:
    """Return where bridges are in the configured chain."""
    return [number for number, one in enumerate(structlog.get_config()["processors"]) if isinstance(one, LogBridge)]


@pytest.mark.parametrize(
    ("processors", "expected"),
    [
        ([], 0),
        ([RENDERER], 0),
        ([add_log_level, RENDERER], 1),
        ([format_exc_info, RENDERER], 0),
        ([add_log_level, dict_tracebacks, RENDERER], 1),
        ([add_log_level, EventRenamer("message"), RENDERER], 1),
        ([filter_by_level, RENDERER], 1),
        ([format_exc_info, filter_by_level, RENDERER], 2),
        ([RENDERER, filter_by_level], 2),
    ],
)
def test_the_slot(processors: list[Any], expected: int) -> None:
    """Before what renders the exception or renames the event, else before the last; behind the filter always."""
    assert slot(processors) == expected


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_the_slot_in_the_five_systems(memory: Memory, chain: Callable[[], list[Any]]) -> None:
    """Immediately before `format_exc_info`, in both generations."""
    pytest.importorskip("maykin_common.logging", reason="maykin-common needs Python 3.12")
    structlog.configure(processors=chain())
    install(logger_provider=memory.provider)
    processors = structlog.get_config()["processors"]
    assert [processors.index(format_exc_info) - 1] == bridges()


def test_loggers_that_are_cached_have_it(memory: Memory) -> None:
    """The list itself is changed, which a logger that was used before holds."""
    structlog.configure(processors=[StackInfoRenderer(), RENDERER], cache_logger_on_first_use=True)
    logger = structlog.get_logger()
    logger.info("before")
    install(logger_provider=memory.provider)
    logger.info("after")
    assert [record.body for record in memory.records] == ["after"]


@pytest.mark.parametrize("processors", [[RENDERER], (RENDERER,)], ids=["list", "tuple"])
def test_it_is_there_once(memory: Memory, processors: Any) -> None:
    """However often it is installed, and whatever is configured later."""
    for _ in range(2):
        structlog.configure(processors=processors)
        for _ in range(2):
            install(logger_provider=memory.provider)
        structlog.configure(processors=processors)
        again()
        assert bridges() == [0]
    structlog.get_logger().info("once")
    assert [record.body for record in memory.records] == ["once"]


def test_configured_later(memory: Memory) -> None:
    """Each later configuration gets it, also without processors, and also the one that `configure_once` makes."""
    install(logger_provider=memory.provider)
    structlog.configure_once(processors=[add_log_level, RENDERER])
    assert bridges() == [1]
    structlog.configure(cache_logger_on_first_use=False)
    assert bridges() == [1]
    structlog.configure(processors=older())
    assert bridges() == [7]


def test_the_application_s_own_bridge_stays(memory: Memory) -> None:
    """Nothing is put beside it."""
    own = LogBridge(memory.provider)
    structlog.configure(processors=[own, RENDERER])
    install(logger_provider=memory.provider)
    assert structlog.get_config()["processors"] == [own, RENDERER]


def test_the_last_options_count(memory: Memory) -> None:
    """Another call with others replaces what is there, in the chain and on the loggers."""
    structlog.configure(processors=[RENDERER])
    console = logging.StreamHandler()
    logging.getLogger("library").addHandler(console)
    try:
        install(logger_provider=memory.provider)
        install(logger_provider=memory.provider, redaction=Redaction(names={"tenant": "tenant"}))
        structlog.get_logger().info("of structlog", tenant="a")
        logging.getLogger("library").warning("of a library", extra={"tenant": "a"})
        assert [one.attributes["tenant"] for one in memory.records] == ["[redacted: tenant]"] * 2
        assert len(logging.getLogger("library").handlers) == 2
    finally:
        logging.getLogger("library").removeHandler(console)


def test_a_test_that_captures_events_is_left_alone(memory: Memory) -> None:
    """`structlog.testing.capture_logs` sees its events, and nobody else."""
    structlog.configure(processors=[RENDERER])
    install(logger_provider=memory.provider)
    with structlog.testing.capture_logs() as captured:
        again()
        structlog.get_logger().info("captured")
    structlog.get_logger().info("sent")
    assert [one["event"] for one in captured] == ["captured"]
    assert [record.body for record in memory.records] == ["sent"]


@pytest.mark.parametrize("options", [{"levels": {"": "loud"}}, {"stacktrace": "some"}, {"unknown": 1}])
def test_a_wrong_option_is_said(caplog: pytest.LogCaptureFixture, options: dict[str, Any]) -> None:
    """Once, with its value; then nothing is changed, nothing raised."""
    processors = [KeyValueRenderer()]
    structlog.configure(processors=processors)
    config = {"version": 1, "handlers": {}}
    assert install(config, **options) is config
    assert (bridges(), config) == ([], {"version": 1, "handlers": {}})
    [said] = [one.getMessage() for one in caplog.records if one.name == "otel_bridge"]
    assert str(next(iter(options))) in said


def test_disabled_it_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`OTEL_SDK_DISABLED=true`: neither chain nor configuration is changed, whatever is configured later."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "TRUE")
    config: dict[str, Any] = {
        "version": 1,
        "handlers": {"c": {"class": "logging.StreamHandler"}},
        "root": {"handlers": ["c"]},
    }
    assert install(config) == {**config}
    structlog.configure(processors=[RENDERER])
    assert bridges() == []
    assert list(config["handlers"]) == ["c"]
