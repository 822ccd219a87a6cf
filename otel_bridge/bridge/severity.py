"""Level names and numbers to OpenTelemetry severities."""

from typing import Final

from opentelemetry._logs import SeverityNumber

SEVERITIES: Final = {
    "notset": SeverityNumber.TRACE,
    "trace": SeverityNumber.TRACE,
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "notice": SeverityNumber.INFO2,
    "success": SeverityNumber.INFO2,
    "warn": SeverityNumber.WARN,
    "warning": SeverityNumber.WARN,
    "err": SeverityNumber.ERROR,
    "error": SeverityNumber.ERROR,
    "exception": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
    "fatal": SeverityNumber.FATAL,
    "alert": SeverityNumber.FATAL2,
    "emerg": SeverityNumber.FATAL4,
    "emergency": SeverityNumber.FATAL4,
    "panic": SeverityNumber.FATAL4,
}
"""Level names to severities: https://opentelemetry.io/docs/specs/otel/logs/data-model/#mapping-of-severitynumber"""

METHOD_LEVELS: Final = {"warn": "warning", "exception": "error"}
"""Method names to the level that `structlog.processors.add_log_level` writes for them, where the two differ."""


def from_level_number(number: int) -> SeverityNumber:
    """Map a level number of `logging` as the official `std_to_otel` does: four severities to each ten, none below."""
    if number < 10:
        return SeverityNumber.UNSPECIFIED
    if number > 53:
        return SeverityNumber.FATAL4
    return SeverityNumber(number // 10 * 4 + 1 + min(number % 10, 3))


def severity(level: object, level_number: object = None) -> SeverityNumber:
    """
    Find the severity number of a level.

    Args:
        level: A level's name, in any case, or its number on the scale of `logging`.
        level_number: What `structlog.stdlib.add_log_level_number` wrote; it wins where it is an integer.

    Returns:
        The severity; `UNSPECIFIED` (0) if *level* names none. Never raises.
    """
    for number in (level_number, level):
        if type(number) is int:
            return from_level_number(number)
    name = level.lower() if isinstance(level, str) else ""
    return SEVERITIES.get(name, SeverityNumber.UNSPECIFIED)
