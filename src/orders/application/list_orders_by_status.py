"""The queue of orders in one status, for staff."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orders.application.paging import next_page

if TYPE_CHECKING:
    from orders.application.caller import Caller
    from orders.application.paging import Page, PageRequest
    from orders.application.ports import OrderRepository
    from orders.domain.order import OrderSummary
    from orders.domain.order_id import OrderId
    from orders.domain.status import OrderStatus


class ListOrdersByStatus(NamedTuple):
    """All customers' orders in one status."""

    orders: OrderRepository

    def __call__(
        self, caller: Caller, status: OrderStatus, page: PageRequest
    ) -> Page[OrderSummary, OrderId]:
        """Raises Forbidden for customers."""
        caller.require_staff()
        found = self.orders.list_by_status(
            status, page.ids, newest_first=page.newest_first, limit=page.limit + 1
        )
        return next_page(found, page.limit)
