"""The `logging.Handler` for records that never met structlog."""

import io
import logging
import logging.handlers
import queue
from typing import Any

import pytest
import structlog
from opentelemetry import context
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY
from opentelemetry.sdk.trace import TracerProvider

from otel_bridge import LogBridgeHandler, Redaction
from tests.bridge.foreign import NoClass, Raises, raised
from tests.otlp import Memory


@pytest.fixture
def handler(memory: Memory) -> LogBridgeHandler:
    """The handler of the bridge."""
    return LogBridgeHandler(logger_provider=memory.provider)


@pytest.fixture
def logger(handler: LogBridgeHandler) -> logging.Logger:
    """A logger whose records reach it."""
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG)
    return logging.getLogger("django.request")


def test_a_record_has_its_fields(memory: Memory, logger: logging.Logger) -> None:
    """The body formatted, the level in lower case, as `add_log_level` writes it."""
    logger.warning("Not Found: %s", "/zaken")
    record = memory.record
    assert (record.body, record.severity_text, record.severity_number, record.scope, record.event_name) == (
        "Not Found: /zaken",
        "warning",
        13,
        "django.request",
        "",
    )


def test_a_record_has_its_place_in_the_code(memory: Memory, logger: logging.Logger) -> None:
    """File, function and line."""
    logger.info("x")
    attributes = memory.record.attributes
    assert attributes["code.file.path"] == __file__
    assert attributes["code.function.name"] == "test_a_record_has_its_place_in_the_code"
    assert type(attributes["code.line.number"]) is int


def test_a_record_has_its_own_time(memory: Memory, handler: LogBridgeHandler) -> None:
    """That at which it was made, not at which it was handled."""
    handler.handle(logging.makeLogRecord({"created": 1747663760.339166, "msg": "x"}))
    assert memory.record.timestamp == 1_747_663_760_339_166_000


@pytest.mark.parametrize(
    ("level", "text", "number"),
    [
        (10, "debug", 5),
        (20, "info", 9),
        (40, "error", 17),
        (50, "critical", 21),
        (25, "level 25", 12),
        (60, "level 60", 24),
    ],
)
def test_a_record_has_its_severity(memory: Memory, logger: logging.Logger, level: int, text: str, number: int) -> None:
    """Levels of the application's own by their number."""
    logger.log(level, "x")
    assert (memory.record.severity_text, memory.record.severity_number) == (text, number)


def test_a_record_has_its_exception(memory: Memory, logger: logging.Logger) -> None:
    """On stdout it is lost today."""
    logger.error("x", exc_info=raised(KeyError("outer", 2)))
    attributes = memory.record.attributes
    assert (attributes["exception.type"], attributes["exception.message"]) == ("KeyError", "('outer', 2)")
    assert "Traceback" in attributes["exception.stacktrace"]


def test_an_exception_that_was_only_rendered_is_read(memory: Memory, handler: LogBridgeHandler) -> None:
    """Who sends records to another process drops the exception itself."""
    handler.handle(logging.makeLogRecord({"msg": "x", "exc_text": "Traceback (most recent call last):\nValueError: y"}))
    assert memory.record.attributes["exception.message"] == "y"


def test_without_an_exception_there_is_none(memory: Memory, logger: logging.Logger) -> None:
    """`logger.exception` outside an `except` block, after a formatter has written `NoneType: None`."""
    logging.getLogger().handlers.insert(0, logging.StreamHandler(io.StringIO()))
    logger.exception("x")
    assert {key for key in memory.record.attributes if key.startswith("exc")} == set()


def test_a_record_has_its_stack(memory: Memory, logger: logging.Logger) -> None:
    """`stack_info=True`."""
    logger.info("x", stack_info=True)
    assert memory.record.attributes["code.stacktrace"].startswith("Stack (most recent call last):")


def test_a_record_has_its_extras(memory: Memory, logger: logging.Logger) -> None:
    """Whatever their type."""
    logger.info("x", extra={"status_code": 404, "data": {"a": [1, None]}})
    attributes = memory.record.attributes
    assert (attributes["status_code"], attributes["data"]) == (404, {"a": [1, None]})


def test_a_record_has_no_attributes_of_logging_s_own(memory: Memory, handler: LogBridgeHandler) -> None:
    """Formatters write `message` and `asctime` into it."""
    logging.Formatter("%(asctime)s").format(record := logging.makeLogRecord({"msg": "x", "taskName": "y"}))
    handler.handle(record)
    assert {key for key in memory.record.attributes if not key.startswith("code.")} == {"source", "log.record.uid"}


def test_a_record_has_the_context(memory: Memory, logger: logging.Logger) -> None:
    """As on stdout through `foreign_pre_chain`."""
    with structlog.contextvars.bound_contextvars(request_id="9c3d"):
        logger.info("x")
    assert memory.record.attributes["request_id"] == "9c3d"


def test_an_extra_wins_over_the_context(memory: Memory, logger: logging.Logger) -> None:
    """It is said of this record."""
    with structlog.contextvars.bound_contextvars(request_id="9c3d"):
        logger.info("x", extra={"request_id": "its own"})
    assert memory.record.attributes["request_id"] == "its own"


@pytest.mark.parametrize("key", ["event", "level", "logger", "timestamp"])
def test_an_extra_does_not_replace_a_field(memory: Memory, logger: logging.Logger, key: str) -> None:
    """It goes beside it."""
    logger.info("x", extra={key: "its own"})
    record = memory.record
    assert (record.body, record.severity_text, record.attributes[f"extra.{key}"]) == ("x", "info", "its own")


def test_an_exception_among_the_extras_is_read(memory: Memory, logger: logging.Logger) -> None:
    """Where the record has none."""
    logger.info("x", extra={"exception": ValueError("y")})
    assert memory.record.attributes["exception.message"] == "y"


def test_a_record_is_of_the_current_span(memory: Memory, logger: logging.Logger) -> None:
    """As an event is."""
    with TracerProvider().get_tracer("tests").start_as_current_span("x") as span:
        logger.info("x")
    assert int(memory.record.span_id, 16) == span.get_span_context().span_id


@pytest.mark.parametrize(
    ("message", "args"), [("%d", ("x",)), ("%s %s", ("x",)), ("%s", (Raises(),)), ("%(a)s", ({"b": 1},))], ids=range(4)
)
def test_arguments_that_do_not_fit_stay(memory: Memory, handler: LogBridgeHandler, message: str, args: Any) -> None:
    """The record arrives with its message as it was."""
    handler.handle(logging.LogRecord("x", logging.INFO, "x.py", 1, message, args, None))
    assert (memory.record.body, "positional_args" in memory.record.attributes) == (message, True)


@pytest.mark.parametrize(
    "key", ["message", "name", "args", "module", "levelname", "msg", "exc_info", "pathname", "lineno"]
)
@pytest.mark.parametrize("kind", [Raises, NoClass, dict, lambda: 5, lambda: "text", lambda: None])
def test_a_record_made_by_hand_raises_nothing(memory: Memory, handler: LogBridgeHandler, key: str, kind: Any) -> None:
    """`logging` refuses such extras; `makeLogRecord` takes them."""
    handler.handle(logging.makeLogRecord({"msg": "x", key: kind()}))
    assert memory.record.attributes["source"] == "app"


@pytest.mark.parametrize(
    ("message", "body"), [(5, "5"), (ValueError("x"), "x"), ({"a": 1}, "{'a': 1}"), (None, "None"), (["a"], "['a']")]
)
def test_a_message_that_is_no_text_is_written_as_one(
    memory: Memory, logger: logging.Logger, message: object, body: str
) -> None:
    """As `logging` itself does."""
    logger.info(message)
    assert memory.record.body == body


def test_a_level_of_the_handler_is_kept(memory: Memory) -> None:
    """As of any other handler."""
    root = logging.getLogger()
    root.handlers[:] = [LogBridgeHandler("WARNING", memory.provider)]
    root.setLevel(logging.DEBUG)
    root.info("below")
    root.warning("x")
    assert memory.record.body == "x"


def test_levels_by_name_are_kept(memory: Memory) -> None:
    """As for the processor."""
    logging.getLogger().handlers[:] = [
        LogBridgeHandler(logger_provider=memory.provider, levels={"django.db": "error"}),
    ]
    logging.getLogger("django.db.backends").warning("below")
    logging.getLogger("django.request").warning("x")
    assert memory.record.body == "x"


def test_options_are_those_of_the_processor(memory: Memory) -> None:
    """Rules, redaction and stack traces."""
    handler = LogBridgeHandler(
        logger_provider=memory.provider,
        keys={"tenant": "tenant.id"},
        redaction=Redaction(names=["naam"]),
        stacktrace="none",
    )
    handler.handle(
        logging.makeLogRecord({"msg": "x", "tenant": "a", "naam": "b", "exc_info": (ValueError, ValueError("y"), None)})
    )
    attributes = memory.record.attributes
    assert (attributes["tenant.id"], attributes["naam"], "exception.stacktrace" in attributes) == (
        "a",
        "[redacted: naam]",
        False,
    )


def test_secrets_are_redacted_by_default(memory: Memory, logger: logging.Logger) -> None:
    """Libraries log headers."""
    logger.info("Authorization: Bearer %s", "abc123def456")
    assert memory.record.body == "Authorization: Bearer [redacted: authorization]"


def test_nothing_is_emitted_while_instrumentation_is_suppressed(memory: Memory, logger: logging.Logger) -> None:
    """What the exporter's client logs would be exported, without end."""
    token = context.attach(context.set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
    try:
        logger.info("x")
    finally:
        context.detach(token)
    assert memory.records == []


def test_a_record_from_a_queue_arrives(memory: Memory) -> None:
    """With its arguments and exception already rendered into the message by `QueueHandler`."""
    records: queue.Queue[Any] = queue.Queue()
    listener = logging.handlers.QueueListener(records, LogBridgeHandler(logger_provider=memory.provider))
    listener.start()
    logging.getLogger().handlers[:] = [logging.handlers.QueueHandler(records)]
    logging.getLogger().error("%s", "x", exc_info=raised(ValueError("y")))
    listener.stop()
    assert memory.record.body.startswith("x\nTraceback")
    assert memory.record.body.endswith("ValueError: y")


def test_a_broken_resource_of_a_record_costs_no_other(memory: Memory, logger: logging.Logger) -> None:
    """What raises in one place stays there."""
    logger.info("x", extra={"broken": NoClass(), "beside": 1})
    assert memory.record.attributes["beside"] == 1
