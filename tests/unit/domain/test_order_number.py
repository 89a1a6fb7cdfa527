from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orders.domain.order_id import IdRange, OrderId, created_at, make_order_id, parse_order_id
from orders.domain.order_number import (
    looks_like_order_number,
    order_number,
    parse_order_number,
    read_order_id,
)
from orders.domain.timestamps import from_milliseconds, to_milliseconds
from proof import order_number as oracle

if TYPE_CHECKING:
    from random import Random

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
READ_ALIKE = {"0": "0Oo", "1": "1IiLl"}
FIRST = to_milliseconds(datetime(2020, 1, 1, tzinfo=UTC))
LAST = to_milliseconds(datetime(2159, 5, 15, 7, 35, 11, 103_000, UTC))
NONE, ALL = bytes(3), b"\xff" * 3

made_ids = st.builds(
    lambda ms, noise: make_order_id(from_milliseconds(ms), noise),
    st.integers(FIRST, LAST),
    st.binary(min_size=3, max_size=3),
)
any_ids = st.builds(
    lambda value: OrderId(str(UUID(int=value))),
    st.integers(IdRange.all().first, IdRange.all().last),
)


@given(made_ids)
@example(make_order_id(from_milliseconds(FIRST), NONE))
@example(make_order_id(from_milliseconds(LAST), ALL))
def test_a_number_leads_back_to_its_id(order_id: OrderId) -> None:
    number = order_number(order_id)
    assert number == oracle.order_number(order_id)
    assert re.fullmatch(rf"(?:[{ALPHABET}]{{4}}-){{3}}[{ALPHABET}]", number)
    assert parse_order_number(number) == order_id


@given(st.integers(0, (1 << 60) - 1))
@example(0)
@example((1 << 60) - 1)
def test_every_twelve_characters_are_the_number_of_one_id(seed: int) -> None:
    twelve = "".join(ALPHABET[seed >> shift & 31] for shift in range(55, -5, -5))
    (number,) = (
        text for check in ALPHABET if parse_order_number(text := twelve + check) is not None
    )
    order_id = parse_order_number(number)
    assert order_id is not None
    assert (UUID(order_id).version, parse_order_id(order_id)) == (7, order_id)
    assert FIRST <= to_milliseconds(created_at(order_id)) <= LAST
    assert order_number(order_id).replace("-", "") == number


def test_numbers_last_from_2020_into_2159() -> None:
    first, last = (
        make_order_id(from_milliseconds(FIRST), NONE),
        make_order_id(from_milliseconds(LAST), ALL),
    )
    assert [order_number(end)[:-2] for end in (first, last)] == ["0000-0000-0000", "ZZZZ-ZZZZ-ZZZZ"]
    for beyond in (FIRST - 1, LAST + 1):
        order_id = make_order_id(from_milliseconds(beyond), NONE)
        assert parse_order_number(order_number(order_id)) != order_id


@given(made_ids, made_ids | st.none(), st.binary(min_size=3))
def test_numbers_sort_as_ids_do(some: OrderId, elsewhen: OrderId | None, noise: bytes) -> None:
    """Also within a millisecond, where `elsewhen` is None."""
    other = elsewhen or make_order_id(created_at(some), noise)
    assert (order_number(some) < order_number(other)) == (some < other)


@given(made_ids)
def test_every_single_wrong_character_is_detected(order_id: OrderId) -> None:
    number = order_number(order_id)
    for at, right in enumerate(number):
        for wrong in set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") - set(
            READ_ALIKE.get(right, right)
        ):
            mistyped = number[:at] + wrong + number[at + 1 :]
            assert parse_order_number(mistyped) is None
            assert looks_like_order_number(mistyped) == (right != "-")


@given(made_ids)
def test_every_swap_of_neighbours_is_detected(order_id: OrderId) -> None:
    characters = order_number(order_id).replace("-", "")
    for at, (left, right) in enumerate(pairwise(characters)):
        swapped = characters[:at] + right + left + characters[at + 2 :]
        assert (parse_order_number(swapped) == order_id) == (left == right)
        assert left == right or parse_order_number(swapped) is None


@given(made_ids, st.randoms(use_true_random=False))
def test_a_number_can_be_read_as_people_write_it(order_id: OrderId, chance: Random) -> None:
    written = "".join(
        chance.choice(READ_ALIKE.get(character, character + character.lower()))
        + chance.choice(("", "-"))
        for character in order_number(order_id).replace("-", "")
    )
    assert looks_like_order_number(written)
    assert read_order_id(written) == order_id


@given(made_ids)
def test_an_id_can_be_read_in_any_case(order_id: OrderId) -> None:
    assert read_order_id(order_id) == read_order_id(order_id.upper()) == order_id


@given(st.text() | st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcſıK-", max_size=15))
def test_any_text_reads_as_an_id_or_as_none(text: str) -> None:
    found = parse_order_number(text)
    assert found is None or parse_order_id(found) == found
    assert found is None or looks_like_order_number(text)
    assert read_order_id(text) in {found, text.lower()}


@pytest.mark.parametrize(
    ("stranger", "place"),
    [
        ("\N{LATIN SMALL LETTER LONG S}", "S"),  # in upper case it is S
        ("\N{LATIN SMALL LETTER DOTLESS I}", "1"),
        ("\N{KELVIN SIGN}", "K"),  # in lower case it is k
        ("\N{FULLWIDTH DIGIT ZERO}", "0"),  # int() reads it as 0
        ("\N{ARABIC-INDIC DIGIT ZERO}", "0"),
        ("\N{NON-BREAKING HYPHEN}", "-"),
        (" ", "-"),
        ("_", "-"),
    ],
)
def test_no_other_character_passes_for_one_of_a_number(stranger: str, place: str) -> None:
    candidates = [f"S1K0-S1K0-S1K0-{check}" for check in ALPHABET]
    (number,) = (candidate for candidate in candidates if read_order_id(candidate))
    assert read_order_id(number.replace(place, stranger)) is None


@given(any_ids)
def test_every_id_has_a_valid_number(order_id: OrderId) -> None:
    assert parse_order_number(order_number(order_id)) is not None
