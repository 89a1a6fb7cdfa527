"""What happened to an order, oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orders.application.errors import OrderNotFound
from orders.application.paging import next_page

if TYPE_CHECKING:
    from orders.application.caller import Caller
    from orders.application.paging import Page
    from orders.application.ports import OrderRepository
    from orders.domain.events import OrderEvent
    from orders.domain.order_id import OrderId


class GetOrderTimeline(NamedTuple):
    """The order's events, consistent with the order: they are written with it."""

    orders: OrderRepository

    def __call__(
        self, caller: Caller, order_id: OrderId, *, after_version: int, limit: int
    ) -> Page[OrderEvent, int]:
        """Raises OrderNotFound, also for an order that the caller may not see."""
        order, found = self.orders.get_with_events(
            order_id, after_version=after_version, limit=limit + 1
        )
        if order is None or not caller.may_act_for(order.customer_id):
            raise OrderNotFound
        return next_page(found, limit)
