"""Exceptions, in every shape that structlog and its processors give them, to OpenTelemetry's exception attributes."""

import re
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Literal, NamedTuple

from otel_bridge.bridge.tracebacks import CAUSE, CONTEXT, render
from otel_bridge.bridge.values import safe_text

Stacktrace = Literal["full", "short", "none"]
"""How much of a stack trace to keep: all of it, the last frames of each exception in the chain, or nothing."""

SHORT_FRAMES: Final = 3
STACKTRACE: Final = 65_536
"""How many characters of a stack trace are kept; the middle goes first, because its last lines say what happened."""

NONE: Final = ("", "NoneType: None", "MISSING")
"""What `logging.Formatter.formatException` and structlog write where no exception was being handled."""
HEADER: Final = re.compile(r"^(?:  [+|] )?(?:Exception Group )?Traceback \(most recent call last\):$")
MARGIN: Final = re.compile(r"^  [+|] ")
LAST_LINE: Final = re.compile(r"^([^\W\d][\w.<>]*)(?:: (.*))?$")
"""The line of a traceback that names the exception: `package.Type: message`, or its type alone."""

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class ExceptionInfo(NamedTuple):
    """What the semantic conventions keep of one: https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-logs/."""

    type: str | None
    message: str | None
    stacktrace: str | None


def exception_info(exc_info: object, exception: object, keep: Stacktrace = "full") -> ExceptionInfo | None:
    """
    Describe the exception of an event.

    Args:
        exc_info: The value under `exc_info`: `True` (or 1) for the one that is being handled, an instance, or a tuple
            as `sys.exc_info()` returns it. Anything else stands for none.
        exception: The value under `exception`: an instance (as Celery's), the text that
            `structlog.processors.format_exc_info` rendered, or the list of `structlog.processors.dict_tracebacks`.
            Anything else stands for none. A raw *exc_info* wins over an instance, and that over what was rendered.
        keep: How much of the stack trace to keep.

    Returns:
        Its type (with its module, unless it is a builtin), message and stack trace, each `None` where it is not known
        or not kept; `None` if there is no exception. Never raises.
    """
    if exc_info is True or (type(exc_info) is int and exc_info == 1):
        exc_info = sys.exc_info()
    try:
        for shape in (_raw(exc_info), _raw(exception)):
            if shape is not None:
                return _from_raw(shape, keep)
        return _from_rendered(exception, keep)
    except Exception:  # noqa: BLE001 - a foreign type may raise anything from anywhere
        return None


def says_none(value: object) -> bool:
    """Tell whether *value*, of which no exception could be made, was never meant to hold one. Never raises."""
    if type(value) is tuple:
        return value == () or all(part is None for part in value)
    return value is None or type(value) is bool or (type(value) is str and value in NONE)


def _from_rendered(exception: object, keep: Stacktrace) -> ExceptionInfo | None:
    if isinstance(exception, str):
        return None if exception in NONE else _from_text(exception, keep)
    if isinstance(exception, Sequence) and all(isinstance(item, Mapping) and "exc_type" in item for item in exception):
        return _from_dicts(exception, keep) if exception else None
    return None


def _raw(value: object) -> ExcInfo | None:
    if isinstance(value, BaseException):
        return type(value), value, value.__traceback__
    if isinstance(value, tuple) and len(value) == 3 and isinstance(value[1], BaseException):
        trace = value[2] if isinstance(value[2], TracebackType) else value[1].__traceback__
        return type(value[1]), value[1], trace
    return None


def _from_raw(raw: ExcInfo, keep: Stacktrace) -> ExceptionInfo:
    exc_type, exc, _ = raw
    try:
        message = str(exc)
    except Exception:  # noqa: BLE001 - an exception's own __str__ may raise anything
        message = f"<unprintable {exc_type.__qualname__} object>"
    module = "" if exc_type.__module__ in ("builtins", "__main__") else f"{exc_type.__module__}."
    return ExceptionInfo(f"{module}{exc_type.__qualname__}", message, _format(raw, keep))


def _format(raw: ExcInfo, keep: Stacktrace) -> str | None:
    if keep == "none":
        return None
    _, exc, trace = raw
    stacktrace = render(exc, trace, SHORT_FRAMES if keep == "short" else None)
    return None if stacktrace is None else bounded(stacktrace.rstrip("\n"))


def bounded(stacktrace: str) -> str:
    """Cut the middle out of a stack trace longer than `STACKTRACE` characters, and say so in its place."""
    if len(stacktrace) <= STACKTRACE:
        return stacktrace
    head = STACKTRACE // 4
    return f"{stacktrace[:head]}\n… [{len(stacktrace)} characters] …\n{stacktrace[head - STACKTRACE :]}"


def _from_text(rendered: str, keep: Stacktrace) -> ExceptionInfo:
    stacktrace = rendered.rstrip("\n")
    exc_type, message = _last_exception(stacktrace)
    if exc_type is None and "\n" not in stacktrace:
        return ExceptionInfo(None, stacktrace, None)
    return ExceptionInfo(exc_type, message, None if keep == "none" else bounded(_shortened(stacktrace, keep)))


def _last_exception(rendered: str) -> tuple[str | None, str | None]:
    """
    Read type and message of the outermost exception from a rendered traceback.

    The lines after the one that names the exception belong to its message or are its notes; nothing tells which.
    """
    last = max(rendered.rfind(CAUSE) + len(CAUSE), rendered.rfind(CONTEXT) + len(CONTEXT))
    lines = rendered[last if CAUSE in rendered or CONTEXT in rendered else 0 :].splitlines()
    headers = [number for number, line in enumerate(lines) if HEADER.match(line)]
    margin = ""
    if headers:
        if lines[headers[0]].startswith("  "):
            margin = "  | "
            # Below this line are the exceptions of the group.
            lines = lines[: next((n for n, line in enumerate(lines) if line.startswith("  +-")), len(lines))]
        lines = [MARGIN.sub("", line) if margin else line for line in lines[headers[0] + 1 :]]
    named = next((n for n, line in enumerate(lines) if line and not line[0].isspace() and LAST_LINE.match(line)), None)
    match = LAST_LINE.match(lines[named]) if named is not None else None
    if match is None or named is None or not (headers or match[2] is not None):
        return None, None
    return match[1], "\n".join([match[2] or "", *lines[named + 1 :]]).strip("\n")


def _shortened(stacktrace: str, keep: Stacktrace) -> str:
    """Keep the last frames of each exception in a rendered chain."""
    if keep == "full":
        return stacktrace
    kept: list[str] = []
    frames: list[list[str]] = []
    for line in stacktrace.splitlines():
        if re.match(r"(?:  \| )?  File \"", line):
            frames.append([line])
        elif frames and re.match(r"(?:  \| )?  ", line):
            frames[-1].append(line)
        else:
            kept += [part for frame in frames[-SHORT_FRAMES:] for part in frame]
            frames = []
            kept.append(line)
    return "\n".join(kept + [part for frame in frames[-SHORT_FRAMES:] for part in frame])


def _from_dicts(exceptions: Sequence[Mapping[str, object]], keep: Stacktrace) -> ExceptionInfo:
    """Read the list of `structlog.tracebacks.ExceptionDictTransformer`, whose first item is the outermost exception."""
    outermost = exceptions[0]
    exc_type, message = outermost.get("exc_type"), outermost.get("exc_value")
    stacktrace = None if keep == "none" else bounded(_format_dicts(exceptions, keep))
    return ExceptionInfo(
        exc_type if isinstance(exc_type, str) else None, message if isinstance(message, str) else None, stacktrace
    )


def _format_dicts(exceptions: Sequence[Mapping[str, object]], keep: Stacktrace) -> str:
    parts: list[str] = []
    for exception in reversed(exceptions):
        parts.append(_format_dict(exception, keep))
        if exception is not exceptions[0]:
            parts.append(CAUSE if exception.get("is_cause") else CONTEXT)
    return "".join(parts).rstrip("\n")


def _format_dict(exception: Mapping[str, object], keep: Stacktrace) -> str:
    frames = [frame for frame in _items(exception.get("frames")) if isinstance(frame, Mapping)]
    lines = ["Traceback (most recent call last):"] if frames else []
    for frame in frames[-SHORT_FRAMES:] if keep == "short" else frames:
        file, line, name, source = (safe_text(frame.get(key, "")) for key in ("filename", "lineno", "name", "line"))
        lines.append(f'  File "{file}", line {line}, in {name}')
        lines += [f"    {source}"] if source else []
    exc_type, value = safe_text(exception.get("exc_type")), safe_text(exception.get("exc_value", ""))
    lines.append(f"{exc_type}: {value}" if value else exc_type)
    lines += [safe_text(note) for note in _items(exception.get("exc_notes"))]
    for number, group in enumerate(_items(exception.get("exceptions")), start=1):
        inner = _format_dicts([item for item in _items(group) if isinstance(item, Mapping)], keep)
        lines += [f"  +---------------- {number} ----------------", *(f"  | {line}" for line in inner.splitlines())]
    return "\n".join(lines) + "\n"


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
