"""Orders to begin a test with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fakes import NOON, FakeIds
from orders.application.caller import Caller
from orders.application.idempotency import StoredResponse
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.customer_id import CustomerId
from orders.domain.events import OrderEvent
from orders.http.bodies import NewOrderBody, OrderItemBody
from orders.http.validation import validated
from proof.oracle import ITEM, required, smallest_order

if TYPE_CHECKING:
    from datetime import datetime

    from orders.domain.order import NewOrder, Order
    from orders.domain.status import OrderStatus

CUS_42 = CustomerId("cus_42")
MUGS = validated(required(ITEM) | {"quantity": 3}, OrderItemBody).to_domain()

CUSTOMER_42 = Caller(CUS_42, is_staff=False)
SOMEBODY_ELSE = Caller(CustomerId("cus_7"), is_staff=False)
STAFF = Caller(CustomerId("ann"), is_staff=True)
BY_STAFF = Actor("staff", "ann")

_ids = FakeIds()
_SMALLEST = validated(smallest_order(CUS_42), NewOrderBody).to_domain()


def new_order(**changes: Any) -> NewOrder:  # noqa: ANN401 - fields of NewOrder
    """Three mugs for cus_42, 59.97 USD."""
    return replace(_SMALLEST, **{"items": (MUGS,), "metadata": {"channel": "web"}} | changes)


def placed_order(created_at: datetime = NOON, **changes: Any) -> Order:  # noqa: ANN401 - likewise
    """The same at its first version; each has an id of its own, later ones greater ids."""
    order, _ = new_order(**changes).placed(_ids.order_id(created_at), by=CUSTOMER)
    return order


def changed_order(order: Order, status: OrderStatus, *, by: Actor = BY_STAFF, **how: Any) -> Order:  # noqa: ANN401 - arguments of Order.changed_to
    """The order after a move, at NOON where no other time is given."""
    after, _ = order.changed_to(status, by=by, **{"at": NOON, **how})
    return after


def event_of(after: Order, before: Order | None = None, by: Actor = BY_STAFF) -> OrderEvent:
    """The event that an order got its version by; ORDER_CREATED where there is none before."""
    return OrderEvent(
        type="ORDER_CREATED" if before is None else f"ORDER_{after.status}",
        order_id=after.order_id,
        version=after.version,
        status=after.status,
        previous_status=None if before is None else before.status,
        recorded_at=after.updated_at,
        customer_id=after.customer_id,
        amount=after.amount,
        currency=after.currency,
        reason=after.reason,
        actor=CUSTOMER if before is None else by,
    )


def rendered(order: Order) -> StoredResponse:
    """A response that shows which version of which order it is of."""
    return StoredResponse(f"{order.order_id} {order.status} {order.version}")
