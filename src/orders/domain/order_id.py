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

_PATTERN: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIMESTAMP_SHIFT: Final = 80
"""The upper 48 of the 128 bits are the milliseconds since the epoch."""
_MILLISECONDS_A_DAY: Final = 86_400_000
_LATEST_MILLISECOND: Final = 253_402_300_799_999
"""The last one of the year 9999, the last that RFC 3339 can write."""


def make_order_id(created_at: datetime, randomness: bytes) -> OrderId:
    """An id whose time part is `created_at`; takes 10 random bytes, of which it uses 74 bits."""
    noise = int.from_bytes(randomness)
    value = timestamps.to_milliseconds(created_at) << _TIMESTAMP_SHIFT
    value |= 0x7 << 76  # version
    value |= (noise >> 68) << 64  # rand_a, 12 bits
    value |= 0b10 << 62  # variant
    value |= noise & ((1 << 62) - 1)  # rand_b
    return _from_int(value)


def parse_order_id(text: str) -> OrderId | None:
    """The id, or None where the text is not a lower-case hyphenated UUID of a writable year."""
    if _PATTERN.fullmatch(text) is None:
        return None
    return OrderId(text) if _to_int(OrderId(text)) <= IdRange.all().last else None


@lru_cache(maxsize=256)
def created_at(order_id: OrderId) -> datetime:
    """The millisecond that the id was made in."""
    return timestamps.from_milliseconds(_to_int(order_id) >> _TIMESTAMP_SHIFT)


class IdRange(NamedTuple):
    """Ids from `first` to `last`, both included, as 128-bit numbers; empty if `first > last`.

    A window of creation times and a place in a list are both ranges of ids, so every list
    reads its index between two bounds, and no position can point outside of its list.
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
