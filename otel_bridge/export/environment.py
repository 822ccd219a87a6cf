"""
OpenTelemetry's environment variables.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ and
https://opentelemetry.io/docs/specs/otel/protocol/exporter/. What is not understood is said, with what is used instead:
nothing that the environment holds raises here.
"""

import math
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from otel_bridge.export.setting import Setting, WrongSettingError, first, say_once, variable

Known = TypeVar("Known", bound=str)

DISABLED: Final = "OTEL_SDK_DISABLED"
EXPORTER: Final = "OTEL_LOGS_EXPORTER"
EXPORTERS: Final = {
    "otlp": "otlp",
    "console": "console",
    "otlp/stdout": "console",
    "otlp_proto_http": "otlp",
    "otlp_proto_grpc": "otlp",
}
"""Values of `OTEL_LOGS_EXPORTER` to what they mean here; the last two are OpenTelemetry Python's own:
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#exporter-selection"""

SCHEDULE_DELAY: Final = "OTEL_BLRP_SCHEDULE_DELAY"
EXPORT_TIMEOUT: Final = "OTEL_BLRP_EXPORT_TIMEOUT"
BATCH_SIZE: Final = "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"
QUEUE_SIZE: Final = "OTEL_BLRP_MAX_QUEUE_SIZE"
DELAY: Final = 1000.0
"""Milliseconds."""
SHORTEST_DELAY: Final = 0.01
TIMEOUTS: Final = ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
TIMEOUT: Final = 10.0
"""Seconds. The specification has milliseconds in the variable; OpenTelemetry Python reads seconds, and so do we."""
DIGITS: Final = 18
"""Of a whole number at most."""


@dataclass(frozen=True)
class AttributeLimits:
    """How much of a record is kept: https://opentelemetry.io/docs/specs/otel/common/#attribute-limits."""

    count: int = 128
    """Attributes of a record."""
    value_length: int | None = None
    """Characters of a text that is, or is in, the value of an attribute; `None` for no limit."""


def is_disabled(environ: Mapping[str, str]) -> bool:
    """Tell whether nothing of OpenTelemetry is wanted."""
    return first(environ, [DISABLED], lambda setting: one_of(("true", "false"), setting) == "true", default=False)


def exporters(environ: Mapping[str, str]) -> frozenset[str]:
    """
    Read where records go.

    Returns:
        Which of `otlp` and `console`; nothing where the variable is `none`. What it holds besides is said and left
        out, and where nothing else is left, it is `otlp`.
    """
    names = exporter_names(environ)
    if names == {"none"}:
        return frozenset()
    found = frozenset(EXPORTERS[name] for name in names if name in EXPORTERS) or frozenset({"otlp"})
    if not names <= EXPORTERS.keys():
        known = "otlp, console and otlp/stdout, or none"
        say_once(f"{variable(environ, EXPORTER)} is no list of {known}; {','.join(sorted(found))} is used instead.")
    return found


def exporter_names(environ: Mapping[str, str]) -> set[str]:
    """Return the items of `OTEL_LOGS_EXPORTER`, whatever they are."""
    return {name for item in variable(environ, EXPORTER).value.split(",") if (name := item.strip().lower())}


def schedule_delay(environ: Mapping[str, str]) -> float:
    """Read how long a record waits for others at most; in seconds, and so long that nothing spins."""
    return max(SHORTEST_DELAY, first(environ, [SCHEDULE_DELAY], _milliseconds, DELAY) / 1000)


def timeout(environ: Mapping[str, str], given: float | None = None) -> float:
    """
    Read how long one request may take.

    Args:
        environ: The environment, where the exporter's time and the processor's are both kept.
        given: Wins over both.

    Returns:
        Seconds that a thread can wait.

    Raises:
        ValueError: *given* is no such number.
    """
    if given is not None:
        return _seconds(Setting("timeout", str(given)))
    # Zero is no limit: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#timeout.
    most = first(environ, [EXPORT_TIMEOUT], _milliseconds, 0.0) / 1000
    return min(first(environ, TIMEOUTS, _seconds, TIMEOUT), most or math.inf)


def batch_size(environ: Mapping[str, str], default: int) -> int:
    """
    Read how many records one request holds at most.

    What `OTEL_BLRP_MAX_QUEUE_SIZE` asks for is not done, and said: what waits is bounded in bytes here, not in records.
    """
    if (setting := variable(environ, QUEUE_SIZE)).value:
        say_once(f"{setting} has no effect: what waits is bounded in bytes, by max_buffer_bytes of LoggerProvider.")
    return first(environ, [BATCH_SIZE], lambda setting: _whole(setting, 1), default)


def attribute_limits(environ: Mapping[str, str]) -> AttributeLimits:
    """Read the limits of a record's attributes; the variables of log records come before the general ones."""
    none = AttributeLimits()
    return AttributeLimits(
        first(environ, _limit("COUNT"), lambda setting: _whole(setting, 0), none.count),
        first(environ, _limit("VALUE_LENGTH"), lambda setting: _whole(setting, 0), none.value_length),
    )


def one_of(known: Iterable[Known], setting: Setting) -> Known:
    """
    Read a setting that has one of some values, in any case.

    Raises:
        WrongSettingError: It is none of *known*.
    """
    known = tuple(known)
    for value in known:
        if value == setting.value.lower():
            return value
    raise WrongSettingError(setting, f"is not {' or '.join(known)}")


def _limit(what: str) -> tuple[str, str]:
    return f"OTEL_LOGRECORD_ATTRIBUTE_{what}_LIMIT", f"OTEL_ATTRIBUTE_{what}_LIMIT"


def _whole(setting: Setting, least: int) -> int:
    text = setting.value
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS and int(text) >= least):
        raise WrongSettingError(setting, f"is no whole number from {least} on")
    return int(text)


def _milliseconds(setting: Setting) -> float:
    found = _number(setting)
    if not 0 <= found / 1000 <= threading.TIMEOUT_MAX:
        raise WrongSettingError(setting, "is no number of milliseconds")
    return found


def _seconds(setting: Setting) -> float:
    found = _number(setting)
    if not 0 < found <= threading.TIMEOUT_MAX:
        raise WrongSettingError(setting, "is no number of seconds above 0")
    return found


def _number(setting: Setting) -> float:
    try:
        return float(setting.value)
    except ValueError:
        return math.nan
