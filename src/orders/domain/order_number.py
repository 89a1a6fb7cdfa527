"""Order numbers: order ids for people to say and type, such as `1JN5-1VD2-78FS-E`.

Twelve characters hold the seed of the id: its milliseconds since 2020 and its random bits. The
thirteenth is a check character. https://www.crockford.com/base32.html has the alphabet.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from orders.domain.order_id import RANDOM_BITS, order_id_of, parse_order_id, seed_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orders.domain.order_id import OrderId

_START_OF_2020: Final = 1_577_836_800_000
"""In milliseconds since the epoch. 42 bits from there last until 2159-05-15."""
_ORIGIN: Final = _START_OF_2020 << RANDOM_BITS

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES: Final = {
    spelling: value
    for value, character in enumerate(_ALPHABET)
    for spelling in (character, character.lower())
} | dict.fromkeys("Oo", 0) | dict.fromkeys("IiLl", 1)  # fmt: skip
_DOUBLED: Final = tuple(value << 1 ^ (value >> 4) * 0b100101 for value in range(32))
"""2·x in GF(32), modulo x⁵+x²+1."""
_CHARACTERS: Final = 13


@lru_cache(maxsize=256)
def order_number(order_id: OrderId) -> str:
    """The number of an order, which leads back to its id.

    An id that `make_order_id` did not make, or from before 2020 or after 2159, gets a number too,
    but one that leads to another id.
    """
    number = seed_of(order_id) - _ORIGIN
    values = [number >> shift & 31 for shift in range(55, -5, -5)]
    values.append(_check(values))
    text = "".join([_ALPHABET[value] for value in values])
    return f"{text[:4]}-{text[4:8]}-{text[8:12]}-{text[12:]}"


def parse_order_number(text: str) -> OrderId | None:
    """The id, or None if the text is not a number or its check character is wrong.

    Case and hyphens don't matter; O is read as 0, I and L as 1.
    """
    try:
        values = [_VALUES[character] for character in text.replace("-", "")]
    except KeyError:
        return None
    if len(values) != _CHARACTERS or _check(values) != 0:
        return None
    number = 0
    for value in values[:-1]:
        number = number << 5 | value
    return order_id_of(_ORIGIN + number)


def looks_like_order_number(text: str) -> bool:
    """Whether the text was meant as a number: 13 letters and digits."""
    characters = text.replace("-", "")
    return len(characters) == _CHARACTERS and characters.isalnum()


def read_order_id(text: str) -> OrderId | None:
    """The id that a person typed, in any case (RFC 9562, section 4) or as a number."""
    return parse_order_id(text.lower()) or parse_order_number(text)


def _check(values: Iterable[int]) -> int:
    """Damm's check digit over GF(32); 0 for values that end with their own.

    It detects every single wrong character and every swap of neighbors.
    https://en.wikipedia.org/wiki/Damm_algorithm
    """
    interim = 0
    for value in values:
        interim = _DOUBLED[interim ^ value]
    return interim
