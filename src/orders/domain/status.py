"""The life of an order: its statuses, the transitions between them, and what each one means."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class OrderStatus(StrEnum):
    """Where an order stands, in lifecycle order."""

    # A transition leads to a status further down: the daily report reads them in this order.
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
"""Every allowed transition. A status without one is final."""

FIRST_STATUS: Final = OrderStatus.PENDING
EARNING: Final = (OrderStatus.PAID, OrderStatus.SHIPPED)
"""The amounts of these orders are the day's revenue."""
GIVING_BACK: Final = (OrderStatus.CANCELED,)
"""An order at one of these keeps neither its charge nor its reservation."""


def transitions_from(status: str) -> tuple[OrderStatus, ...]:
    """The allowed next statuses; none if only a later release knows `status`."""
    return next((after for before, after in TRANSITIONS.items() if before == status), ())


def known_status(text: str) -> OrderStatus | str:
    """The status of that name, or the text itself if only a later release knows it."""
    return _BY_NAME.get(text, text)


_BY_NAME: Final[Mapping[str, OrderStatus]] = {str(status): status for status in OrderStatus}
