"""Cancel orders that nobody paid for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from orders.application.errors import StaleOrder
from orders.domain import timestamps
from orders.domain.actor import Actor
from orders.domain.order_id import IdRange
from orders.domain.reasons import EXPIRED
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders.application.ports import Clock, OrderRepository
    from orders.domain.order_id import OrderId

STALE_AFTER: Final = timedelta(days=14)
_ACTOR: Final = Actor.system("expire-stale-orders")


class ExpireStaleOrders(NamedTuple):
    """Safe to run concurrently and to stop at any time: the next run continues."""

    orders: OrderRepository
    clock: Clock

    def find(self) -> Iterator[OrderId]:
        """Orders that the index shows as PENDING for longer than STALE_AFTER."""
        oldest = timestamps.to_milliseconds(self.clock.now() - STALE_AFTER)
        stale = IdRange.all().created_before(oldest)
        for order in self.orders.each_by_status(OrderStatus.PENDING, stale):
            yield order.order_id

    def expire(self, order_id: OrderId) -> bool:
        """Cancel the order if it is still PENDING. Returns whether this call did.

        Raises:
            MalformedRow: it can't be read.
            TryAgain.
        """
        order = self.orders.get(order_id)
        if order is None or order.status is not OrderStatus.PENDING:
            return False
        now = self.clock.now()
        canceled, event = order.changed_to(OrderStatus.CANCELED, by=_ACTOR, at=now, reason=EXPIRED)
        try:
            self.orders.update(order, canceled, event, None, now)
        except StaleOrder:
            return False
        return True
