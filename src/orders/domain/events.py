"""Order events. Each is decided together with its change, and written with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NotRequired, TypedDict

from orders.domain import timestamps
from orders.domain.actor import UNKNOWN, Actor
from orders.domain.customer_id import forgotten_customer
from orders.domain.order_number import order_number
from orders.domain.reasons import platform_reason
from orders.domain.status import FIRST_STATUS, OrderStatus

if TYPE_CHECKING:
    from datetime import datetime

    from orders.domain.customer_id import CustomerId
    from orders.domain.order_id import OrderId

ORDER_CREATED: Final = "ORDER_CREATED"
CUSTOMER_FORGOTTEN: Final = "CUSTOMER_FORGOTTEN"


def type_of_change(status: OrderStatus) -> str:
    """The type of the event of a change to `status`."""
    return f"ORDER_{status}"


EVENT_TYPES: Final = (
    ORDER_CREATED,
    *(type_of_change(status) for status in OrderStatus if status is not FIRST_STATUS),
    CUSTOMER_FORGOTTEN,
)


class EventData(TypedDict):
    """The order after the event. `amount` is in the currency's minor unit."""

    orderId: str
    orderNumber: str
    customerId: str
    status: str
    previousStatus: NotRequired[str]
    amount: int
    currency: str
    version: int
    reason: NotRequired[str]


class CloudEvent(TypedDict):
    """A CloudEvents 1.0 envelope. `id` is the same on every delivery."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    data: EventData


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """One version of an order: what it became, when, by whom and why.

    Type and status are plain text, so that values of a later release pass through unchanged.
    """

    type: str
    order_id: OrderId
    version: int
    status: str
    previous_status: str | None
    recorded_at: datetime
    customer_id: CustomerId
    amount: int
    currency: str
    reason: str | None = None
    actor: Actor = UNKNOWN

    @property
    def event_id(self) -> str:
        """The same on every delivery, so that consumers can deduplicate."""
        return f"{self.order_id}/{self.version}"

    def anonymized(self) -> OrderEvent:
        """The event without its customer: as their own staff, too, and in a reason."""
        by_customer = self.actor.staff_id == self.customer_id
        return replace(
            self,
            customer_id=forgotten_customer(self.order_id),
            reason=platform_reason(self.reason),
            actor=Actor(self.actor.name) if by_customer else self.actor,
        )

    def to_cloud_event(self) -> CloudEvent:
        data: EventData = {
            "orderId": self.order_id,
            "orderNumber": order_number(self.order_id),
            "customerId": self.customer_id,
            "status": str(self.status),
            "amount": self.amount,
            "currency": self.currency,
            "version": self.version,
        }
        if self.previous_status is not None:
            data["previousStatus"] = str(self.previous_status)
        if self.reason is not None:
            data["reason"] = self.reason
        return {
            "specversion": "1.0",
            "id": self.event_id,
            "source": "/orders",
            "type": self.type,
            "subject": self.order_id,
            "time": timestamps.to_text(self.recorded_at),
            "datacontenttype": "application/json",
            "data": data,
        }
