"""Who the caller is, and what they may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from orders.application.errors import Forbidden
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from orders.domain.customer_id import CustomerId
    from orders.domain.order import Order


CUSTOMERS_MAY_CANCEL: Final = (OrderStatus.PENDING,)

STAFF_ONLY: Final = "Only staff may do this."
OWN_ORDERS_ONLY: Final = "A customer may only see and create their own orders."
CANCEL_ONLY: Final = (
    f"A customer may only cancel an order that is {' or '.join(CUSTOMERS_MAY_CANCEL)}."
)


class Caller(NamedTuple):
    """A customer, or a member of staff; `id` comes from the verified token."""

    id: CustomerId
    is_staff: bool

    @property
    def actor(self) -> Actor:
        return Actor("staff", self.id) if self.is_staff else CUSTOMER

    def may_act_for(self, customer_id: CustomerId) -> bool:
        """Staff act for everyone, customers for themselves."""
        return self.is_staff or self.id == customer_id

    def require_staff(self) -> None:
        """Raises Forbidden for customers."""
        if not self.is_staff:
            raise Forbidden(STAFF_ONLY)

    def require_acts_for(self, customer_id: CustomerId) -> None:
        """Raises Forbidden for any other customer."""
        if not self.may_act_for(customer_id):
            raise Forbidden(OWN_ORDERS_ONLY)

    def require_may_change(self, order: Order, status: OrderStatus) -> None:
        """Raises Forbidden. A customer may repeat a cancellation, which is then a no-op."""
        cancelable = order.status in {*CUSTOMERS_MAY_CANCEL, OrderStatus.CANCELED}
        if not (self.is_staff or (status is OrderStatus.CANCELED and cancelable)):
            raise Forbidden(CANCEL_ONLY)
