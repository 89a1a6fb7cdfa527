from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.domain.timestamps import from_milliseconds, from_text, to_milliseconds, to_text

LAST_MILLISECOND = 253_402_300_799_999

milliseconds = st.integers(0, LAST_MILLISECOND)


@given(milliseconds)
def test_milliseconds_survive_both_round_trips(ms: int) -> None:
    instant = from_milliseconds(ms)
    assert to_milliseconds(instant) == ms
    assert from_text(to_text(instant)) == instant


@given(milliseconds, milliseconds)
def test_texts_sort_as_instants_do(some: int, other: int) -> None:
    texts = [to_text(from_milliseconds(some)), to_text(from_milliseconds(other))]
    assert (texts[0] < texts[1]) == (some < other)


def test_the_text_is_rfc_3339_to_the_millisecond() -> None:
    instant = datetime(2026, 11, 23, 4, 36, 0, 123_999, tzinfo=UTC)
    assert to_text(instant) == "2026-11-23T04:36:00.123Z"
    assert to_text(from_milliseconds(0)) == "1970-01-01T00:00:00.000Z"


def test_fractions_of_a_millisecond_are_cut_off() -> None:
    assert to_milliseconds(datetime(1970, 1, 1, 0, 0, 1, 1_999, tzinfo=UTC)) == 1001


def test_an_instant_with_an_offset_becomes_utc() -> None:
    bangkok = timezone(timedelta(hours=7))
    assert from_text("2026-11-23T11:36:00+07:00") == datetime(2026, 11, 23, 11, 36, tzinfo=bangkok)
    assert from_text("2026-11-23T11:36:00+07:00").tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "Invalid isoformat string: ''"),
        ("yesterday", "Invalid isoformat string: 'yesterday'"),
        ("2026-11-23T04:36:00", "an instant needs its offset"),
        ("2026-11-23", "an instant needs its offset"),
        ("0001-01-01T00:00:00+00:01", "an instant before the year 1 or after the year 9999"),
        ("9999-12-31T23:59:59-00:01", "an instant before the year 1 or after the year 9999"),
    ],
)
def test_an_invalid_instant_is_refused(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=f"^{fault}$"):
        from_text(text)
