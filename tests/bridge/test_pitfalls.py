"""What goes wrong elsewhere, under the headings of the list in which it was seen; here it says the opposite."""

import io
import logging
import math
import threading
import time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import structlog
from django.utils.functional import lazystr
from opentelemetry.sdk import _logs as sdk
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from structlog.stdlib import ProcessorFormatter

from otel_bridge import LogBridge, LogBridgeHandler, Redaction
from otel_bridge.bridge.mapping import ATTRIBUTES
from tests.bridge.foreign import BrokenMapping, Raises, UnprintableError, deep, itself, raised
from tests.bridge.test_properties import Colour
from tests.otlp import Memory, Record, complaints
from tests.peers import needs


def emitted(**event_dict: Any) -> Record:
    """Emit one event, and return it as a receiver decodes it."""
    memory = Memory()
    LogBridge(memory.provider)(None, "info", event_dict)
    return memory.record


def printed(bridge: Any, *processors: Any) -> Any:
    """Return a logger that prints JSON, with *processors* around the bridge."""
    chain = [*processors, bridge, structlog.processors.JSONRenderer(default=str)]
    return structlog.wrap_logger(structlog.PrintLogger(io.StringIO()), processors=chain)


class TestRaisesIntoTheApplication:
    """Nothing does."""

    @pytest.mark.parametrize("timestamp", [math.nan, math.inf, -math.inf], ids=str)
    def test_a_timestamp_that_is_no_number(self, timestamp: float) -> None:
        """It stays as an attribute."""
        assert str(emitted(event="x", timestamp=timestamp).attributes["timestamp"]) == str(timestamp)

    def test_a_value_whose_text_raises(self) -> None:
        """It is named by its type."""
        assert emitted(event="x", a=Raises()).attributes["a"] == "<unprintable tests.bridge.foreign.Raises object>"

    def test_a_key_whose_text_raises(self) -> None:
        """In a map."""

        class Key:
            __str__ = __repr__ = Raises.__str__

        name = f"<unprintable {__name__}.{Key.__qualname__} object>"
        assert emitted(event="x", a={Key(): 1}).attributes["a"] == {name: 1}

    def test_an_exception_whose_text_raises(self) -> None:
        """Its type and stack trace are known all the same."""
        attributes = emitted(event="x", exc_info=raised(UnprintableError())).attributes
        assert attributes["exception.type"] == "tests.bridge.foreign.UnprintableError"
        assert "Traceback" in attributes["exception.stacktrace"]

    @pytest.mark.parametrize("make", [itself, deep, BrokenMapping])
    def test_a_value_that_cannot_be_walked(self, make: Any) -> None:
        """A dict that contains itself, 2,000 levels, a mapping whose items raise."""
        assert emitted(event="x", a=make(), b=1).attributes["b"] == 1

    @pytest.mark.parametrize(
        "event_dict", [{}, {"event": None}, {"event": 5}, {"event": ["a"]}, {"event": Raises()}], ids=range(5)
    )
    def test_an_event_that_is_missing_or_no_text(self, event_dict: dict[str, Any]) -> None:
        """The record has a text all the same."""
        assert type(emitted(**event_dict).body) is str

    @pytest.mark.parametrize("key", ["message", "name", "args", "module"])
    def test_extras_that_logging_keeps_for_itself(self, memory: Memory, key: str) -> None:
        """As keys of an event they are keys, as extras they are made by hand."""
        assert emitted(event="x", **{key: "y"}).attributes[key] == "y"
        LogBridgeHandler(logger_provider=memory.provider).handle(logging.makeLogRecord({"msg": "x", key: "y"}))
        assert memory.record.body == "x"


class TestCostsTheWholeBatch:
    """One record costs at most itself."""

    @pytest.mark.parametrize(
        ("event", "body"),
        [
            (UUID("2f9e9a5b-d549-4faa-a411-594aa8a52eee"), "2f9e9a5b-d549-4faa-a411-594aa8a52eee"),
            (Decimal("1.10"), "1.10"),
            ({"a"}, "['a']"),
            (lazystr("Niet gevonden."), "Niet gevonden."),
        ],
    )
    def test_a_body_of_another_type(self, event: object, body: str) -> None:
        """It is a text."""
        assert emitted(event=event).body == body

    @pytest.mark.parametrize("value", [2**63, -(2**64), 10**100])
    def test_an_integer_over_63_bits(self, value: int) -> None:
        """It is a text of decimals."""
        assert emitted(event="x", a=value, b=[value]).attributes["a"] == str(value)

    def test_a_lone_surrogate(self) -> None:
        """It is escaped, in body, key and value."""
        record = emitted(event="\ud800", **{"\ud801": "\ud802"})
        assert (record.body, record.attributes["\\ud801"]) == ("\\ud800", "\\ud802")

    @pytest.mark.parametrize("timestamp", ["1969-12-31T23:59:59Z", -1, 1_747_663_760_339])
    def test_a_timestamp_before_1970_or_in_milliseconds(self, timestamp: object) -> None:
        """The record has the time at which it was seen, and says what it was told."""
        record = emitted(event="x", timestamp=timestamp)
        assert (record.timestamp, record.attributes["timestamp"]) == (record.observed_timestamp, timestamp)

    @pytest.mark.parametrize("level", [30, Raises(), None, {"a": 1}], ids=range(4))
    def test_a_level_that_is_no_text(self, level: object) -> None:
        """Its text is one."""
        assert type(emitted(event="x", level=level).severity_text) is str


class TestLosesSilently:
    """What is there arrives."""

    @pytest.mark.parametrize(
        "keys",
        [
            {"exception": raised(ValueError("lost"))},
            structlog.processors.format_exc_info(None, "", {"exc_info": raised(ValueError("lost"))}),
            structlog.processors.dict_tracebacks(None, "", {"exc_info": raised(ValueError("lost"))}),
        ],
        ids=["object", "rendered", "dicts"],
    )
    def test_an_exception_in_another_shape(self, keys: dict[str, Any]) -> None:
        """Type, message and stack trace."""
        attributes = emitted(event="x", **keys).attributes
        assert (attributes["exception.type"], attributes["exception.message"]) == ("ValueError", "lost")
        assert "lost" in attributes["exception.stacktrace"]

    def test_the_traceback_of_a_library_s_record(self, memory: Memory) -> None:
        """Its `exc_info` is read before anybody renders it."""
        logging.getLogger().handlers[:] = [LogBridgeHandler(logger_provider=memory.provider)]
        logging.getLogger("django.request").error("x", exc_info=raised(ValueError("lost")))
        assert "lost" in memory.record.attributes["exception.stacktrace"]

    def test_an_exception_beside_more_than_128_attributes(self) -> None:
        """It is not the first that goes, but the last."""
        exc_info = raised(ValueError("lost"))
        record = emitted(event="x", exc_info=exc_info, **{f"key{number}": number for number in range(500)})
        assert record.attributes["exception.message"] == "lost"
        assert len(record.attributes) == ATTRIBUTES

    @pytest.mark.filterwarnings("ignore")
    @needs("opentelemetry-sdk", "1.45")
    def test_a_lower_limit_of_the_provider_takes_the_application_s_keys(self) -> None:
        """The SDK evicts the first attributes, so the exception is among the last."""
        memory = Memory()
        limits = sdk.LogRecordLimits(max_attributes=10)
        provider = sdk.LoggerProvider(shutdown_on_exit=False, log_record_limits=limits)
        provider.add_log_record_processor(SimpleLogRecordProcessor(memory.exporter))
        keys = {f"key{number}": number for number in range(20)}
        LogBridge(provider)(None, "info", {"event": "x", "exc_info": raised(ValueError("lost")), **keys})
        assert memory.record.attributes["exception.message"] == "lost"

    @pytest.mark.parametrize("value", [False, 0, "", 0.0, [], {}])
    def test_a_value_that_is_false(self, value: object) -> None:
        """Only `None` is nothing."""
        assert emitted(event="x", a=value).attributes["a"] == value

    def test_trace_ids_of_another_form(self) -> None:
        """Those of another vendor are attributes."""
        assert emitted(event="x", trace_id="1234567890").attributes["bound.trace_id"] == "1234567890"


class TestDistorts:
    """What was logged is what arrives."""

    def test_timestamps_are_exact(self) -> None:
        """Not through a float, which is off by 200 nanoseconds."""
        assert emitted(event="x", timestamp="2025-05-19T14:09:20.339167Z").timestamp == 1_747_663_760_339_167_000

    def test_naive_timestamps_are_kept(self) -> None:
        """They are in the zone that was given, or UTC."""
        assert emitted(event="x", timestamp="2025-05-19T14:09:20").timestamp == 1_747_663_760_000_000_000

    def test_warning_stays_warning(self) -> None:
        """Queries filter by what stdout says."""
        assert emitted(event="x", level="warning").severity_text == "warning"

    def test_unknown_levels_keep_their_number(self) -> None:
        """That of `add_log_level_number`."""
        assert emitted(event="x", level="verbose", level_number=15).severity_number == 8

    def test_exception_is_an_error(self) -> None:
        """As a level and as a method."""
        assert emitted(event="x", level="exception").severity_number == 17

    def test_the_message_of_an_exception_is_its_text(self) -> None:
        """Not its first argument."""
        attributes = emitted(event="x", exc_info=KeyError("outer", 2)).attributes
        assert attributes["exception.message"] == "('outer', 2)"

    def test_the_type_of_an_exception_has_its_module(self) -> None:
        """Several are called `ValidationError`."""
        attributes = emitted(event="x", exc_info=UnprintableError()).attributes
        assert attributes["exception.type"] == "tests.bridge.foreign.UnprintableError"

    @pytest.mark.parametrize(
        ("value", "expected"),
        [(lazystr("Niet gevonden."), "Niet gevonden."), (Colour.RED, "RED"), ({1, 2}, [1, 2])],
    )
    def test_values_are_not_their_repr(self, value: object, expected: object) -> None:
        """Lazy translations, enumerations, sets."""
        assert emitted(event="x", a=value).attributes["a"] == expected


class TestDuplicates:
    """One event is one record, and says each thing once."""

    def test_structlog_and_a_handler(self, memory: Memory) -> None:
        """The handler knows what came from structlog."""
        logging.getLogger().handlers[:] = [LogBridgeHandler(logger_provider=memory.provider)]
        chain: list[Any] = [LogBridge(memory.provider), structlog.stdlib.render_to_log_kwargs]
        structlog.wrap_logger(logging.getLogger("x"), processors=chain).error("zaak_created")
        assert memory.record.event_name == "zaak_created"

    def test_foreign_pre_chain_with_two_handlers(self, memory: Memory) -> None:
        """It runs once for each."""
        for handler in (handlers := [logging.StreamHandler(io.StringIO()) for _ in range(2)]):
            chain: list[Any] = [LogBridge(memory.provider)]
            handler.setFormatter(
                ProcessorFormatter(processor=structlog.processors.JSONRenderer(), foreign_pre_chain=chain)
            )
        logging.getLogger().handlers[:] = handlers
        logging.getLogger("celery").error("x")
        assert memory.record.body == "x"

    def test_a_second_processor(self, memory: Memory) -> None:
        """It stands still behind the first."""
        printed(LogBridge(memory.provider), LogBridge(memory.provider)).info("x")
        assert memory.record.body == "x"

    @pytest.mark.parametrize(
        "keys", [{"trace_id": "a" * 32, "span_id": "b" * 16}, {"logger": "openzaak"}, {"level": "info"}], ids=str
    )
    def test_a_field_is_no_attribute(self, keys: dict[str, Any]) -> None:
        """Trace ids, the logger's name, the level."""
        assert emitted(event="x", **keys).attributes.keys() == {"source", "log.record.uid"}


class TestBlocks:
    """The caller never waits."""

    def test_a_handler_that_logs_in_two_threads(self, memory: Memory) -> None:
        """No lock is held while another is wanted."""
        bridge = LogBridge(memory.provider)
        logger = printed(bridge)
        logging.getLogger().handlers[:] = [LogBridgeHandler(logger_provider=memory.provider)]

        def log() -> None:
            for _ in range(200):
                logger.info("x")
                logging.getLogger("y").error("y")

        threads = [threading.Thread(target=log, daemon=True) for _ in range(4)]
        deadline = time.monotonic() + 20
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(deadline - time.monotonic())
        assert len(memory.records) == 4 * 400


class TestFloods:
    """Nothing is said of what is in order."""

    @pytest.mark.parametrize(
        "value",
        [UUID(int=5), Decimal(1), lazystr("x"), {1}, [1, "a"], [1, {"a": None}], {"": 1}, {1: 2}, object()],
        ids=str,
    )
    def test_a_value_of_another_type_warns_of_nothing(self, value: object) -> None:
        """The SDK does, for each."""
        with complaints() as said:
            emitted(event="x", a=value, b={"c": value})
        assert said == []


class TestInTheBackends:
    """What the stores would refuse does not leave the process."""

    @pytest.mark.parametrize("value", [1, "1", 5.5, None])
    def test_a_key_has_one_type(self, value: object) -> None:
        """Elasticsearch keeps the first that it sees."""
        attributes = emitted(event="x", id=value, code=value, user_id=value, status=value).attributes
        assert {type(attributes[key]) for key in ("id", "code", "user.id", "status") if key in attributes} <= {str}

    def test_maps_are_never_flattened(self) -> None:
        """`zaaktype` and `zaaktype.catalogus` are each other's prefix."""
        value = {"zaaktype": "a", "zaaktype.catalogus": "b"}
        assert emitted(event="x", additional_attributes=value).attributes["additional_attributes"] == value

    def test_a_retry_writes_once(self) -> None:
        """By an identifier that is in the record."""
        memory = Memory()
        LogBridge(memory.provider)(None, "info", {"event": "x"})
        first, second = (memory.record.attributes["log.record.uid"] for _ in range(2))
        assert first == second


class TestLateSurprises:
    """What happens after the first record."""

    def test_a_processor_behind_the_bridge_drops_the_line_only(self, memory: Memory) -> None:
        """The record has gone; so the bridge may be placed last."""

        def drop(*_: Any) -> Any:
            raise structlog.DropEvent

        logger = structlog.wrap_logger(None, processors=[LogBridge(memory.provider), drop])
        logger.info("x")
        assert memory.record.body == "x"

    def test_structlog_is_configured_again(self, memory: Memory) -> None:
        """As Celery's `setup_logging` receivers do: the bridge goes into the new list, and emits once."""
        bridge = LogBridge(memory.provider)
        for _ in range(2):
            structlog.configure(
                processors=[bridge, structlog.processors.JSONRenderer()], logger_factory=structlog.ReturnLoggerFactory()
            )
        structlog.get_logger().info("x")
        assert memory.record.body == "x"

    def test_a_logger_that_was_bound_before(self, memory: Memory) -> None:
        """Its list of processors is the one that is changed in place."""
        processors: list[Any] = [structlog.processors.JSONRenderer()]
        logger = structlog.wrap_logger(structlog.ReturnLogger(), processors=processors).bind(a=1)
        processors.insert(0, LogBridge(memory.provider))
        logger.info("x")
        assert memory.record.attributes["a"] == 1

    def test_what_is_secret_never_leaves(self) -> None:
        """Not even where reading it went wrong."""
        record = emitted(event="x", broken=BrokenMapping(), data={"password": "hunter2"}, code=Raises())
        assert record.attributes["data"] == {"password": "[redacted: password]"}
        assert Redaction().text("password=hunter2") == "password=[redacted: password]"
