"""Timestamps to nanoseconds since the UNIX epoch, exactly."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = 2**63 - 1
"""Both stores keep nanoseconds in a signed 64-bit integer: Elasticsearch's `date_nanos`, Loki's entry time."""
MICROSECOND: Final = timedelta(microseconds=1)
MICROSECONDS: Final = re.compile(r"[0-9]{6}")
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
    """
    if (
        len(timestamp) != 27
        or timestamp[19] != "."
        or timestamp[26] != "Z"
        or not MICROSECONDS.fullmatch(timestamp, 20, 26)
    ):
        return None
    second = _second(timestamp[:19])
    return None if second is None else second + int(timestamp[20:26]) * 1000


@lru_cache(maxsize=64)
def _second(timestamp: str) -> int | None:
    return nanoseconds(f"{timestamp}Z")


def _from_text(timestamp: str, zone: tzinfo) -> int:
    finer = BEYOND_MICROSECONDS.search(timestamp)
    return _from_datetime(datetime.fromisoformat(timestamp), zone) + (int(finer[1].ljust(3, "0")) if finer else 0)


def _from_datetime(timestamp: datetime, zone: tzinfo) -> int:
    aware = timestamp if timestamp.tzinfo is not None else timestamp.replace(tzinfo=zone)
    return (aware - EPOCH) // MICROSECOND * 1000
