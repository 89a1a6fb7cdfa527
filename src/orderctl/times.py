"""Times as people type them, in UTC: `2026-11-23T04:36:00Z`, `2026-11-23`, `yesterday`, `2h`.

And spans of time as they are shown.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

import typer

from orders.domain import timestamps

_AGO: Final = re.compile(r"(\d{1,6})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DAYS_AGO: Final = {"today": 0, "yesterday": 1}
_MILLISECOND: Final = timedelta(milliseconds=1)

_FORMS: Final = "2026-11-23, 2026-11-23T04:36:00Z, yesterday, or 2h for two hours ago"


def parse_time(text: str) -> datetime:
    """An instant, rounded up to the millisecond; a date is its midnight, `2h` is two hours ago.

    Raises:
        typer.BadParameter.
    """
    try:
        instant = _instant(text.strip(), datetime.now(UTC))
        return timestamps.from_milliseconds(-((timestamps.EPOCH - instant) // _MILLISECOND))
    except (OverflowError, ValueError) as error:
        raise typer.BadParameter(f"{text} isn't a valid time: use {_FORMS}.") from error


def _instant(text: str, now: datetime) -> datetime:
    if text == "now":
        return now
    if text in _DAYS_AGO:
        midnight = datetime.combine(now.date(), time(), UTC)
        return midnight - timedelta(days=_DAYS_AGO[text])
    if match := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def time_option(*names: str, what: str) -> Any:  # noqa: ANN401 - as typer.Option
    """An option that takes what `parse_time` reads."""
    return typer.Option(*names, parser=parse_time, metavar="TIME", help=f"{what} UTC: {_FORMS}.")


def span(length: timedelta) -> str:
    """In the largest unit that is full twice, such as 90 s, 5 min, 26 h, 3 days."""
    seconds = int(length.total_seconds())
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
