"""The structlog processor."""

import asyncio
import copy
import io
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from opentelemetry import context, trace
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY
from opentelemetry.sdk.trace import TracerProvider

from otel_bridge import LogBridge, LogBridgeHandler
from otel_bridge.diagnostics import Diagnostics
from tests.bridge.foreign import Raises, raised
from tests.otlp import Memory


def wrapped(*processors: Any, **options: Any) -> Any:
    """Return a logger with a chain of its own."""
    return structlog.wrap_logger(structlog.PrintLogger(io.StringIO()), processors=processors, **options)


def test_the_event_dict_is_returned_unchanged(memory: Memory) -> None:
    """The same object, with the same values, of the same types."""
    event_dict = {"event": "x", "exc_info": raised(ValueError("x")), "data": {"password": "x", "a": [1, None]}}
    before = copy.copy(event_dict)
    data = copy.deepcopy(event_dict["data"])
    assert LogBridge(memory.provider)(None, "info", event_dict) is event_dict
    assert event_dict == before
    assert event_dict["data"] == data


def test_the_logger_s_own_name_is_the_scope(memory: Memory) -> None:
    """In a chain without `add_logger_name`."""
    logger = structlog.wrap_logger(
        logging.getLogger("tests.scope"), processors=[LogBridge(memory.provider), structlog.stdlib.render_to_log_kwargs]
    )
    logger.error("x")
    assert memory.record.scope == "tests.scope"


def test_a_chain_that_ends_in_json_is_bridged(memory: Memory) -> None:
    """Without `logging` at all."""
    logger = wrapped(
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        LogBridge(memory.provider),
        structlog.processors.JSONRenderer(),
    )
    logger.warning("zaak_created", a=1)
    record = memory.record
    assert (record.body, record.event_name, record.severity_text, record.attributes["a"]) == (
        "zaak_created",
        "zaak_created",
        "warning",
        1,
    )


def test_the_level_of_a_chain_without_levels_is_the_method(memory: Memory) -> None:
    """`add_log_level` may be missing."""
    wrapped(LogBridge(memory.provider), structlog.processors.JSONRenderer()).critical("x")
    assert (memory.record.severity_text, memory.record.severity_number) == ("critical", 21)


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_positional_arguments_are_in_the_body(memory: Memory, *, first: bool) -> None:
    """On either side of `PositionalArgumentsFormatter`, and no attribute."""
    processors = [structlog.stdlib.PositionalArgumentsFormatter(), structlog.processors.JSONRenderer()]
    processors.insert(0 if first else 1, LogBridge(memory.provider))
    wrapped(*processors, wrapper_class=structlog.stdlib.BoundLogger).info("%s of %d", "a", 2)
    assert (memory.record.body, "positional_args" in memory.record.attributes) == ("a of 2", False)


def test_a_renamed_event_is_known(memory: Memory) -> None:
    """Behind `EventRenamer`, by the option of that name."""
    bridge = LogBridge(memory.provider, renamed={"event": "message"})
    wrapped(structlog.processors.EventRenamer("message"), bridge, structlog.processors.JSONRenderer()).info("x_y", a=1)
    assert (memory.record.body, memory.record.event_name, "message" in memory.record.attributes) == (
        "x_y",
        "x_y",
        False,
    )


def test_a_renamed_timestamp_is_known(memory: Memory) -> None:
    """Of `TimeStamper(key="ts")`."""
    bridge = LogBridge(memory.provider, renamed={"timestamp": "ts"})
    wrapped(structlog.processors.TimeStamper(key="ts"), bridge, structlog.processors.JSONRenderer()).info("x")
    assert ("ts" in memory.record.attributes, memory.record.timestamp < memory.record.observed_timestamp) == (
        False,
        True,
    )


def test_an_asynchronous_logger_is_bridged(memory: Memory) -> None:
    """`AsyncBoundLogger` runs the chain in a thread, with the caller's context."""

    async def log() -> None:
        with structlog.contextvars.bound_contextvars(request_id="9c3d"):
            logger = structlog.wrap_logger(
                logging.getLogger("tests.asynchronous"),
                wrapper_class=structlog.stdlib.AsyncBoundLogger,
                processors=[
                    structlog.contextvars.merge_contextvars,
                    LogBridge(memory.provider),
                    structlog.stdlib.render_to_log_kwargs,
                ],
            )
            await logger.ainfo("x") if hasattr(logger, "ainfo") else await logger.info("x")

    asyncio.run(log())
    assert (memory.record.attributes["request_id"], memory.record.scope) == ("9c3d", "tests.asynchronous")


@pytest.mark.parametrize("method", ["info", "ainfo"])
def test_a_filtering_logger_is_bridged(memory: Memory, method: str) -> None:
    """Its asynchronous methods too; what it filters is not."""
    logger = wrapped(
        structlog.processors.add_log_level,
        LogBridge(memory.provider),
        structlog.processors.JSONRenderer(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )

    async def log() -> None:
        logger.debug("below")
        if called := getattr(logger, method)("x"):
            await called

    asyncio.run(log())
    assert (memory.record.body, memory.record.severity_text) == ("x", "info")


def test_a_logger_that_was_bound_before_the_bridge_is_bridged(memory: Memory) -> None:
    """The list of processors is changed in place, because loggers keep it."""
    processors: list[Any] = [structlog.processors.JSONRenderer()]
    structlog.configure(processors=processors, logger_factory=structlog.ReturnLoggerFactory())
    logger = structlog.get_logger().bind(a=1)
    structlog.get_config()["processors"].insert(0, LogBridge(memory.provider))
    logger.info("x")
    assert memory.record.attributes["a"] == 1


def test_two_bridges_in_a_chain_emit_once(memory: Memory) -> None:
    """A second one to the same provider stands still."""
    wrapped(LogBridge(memory.provider), LogBridge(memory.provider), structlog.processors.JSONRenderer()).info("x")
    assert memory.record.body == "x"


def test_two_bridges_to_two_providers_both_emit(memory: Memory) -> None:
    """Then it is what was meant."""
    other = Memory()
    wrapped(LogBridge(memory.provider), LogBridge(other.provider), structlog.processors.JSONRenderer()).info("x")
    assert (memory.record.body, other.record.body) == ("x", "x")


def test_two_bridges_in_two_chains_both_emit(memory: Memory) -> None:
    """Each has its own events."""
    for _ in range(2):
        wrapped(LogBridge(memory.provider), structlog.processors.JSONRenderer()).info("x")
    assert len(memory.records) == 2


def test_a_bridge_without_a_chain_emits(memory: Memory) -> None:
    """Called as a function, beside another that lives."""
    bridges = [LogBridge(memory.provider), LogBridge(memory.provider)]
    for bridge in bridges:
        bridge(None, "info", {"event": "x"})
    assert len(memory.records) == 2


def test_a_later_drop_takes_the_line_only(memory: Memory) -> None:
    """A processor behind the bridge that raises `DropEvent`: the record has gone."""

    def drop(*_: Any) -> Any:
        raise structlog.DropEvent

    wrapped(LogBridge(memory.provider), drop).info("x")
    assert memory.record.body == "x"


def test_an_earlier_drop_takes_the_record(memory: Memory) -> None:
    """So the bridge may be placed last."""

    def drop(*_: Any) -> Any:
        raise structlog.DropEvent

    wrapped(drop, LogBridge(memory.provider)).info("x")
    assert memory.records == []


def test_nothing_is_emitted_while_instrumentation_is_suppressed(memory: Memory) -> None:
    """An exporter's own client logs, and would be exported, without end."""
    token = context.attach(context.set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
    try:
        LogBridge(memory.provider)(None, "info", {"event": "x"})
    finally:
        context.detach(token)
    assert memory.records == []


def test_the_current_span_is_the_record_s(memory: Memory) -> None:
    """Without any key."""
    with TracerProvider().get_tracer("tests").start_as_current_span("x") as span:
        LogBridge(memory.provider)(None, "info", {"event": "x"})
    expected = span.get_span_context()
    assert (memory.record.trace_id, memory.record.span_id) == (f"{expected.trace_id:032x}", f"{expected.span_id:016x}")


def test_bound_ids_are_the_record_s(memory: Memory) -> None:
    """Where no span is current, as in a consumer that only has the ids."""
    LogBridge(memory.provider)(
        None, "info", {"event": "x", "trace_id": "a" * 32, "span_id": "b" * 16, "trace_flags": 1}
    )
    assert (memory.record.trace_id, memory.record.span_id, memory.record.flags) == ("a" * 32, "b" * 16, 1)


def test_no_span_is_left_current(memory: Memory) -> None:
    """The application's context stays as it was."""
    LogBridge(memory.provider)(None, "info", {"event": "x", "trace_id": "a" * 32, "span_id": "b" * 16})
    assert trace.get_current_span() is trace.INVALID_SPAN


class TestLevels:
    """The lowest level by logger name."""

    @pytest.mark.parametrize(
        ("logger", "level", "arrives"),
        [
            ("openzaak", "info", True),
            ("openzaak", "debug", False),
            ("django.db", "info", False),
            ("django.db", "warning", True),
            ("django.db.backends", "info", False),
            ("django.db.backends.schema", "debug", True),
            ("django.dbx", "info", True),
            ("openzaak", "verbose", True),
        ],
    )
    def test_the_longest_name_decides(self, memory: Memory, logger: str, level: str, *, arrives: bool) -> None:
        """An unknown level passes: nothing tells how low it is."""
        levels = {"": "info", "django.db": "warning", "django.db.backends.schema": "debug"}
        LogBridge(memory.provider, levels=levels)(None, level, {"event": "x", "level": level, "logger": logger})
        assert len(memory.records) == arrives

    def test_a_wrong_level_raises_at_once(self) -> None:
        """With the value in the message."""
        with pytest.raises(ValueError, match=r"levels\['django'\]='wrong' is no level"):
            LogBridge(levels={"": "info", "django": "wrong"})


class TestProviderThatRaises:
    """What goes wrong behind the bridge stays there."""

    @pytest.fixture
    def broken(self, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> Memory:
        """A provider whose emit raises."""

        def export(_: object) -> None:
            raise ConnectionError("x")

        monkeypatch.setattr(memory.provider, "get_logger", export)
        return memory

    @pytest.fixture
    def said(self, contained: Diagnostics) -> Iterator[list[str]]:  # noqa: ARG002 - expected
        """What logger `otel_bridge` says."""
        heard: list[str] = []

        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                heard.append(record.getMessage())

        handler = Handler()
        logging.getLogger("otel_bridge").addHandler(handler)
        yield heard
        logging.getLogger("otel_bridge").removeHandler(handler)

    @pytest.mark.usefixtures("contained")
    def test_the_application_goes_on(self, broken: Memory) -> None:
        """The event dict is returned."""
        assert LogBridge(broken.provider)(None, "info", {"event": "x"}) == {"event": "x"}

    def test_it_is_counted(self, broken: Memory, contained: Diagnostics) -> None:
        """By what was raised."""
        for _ in range(5):
            LogBridge(broken.provider)(None, "info", {"event": "x"})
        assert contained.counts == {"were lost to builtins.ConnectionError": 5}

    def test_it_is_said_at_most_once_a_minute(self, broken: Memory, said: list[str]) -> None:
        """Not for each record."""
        for _ in range(5):
            LogBridge(broken.provider)(None, "info", {"event": "x"})
        assert said == ["1 log records were lost to builtins.ConnectionError."]

    def test_the_next_minute_says_the_rest(self, broken: Memory, said: list[str], contained: Diagnostics) -> None:
        """Every one that was lost is in one of the sentences."""
        for minute in range(2):
            vars(contained)["_next"] = 0.0
            for _ in range(5):
                LogBridge(broken.provider)(None, "info", {"event": "x"})
            assert len(said) == minute + 1
        assert said[1] == "5 log records were lost to builtins.ConnectionError."

    def test_the_sentence_does_not_feed_itself(self, broken: Memory, said: list[str]) -> None:
        """The bridge's own handler on the root logger fails on it, too."""
        logging.getLogger().addHandler(LogBridgeHandler(logger_provider=broken.provider))
        LogBridge(broken.provider)(None, "info", {"event": "x"})
        assert len(said) == 1

    @pytest.mark.usefixtures("contained")
    def test_control_c_passes(self, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only an `Exception` is contained."""

        def interrupt(_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(memory.provider, "get_logger", interrupt)
        with pytest.raises(KeyboardInterrupt):
            LogBridge(memory.provider)(None, "info", {"event": "x"})


@pytest.mark.usefixtures("contained")
@pytest.mark.parametrize("rendered", ["text", b"bytes", (("x",), {}), None, 5])
def test_behind_a_renderer_it_breaks_nothing(memory: Memory, rendered: Any) -> None:
    """A bridge that was placed last returns what it got."""
    assert LogBridge(memory.provider)(None, "info", rendered) is rendered


def test_a_logger_without_a_name_is_no_scope(memory: Memory) -> None:
    """Whatever is wrapped."""
    LogBridge(memory.provider)(Raises, "info", {"event": "x"})
    assert memory.record.scope == "structlog"


def test_threads_lose_nothing(memory: Memory) -> None:
    """Four threads of a thousand events."""
    logger = wrapped(LogBridge(memory.provider), structlog.processors.KeyValueRenderer())
    threads = [threading.Thread(target=lambda: [logger.info("x") for _ in range(1000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({record.attributes["log.record.uid"] for record in memory.records}) == 4000
