"""Order ids: UUIDv7 (RFC 9562, section 5.7), so that ordering by id is ordering by time."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, NewType

from orders.domain import timestamps

if TYPE_CHECKING:
    from datetime import date

OrderId = NewType("OrderId", str)

RANDOM_BITS: Final = 18
"""Few enough for time and randomness to fit in an order number."""
_PATTERN: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIMESTAMP_SHIFT: Final = 80
"""The upper 48 of the 128 bits are the milliseconds since the epoch."""
_MILLISECONDS_A_DAY: Final = 86_400_000
_LATEST_MILLISECOND: Final = 253_402_300_799_999
"""Of the year 9999, the last year that RFC 3339 can write."""


def make_order_id(created_at: datetime, randomness: bytes) -> OrderId:
    """An id whose time part is `created_at`; takes 3 random bytes, of which it uses 18 bits."""
    noise = int.from_bytes(randomness) & ((1 << RANDOM_BITS) - 1)
    return order_id_of(timestamps.to_milliseconds(created_at) << RANDOM_BITS | noise)


def order_id_of(seed: int) -> OrderId:
    """The id of a seed: milliseconds since the epoch, followed by 18 random bits.

    The first nine bytes hold the seed, interrupted by UUIDv7's version and variant. The other seven
    are the first bytes of the nine bytes' SHA-256 digest.
    """
    from hashlib import sha256  # noqa: PLC0415 - 2 ms, and few functions make ids

    head = seed >> RANDOM_BITS << 24
    head |= 0x7 << 20  # version
    head |= (seed >> 6 & 0xFFF) << 8  # rand_a
    head |= 0b10 << 6  # variant
    head |= seed & 0x3F  # the first of rand_b
    first = head.to_bytes(9)
    return _from_int(int.from_bytes(first + sha256(first).digest()[:7]))


def seed_of(order_id: OrderId) -> int:
    """The seed of an id that `order_id_of` made."""
    value = _to_int(order_id)
    return (
        value >> _TIMESTAMP_SHIFT << RANDOM_BITS | (value >> 64 & 0xFFF) << 6 | value >> 56 & 0x3F
    )


def parse_order_id(text: str) -> OrderId | None:
    """The id, or None if the text is not a lower-case hyphenated UUID of a writable year."""
    if _PATTERN.fullmatch(text) is None or text > _LAST:
        return None
    return OrderId(text)


@lru_cache(maxsize=256)
def created_at(order_id: OrderId) -> datetime:
    """The millisecond in which the id was made."""
    return timestamps.from_milliseconds(_to_int(order_id) >> _TIMESTAMP_SHIFT)


class IdRange(NamedTuple):
    """Ids from `first` to `last`, both included, as 128-bit numbers; empty if `first > last`.

    A window of creation times and a place in a list are both ranges of ids, so every list
    reads its index between two bounds, and no position can point outside its list.
    """

    first: int
    last: int

    @classmethod
    def all(cls) -> IdRange:
        return cls(0, ((_LATEST_MILLISECOND + 1) << _TIMESTAMP_SHIFT) - 1)

    @classmethod
    def of_day(cls, day: date) -> IdRange:
        """Orders created on a UTC day."""
        start = timestamps.to_milliseconds(datetime(day.year, day.month, day.day, tzinfo=UTC))
        return cls.all().created_from(start).created_before(start + _MILLISECONDS_A_DAY)

    def created_from(self, millisecond: int) -> IdRange:
        """Only orders created in this millisecond since the epoch or later."""
        return self._replace(first=max(self.first, millisecond << _TIMESTAMP_SHIFT))

    def created_before(self, millisecond: int) -> IdRange:
        """Only orders created before this millisecond since the epoch."""
        return self._replace(last=min(self.last, (millisecond << _TIMESTAMP_SHIFT) - 1))

    def after(self, order_id: OrderId) -> IdRange:
        return self._replace(first=max(self.first, _to_int(order_id) + 1))

    def before(self, order_id: OrderId) -> IdRange:
        return self._replace(last=min(self.last, _to_int(order_id) - 1))

    def bounds(self) -> tuple[OrderId, OrderId] | None:
        """The first and the last id as texts; None if the range is empty."""
        return (_from_int(self.first), _from_int(self.last)) if self.first <= self.last else None


def _to_int(order_id: OrderId) -> int:
    return int(order_id.replace("-", ""), 16)


def _from_int(value: int) -> OrderId:
    digits = f"{value:032x}"
    return OrderId("-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])))


_LAST: Final = _from_int(IdRange.all().last)
