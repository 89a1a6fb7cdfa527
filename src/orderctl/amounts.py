"""Amounts as decimals of their currency: 1999 in USD is 19.99."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import typer

from orders.domain.money import MINOR_UNIT_DIGITS

_AMOUNT: Final = re.compile(r"(\d{1,18})(?:\.(\d{1,4}))? ?([A-Za-z]{3})", re.ASCII)


class Amount(NamedTuple):
    """`minor_units` of a currency."""

    minor_units: int
    currency: str


def decimal(minor_units: int, currency: str) -> str:
    """With all of the currency's digits, and no separator of thousands.

    Raises:
        KeyError: there is no such currency.
    """
    digits = MINOR_UNIT_DIGITS[currency]
    text = f"{minor_units:0{digits + 1}d}"
    return f"{text[:-digits]}.{text[-digits:]}" if digits else text


def shown(minor_units: object, currency: object) -> str:
    """As a person reads it, also what only a damaged row has."""
    if isinstance(minor_units, int) and isinstance(currency, str) and currency in MINOR_UNIT_DIGITS:
        return f"{decimal(minor_units, currency)} {currency}"
    return f"{minor_units} minor units of {currency}"


def parse_amount(text: str) -> Amount:
    """Read `100USD` or `19.99 USD`. Raises typer.BadParameter."""
    match = _AMOUNT.fullmatch(text)
    currency = match[3].upper() if match else ""
    if match is None or currency not in MINOR_UNIT_DIGITS:
        raise typer.BadParameter(f"{text} isn't a valid amount: use 100USD, or 19.99USD.")
    digits = MINOR_UNIT_DIGITS[currency]
    fraction = match[2] or ""
    if len(fraction) > digits:
        raise typer.BadParameter(f"{currency} has {digits} decimal digits: {text} has more.")
    return Amount(int(match[1] + fraction.ljust(digits, "0")), currency)
