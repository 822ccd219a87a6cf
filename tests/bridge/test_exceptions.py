"""Exceptions, in every shape that structlog and its processors give them."""

import logging
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from otel_bridge.bridge.exceptions import SHORT_FRAMES, STACKTRACE, exception_info, says_none
from tests.bridge.foreign import BrokenMapping, NoClass, Raises, UnprintableError, caught, raised
from tests.peers import needs


class ZaakError(Exception):
    """An exception with a module."""


def simple() -> None:
    """Raise one exception."""
    raise ZaakError("no such case")


def chained() -> None:
    """Raise one from another."""
    try:
        simple()
    except ZaakError as exc:
        raise KeyError("outer", 2) from exc


def in_context() -> None:
    """Raise one while another is handled."""
    try:
        simple()
    except ZaakError:
        raise ValueError("again")  # noqa: B904 - what is tested


def multiline() -> None:
    """Raise one whose message looks like a traceback's line."""
    raise ValueError("first\nsecond: line\n\nthird")


def without_message() -> None:
    """Raise a bare class."""
    raise ValueError


def grouped() -> None:
    """Raise several at once."""
    raise ExceptionGroup("many", [ValueError("one"), ExceptionGroup("inner", [TypeError("two")])])


def caused_by_a_group() -> None:
    """Raise one from several."""
    try:
        grouped()
    except ExceptionGroup as exc:
        raise LookupError("after") from exc


def group_with_a_cause() -> None:
    """Raise several from one."""
    try:
        simple()
    except ZaakError as exc:
        raise ExceptionGroup("many: two", [ValueError("one")]) from exc


def deep() -> None:
    """Raise from many frames."""

    def fall(levels: int) -> None:
        if levels:
            fall(levels - 1)
        else:
            simple()

    fall(2)


SHAPES: list[tuple[Callable[[], None], str, str]] = [
    (simple, "tests.bridge.test_exceptions.ZaakError", "no such case"),
    (chained, "KeyError", "('outer', 2)"),
    (in_context, "ValueError", "again"),
    (multiline, "ValueError", "first\nsecond: line\n\nthird"),
    (without_message, "ValueError", ""),
    (grouped, "ExceptionGroup", "many (2 sub-exceptions)"),
    (caused_by_a_group, "LookupError", "after"),
    (group_with_a_cause, "ExceptionGroup", "many: two (1 sub-exception)"),
    (deep, "tests.bridge.test_exceptions.ZaakError", "no such case"),
]
"""What is raised, its type and its message."""

shapes = pytest.mark.parametrize(
    ("function", "exc_type", "message"), SHAPES, ids=[shape[0].__name__ for shape in SHAPES]
)


def exc_info(exc: BaseException) -> Any:
    """Return *exc* as `sys.exc_info()` would."""
    return type(exc), exc, exc.__traceback__


def rendered(exc: BaseException) -> str:
    """Return *exc* as `structlog.processors.format_exc_info` renders it."""
    text = structlog.processors.format_exc_info(None, "error", {"exc_info": exc})["exception"]
    assert isinstance(text, str)
    return text


def dicts(exc: BaseException) -> Any:
    """Return *exc* as `structlog.processors.dict_tracebacks` writes it."""
    return structlog.processors.dict_tracebacks(None, "error", {"exc_info": exc})["exception"]


@shapes
def test_an_instance_has_type_and_message(function: Callable[[], None], exc_type: str, message: str) -> None:
    """`exc_info=exc`, as the five systems write it."""
    assert exception_info(caught(function), None)[:2] == (exc_type, message)  # type: ignore[index]


@shapes
def test_a_stack_trace_is_as_python_writes_it(function: Callable[[], None], exc_type: str, message: str) -> None:  # noqa: ARG001
    """Chained and grouped, with notes and all."""
    exc = caught(function)
    assert exception_info(exc, None).stacktrace == "".join(traceback.format_exception(exc)).rstrip("\n")  # type: ignore[union-attr]


@shapes
def test_a_rendered_text_says_the_same(function: Callable[[], None], exc_type: str, message: str) -> None:
    """A bridge behind `format_exc_info` reads back what was rendered."""
    exc = caught(function)
    assert exception_info(None, rendered(exc)) == (exc_type, message, exception_info(exc, None).stacktrace)  # type: ignore[union-attr]


@shapes
def test_a_list_of_dicts_says_the_same(function: Callable[[], None], exc_type: str, message: str) -> None:
    """`dict_tracebacks` keeps the outermost type, without its module."""
    found = exception_info(None, dicts(caught(function)))
    assert found is not None
    assert (found.type, found.message) == (exc_type.rpartition(".")[2], message)


@pytest.mark.parametrize("keep", ["short", "none"])
@shapes
def test_a_rendered_text_is_shortened_as_an_instance_is(
    function: Callable[[], None], exc_type: str, message: str, keep: Any
) -> None:
    """What is kept does not depend on the shape."""
    exc = caught(function)
    assert exception_info(None, rendered(exc), keep) == exception_info(exc, None, keep)
    assert exception_info(exc, None, keep)[:2] == (exc_type, message)  # type: ignore[index]


@pytest.mark.parametrize("shape", [lambda exc: exc, rendered, dicts], ids=["instance", "text", "dicts"])
def test_a_short_stack_trace_has_the_last_frames(shape: Callable[[BaseException], Any]) -> None:
    """Of six frames three stay."""
    found = exception_info(None, shape(caught(deep)), "short")
    assert found is not None
    assert found.stacktrace is not None
    assert found.stacktrace.count('  File "') == SHORT_FRAMES
    assert ", in simple" in found.stacktrace


@pytest.mark.parametrize("shape", [lambda exc: exc, rendered, dicts], ids=["instance", "text", "dicts"])
def test_each_exception_of_a_chain_keeps_its_last_frames(shape: Callable[[BaseException], Any]) -> None:
    """The cause is not lost behind its consequence."""
    stacktrace = exception_info(None, shape(caught(chained)), "short").stacktrace  # type: ignore[union-attr]
    assert [text in str(stacktrace) for text in ("in simple", "in chained", "direct cause")] == [True] * 3


def test_without_a_stack_trace_type_and_message_stay() -> None:
    """They are attributes of their own."""
    assert exception_info(caught(simple), None, "none") == (
        "tests.bridge.test_exceptions.ZaakError",
        "no such case",
        None,
    )


@pytest.mark.parametrize("flag", [True, 1])
def test_a_flag_stands_for_what_is_handled(flag: object) -> None:
    """`exc_info=True`, and the 1 of older code."""
    try:
        simple()
    except ZaakError:
        assert exception_info(flag, None).message == "no such case"  # type: ignore[union-attr]


@pytest.mark.parametrize("flag", [True, 1])
def test_under_exception_nothing_is_a_flag(flag: object) -> None:
    """It is what the application logged, also while an exception is handled."""
    try:
        simple()
    except ZaakError:
        assert exception_info(None, flag) is None


def test_a_tuple_is_read() -> None:
    """What `sys.exc_info()` returns."""
    exc = caught(simple)
    assert exception_info(exc_info(exc), None) == exception_info(exc, None)


def test_a_tuple_with_a_foreign_traceback_is_read() -> None:
    """Celery's has a traceback of billiard's own; the exception still has the real one."""
    exc = caught(simple)
    assert exception_info((type(exc), exc, object()), None) == exception_info(exc, None)


@pytest.mark.parametrize("flag", [True, False, None, 0, 1, (None, None, None), (), "", "text", 3.0, []])
def test_without_an_exception_there_is_none(flag: object) -> None:
    """A flag outside an `except` block, and what is no flag."""
    assert exception_info(flag, None) is None


@pytest.mark.parametrize("text", ["", "NoneType: None", "MISSING"])
def test_a_text_that_stands_for_none_is_none(text: str) -> None:
    """What `logging` and structlog render for `exc_info=True` outside an `except` block."""
    assert exception_info(None, text) is None
    assert says_none(text)


@pytest.mark.parametrize("value", [None, True, False, (None, None, None), ()])
def test_what_never_held_an_exception_says_so(value: object) -> None:
    """Such values are no attributes."""
    assert says_none(value)


@pytest.mark.parametrize("value", [0, "text", (1, 2), [], {}])
def test_what_the_application_logged_stays(value: object) -> None:
    """Values of any other meaning are attributes."""
    assert not says_none(value)


def test_a_raw_exception_wins_over_an_object() -> None:
    """Celery's `task_failed` has both."""
    assert exception_info(caught(simple), caught(chained)) == exception_info(caught(simple), None)


def test_an_object_wins_over_nothing_raw() -> None:
    """An exception object under `exception`, where there is no other."""
    assert exception_info(None, caught(simple)).message == "no such case"  # type: ignore[union-attr]


def test_a_raw_exception_wins_over_a_rendered_one() -> None:
    """What is whole says more."""
    assert exception_info(caught(simple), rendered(caught(chained))).message == "no such case"  # type: ignore[union-attr]


def test_an_exception_that_was_never_raised_has_no_frames() -> None:
    """`exc_info=ValueError(...)`."""
    assert exception_info(ValueError("x"), None) == ("ValueError", "x", "ValueError: x")


def test_a_class_of_a_function_has_its_whole_name() -> None:
    """As Python writes it."""

    class InnerError(Exception):
        pass

    name = f"{__name__}.test_a_class_of_a_function_has_its_whole_name.<locals>.InnerError"
    exc = raised(InnerError("x"))
    assert [exception_info(exc, None).type, exception_info(None, rendered(exc)).type] == [name, name]  # type: ignore[union-attr]


def test_notes_are_in_the_stack_trace() -> None:
    """A note is no part of the message."""
    exc = raised(ValueError("x"))
    exc.add_note("first\nsecond")
    found = exception_info(exc, None)
    assert found is not None
    assert found.message == "x"
    assert str(found.stacktrace).endswith("ValueError: x\nfirst\nsecond")


def test_rendered_notes_follow_the_message() -> None:
    """In a rendered text nothing tells them apart, so nothing is lost."""
    exc = raised(ValueError("x"))
    exc.add_note("a note")
    assert exception_info(None, rendered(exc)).message == "x\na note"  # type: ignore[union-attr]


def test_a_syntax_error_is_read() -> None:
    """Its rendering has the source before the type."""
    exc = caught(lambda: compile("x = = 1", "<text>", "exec"))
    assert exception_info(None, rendered(exc))[:2] == ("SyntaxError", "invalid syntax")  # type: ignore[index]


def test_a_recursion_is_read() -> None:
    """Python writes its thousand frames once."""

    def fall() -> None:
        fall()

    found = exception_info(None, rendered(caught(fall)))
    assert found is not None
    assert found[:2] == ("RecursionError", "maximum recursion depth exceeded")


def test_an_exception_without_a_text_is_named() -> None:
    """`__str__` raises, the record does not."""
    found = exception_info(raised(UnprintableError()), None)
    assert found is not None
    assert found[:2] == ("tests.bridge.foreign.UnprintableError", "<unprintable UnprintableError object>")


def test_a_rendered_line_without_a_traceback_is_read() -> None:
    """`str(exc)` under `exception`, as some write it, with its type."""
    assert exception_info(None, "celery.exceptions.Retry: later") == (
        "celery.exceptions.Retry",
        "later",
        "celery.exceptions.Retry: later",
    )


def test_a_text_that_names_no_exception_is_the_message() -> None:
    """The application's own words."""
    assert exception_info(None, "it went wrong") == (None, "it went wrong", None)


def test_a_long_stack_trace_keeps_its_end() -> None:
    """Its last lines say what happened."""
    stacktrace = exception_info(raised(ValueError("x" * 200_000 + "end")), None).stacktrace  # type: ignore[union-attr]
    assert stacktrace is not None
    assert len(stacktrace) < STACKTRACE + 100
    assert stacktrace.startswith("Traceback")
    assert stacktrace.endswith("end")


def test_a_list_of_dicts_is_written_as_a_stack_trace() -> None:
    """With files, lines and functions, the cause first."""
    stacktrace = str(exception_info(None, dicts(caught(chained))).stacktrace)  # type: ignore[union-attr]
    assert stacktrace.index("no such case") < stacktrace.index("direct cause") < stacktrace.index("KeyError")
    assert f'  File "{__file__}", line ' in stacktrace


@needs("structlog", "25.4")
def test_the_exceptions_of_a_group_are_in_its_stack_trace() -> None:
    """Those of a list of dicts as well."""
    stacktrace = str(exception_info(None, dicts(caught(grouped))).stacktrace)  # type: ignore[union-attr]
    assert ["ValueError: one" in stacktrace, "TypeError: two" in stacktrace] == [True, True]


@pytest.mark.parametrize("value", [[{"foo": 1}], [1], [], {"exc_type": "ValueError"}, 5, [{}]])
def test_a_list_that_is_no_traceback_is_none(value: object) -> None:
    """The application logged something else under `exception`."""
    assert exception_info(None, value) is None


@pytest.mark.parametrize("kind", [Raises, NoClass, BrokenMapping])
def test_a_foreign_value_raises_nothing(kind: type) -> None:
    """In any of the two places, also in a list."""
    assert exception_info(kind(), kind()) is None
    assert exception_info(None, [kind()]) is None


def test_a_foreign_traceback_of_dicts_raises_nothing() -> None:
    """One that contains itself."""
    value: dict[str, Any] = {"exc_type": "ValueError", "exc_value": "x"}
    value["exceptions"] = [[value]]
    assert exception_info(None, [value]) is None


@given(st.text(), st.sampled_from(["full", "short", "none"]))
def test_any_text_is_read(text: str, keep: Any) -> None:
    """Whatever stands under `exception`, nothing raises."""
    exception_info(None, text, keep)


@given(st.text(alphabet=st.characters(codec="utf-8")), st.sampled_from([ValueError, ZaakError, OSError]))
def test_any_message_survives_rendering(message: str, kind: type[Exception]) -> None:
    """What a text says of a message on one line is what the instance says."""
    line = "".join(message.splitlines())
    exc = raised(kind(line))
    found, expected = exception_info(None, rendered(exc)), exception_info(exc, None)
    assert found is not None
    assert expected is not None
    assert (found.type, found.message) == (expected.type, expected.message)


def test_a_logging_record_s_text_is_read() -> None:
    """`logging.Formatter` writes the same."""
    exc = caught(chained)
    assert exception_info(None, logging.Formatter().formatException(exc_info(exc))) == exception_info(exc, None)


def test_a_deep_chain_raises_nothing() -> None:
    """A thousand causes of causes."""
    exc: BaseException = ValueError("first")
    for number in range(sys.getrecursionlimit()):
        after = ValueError(str(number))
        after.__cause__ = exc
        exc = after
    assert exception_info(exc, None).message == str(sys.getrecursionlimit() - 1)  # type: ignore[union-attr]
