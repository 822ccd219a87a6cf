"""The table of documented keys, row by row, with values as the five systems log them."""

import sys
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import structlog
from django.utils.functional import lazystr
from opentelemetry.trace import SpanContext, TraceFlags

from otel_bridge import LogBridge, Redaction
from otel_bridge.bridge.exceptions import exception_info
from otel_bridge.bridge.mapping import ATTRIBUTES, LogFields, Mapper
from otel_bridge.bridge.rules import DERIVED, RULES
from otel_bridge.catalogue import shipped
from tests.bridge.foreign import BrokenMapping, NoClass, Raises, raised
from tests.otlp import Memory

TIMESTAMP = "2025-05-19T14:09:20.339166Z"
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CURRENT = SpanContext(int(TRACE_ID, 16), int(SPAN_ID, 16), is_remote=False, trace_flags=TraceFlags(1))
CLOUD_EVENT = {"source": "urn:nld:oin:00000001823288444000", "id": "1", "type": "nl.overheid.zaken", "subject": "urn:x"}


def fields(event: object = "event", **keys: Any) -> LogFields:
    """Map one event dict by the default rules."""
    return Mapper().fields({"event": event, **keys})


def attributes(event: object = "event", **keys: Any) -> dict[str, Any]:
    """Return the attributes of one event dict, without the `source` that most lines lack."""
    mapped = dict(fields(event, **keys).attributes)
    if mapped["source"] == "app":
        del mapped["source"]
    return mapped


class TestFields:
    """The fields of the record."""

    def test_the_timestamp_is_exact(self) -> None:
        """In nanoseconds, from the text of `TimeStamper`."""
        assert fields(timestamp=TIMESTAMP).timestamp == 1_747_663_760_339_166_000

    def test_a_naive_timestamp_is_in_the_zone_that_was_given(self) -> None:
        """As `TimeStamper(utc=False)` writes it."""
        mapper = Mapper(timezone=ZoneInfo("Europe/Amsterdam"))
        mapped = mapper.fields({"event": "x", "timestamp": "2025-05-19T16:09:20.339166"})
        assert mapped.timestamp == 1_747_663_760_339_166_000

    def test_a_timestamp_is_no_attribute(self) -> None:
        """It became a field."""
        assert attributes(timestamp=TIMESTAMP) == {}

    @pytest.mark.parametrize("timestamp", ["14:09", 1_747_663_760_339, "1969-01-01T00:00:00Z"])
    def test_what_is_no_instant_stays(self, timestamp: object) -> None:
        """The key keeps what it said, and the record gets the time of the bridge."""
        mapped = fields(timestamp=timestamp)
        assert (mapped.timestamp, mapped.attributes["timestamp"]) == (None, timestamp)

    @pytest.mark.parametrize(
        ("level", "method", "text", "number"),
        [
            ("warning", "info", "warning", 13),
            ("WARNING", "info", "WARNING", 13),
            ("verbose", "info", "verbose", 0),
            (None, "warning", "warning", 13),
            (None, "warn", "warning", 13),
            (None, "exception", "error", 17),
            (None, "critical", "critical", 21),
            (None, "msg", "msg", 0),
            (30, "info", "30", 13),
        ],
    )
    def test_the_severity_is_the_level(self, level: object, method: str, text: str, number: int) -> None:
        """Its text stays as it was; a chain without `add_log_level` has the method's name."""
        mapped = Mapper().fields({"event": "x", "level": level}, method)
        assert (mapped.severity_text, mapped.severity_number.value) == (text, number)

    def test_a_level_number_wins(self) -> None:
        """Of `structlog.stdlib.add_log_level_number`."""
        assert fields(level="info", level_number=40).severity_number.value == 17

    @pytest.mark.parametrize(
        ("event", "body"),
        [
            ("zaak_created", "zaak_created"),
            ("Er ging iets mis", "Er ging iets mis"),
            (None, ""),
            (5, "5"),
            ({"a": 1}, "{'a': 1}"),
            (lazystr("Bad Request"), "Bad Request"),
            (ValueError("x"), "x"),
            (b"bytes", "b'bytes'"),
        ],
    )
    def test_the_body_is_a_text(self, event: object, body: str) -> None:
        """Whatever was given as event."""
        assert fields(event).body == body

    def test_a_missing_event_is_an_empty_body(self) -> None:
        """A call without one is allowed."""
        assert Mapper().fields({"a": 1}).body == ""

    @pytest.mark.parametrize(
        "event",
        ["zaak_created", "api.handled_exception", "request_finished", "x", "a-b", "cloudevent_handled", "x" * 256],
    )
    def test_an_identifier_is_the_event_s_name(self, event: str) -> None:
        """Every event that the five systems document has one."""
        assert fields(event).event_name == event

    @pytest.mark.parametrize(
        "event",
        ["Er ging iets mis", "zaak created", "", "1x", "_x", "x_", "a__b", "a.", "é", "x" * 257, "x\n", None, 5],
    )
    def test_free_text_is_no_name(self, event: object) -> None:
        """It is the body only."""
        assert fields(event).event_name is None

    def test_a_name_may_be_given(self) -> None:
        """Beside a text for people."""
        mapped = fields("Er ging iets mis", **{"otel.event.name": "zaak.failed"})
        assert (mapped.event_name, "otel.event.name" in mapped.attributes) == ("zaak.failed", False)

    def test_a_record_of_logging_has_no_name(self) -> None:
        """Its message is free text, even if it is one word."""
        assert Mapper().fields({"event": "starting"}, named=False).event_name is None

    def test_a_formatted_event_has_no_name(self) -> None:
        """Its text differs from event to event."""
        mapped = fields("user_%s", positional_args=("x",))
        assert (mapped.body, mapped.event_name) == ("user_x", None)

    def test_every_documented_event_has_a_name(self) -> None:
        """What a manual calls an event is one."""
        names = {event.name for _, event in shipped().events if event.message_key == "event"}
        assert {name for name in names if fields(name).event_name != name} <= {name for name in names if " " in name}

    @pytest.mark.parametrize(
        ("keys", "own", "name"),
        [
            ({"logger": "openzaak.zaken"}, "other", "openzaak.zaken"),
            ({"logger_name": "openzaak.zaken"}, "other", "openzaak.zaken"),
            ({}, "openzaak.zaken", "openzaak.zaken"),
            ({}, None, "structlog"),
            ({"logger": ""}, None, "structlog"),
        ],
    )
    def test_the_scope_is_the_logger(self, keys: dict[str, Any], own: str | None, name: str) -> None:
        """By the key that `add_logger_name` wrote, else by its own name."""
        mapped = Mapper().fields({"event": "x", **keys}, "info", own)
        assert (mapped.scope_name, {"logger", "logger_name"} & mapped.attributes.keys()) == (name, set())

    def test_the_ids_of_the_maykin_chain_are_fields(self) -> None:
        """Hexadecimal, with the parent's, and no attributes."""
        keys = {"trace_id": TRACE_ID, "span_id": SPAN_ID, "parent_span_id": SPAN_ID[::-1]}
        mapped = Mapper().fields({"event": "x", **keys}, "info", None, CURRENT)
        assert (mapped.span_context, set(mapped.attributes)) == (CURRENT, {"source"})

    def test_bound_ids_stand_in_for_a_span(self) -> None:
        """Where there is none."""
        context = fields(trace_id=TRACE_ID, span_id=SPAN_ID).span_context
        assert (context.trace_id, context.span_id) == (int(TRACE_ID, 16), int(SPAN_ID, 16))

    def test_ids_that_disagree_stay(self) -> None:
        """Under names that no store has taken."""
        mapped = Mapper().fields({"event": "x", "trace_id": "f" * 32}, "info", None, CURRENT)
        assert mapped.attributes["bound.trace_id"] == "f" * 32


class TestKeys:
    """The documented keys."""

    @pytest.mark.parametrize(
        ("event", "keys", "expected"),
        [
            ("x", {"request_id": "9c3d"}, {"request_id": "9c3d"}),
            ("x", {"request_id": 5}, {"request_id": "5"}),
            ("x", {"correlation_id": "9c3d"}, {"correlation_id": "9c3d"}),
            ("x", {"user_id": 42}, {"user.id": "42"}),
            ("x", {"user_id": "2f9e9a5b-d549"}, {"user.id": "2f9e9a5b-d549"}),
            ("x", {"user_id": None}, {}),
            ("x", {"anything": None}, {}),
            ("x", {"code": "not_found"}, {"code": "not_found"}),
            ("x", {"code": 200}, {"code": "200"}),
            ("request_finished", {"code": 200}, {"http.response.status_code": 200}),
            ("request_failed", {"code": 500}, {"http.response.status_code": 500}),
            ("request_finished", {"code": 1000}, {"code": "1000"}),
            ("request_finished", {"code": True}, {"code": "True"}),
            ("request_finished", {"code": "200"}, {"code": "200"}),
            ("api.handled_exception", {"code": "not_found"}, {"error.type": "not_found", "code": "not_found"}),
            ("api.handled_exception", {"status": 404}, {"http.response.status_code": 404}),
            ("x", {"status": "open"}, {"status": "open"}),
            ("x", {"status": 5}, {"status": "5"}),
            ("x", {"http_status_code": 502}, {"http.response.status_code": 502, "http_status_code": 502}),
            ("x", {"http_status_code": None}, {}),
            (
                "x",
                {"method": "GET", "path": "/zaken?page=2"},
                {
                    "http.request.method": "GET",
                    "url.path": "/zaken",
                    "url.query": "page=2",
                    "method": "GET",
                    "path": "/zaken?page=2",
                },
            ),
            ("x", {"method": "GET"}, {"method": "GET"}),
            ("x", {"path": "/zaken"}, {"path": "/zaken"}),
            ("x", {"method": 5, "path": "/zaken"}, {"method": 5, "path": "/zaken"}),
            ("x", {"method": "GET", "path": 5}, {"method": "GET", "path": 5}),
            ("x", {"endpoint": "/zaken"}, {"url.path": "/zaken", "endpoint": "/zaken"}),
            (
                "request_started",
                {"request": "GET /zaken?page=2"},
                {
                    "http.request.method": "GET",
                    "url.path": "/zaken",
                    "url.query": "page=2",
                    "request": "GET /zaken?page=2",
                },
            ),
            (
                "request_started",
                {"request": "POST /zaken"},
                {"http.request.method": "POST", "url.path": "/zaken", "request": "POST /zaken"},
            ),
            ("x", {"request": "something else"}, {"request": "something else"}),
            ("request_started", {"user_agent": "curl/8"}, {"user_agent.original": "curl/8"}),
            ("request_started", {"ip": "192.0.2.17"}, {"client.address": "192.0.2.17"}),
            ("x", {"id": 1}, {"id": "1"}),
            ("x", {"id": "1"}, {"id": "1"}),
            ("x", {"type": "zaak", "subject": "x"}, {"type": "zaak", "subject": "x"}),
            ("x", {"title": lazystr("Niet gevonden.")}, {"title": "Niet gevonden."}),
            ("x", {"exception_id": "6f1d"}, {"exception_id": "6f1d"}),
            (
                "api.handled_exception",
                {"invalid_params": [OrderedDict(name="rsin", code="invalid", reason=lazystr("Ongeldig."))]},
                {"invalid_params": [{"name": "rsin", "code": "invalid", "reason": "Ongeldig."}]},
            ),
            ("x", {"data": {"detail": "x"}}, {"data": {"detail": "x"}}),
            (
                "x",
                {"additional_attributes": {"zaaktype": "a", "zaaktype.catalogus": "b"}},
                {"additional_attributes": {"zaaktype": "a", "zaaktype.catalogus": "b"}},
            ),
            (
                "task_enqueued",
                {"child_task_id": "a", "child_task_name": "b", "routing_key": "celery", "priority": 5},
                {"child_task_id": "a", "child_task_name": "b", "routing_key": "celery", "priority": 5},
            ),
            ("task_succeeded", {"duration_ms": 12}, {"duration_ms": 12}),
            (
                "x",
                {"task": "a.b", "task_id": "c", "base_task_id": "d"},
                {"task": "a.b", "task_id": "c", "base_task_id": "d"},
            ),
            ("x", {"zaak_uuid": "a", "zaak_pk": 1, "zaak_url": "b"}, {"zaak_uuid": "a", "zaak_pk": 1, "zaak_url": "b"}),
            ("x", {"task_attempt_count": 2, "resterende": 3}, {"task_attempt_count": 2, "resterende": 3}),
            (
                "x",
                {"token_identifier": "a", "token_application": "b", "client_id": "c", "service_identifier": "d"},
                {"token_identifier": "a", "token_application": "b", "client_id": "c", "service_identifier": "d"},
            ),
            ("x", {"stack": "Stack (most recent call last):"}, {"code.stacktrace": "Stack (most recent call last):"}),
            ("x", {"stack_info": "Stack:"}, {"code.stacktrace": "Stack:"}),
            ("x", {"stack_info": True}, {}),
            ("x", {"stack_info": False}, {}),
            ("x", {"pathname": "/a.py"}, {"code.file.path": "/a.py"}),
            ("x", {"func_name": "f"}, {"code.function.name": "f"}),
            ("x", {"lineno": 5}, {"code.line.number": 5}),
            ("x", {"thread": 7}, {"thread.id": 7}),
            ("x", {"thread_name": "MainThread"}, {"thread.name": "MainThread"}),
            ("x", {"process": 9}, {"process.pid": 9}),
            ("x", {"_record": 1, "_from_structlog": True, "_logger": 2, "_name": "info"}, {}),
            ("x", {"error": "timed out"}, {"error": "timed out"}),
            ("x", {"error": ValueError("timed out")}, {"error": "timed out"}),
            ("x", {"message": "hello"}, {"message": "hello"}),
            ("x", {"": 1}, {"(empty)": 1}),
            ("x", {"uuid": "2f9e9a5b"}, {"uuid": "2f9e9a5b"}),
        ],
    )
    def test_a_key_goes_where_the_table_says(self, event: str, keys: dict[str, Any], expected: dict[str, Any]) -> None:
        """With the type that it has everywhere."""
        mapped = attributes(event, **keys)
        assert {key: (type(value), value) for key, value in mapped.items()} == {
            key: (type(value), value) for key, value in expected.items()
        }

    @pytest.mark.parametrize(
        ("event", "keys", "source"),
        [
            ("x", {}, "app"),
            ("x", {"source": None}, "app"),
            ("x", {"source": "app"}, "app"),
            ("x", {"source": "uwsgi"}, "uwsgi"),
            ("x", {"source": "elsewhere"}, "elsewhere"),
            ("x", {"source": "elsewhere", "id": "1"}, "elsewhere"),
            ("x", {"source": "app", "id": "1", "type": "x"}, "app"),
            ("cloudevent_handled", {"source": "urn:x"}, "app"),
            ("incoming_cloud_event_received", {"source": "urn:x"}, "app"),
            ("task_started", CLOUD_EVENT, "app"),
        ],
    )
    def test_the_source_is_the_component(self, event: str, keys: dict[str, Any], source: str) -> None:
        """Every line has one; that of a CloudEvent is not it."""
        assert fields(event, **keys).attributes["source"] == source

    @pytest.mark.parametrize("event", ["cloudevent_sent", "incoming_cloud_event_received", "task_started"])
    def test_a_cloud_event_has_its_own_names(self, event: str) -> None:
        """On its own events, and on those into which the bound context leaks."""
        assert attributes(event, **CLOUD_EVENT) == {
            f"cloudevents.event_{key}": value for key, value in CLOUD_EVENT.items()
        }

    def test_the_id_of_a_cloud_event_is_a_text(self) -> None:
        """As every `id`."""
        assert attributes("cloudevent_sent", id=5)["cloudevents.event_id"] == "5"

    def test_a_request_object_is_read(self) -> None:
        """Django adds it to records of its own, as `extra`."""
        request = type("HttpRequest", (), {"__module__": "django.http.request", "method": "GET"})
        wsgi = type("WSGIRequest", (request,), {"get_full_path": lambda _: "/zaken?page=2"})
        assert attributes(request=wsgi()) == {
            "http.request.method": "GET",
            "url.path": "/zaken",
            "url.query": "page=2",
            "request": "GET /zaken?page=2",
        }

    @pytest.mark.parametrize("name", sorted(DERIVED))
    def test_what_the_application_named_itself_wins(self, name: str) -> None:
        """An attribute under a semantic-convention name is not overwritten."""
        keys = {
            "status": 404,
            "request": "GET /a?b",
            "user_agent": "x",
            "ip": "x",
            "user_id": 5,
            "exc_info": ValueError("x"),
            "stack": "x",
            "pathname": "x",
            "func_name": "x",
            "lineno": 1,
            "thread": 1,
            "thread_name": "x",
            "process": 1,
        }
        events: dict[str, dict[str, Any]] = {
            "error.type": {"event": "api.handled_exception", "code": "x"},
            **{name: CLOUD_EVENT for name in DERIVED if name.startswith("cloudevents.")},
        }
        event_dict = {"event": "x", **keys, **events.get(name, {})}
        assert Mapper().fields(event_dict).attributes[name] != "its own"
        assert Mapper().fields({**event_dict, name: "its own"}).attributes[name] == "its own"

    def test_a_key_of_the_table_never_gives_a_field_twice(self) -> None:
        """Keys that become fields are no attributes."""
        event_dict = dict.fromkeys([key for key, rule in RULES.items() if rule is None], "x")
        left = {key.removeprefix("bound.") for key in Mapper().fields(event_dict).attributes}
        assert left <= {"source", "exception.message", "exc_info", "timestamp", "positional_args"} | set(event_dict)

    @pytest.mark.parametrize(("system", "event"), shipped().events, ids=lambda it: it.name)
    def test_every_documented_key_arrives(self, system: Any, event: Any) -> None:
        """Under its own name, or the one that the table gives it."""
        event_dict = {**event.example(), "event": event.name}
        mapped = fields(**event_dict)
        texts = {*map(str, mapped.attributes.values()), mapped.body, mapped.severity_text, mapped.scope_name}
        lost = {
            key
            for key, value in event.example().items()
            if value is not None and key not in mapped.attributes and key not in ("timestamp", "trace_id", "span_id")
            if str(value) not in texts
        }
        assert not lost, system.name


class TestExceptions:
    """`exc_info`, `exception`, and what stands beside them."""

    def test_an_exception_has_three_attributes(self) -> None:
        """Those of the semantic conventions."""
        exc = raised(ValueError("x"))
        expected = exception_info(exc, None)
        assert expected is not None
        assert attributes(exc_info=exc) == {
            "exception.type": "ValueError",
            "exception.message": "x",
            "exception.stacktrace": expected.stacktrace,
        }

    @pytest.mark.parametrize("key", ["exc_info", "exception"])
    def test_an_object_is_read_under_either_key(self, key: str) -> None:
        """`task_failed` has it under `exception`."""
        assert attributes(**{key: raised(KeyError("outer", 2))})["exception.message"] == "('outer', 2)"

    def test_several_at_once_are_told_apart(self) -> None:
        """`task_failed` has a raw one, an object and a text; each keeps its place."""
        mapped = attributes(
            "task_failed", exc_info=raised(ValueError("raw")), exception=raised(TypeError("object")), error="text"
        )
        assert (mapped["exception.type"], mapped["exception.message"], mapped["error"]) == ("ValueError", "raw", "text")

    def test_the_current_exception_is_read(self) -> None:
        """`exc_info=True`, as `logger.exception` sets it."""
        try:
            raise LookupError("x")  # noqa: TRY301 - it is being handled
        except LookupError:
            assert attributes(exc_info=True)["exception.type"] == "LookupError"

    @pytest.mark.parametrize("flag", [True, False, None, (None, None, None)])
    def test_a_flag_without_an_exception_leaves_nothing(self, flag: object) -> None:
        """`exc_info=True` outside an `except` block."""
        assert attributes(exc_info=flag) == {}

    def test_a_rendered_exception_is_read(self) -> None:
        """A bridge may stand behind `format_exc_info`."""
        event_dict = structlog.processors.format_exc_info(None, "error", {"exc_info": raised(ValueError("x"))})
        assert attributes(**event_dict)["exception.type"] == "ValueError"

    def test_a_list_of_dicts_is_read(self) -> None:
        """Or behind `dict_tracebacks`."""
        event_dict = structlog.processors.dict_tracebacks(None, "error", {"exc_info": raised(ValueError("x"))})
        assert attributes(**event_dict)["exception.type"] == "ValueError"

    def test_a_message_beside_an_exception_is_the_exception_s(self) -> None:
        """Not otherwise."""
        mapped = attributes(exc_info=raised(ValueError("x")), message="hello")
        assert (mapped["exception.message"], "message" in mapped) == ("hello", False)

    @pytest.mark.parametrize("value", [{"a": 1}, ["a"], 5])
    def test_what_is_no_exception_stays(self, value: object) -> None:
        """The application logged it under that name."""
        assert attributes(exception=value) == {"exception": value}

    @pytest.mark.parametrize(("keep", "frames"), [("full", 4), ("short", 3), ("none", 0)])
    def test_the_stack_trace_is_kept_as_asked(self, keep: Any, frames: int) -> None:
        """All, the last frames, or nothing."""

        def fall(levels: int) -> None:
            if not levels:
                raise ValueError
            fall(levels - 1)

        try:
            fall(2)
        except ValueError:
            mapped = Mapper(stacktrace=keep).fields({"event": "x", "exc_info": sys.exc_info()})
        assert str(mapped.attributes.get("exception.stacktrace", "")).count('  File "') == frames
        assert mapped.attributes["exception.type"] == "ValueError"

    def test_a_wrong_choice_raises_at_once(self) -> None:
        """With what would be right."""
        with pytest.raises(ValueError, match="'shrt' is not known; write 'full', 'short' or 'none'"):
            LogBridge(stacktrace="shrt")  # type: ignore[arg-type]  # what is tested


class TestArguments:
    """Positional arguments, where no processor formatted them."""

    @pytest.mark.parametrize(
        ("event", "args", "body"),
        [("%s is %d", ("a", 1), "a is 1"), ("%(a)s", ({"a": 1},), "1"), ("100%", (), "100%"), ("%s", ({},), "{}")],
    )
    def test_they_are_formatted(self, event: str, args: object, body: str) -> None:
        """As `PositionalArgumentsFormatter` would."""
        mapped = fields(event, positional_args=args)
        assert mapped.body == body

    @pytest.mark.parametrize(("event", "args"), [("%d", ("a",)), ("%s %s", ("a",)), ("%s", (Raises(),))])
    def test_those_that_do_not_fit_stay(self, event: str, args: Any) -> None:
        """Beside the event as it was."""
        mapped = fields(event, positional_args=args)
        assert mapped.body == event
        assert "positional_args" in mapped.attributes


class TestRules:
    """The application's own rules."""

    def test_a_key_is_renamed(self) -> None:
        """To the attribute that the user names."""
        assert Mapper(keys={"tenant": "tenant.id"}).fields({"tenant": "x"}).attributes["tenant.id"] == "x"

    def test_a_key_is_dropped(self) -> None:
        """`None` takes it out of the record."""
        assert "tenant" not in Mapper(keys={"tenant": None}).fields({"tenant": "x"}).attributes

    def test_a_documented_key_is_overridden(self) -> None:
        """A user's rule wins over ours."""
        assert Mapper(keys={"user_id": "enduser.id"}).fields({"user_id": 5}).attributes["enduser.id"] == 5

    def test_the_source_may_be_the_user_s(self) -> None:
        """Then it is not made up either."""
        assert Mapper(keys={"source": "component"}).fields({"event": "x"}).attributes == {}

    def test_a_secret_stays_one_under_another_name(self) -> None:
        """It is known by the key that it had."""
        mapper = Mapper(keys={"bsn": "person"}, redaction=Redaction())
        assert mapper.fields({"bsn": "x"}).attributes["person"] == "[redacted: bsn]"

    @pytest.mark.parametrize(
        ("renamed", "keys"),
        [
            ({"event": "message"}, {"message": "zaak_created"}),
            ({"event": "msg", "timestamp": "ts"}, {"msg": "zaak_created", "ts": TIMESTAMP}),
            ({"level": "severity"}, {"event": "zaak_created", "severity": "warning"}),
        ],
    )
    def test_documented_keys_may_have_other_names(self, renamed: dict[str, str], keys: dict[str, str]) -> None:
        """`EventRenamer`, `TimeStamper(key=...)` and the like."""
        mapped = Mapper(renamed=renamed).fields(keys)
        assert (mapped.event_name, set(mapped.attributes)) == ("zaak_created", {"source"})
        assert mapped.timestamp == (1_747_663_760_339_166_000 if "ts" in keys else None)
        assert mapped.severity_text == keys.get("severity", "info")


class TestBounds:
    """Where there is too much, or what is there cannot be read."""

    def test_attributes_are_bounded(self) -> None:
        """The SDK evicts the first of more than 128; one is for `log.record.uid`."""
        mapped = fields(**{f"key{number}": number for number in range(1000)})
        assert (len(mapped.attributes), mapped.cut) == (ATTRIBUTES - 1, 1001 - ATTRIBUTES + 1)

    @pytest.mark.parametrize("position", [0, 1000])
    def test_exceptions_and_documented_keys_are_the_last_to_go(self, position: int) -> None:
        """Wherever they stand."""
        own = {f"key{number}": number for number in range(1000)}
        documented = {"exc_info": raised(ValueError("x")), "request_id": "x", "user_id": 5, "status": 404}
        keys = {**documented, **own} if not position else {**own, **documented}
        assert fields(**keys).attributes.keys() >= {
            "exception.type",
            "exception.message",
            "exception.stacktrace",
            "request_id",
            "user.id",
            "http.response.status_code",
            "source",
        }

    @pytest.mark.parametrize("key", [*RULES, "anything"])
    @pytest.mark.parametrize("kind", [Raises, NoClass, BrokenMapping])
    def test_a_foreign_value_costs_only_itself(self, key: str, kind: type) -> None:
        """Under any key: the others of the record arrive."""
        mapped = Mapper().fields({"event": "zaak_created", "beside": "x", key: kind()})
        assert mapped.attributes["beside"] == "x"

    @pytest.mark.parametrize("key", [5, None, ("a",), 1.5, b"x", "\ud800", "\0", "x" * 1000])
    def test_any_key_becomes_a_text(self, key: Any) -> None:
        """Keys that a context variable or a dict brought."""
        [name] = Mapper(redaction=Redaction()).fields({key: 1}).attributes.keys() - {"source"}
        assert name.encode()
        assert len(name) < 300

    def test_a_long_event_is_cut(self) -> None:
        """The body is bounded, too."""
        assert fields("x" * 1_000_000).body.endswith("… [1000000 characters]")

    def test_the_event_dict_is_only_read(self) -> None:
        """It goes on to the next processor as it was."""
        event_dict = {"event": "x", "exc_info": raised(ValueError("x")), "trace_id": TRACE_ID, "data": {"a": [1]}}
        before = dict(event_dict)
        Mapper().fields(event_dict)
        assert event_dict == before


def test_the_resource_s_attributes_are_not_repeated() -> None:
    """Both stores would mix the two."""
    memory = Memory({"process.pid": 9, "thread.id": 8})
    LogBridge(memory.provider)(None, "info", {"event": "x", "process": 9, "thread": 7})
    assert (memory.record.attributes["thread.id"], "process.pid" in memory.record.attributes) == (7, False)


def test_a_record_without_a_timestamp_has_that_of_the_bridge(memory: Memory) -> None:
    """And both are now."""
    before = datetime.now(UTC).timestamp() * 1e9
    LogBridge(memory.provider)(None, "info", {"event": "x"})
    record = memory.record
    assert before - 1e6 < record.timestamp == record.observed_timestamp < datetime.now(UTC).timestamp() * 1e9 + 1e6


def test_the_observed_timestamp_is_the_bridge_s(memory: Memory) -> None:
    """Whatever the event's own is."""
    LogBridge(memory.provider)(None, "info", {"event": "x", "timestamp": TIMESTAMP})
    assert memory.record.timestamp == 1_747_663_760_339_166_000 < memory.record.observed_timestamp


@pytest.mark.parametrize("key", ["uuid", "exception_id", "log.record.uid"])
def test_the_uid_is_never_the_application_s(memory: Memory, key: str) -> None:
    """Several records have the same `uuid`."""
    for _ in range(2):
        LogBridge(memory.provider)(None, "info", {"event": "x", key: "2f9e9a5b"})
    assert len({record.attributes["log.record.uid"] for record in memory.records} - {"2f9e9a5b"}) == 2
