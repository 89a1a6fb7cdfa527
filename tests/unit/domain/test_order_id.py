from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import NOON
from orders.domain.order_id import IdRange, OrderId, created_at, make_order_id, parse_order_id
from orders.domain.timestamps import from_milliseconds, to_milliseconds

LAST_MILLISECOND = to_milliseconds(datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC))

milliseconds = st.integers(0, LAST_MILLISECOND)
randomness = st.binary(min_size=3, max_size=3)
order_ids = st.builds(lambda ms, noise: make_order_id(from_milliseconds(ms), noise),
                      milliseconds, randomness)  # fmt: skip
ANY = IdRange.all()
FIRST, LAST = (str(uuid.UUID(int=end)) for end in (0, ((LAST_MILLISECOND + 1) << 80) - 1))


def holds(ids: IdRange, order_id: OrderId) -> bool:
    bounds = ids.bounds()
    return bounds is not None and bounds[0] <= order_id <= bounds[1]


@given(milliseconds, randomness)
def test_an_id_is_a_uuid_of_version_7_with_its_millisecond(ms: int, noise: bytes) -> None:
    order_id = make_order_id(from_milliseconds(ms), noise)
    parsed = uuid.UUID(order_id)
    assert (parsed.version, parsed.variant, str(parsed)) == (7, uuid.RFC_4122, order_id)
    assert parsed.int >> 80 == ms
    assert created_at(order_id) == from_milliseconds(ms)
    assert parse_order_id(order_id) == order_id


def test_an_id_uses_18_bits_of_the_randomness() -> None:
    ids = {make_order_id(NOON, (1 << bit).to_bytes(3)) for bit in range(24)}
    assert len(ids) == 18 + 1


@given(milliseconds, randomness)
def test_the_last_seven_bytes_are_a_digest_of_the_first_nine(ms: int, noise: bytes) -> None:
    value = uuid.UUID(make_order_id(from_milliseconds(ms), noise)).bytes
    assert value[9:] == hashlib.sha256(value[:9]).digest()[:7]


@given(milliseconds, milliseconds, randomness, randomness)
def test_ids_sort_by_time(earlier: int, later: int, some_noise: bytes, other_noise: bytes) -> None:
    if earlier == later:
        return
    earlier, later = sorted((earlier, later))
    assert make_order_id(from_milliseconds(earlier), some_noise) < make_order_id(
        from_milliseconds(later), other_noise
    )


@given(st.text())
def test_a_parsed_id_is_the_text_itself(text: str) -> None:
    assert parse_order_id(text) in {None, text}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5",
        "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5dd",
        "01978C5E-7A1B-7C3E-9F00-3D1F6A2B4C5D",
        "01978c5e7a1b7c3e9f003d1f6a2b4c5d",
        "{01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d}",
        "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d\n",
        "0१978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d",
        "ffffffff-ffff-7fff-bfff-ffffffffffff",
    ],
)
def test_an_invalid_id_is_not_parsed(text: str) -> None:
    assert parse_order_id(text) is None


def test_ids_end_with_the_last_millisecond_that_can_be_written() -> None:
    last = make_order_id(from_milliseconds(LAST_MILLISECOND), b"\xff" * 3)
    assert parse_order_id(last) == last
    beyond = uuid.UUID(int=(LAST_MILLISECOND + 1) << 80)
    assert parse_order_id(str(beyond)) is None


def test_the_whole_range_ends_with_the_first_and_the_last_valid_id() -> None:
    assert ANY.bounds() == (FIRST, LAST)
    assert [parse_order_id(end) for end in (FIRST, LAST)] == [FIRST, LAST]


@given(order_ids)
def test_a_range_ends_exactly_at_its_bounds(order_id: OrderId) -> None:
    number = uuid.UUID(order_id).int
    previous, following = (OrderId(str(uuid.UUID(int=number + step))) for step in (-1, 1))
    assert ANY.before(order_id).after(previous).bounds() is None
    assert ANY.before(following).after(previous).bounds() == (order_id, order_id)
    assert ANY.before(order_id).bounds() == (FIRST, previous)
    assert ANY.after(order_id).bounds() == (following, LAST)


@given(order_ids, st.lists(st.tuples(st.sampled_from(range(4)), st.none() | order_ids), max_size=6))
def test_a_range_holds_every_id_that_no_cut_left_out(
    order_id: OrderId, cuts: list[tuple[int, OrderId | None]]
) -> None:
    """Cuts at positions and at instants, in any order; None cuts at the id itself."""
    ids, expected = ANY, True
    made = to_milliseconds(created_at(order_id))
    for kind, other in cuts:
        cut = other or order_id
        ms = to_milliseconds(created_at(cut))
        ids, holds_it = (
            (ids.before(cut), order_id < cut),
            (ids.after(cut), order_id > cut),
            (ids.created_from(ms), made >= ms),
            (ids.created_before(ms), made < ms),
        )[kind]
        expected &= holds_it
    assert holds(ids, order_id) == expected


@given(st.integers(-(10**15), 10**16))
def test_instants_far_off_leave_all_ids_or_none(ms: int) -> None:
    for ids in (ANY.created_from(ms), ANY.created_before(ms)):
        bounds = ids.bounds()
        if bounds is not None:
            assert bounds == tuple(parse_order_id(bound) for bound in bounds)
    assert (ANY.created_from(ms).bounds() is None) == (ms > LAST_MILLISECOND)
    assert (ANY.created_before(ms).bounds() is None) == (ms <= 0)


@given(st.dates(date(1970, 1, 1)), randomness)
def test_a_day_begins_with_its_first_millisecond_and_ends_with_its_last(
    day: date, noise: bytes
) -> None:
    ids = IdRange.of_day(day)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    end = timedelta(hours=23, minutes=59, seconds=59, milliseconds=999)
    assert holds(ids, make_order_id(start, noise))
    assert holds(ids, make_order_id(start + end, noise))
    bounds = ids.bounds()
    assert bounds is not None
    assert [created_at(bound) for bound in bounds] == [start, start + end]
    assert [uuid.UUID(bound).int & ((1 << 80) - 1) for bound in bounds] == [0, (1 << 80) - 1]
