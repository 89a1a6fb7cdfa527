"""Cancel orders that nobody paid for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from orders.application.ports import StaleOrder
from orders.domain import timestamps
from orders.domain.actor import Actor
from orders.domain.order_id import IdRange
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.application.ports import Clock, OrderRepository

STALE_AFTER: Final = timedelta(days=14)
_ACTOR: Final = Actor.system("expire-stale-orders")


@dataclass(frozen=True, slots=True)
class ExpireStaleOrders:
    """Safe to run twice, at once, and to be stopped at any time: the next run goes on."""

    orders: OrderRepository
    clock: Clock

    def __call__(self, has_time: Callable[[], bool]) -> int:
        """The number of orders canceled before the list or the time ran out."""
        now = self.clock.now()
        stale = IdRange.all().created_before(timestamps.to_milliseconds(now - STALE_AFTER))
        expired = 0
        for summary in self.orders.each_by_status(OrderStatus.PENDING, stale):
            if not has_time():
                break
            order = self.orders.get(summary.order_id)
            if order is None or order.status is not OrderStatus.PENDING:
                continue
            canceled = order.changed_to(OrderStatus.CANCELED, by=_ACTOR, at=now, reason="expired")
            try:
                self.orders.update(order, canceled, None, now)
            except StaleOrder:
                continue
            expired += 1
        return expired
