"""Takes the place of a payment gateway where none is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.application.errors import PaymentUnavailable

if TYPE_CHECKING:
    from orders.domain.order import Order
    from orders.domain.order_id import OrderId


class NoPayments:
    """`PaymentGateway` and `InventoryService` in one, both always unavailable.

    Only orders placed while a gateway was configured reach it. They wait for one.
    """

    def charge(self, _order: Order, _token: str) -> str:
        raise PaymentUnavailable

    def void(self, _order_id: OrderId) -> bool:
        raise PaymentUnavailable

    def reserve(self, _order: Order) -> None:
        raise PaymentUnavailable

    def release(self, _order_id: OrderId) -> None:
        raise PaymentUnavailable
