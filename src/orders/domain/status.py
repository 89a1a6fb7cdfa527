"""The life of an order: its statuses and the moves between them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


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
