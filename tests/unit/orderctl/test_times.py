"""Times as people type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import typer

from orderctl.times import parse_time, span


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-11-23T04:36", datetime(2026, 11, 23, 4, 36, tzinfo=UTC)),
        ("2026-11-23T04:36:00Z", datetime(2026, 11, 23, 4, 36, tzinfo=UTC)),
        ("2026-11-23T06:36:00+02:00", datetime(2026, 11, 23, 4, 36, tzinfo=UTC)),
        ("2026-11-23T04:36:00.123Z", datetime(2026, 11, 23, 4, 36, 0, 123_000, UTC)),
        ("2026-11-23T04:36:00.123001Z", datetime(2026, 11, 23, 4, 36, 0, 124_000, UTC)),
    ],
)
def test_instants_are_utc_and_round_up_to_the_millisecond(text: str, instant: datetime) -> None:
    assert parse_time(text) == instant


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("now", timedelta()),
        ("90s", timedelta(seconds=90)),
        ("5m", timedelta(minutes=5)),
        ("2h", timedelta(hours=2)),
        ("7d", timedelta(days=7)),
    ],
)
def test_times_are_counted_back_from_now(text: str, ago: timedelta) -> None:
    before = datetime.now(UTC)
    parsed = parse_time(text)
    assert before - ago <= parsed <= datetime.now(UTC) - ago + timedelta(milliseconds=1)


def test_days_begin_at_midnight() -> None:
    before = datetime.now(UTC).date()
    today, yesterday = parse_time("today"), parse_time("yesterday")
    if before == datetime.now(UTC).date():
        assert today == datetime(before.year, before.month, before.day, tzinfo=UTC)
        assert today - yesterday == timedelta(days=1)


@pytest.mark.parametrize(
    "text", ["", "soon", "2h ago", "999999d", "2026-13-01", "9999-12-31T23:59:59-01:00", "-2h"]
)
def test_other_texts_are_no_times(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="isn't a valid time"):
        parse_time(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7_199, "119 min"),
        (7_200, "2 h"),
        (3e5, "3 days"),
    ],
)
def test_a_span_of_time_is_told_in_one_unit(seconds: float, text: str) -> None:
    assert span(timedelta(seconds=seconds)) == text
