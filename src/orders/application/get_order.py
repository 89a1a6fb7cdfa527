"""Get one order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orders.application.errors import OrderNotFound

if TYPE_CHECKING:
    from orders.application.caller import Caller
    from orders.application.ports import OrderRepository
    from orders.domain.order import Order
    from orders.domain.order_id import OrderId


class GetOrder(NamedTuple):
    """Strongly consistent: shows every change whose response has been sent."""

    orders: OrderRepository

    def __call__(self, caller: Caller, order_id: OrderId) -> Order:
        """Raises OrderNotFound, also for an order that the caller may not see."""
        order = self.orders.get(order_id)
        if order is None or not caller.may_act_for(order.customer_id):
            raise OrderNotFound
        return order
