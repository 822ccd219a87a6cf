"""Stack traces: word for word what the standard library writes, which is asked once for each place in the code."""

import linecache
import sys
import traceback
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_bridge.bridge import tracebacks
from otel_bridge.bridge.tracebacks import LONGEST, MOST_LINKS, render
from tests.bridge.foreign import UnprintableError, caught, raised

Function = Callable[[], object]
LASTS = (None, 1, 3)
"""How many frames are asked for."""


@pytest.fixture(autouse=True)
def nothing_known() -> None:
    """Forget every frame."""
    tracebacks._known.clear()


def library(exc: BaseException, last: int | None = None) -> str:
    """Return what the standard library writes."""
    limit = None if last is None else -last
    lines = traceback.TracebackException(type(exc), exc, exc.__traceback__, limit=limit, compact=True).format()
    return "".join(lines)


def written(exc: BaseException, last: int | None = None) -> str | None:
    """Return what is written here."""
    return render(exc, exc.__traceback__, last)


def is_the_same(exc: BaseException) -> bool:
    """Tell whether both write the same, also the second time, when the frames are known."""
    expected = [library(exc, last) for last in LASTS]
    return [[written(exc, last) for last in LASTS] for _ in range(2)] == [expected, expected]


def calls(function: Function) -> Counter[str]:
    """Count the calls of Python functions that *function* makes, by the file that these are in."""
    files: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            files[frame.f_code.co_filename] += 1

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return files


class ZaakError(Exception):
    """An exception with a module."""


def code(function: Any) -> CodeType:
    """Return the code of *function*."""
    found: CodeType = function.__code__
    return found


def simple() -> NoReturn:
    """Raise with a message."""
    raise ZaakError("no such case")


def without_message() -> NoReturn:
    """Raise a bare class."""
    raise ValueError


def multiline() -> NoReturn:
    """Raise with a message that looks like more of the traceback."""
    raise ValueError('first\n  File "x", line 1, in y\n\nlast\n')


def unprintable() -> NoReturn:
    """Raise what has no text."""
    raise UnprintableError


def divided() -> object:
    """Raise in the midst of a line."""
    return [1, 2][1] / (len("東京") - 2) + 1


def misspelled_name() -> object:
    """Raise what the library knows better."""
    identificatie = 1
    return identificatie + identificatje  # type: ignore[name-defined]  # noqa: F821 - it is what is raised


def misspelled_attribute() -> object:
    """Raise what the library knows better, too."""
    return "text".uper()  # type: ignore[attr-defined]


def misspelled_import() -> None:
    """Raise what newer libraries know better."""
    from collections import OrderedDikt  # type: ignore[attr-defined]  # noqa: F401, PLC0415 - it is what is raised


def misspelled_syntax() -> object:
    """Raise what has a place of its own."""
    return compile("if x = = 1:\n  pass", "<text>", "exec")


def leaving() -> NoReturn:
    """Raise what is no error."""
    raise SystemExit(3)


def directly(function: Function) -> object:
    """Call it."""
    return function()


def in_a_lambda(function: Function) -> object:
    """Call it in a function without a name."""
    return (lambda: function())()  # noqa: PLC3002, PLW0108 - for its frame


def in_a_comprehension(function: Function) -> object:
    """Call it in a frame of its own, before 3.12."""
    return [function() for _ in range(1)]


def in_a_generator(function: Function) -> object:
    """Call it in one of its own always."""
    return list(function() for _ in range(1))  # noqa: C400 - for its frame


def over_several_lines(function: Function) -> object:
    """Call it on a line other than its statement's."""
    return max(
        "东京",
        str(
            function(),
        ),
    )


def in_an_expression(function: Function) -> object:
    """Call it where the library points at a part of the line."""
    return {"é東": 1}["é東"] + (function() or 0) * 2  # type: ignore[operator]


def recursively(levels: int, function: Function) -> object:
    """Call it from one line, again and again."""
    return recursively(levels - 1, function) if levels else function()


def without_source(function: Function) -> object:
    """Call it from code that stands in no file."""
    return eval(compile("(\nfunction())", "<text>", "eval"), {"function": function})  # noqa: S307 - our own


def as_a_cause(function: Function) -> object:
    """Raise another from it."""
    try:
        return function()
    except BaseException as exc:
        raise KeyError("outer", 2) from exc


def in_context(function: Function) -> object:
    """Raise another while it is handled."""
    try:
        return function()
    except BaseException:  # noqa: BLE001 - whatever it is
        raise ZaakError  # noqa: B904 - what is tested


def suppressed(function: Function) -> object:
    """Raise another instead."""
    try:
        return function()
    except BaseException:  # noqa: BLE001 - whatever it is
        raise OSError(2, "No such file", "x") from None


def with_notes(function: Function) -> object:
    """Say more of it."""
    try:
        return function()
    except BaseException as exc:
        exc.add_note("first\nsecond\n")
        exc.add_note("")
        raise


def in_a_group(function: Function) -> object:
    """Raise it together with others."""
    try:
        return function()
    except BaseException as exc:  # noqa: BLE001 - whatever it is
        raise BaseExceptionGroup("several", [exc, ValueError("other")])  # noqa: B904 - what is tested


def in_a_circle(function: Function) -> object:
    """Raise another from it that is its own cause."""
    try:
        return function()
    except BaseException as exc:
        outer = KeyError("outer")
        exc.__cause__ = outer
        raise outer from exc


def in_a_circle_of_contexts(function: Function) -> object:
    """Raise another while it is handled, and it while that is."""
    try:
        return in_context(function)
    except ZaakError as exc:
        exc.__context__.__context__ = exc  # type: ignore[union-attr]
        raise


LEAVES = (
    simple,
    without_message,
    multiline,
    unprintable,
    divided,
    misspelled_name,
    misspelled_attribute,
    misspelled_import,
    misspelled_syntax,
    leaving,
)
"""What is raised."""
WAYS = (
    directly,
    in_a_lambda,
    in_a_comprehension,
    in_a_generator,
    over_several_lines,
    in_an_expression,
    without_source,
    as_a_cause,
    in_context,
    suppressed,
    with_notes,
    in_a_group,
    in_a_circle,
    in_a_circle_of_contexts,
    *(partial(recursively, levels) for levels in range(6)),
)
"""What happens on the way from there."""


def fall(ways: Sequence[Callable[[Function], object]], leaf: Function) -> object:
    """Go all *ways*, one inside the other."""
    return ways[0](lambda: fall(ways[1:], leaf)) if ways else leaf()


@given(st.lists(st.sampled_from(WAYS), max_size=8), st.sampled_from(LEAVES), st.sampled_from(LASTS))
def test_any_exception_is_written_as_the_library_writes_it(ways: Any, leaf: Function, last: int | None) -> None:
    """Whatever happened to it, whichever frames are known."""
    exc = caught(lambda: fall(ways, leaf))
    assert written(exc, last) == library(exc, last)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("leaf", LEAVES)
def test_each_is_written_as_the_library_writes_it(leaf: Function, way: Callable[[Function], object]) -> None:
    """The first time and the second."""
    assert is_the_same(caught(lambda: way(leaf)))


def test_a_recursion_is_written_as_the_library_writes_it() -> None:
    """A thousand frames that end in another."""
    assert is_the_same(caught(lambda: recursively(100_000, simple)))


def test_a_long_chain_is_written_as_the_library_writes_it() -> None:
    """Also if each exception is explained, and then at no more than its cost."""
    explained: BaseException | None = None
    for _ in range(4 * MOST_LINKS):
        consequence = caught(misspelled_attribute)
        consequence.__context__, explained = explained, consequence
    assert explained is not None
    assert is_the_same(explained)
    assert calls(lambda: written(explained)).total() < 1.5 * calls(lambda: library(explained)).total()


def _odd(**members: Any) -> BaseException:
    kind: type[BaseException] = type("OddError", (Exception,), members)
    exc = kind("odd")
    exc.__context__ = ValueError("before")
    return exc


ODD = {
    "false": _odd(__bool__=lambda _: False),
    "empty": _odd(__len__=lambda _: 0),
    "without a module": _odd(__module__=None),
    "of the main module": _odd(__module__="__main__"),
    "note instead of notes": _odd(__notes__="note"),
    "no notes": _odd(__notes__=None),
    "notes of all types": _odd(__notes__=(1, "two", None)),
    "unprintable note": _odd(__notes__=[UnprintableError()]),
    "mapping of notes": _odd(__notes__={"a": 1}),
}


@pytest.mark.parametrize("exc", ODD.values(), ids=list(ODD))
def test_an_odd_exception_is_written_as_the_library_writes_it(exc: BaseException) -> None:
    """Whatever its class says of it, raised or not."""
    assert is_the_same(exc)
    assert is_the_same(raised(exc))


def test_what_the_library_cannot_write_is_none() -> None:
    """And nothing is raised."""

    class EndlessError(Exception):
        @property
        def __cause__(self) -> NoReturn:  # type: ignore[override]
            raise RuntimeError

    exc = raised(EndlessError())
    with pytest.raises(RuntimeError):
        library(exc)
    assert written(exc) is None


@pytest.mark.parametrize("limit", [0, 2, -1])
def test_the_interpreter_s_limit_applies(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sys.tracebacklimit`, where somebody sets it."""
    monkeypatch.setattr(sys, "tracebacklimit", limit, raising=False)
    assert is_the_same(caught(lambda: fall([directly, as_a_cause], simple)))


def test_a_traceback_made_by_hand_has_its_own_line() -> None:
    """Two of one frame, which point before its first instruction, differ."""
    frame = sys._getframe()
    for line in (1, 2):
        exc = ValueError("x").with_traceback(TracebackType(None, frame, -1, line))
        assert f", line {line}, in " in library(exc)
        assert is_the_same(exc)


def test_code_without_lines_is_written_as_the_library_writes_it() -> None:
    """What line that is, and whether it is repeated, differs between versions."""
    compiled = code(recursively)
    # Entries of eight instructions each: https://github.com/python/cpython/blob/3.12/Objects/locations.md#location-entries.
    without = compiled.replace(co_linetable=b"\xff" * (len(compiled.co_code) // 16 + 1))
    assert {position[0] for position in without.co_positions()} == {None}
    names: dict[str, Any] = {}
    names["recursively"] = FunctionType(without, names)
    assert is_the_same(caught(lambda: names["recursively"](6, simple)))


Module = Callable[[str, str], Callable[..., object]]


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Module]:
    """Write a file, and return the function `fail` in it."""

    def written_and_run(name: str, source: str) -> Callable[..., object]:
        path = tmp_path / name
        path.write_text(source)
        scope: dict[str, Any] = {}
        exec(compile(source, str(path), "exec"), scope)  # noqa: S102 - our own
        function: Callable[..., object] = scope["fail"]
        return function

    yield written_and_run
    linecache.clearcache()


FAIL = "def fail():\n    raise ValueError('no such case')\n"


def test_one_line_of_two_files_is_no_repetition(module: Module) -> None:
    """Nor of two functions that have all else in common."""
    source = "def fail(levels, other):\n    return other(levels - 1, fail) if levels else 1 / 0\n"
    one, two = (module(name, source) for name in ("one.py", "two.py"))
    exc = caught(lambda: one(8, two))
    assert "Previous line repeated" not in library(exc)
    assert is_the_same(exc)


@pytest.mark.parametrize(
    "source",
    [
        "def fail(n=8):\n    return list(fail(n - 1) for _ in 'x') if n else 1 / 0\n",
        "def fail(n=8):\n    if n % 2:\n        return fail(n - 1)\n    return fail(n - 1) if n else 1 / 0\n",
    ],
    ids=["two functions on a line", "two lines of a function"],
)
def test_what_differs_is_no_repetition(source: str, module: Module) -> None:
    """In one of the three that the library compares."""
    exc = caught(module("differs.py", source))
    assert "Previous line repeated" not in library(exc)
    assert is_the_same(exc)


def test_equal_code_of_two_files_is_told_apart(module: Module) -> None:
    """Python takes them for the same."""
    functions = [module(name, FAIL) for name in ("one.py", "two.py")]
    assert code(functions[0]) == code(functions[1])
    for function in functions:
        assert is_the_same(caught(function))


def test_code_that_is_gone_is_not_mistaken(module: Module) -> None:
    """New code may get the id of old code."""
    for number in range(200):
        assert is_the_same(caught(module("same.py", f"def fail():\n    raise ValueError({number})\n")))
        linecache.clearcache()


def test_a_source_is_read_once(module: Module, tmp_path: Path) -> None:
    """What is edited while the application runs is not what runs."""
    function = module("edited.py", FAIL)
    before = written(caught(function))
    (tmp_path / "edited.py").write_text("# something else, of another length\n" * 3)
    assert written(caught(function)) == before


def test_a_source_that_could_not_be_read_is_read_later(module: Module, tmp_path: Path) -> None:
    """Perhaps too many files were open."""
    function = module("missing.py", FAIL)
    (tmp_path / "missing.py").unlink()
    assert "raise ValueError" not in str(written(caught(function)))
    (tmp_path / "missing.py").write_text(FAIL)
    assert "raise ValueError" in str(written(caught(function)))


def test_a_frame_of_a_very_long_line_is_not_kept(module: Module) -> None:
    """It is written all the same."""
    exc = caught(module("long.py", f"def fail():\n    raise ValueError('{'x' * LONGEST}')\n"))
    assert is_the_same(exc)
    assert [frame.text for frame in tracebacks._known.values() if len(frame.text) > LONGEST] == []


def test_few_frames_are_kept(module: Module, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many raise, and on several threads."""
    monkeypatch.setattr(tracebacks, "MOST_FRAMES", 5)
    functions = [module(f"{number}.py", FAIL) for number in range(20)]
    for function in functions:
        assert is_the_same(caught(function))
        assert len(tracebacks._known) <= 5
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda function: is_the_same(caught(function)), functions * 10))


@pytest.mark.parametrize("way", [way for way in WAYS if way is not in_a_group])
@pytest.mark.parametrize("leaf", [simple, without_message, multiline, divided, misspelled_attribute])
def test_no_source_is_looked_up_twice(leaf: Function, way: Callable[[Function], object]) -> None:
    """What is written of a place is known from then on."""
    exc = caught(lambda: way(leaf))
    first, second = (calls(lambda: written(exc)) for _ in range(2))
    assert linecache.__file__ in first
    assert linecache.__file__ not in second


def test_the_library_is_not_asked_twice() -> None:
    """It explains some exceptions; of others everything is known."""
    exc = caught(lambda: fall([directly, as_a_cause, with_notes, in_context], simple))
    first, second = (calls(lambda: written(exc)) for _ in range(2))
    assert traceback.__file__ in first
    assert traceback.__file__ not in second


def test_nothing_is_kept_alive() -> None:
    """No exception, and through its traceback's frames no request."""

    class Request:
        pass

    alive: list[weakref.ref[Any]] = []

    def view() -> NoReturn:
        request = Request()
        alive.append(weakref.ref(request))
        simple()

    exc = caught(lambda: as_a_cause(view))
    alive.append(weakref.ref(exc.__cause__))
    assert is_the_same(exc)
    del exc
    assert [reference() for reference in alive] == [None, None]
