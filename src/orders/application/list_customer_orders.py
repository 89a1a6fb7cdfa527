"""A customer's orders, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from orders.application.paging import Page, next_page

if TYPE_CHECKING:
    from orders.application.caller import Caller
    from orders.application.paging import Found, PageRequest
    from orders.application.ports import OrderRepository
    from orders.domain.customer_id import CustomerId
    from orders.domain.order import OrderSummary
    from orders.domain.order_id import OrderId
    from orders.domain.status import OrderStatus

MAX_FILTERED_READS: Final = 5
FILTERED_READ_SIZE: Final = 200
"""Orders per read when filtering by status: 60 to 84 KB, 8 to 10.5 read units, twice that if
consistent."""


class ListCustomerOrders(NamedTuple):
    """One read fills a page, unless it is filtered by status."""

    orders: OrderRepository

    def __call__(
        self,
        caller: Caller,
        customer_id: CustomerId,
        page: PageRequest,
        *,
        status: OrderStatus | None,
        consistent: bool,
    ) -> Page[OrderSummary, OrderId]:
        """Raises Forbidden for any other customer."""
        caller.require_acts_for(customer_id)
        if status is None:
            found = self.orders.list_by_customer(
                customer_id,
                page.ids,
                newest_first=page.newest_first,
                limit=page.limit + 1,
                consistent=consistent,
            )
            return next_page(found, page.limit)
        return self._of_status(customer_id, page, status, consistent=consistent)

    def _of_status(
        self, customer_id: CustomerId, page: PageRequest, status: OrderStatus, *, consistent: bool
    ) -> Page[OrderSummary, OrderId]:
        """Reads until more than a page is found, the list ends or the reads are used up."""
        found: list[Found[OrderSummary, OrderId]] = []
        ids = page.ids
        for _ in range(MAX_FILTERED_READS):
            seen = self.orders.list_by_customer(
                customer_id,
                ids,
                newest_first=page.newest_first,
                limit=FILTERED_READ_SIZE,
                consistent=consistent,
            )
            found += [one for one in seen if one.item and one.item.status == status]
            if len(found) > page.limit or len(seen) < FILTERED_READ_SIZE:
                return next_page(found, page.limit)
            ids = page.remaining_after(seen[-1].position)
        return Page([one.item for one in found if one.item], seen[-1].position)
