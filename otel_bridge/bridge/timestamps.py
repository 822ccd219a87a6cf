"""Timestamps to nanoseconds since the UNIX epoch, exactly."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = 2**63 - 1
"""Both stores keep nanoseconds in a signed 64-bit integer: Elasticsearch's `date_nanos`, Loki's entry time."""
MICROSECOND: Final = timedelta(microseconds=1)
BEYOND_MICROSECONDS: Final = re.compile(r"[.,]\d{6}(\d{1,3})")


def nanoseconds(timestamp: object, zone: tzinfo = UTC) -> int | None:
    """
    Convert a structlog timestamp to OpenTelemetry's.

    Args:
        timestamp: Seconds since the UNIX epoch, a `datetime`, or an ISO 8601 string, as
            `structlog.processors.TimeStamper` writes them.
        zone: The zone of a timestamp that names none.

    Returns:
        Nanoseconds since the UNIX epoch; `None` if *timestamp* names no instant after it that the stores can keep.
        Never raises.
    """
    try:
        instant = _nanoseconds(timestamp, zone)
    except Exception:  # noqa: BLE001 - whatever a foreign type raises, it is not an instant
        return None
    return instant if instant is not None and 0 < instant <= LATEST else None


def _nanoseconds(timestamp: object, zone: tzinfo) -> int | None:
    if isinstance(timestamp, str):
        return _from_text(timestamp, zone)
    if isinstance(timestamp, datetime):
        return _from_datetime(timestamp, zone)
    if isinstance(timestamp, bool):
        return None
    if isinstance(timestamp, int):
        return timestamp * 1_000_000_000
    if isinstance(timestamp, float):
        # The shortest decimal that reads back as this float is what its writer meant.
        return int(Decimal(float.__repr__(timestamp)).scaleb(9))
    return None


def from_iso(timestamp: str) -> int | None:
    """
    Convert what `TimeStamper(fmt="iso")` writes, and nothing else; a second is read once, many times as fast.

    Returns:
        Nanoseconds since the UNIX epoch; `None` for any other text.

    Raises:
        ValueError: It is another text that begins with such a second.
    """
    known, start = _latest
    if timestamp[:20] != known:
        start = _start(timestamp[:20])
    if start is None or timestamp[26:] != "Z" or not timestamp.isascii():
        return None
    microseconds = int(timestamp[20:26])
    # `int` reads signs, spaces and underscores too, of which there is no room before six digits.
    if microseconds < 100_000 and not timestamp[20:26].isdigit():
        return None
    return start + microseconds * 1000


_latest: tuple[str, int | None] = ("", None)
"""The second that was read last, as a pair, so that a thread never reads one half of what another has written."""


def _start(second: str) -> int | None:
    global _latest  # noqa: PLW0603 - measured, a third of the cost of `functools.lru_cache` and its key
    start, end = nanoseconds(f"{second}000000Z"), nanoseconds(f"{second}999999Z")
    if end is None or not second.endswith("."):
        start = None
    _latest = second, start
    return start


def _from_text(timestamp: str, zone: tzinfo) -> int:
    finer = BEYOND_MICROSECONDS.search(timestamp)
    return _from_datetime(datetime.fromisoformat(timestamp), zone) + (int(finer[1].ljust(3, "0")) if finer else 0)


def _from_datetime(timestamp: datetime, zone: tzinfo) -> int:
    aware = timestamp if timestamp.tzinfo is not None else timestamp.replace(tzinfo=zone)
    return (aware - EPOCH) // MICROSECOND * 1000
