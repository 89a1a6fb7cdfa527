"""The life of an order: its statuses and the moves between them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class OrderStatus(StrEnum):
    """Where an order stands."""

    PENDING = "PENDING"
    PAID = "PAID"
    SHIPPED = "SHIPPED"
    CANCELED = "CANCELED"


TRANSITIONS: Final[Mapping[OrderStatus, tuple[OrderStatus, ...]]] = {
    OrderStatus.PENDING: (OrderStatus.PAID, OrderStatus.CANCELED),
    OrderStatus.PAID: (OrderStatus.SHIPPED, OrderStatus.CANCELED),
    OrderStatus.SHIPPED: (),
    OrderStatus.CANCELED: (),
}
"""Every allowed move. A status without one is final."""


def path_to(status: OrderStatus, version: int) -> tuple[OrderStatus, ...] | None:
    """The statuses that an order had at each version up to this one, at which it is `status`.

    None unless the table leaves exactly one way.
    """
    found = [way for way in _WAYS if (len(way), way[-1]) == (version, status)]
    return found[0] if len(found) == 1 else None


def _ways(way: tuple[OrderStatus, ...]) -> Iterator[tuple[OrderStatus, ...]]:
    yield way
    for after in TRANSITIONS[way[-1]]:
        yield from _ways((*way, after))


_WAYS: Final = tuple(_ways((OrderStatus.PENDING,)))

LAST_VERSION: Final = max(map(len, _WAYS))
"""No order gets further."""
