"""A committed change of an order, and the two things made of it: its event and its timeline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from orders.domain import timestamps
from orders.domain.order import FIRST_VERSION
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from orders.domain.actor import Actor
    from orders.domain.order import CustomerId, Order
    from orders.domain.order_id import OrderId

EVENT_TYPES: Final[Mapping[OrderStatus, str]] = {
    OrderStatus.PENDING: "ORDER_CREATED",
    OrderStatus.PAID: "ORDER_PAID",
    OrderStatus.SHIPPED: "ORDER_SHIPPED",
    OrderStatus.CANCELED: "ORDER_CANCELED",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One version of an order: what it became, and by whom."""

    order_id: OrderId
    version: int
    status: OrderStatus
    previous_status: OrderStatus | None
    actor: Actor
    reason: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChange(TimelineEntry):
    """A timeline entry with what an event says besides."""

    customer_id: CustomerId
    amount: int
    currency: str

    @property
    def event_type(self) -> str:
        return EVENT_TYPES[self.status]

    @property
    def event_id(self) -> str:
        """The same on every publication, so that consumers can tell a redelivery."""
        return f"{self.order_id}/{self.version}"

    def to_event(self) -> dict[str, object]:
        """The change as a CloudEvents 1.0 envelope."""
        data: dict[str, object] = {
            "orderId": self.order_id,
            "customerId": self.customer_id,
            "status": self.status.value,
            "amount": self.amount,
            "currency": self.currency,
            "version": self.version,
        }
        if self.previous_status is not None:
            data["previousStatus"] = self.previous_status.value
        if self.reason is not None:
            data["reason"] = self.reason
        return {
            "specversion": "1.0",
            "id": self.event_id,
            "source": "/orders",
            "type": self.event_type,
            "subject": self.order_id,
            "time": timestamps.to_text(self.changed_at),
            "datacontenttype": "application/json",
            "data": data,
        }


def last_change(order: Order, previous_status: OrderStatus | None) -> OrderChange:
    """What led to the order's version; the status before is all that the order doesn't say."""
    return OrderChange(
        order_id=order.order_id,
        version=order.version,
        status=order.status,
        previous_status=previous_status,
        actor=order.changed_by,
        reason=order.reason,
        changed_at=order.updated_at,
        customer_id=order.customer_id,
        amount=order.amount,
        currency=order.currency,
    )


def creation(order: Order, by: Actor) -> OrderChange:
    """How the order began, whatever became of it since; a later version doesn't say by whom."""
    placed = replace(
        order,
        status=OrderStatus.PENDING,
        version=FIRST_VERSION,
        updated_at=order.created_at,
        changed_by=by,
        reason=None,
    )
    return last_change(placed, None)
