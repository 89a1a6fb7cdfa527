"""The life of an order: its statuses and the moves between them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class OrderStatus(StrEnum):
    """Where an order stands, in the order in which an order passes them."""

    # A move leads to a status further down: the daily report reads one after the other.
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


def transitions_from(status: str) -> tuple[OrderStatus, ...]:
    """Where an order can go from `status`: nowhere from one that only a later release knows."""
    return next((after for before, after in TRANSITIONS.items() if before == status), ())


def known_status(text: str) -> OrderStatus | str:
    """The status of that name; the text as it is where only a later release knows it."""
    try:
        return OrderStatus(text)
    except ValueError:
        return text
