"""Instants, to the millisecond, always UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def to_milliseconds(instant: datetime) -> int:
    """Milliseconds since the Unix epoch, rounded down."""
    return (instant - EPOCH) // _MILLISECOND


def from_milliseconds(milliseconds: int) -> datetime:
    """The instant `milliseconds` after the Unix epoch."""
    return EPOCH + milliseconds * _MILLISECOND


@lru_cache(maxsize=256)
def to_text(instant: datetime) -> str:
    """RFC 3339 with three decimals and `Z`; texts sort as the instants do."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def from_text(text: str) -> datetime:
    """Read what `to_text` wrote.

    Raises:
        ValueError: the text is not an RFC 3339 instant.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is UTC:
        return instant
    if instant.tzinfo is None:
        raise ValueError("an instant needs its offset")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("an instant before the year 1 or after the year 9999") from error
