"""How a record that structlog made is told from one that never met structlog, and each is emitted once."""

import copy
import io
import logging
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from structlog.stdlib import ProcessorFormatter

from otel_bridge import LogBridge, LogBridgeHandler
from otel_bridge.bridge.origin import REMEMBERED, first_time
from tests.otlp import Memory

ENDS: dict[str, list[Any]] = {
    "JSONRenderer": [structlog.processors.JSONRenderer()],
    "KeyValueRenderer": [structlog.processors.KeyValueRenderer()],
    "render_to_log_kwargs": [structlog.stdlib.render_to_log_kwargs],
    "wrap_for_formatter": [ProcessorFormatter.wrap_for_formatter],
}
"""What a chain over `logging` may end in."""
if hasattr(structlog.stdlib, "render_to_log_args_and_kwargs"):
    # From structlog 25.1 on.
    ENDS["render_to_log_args_and_kwargs"] = [structlog.stdlib.render_to_log_args_and_kwargs]

ends = pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)


@pytest.fixture
def root(memory: Memory) -> logging.Logger:
    """The root logger, with the bridge's handler."""
    root = logging.getLogger()
    root.handlers[:] = [LogBridgeHandler(logger_provider=memory.provider)]
    root.setLevel(logging.DEBUG)
    return root


def over_logging(*processors: Any, **options: Any) -> Any:
    """Return a structlog logger over `logging`."""
    options.setdefault("wrapper_class", structlog.stdlib.BoundLogger)
    return structlog.wrap_logger(logging.getLogger("tests.origin"), processors=processors, **options)


class Calls(logging.Handler):
    """A handler that does something for each record of one logger."""

    def __init__(self, name: str, call: Callable[[], object]) -> None:
        super().__init__()
        self.addFilter(logging.Filter(name))
        self.call = call

    def emit(self, _: logging.LogRecord) -> None:
        """Call it."""
        self.call()


@ends
@pytest.mark.usefixtures("root")
def test_what_structlog_logs_is_emitted_once(memory: Memory, end: list[Any]) -> None:
    """By the processor; the handler on the root logger lets it pass."""
    over_logging(LogBridge(memory.provider), *end).info("zaak_created", a=1)
    assert (memory.record.event_name, memory.record.attributes["a"]) == ("zaak_created", 1)


@ends
@pytest.mark.parametrize(
    "wrapper", [structlog.stdlib.BoundLogger, structlog.make_filtering_bound_logger(0), structlog.BoundLogger]
)
@pytest.mark.usefixtures("root")
def test_whatever_logger_wraps_it(memory: Memory, end: list[Any], wrapper: Any) -> None:
    """structlog's own wrappers all come by the same way."""  # noqa: D403 - its name
    over_logging(LogBridge(memory.provider), *end, wrapper_class=wrapper).warning("zaak_created")
    assert memory.record.event_name == "zaak_created"


def test_what_never_met_structlog_is_emitted(memory: Memory, root: logging.Logger) -> None:
    """By the handler."""
    root.getChild("celery").info("Task %s", "x")
    assert (memory.record.body, memory.record.scope) == ("Task x", "celery")


@ends
@pytest.mark.usefixtures("root")
def test_a_library_s_record_from_inside_a_processor_is_emitted(memory: Memory, end: list[Any]) -> None:
    """A processor that looks something up logs on its own account."""

    def look_up(_: object, __: str, event_dict: Any) -> Any:
        logging.getLogger("urllib3").info("from a processor")
        return event_dict

    over_logging(LogBridge(memory.provider), look_up, *end).info("zaak_created")
    assert sorted(record.body for record in memory.records) == ["from a processor", "zaak_created"]


@ends
def test_a_library_s_record_from_inside_a_handler_is_emitted(
    memory: Memory, root: logging.Logger, end: list[Any]
) -> None:
    """A handler that sends something logs on its own account, before the bridge's and after."""
    call = Calls("tests.origin", lambda: logging.getLogger("urllib3").info("from a handler"))
    root.handlers[:] = [call, *root.handlers, call]
    over_logging(LogBridge(memory.provider), *end).info("zaak_created")
    assert sorted(record.body for record in memory.records) == ["from a handler", "from a handler", "zaak_created"]


@ends
def test_an_event_from_inside_a_handler_is_emitted_once(memory: Memory, root: logging.Logger, end: list[Any]) -> None:
    """Also one of structlog, for a record of a library."""
    logger = over_logging(LogBridge(memory.provider), *end)
    root.handlers[:] = [Calls("urllib3", lambda: logger.info("from_a_handler")), *root.handlers]
    logging.getLogger("urllib3").info("Starting")
    assert sorted(record.body for record in memory.records) == ["Starting", "from_a_handler"]


@ends
@pytest.mark.usefixtures("root")
def test_wrapped_call_handlers_are_seen_through(
    memory: Memory, end: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Sentry wraps them."""
    original = logging.Logger.callHandlers

    def call_handlers(self: logging.Logger, record: logging.LogRecord) -> None:
        original(self, record)

    monkeypatch.setattr(logging.Logger, "callHandlers", call_handlers)
    over_logging(LogBridge(memory.provider), *end).info("zaak_created")
    logging.getLogger("celery").info("Task")
    assert sorted(record.body for record in memory.records) == ["Task", "zaak_created"]


def test_a_handler_of_a_logger_and_its_parent_emits_once(memory: Memory, root: logging.Logger) -> None:
    """Records propagate."""
    child = logging.getLogger("tests.child")
    child.addHandler(root.handlers[0])
    try:
        child.info("x")
    finally:
        child.removeHandler(root.handlers[0])
    assert memory.record.body == "x"


def test_two_handlers_to_one_provider_emit_once(memory: Memory, root: logging.Logger) -> None:
    """A second `install()`."""
    root.addHandler(LogBridgeHandler(logger_provider=memory.provider))
    root.info("x")
    assert memory.record.body == "x"


def test_two_handlers_to_two_providers_both_emit(memory: Memory, root: logging.Logger) -> None:
    """Then it is what was meant."""
    other = Memory()
    root.addHandler(LogBridgeHandler(logger_provider=other.provider))
    root.info("x")
    assert (memory.record.body, other.record.body) == ("x", "x")


def formatting(memory: Memory, **options: Any) -> logging.Handler:
    """Return a console handler whose formatter has a bridge."""
    handler = logging.StreamHandler(io.StringIO())
    chain: list[Any] = [structlog.stdlib.add_log_level, LogBridge(memory.provider)]
    handler.setFormatter(
        ProcessorFormatter(processor=structlog.processors.JSONRenderer(), foreign_pre_chain=chain, **options)
    )
    return handler


@pytest.mark.parametrize("handlers", [1, 2, 3])
def test_a_bridge_in_foreign_pre_chain_emits_once(memory: Memory, handlers: int) -> None:
    """`ProcessorFormatter` runs it for each handler, with a copy of the record."""
    root = logging.getLogger()
    root.handlers[:] = [formatting(memory) for _ in range(handlers)]
    root.warning("%s", "x", exc_info=ValueError("y"))
    assert (memory.record.body, memory.record.attributes["exception.message"]) == ("x", "y")


def test_a_bridge_in_foreign_pre_chain_names_no_event(memory: Memory) -> None:
    """The message of a library is free text."""
    logging.getLogger().handlers[:] = [formatting(memory)]
    logging.getLogger().warning("starting")
    assert memory.record.event_name == ""


def test_the_record_in_a_formatter_s_event_dict_is_no_attribute(memory: Memory) -> None:
    """`_record` and `_from_structlog` are structlog's own."""
    logging.getLogger().handlers[:] = [formatting(memory)]
    logging.getLogger().warning("x")
    assert memory.record.attributes.keys() == {"source", "log.record.uid"}


def test_handler_and_foreign_pre_chain_emit_once(memory: Memory, root: logging.Logger) -> None:
    """Whoever comes first."""
    root.handlers[:] = [formatting(memory), *root.handlers, formatting(memory)]
    root.warning("x")
    assert memory.record.body == "x"


@ends
def test_two_formatters_and_the_handler_emit_once(memory: Memory, root: logging.Logger, end: list[Any]) -> None:
    """Events and records alike."""
    root.handlers[:] = [formatting(memory), *root.handlers, formatting(memory)]
    if end is ENDS["wrap_for_formatter"]:
        over_logging(LogBridge(memory.provider), *end).info("zaak_created")
        assert memory.record.event_name == "zaak_created"
    root.warning("x")
    assert [record.body for record in memory.records if not record.event_name] == ["x"]


def test_a_copy_of_a_record_is_the_same() -> None:
    """`ProcessorFormatter`, `QueueHandler` and others copy."""
    record, provider = logging.makeLogRecord({}), object()
    copied = logging.makeLogRecord(vars(record))
    assert [first_time(record, provider), first_time(copied, provider), first_time(copy.copy(record), provider)] == [
        True,
        False,
        False,
    ]


def test_two_records_of_one_instant_are_two() -> None:
    """Time may stand still, in tests for example."""
    made = {"created": 1.0, "msecs": 0.0, "msg": "x"}
    provider = object()
    assert [first_time(logging.makeLogRecord(made), provider) for _ in range(2)] == [True, True]


def test_what_is_remembered_is_bounded() -> None:
    """By the depth to which handlers log."""
    records, provider = [logging.makeLogRecord({}) for _ in range(REMEMBERED + 1)], object()
    assert all(first_time(record, provider) for record in records)
    assert [first_time(records[-1], provider), first_time(records[0], provider)] == [False, True]


def test_a_record_without_times_is_a_record() -> None:
    """Somebody made it by hand, and took away what we look at."""
    record, provider = logging.makeLogRecord({}), object()
    del record.relativeCreated
    assert [first_time(record, provider), first_time(record, provider)] == [True, False]
