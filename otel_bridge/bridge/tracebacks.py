"""
Stack traces as the standard library writes them, at a fraction of its cost when the same places raise again.

For each frame of each exception the library reads the source, parses the line and counts its columns. What it writes of
a place in the code is the same each time, so it is asked once; a source that is edited later is not read again.
"""

import sys
import traceback
from contextlib import suppress
from itertools import islice
from types import CodeType, TracebackType
from typing import Final, NamedTuple

HEADER: Final = "Traceback (most recent call last):\n"
CAUSE: Final = "\nThe above exception was the direct cause of the following exception:\n\n"
CONTEXT: Final = "\nDuring handling of the above exception, another exception occurred:\n\n"
REPEATS: Final = 3
"""How often one line is written before the rest is counted: `_RECURSIVE_CUTOFF` of `traceback`."""
EXPLAINED: Final = (SyntaxError, NameError, AttributeError, ImportError)
"""Those of which the library says more than their message: where, and what may have been meant."""
MOST_LINKS: Final = 16
"""The longest chain that is written here: to explain one of its exceptions, the library reads all those behind it."""
MOST_FRAMES: Final = 2048
"""How many frames are kept."""
LONGEST: Final = 4096
"""How many characters of a frame are kept."""


class Frame(NamedTuple):
    """What is written of one place in the code."""

    code: CodeType
    """Never read. While it is kept, no other code has its id."""
    line: object
    """Equal in frames that the library takes for repeated."""
    text: str


# By the id of the code and the index of the instruction in it. A code's hash goes through all its instructions, and two
# that differ only in their file are equal. The line follows from both; a traceback searches it each time it is asked.
_known: dict[tuple[int, int], Frame] = {}


class _RareError(Exception):
    """What is left to the library."""


def render(exc: BaseException, trace: TracebackType | None, last: int | None = None) -> str | None:
    """
    Write an exception and what led to it, as `traceback.format_exception` does.

    Args:
        exc: The outermost exception of the chain.
        trace: Its traceback.
        last: How many frames of each exception to write, the innermost; `None` for all.

    Returns:
        Lines, each with its end; `None` for what the library cannot write, either. Never raises, and keeps neither
        frames nor exceptions.
    """
    for way in (_by_frame, _by_library):
        with suppress(Exception):
            return way(exc, trace, last)
    return None


def _by_library(exc: BaseException, trace: TracebackType | None, last: int | None) -> str:
    limit = None if last is None else -last
    return "".join(traceback.TracebackException(type(exc), exc, trace, limit=limit, compact=True).format())


def _by_frame(exc: BaseException, trace: TracebackType | None, last: int | None) -> str:
    if hasattr(sys, "tracebacklimit"):
        raise _RareError
    parts: list[str] = []
    for one, its_trace, link in reversed(_chain(exc, trace)):
        if its_trace is not None:
            parts += [HEADER, *_stack(its_trace, last)]
        parts += [_conclusion(one, its_trace), link]
    return "".join(parts)


def _chain(exc: BaseException, trace: TracebackType | None) -> list[tuple[BaseException, TracebackType | None, str]]:
    """List the exceptions from the outermost on, each with its traceback and what joins it to the one before."""
    chain = [(exc, trace, "")]
    seen = {id(exc)}
    while True:
        # Versions of the library differ in what they write of an exception that is false.
        if isinstance(exc, BaseExceptionGroup) or not exc or len(chain) > MOST_LINKS:
            raise _RareError
        if exc.__cause__ is not None and id(exc.__cause__) not in seen:
            exc, link = exc.__cause__, CAUSE
        elif exc.__context__ is not None and not exc.__suppress_context__ and id(exc.__context__) not in seen:
            exc, link = exc.__context__, CONTEXT
        else:
            return chain
        seen.add(id(exc))
        chain.append((exc, exc.__traceback__, link))


def _stack(trace: TracebackType | None, last: int | None) -> list[str]:
    traces: list[TracebackType] = []
    while trace is not None:
        traces.append(trace)
        trace = trace.tb_next
    parts: list[str] = []
    line, times = None, 0
    for one in traces if last is None else traces[-last:]:
        code = one.tb_frame.f_code
        _, its_line, text = _known.get((id(code), one.tb_lasti)) or _read(one, code)
        if its_line != line:
            if times > REPEATS:
                parts.append(_repeated(times))
            line, times = its_line, 0
        times += 1
        if times <= REPEATS:
            parts.append(text)
    return [*parts, _repeated(times)] if times > REPEATS else parts


def _repeated(times: int) -> str:
    more = times - REPEATS
    return f"  [Previous line repeated {more} more time{'s' if more > 1 else ''}]\n"


def _read(trace: TracebackType, code: CodeType) -> Frame:
    summary = traceback.extract_tb(trace, limit=1)
    place = summary[0]
    # Where there is no line, none is repeated.
    line = object() if place.lineno is None else (place.filename, place.lineno, place.name)
    frame = Frame(code, line, "".join(summary.format()))
    # A file that could not be read may be read the next time: perhaps too many were open. An instruction without a line
    # has that of its traceback, which may be any.
    is_read = place.line or place.filename.startswith("<")
    if is_read and len(frame.text) <= LONGEST and _has_line(code, trace.tb_lasti):
        if len(_known) >= MOST_FRAMES:
            _known.clear()
        _known[id(code), trace.tb_lasti] = frame
    return frame


def _has_line(code: CodeType, index: int) -> bool:
    # An instruction takes two bytes; the index is negative before the first.
    return index >= 0 and next(islice(code.co_positions(), index // 2, None))[0] is not None


def _conclusion(exc: BaseException, trace: TracebackType | None) -> str:
    """Write what stands below the frames: type, message and notes."""
    kind = type(exc)
    module, notes = kind.__module__, getattr(exc, "__notes__", ())
    if isinstance(exc, EXPLAINED) or not (isinstance(module, str) and isinstance(notes, list | tuple)):
        explained = traceback.TracebackException(kind, exc, trace, limit=0, compact=True)
        return "".join(explained.format_exception_only())
    name = kind.__qualname__ if module in ("builtins", "__main__") else f"{module}.{kind.__qualname__}"
    message = str(exc)
    return "".join([f"{name}: {message}\n" if message else f"{name}\n", *(f"{note!s}\n" for note in notes)])
