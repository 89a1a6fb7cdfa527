"""Amounts as decimals of their currency."""

from __future__ import annotations

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from orderctl.amounts import decimal, parse_amount, shown
from orders.domain.money import MAX_AMOUNT, MINOR_UNIT_DIGITS


@pytest.mark.parametrize(
    ("minor_units", "currency", "text"),
    [
        (1999, "JPY", "1999"),
        (1999, "USD", "19.99"),
        (5, "USD", "0.05"),
        (0, "USD", "0.00"),
        (1999, "BHD", "1.999"),
        (1, "CLF", "0.0001"),
        (MAX_AMOUNT, "USD", "10000000000000.00"),
    ],
)
def test_an_amount_has_the_digits_of_its_currency(
    minor_units: int, currency: str, text: str
) -> None:
    assert decimal(minor_units, currency) == text


@given(st.integers(0, MAX_AMOUNT), st.sampled_from(sorted(MINOR_UNIT_DIGITS)))
def test_what_is_shown_can_be_typed(minor_units: int, currency: str) -> None:
    assert parse_amount(shown(minor_units, currency)) == (minor_units, currency)


@pytest.mark.parametrize(
    ("text", "minor_units"), [("100USD", 100_00), ("100usd", 100_00), ("0.5 USD", 50)]
)
def test_digits_may_be_left_out(text: str, minor_units: int) -> None:
    assert parse_amount(text) == (minor_units, "USD")


@pytest.mark.parametrize(
    "text", ["", "100", "USD", "1.234USD", "1.0JPY", "100XXX", "-1USD", "1,000USD", "١USD"]
)
def test_other_texts_are_no_amounts(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        parse_amount(text)


@pytest.mark.parametrize("minor_units", ["5", 5.0])
def test_only_whole_numbers_are_amounts(minor_units: int) -> None:
    with pytest.raises(ValueError, match="format code 'd'"):
        decimal(minor_units, "USD")


def test_an_amount_of_an_unknown_currency_is_shown_too() -> None:
    assert shown(5, "XXX") == "5 minor units of XXX"
