"""Cursors: a position, bound to its list."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import placed_order
from orders.http.cursor import (
    decode_cursor,
    encode_cursor,
    order_position,
    version_position,
)
from orders.http.problems import InvalidCursor

LISTING = ("customer cus_42", "-createdAt", "", "0", "ff")
listings = st.lists(st.text(st.characters(codec="ascii", categories=["L", "N", "P"])), min_size=1)


@given(listings, st.text(st.characters(codec="utf-8"), max_size=30))
def test_a_position_comes_back_from_its_own_list(listing: list[str], position: str) -> None:
    cursor = encode_cursor(listing, position)
    assert decode_cursor(listing, cursor) == position
    assert cursor.isascii()
    assert not set(cursor) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(listings, listings)
def test_a_cursor_of_another_list_is_refused(some: list[str], other: list[str]) -> None:
    if some != other:
        with pytest.raises(InvalidCursor):
            decode_cursor(other, encode_cursor(some, "position"))


def test_a_cursor_that_is_changed_anywhere_is_refused() -> None:
    cursor = encode_cursor(LISTING, placed_order().order_id)
    damaged = {cursor[:end] for end in range(len(cursor))} | {cursor + "A", cursor + "=="}
    for place in range(len(cursor)):
        damaged |= {cursor[:place] + other + cursor[place + 1 :] for other in "Aa0-_.=é "}
    for text in damaged - {cursor}:
        with pytest.raises(InvalidCursor):
            decode_cursor(LISTING, text)


def test_a_cursor_has_200_characters_at_most() -> None:
    longest = "x" * 138
    cursor = encode_cursor(LISTING, longest)
    assert len(cursor) == 200
    assert decode_cursor(LISTING, cursor) == longest
    with pytest.raises(InvalidCursor):
        decode_cursor(LISTING, encode_cursor(LISTING, longest + "x"))


@given(st.text(max_size=300), st.binary(max_size=300))
def test_any_other_text_is_refused(text: str, content: bytes) -> None:
    for cursor in (text, base64.urlsafe_b64encode(content).rstrip(b"=").decode()):
        with pytest.raises(InvalidCursor):
            decode_cursor(LISTING, cursor)


def test_a_cursor_of_orders_must_hold_an_order_id() -> None:
    order_id = placed_order().order_id
    assert order_position(LISTING, encode_cursor(LISTING, order_id)) == order_id
    for position in ("", "1", order_id.upper()):
        with pytest.raises(InvalidCursor):
            order_position(LISTING, encode_cursor(LISTING, position))


def test_a_cursor_of_a_timeline_must_hold_a_version() -> None:
    for version in (0, 1, 9_999_999_998):
        assert version_position(LISTING, encode_cursor(LISTING, str(version))) == version
    for position in ("", "-1", "1.0", "x", "१", "9999999999", "9" * 150):
        with pytest.raises(InvalidCursor):
            version_position(LISTING, encode_cursor(LISTING, position))
