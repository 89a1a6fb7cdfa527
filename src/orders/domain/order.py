"""The order: how it is placed and how it changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from orders.domain import order_id as order_ids
from orders.domain.customer_id import forgotten_customer
from orders.domain.errors import IllegalTransition, InvalidOrder
from orders.domain.events import (
    CUSTOMER_FORGOTTEN,
    ORDER_CREATED,
    OrderEvent,
    type_of_change,
)
from orders.domain.money import MAX_AMOUNT, MINOR_UNIT_DIGITS
from orders.domain.reasons import platform_reason
from orders.domain.status import FIRST_STATUS, transitions_from

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from orders.domain.actor import Actor
    from orders.domain.customer_id import CustomerId
    from orders.domain.order_id import OrderId
    from orders.domain.status import OrderStatus

FIRST_VERSION: Final = 1
ERASED_NAME: Final = "erased"
"""The name of every item of a forgotten customer's order."""


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One line; `unit_amount` is in the currency's minor unit."""

    sku: str
    name: str
    quantity: int
    unit_amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSummary:
    """What lists show of an order, and why it last changed.

    `status` is an OrderStatus, or plain text if only a later release knows it.
    """

    order_id: OrderId
    customer_id: CustomerId
    status: str
    amount: int
    currency: str
    version: int
    updated_at: datetime
    reason: str | None = None

    @property
    def created_at(self) -> datetime:
        return order_ids.created_at(self.order_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(OrderSummary):
    """An order at one version.

    `payment_token` is what the customer pays with; the first change of status removes it.
    `charge_id` is set once the platform has settled the order itself.
    """

    items: tuple[OrderItem, ...]
    metadata: Mapping[str, str]
    payment_token: str | None = field(default=None, repr=False)
    pays_by_token: bool = False
    charge_id: str | None = None

    @property
    def allowed_transitions(self) -> tuple[OrderStatus, ...]:
        return transitions_from(self.status)

    def changed_to(
        self,
        status: OrderStatus,
        *,
        by: Actor,
        at: datetime,
        reason: str | None = None,
        charge_id: str | None = None,
    ) -> tuple[Order, OrderEvent]:
        """The order at its next version, and the event of the change.

        Neither is dated before the previous change, whatever the clock says.

        Raises:
            IllegalTransition: the transition table does not allow the change.
        """
        if status not in self.allowed_transitions:
            raise IllegalTransition(self.status, status)
        changed = replace(
            self,
            status=status,
            version=self.version + 1,
            updated_at=max(at, self.updated_at),
            reason=reason,
            payment_token=None,
            charge_id=charge_id or self.charge_id,
        )
        return changed, _event(
            changed, type_of_change(status), by, previous_status=self.status, reason=reason
        )

    def anonymized(self) -> Order:
        """The order without its customer and free texts; it can be settled and shipped as before.

        SKUs, amounts, status and times stay, and so does the payment token while it is needed.
        """
        return replace(
            self,
            customer_id=forgotten_customer(self.order_id),
            items=tuple(replace(item, name=ERASED_NAME) for item in self.items),
            metadata={},
            reason=platform_reason(self.reason),
        )

    def forgotten(self, *, by: Actor, at: datetime) -> tuple[Order, OrderEvent]:
        """The anonymized order at its next version, and the event that tells consumers.

        Neither is dated before the previous change, whatever the clock says.
        """
        forgotten = replace(
            self.anonymized(), version=self.version + 1, updated_at=max(at, self.updated_at)
        )
        return forgotten, _event(forgotten, CUSTOMER_FORGOTTEN, by)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order as requested. `amount`, if given, is what the customer expects to pay."""

    customer_id: CustomerId
    currency: str
    items: tuple[OrderItem, ...]
    metadata: Mapping[str, str]
    amount: int | None = None
    payment_token: str | None = field(default=None, repr=False)

    def placed(self, order_id: OrderId, *, by: Actor) -> tuple[Order, OrderEvent]:
        """The order at its first version, created at the time of its id, and its event.

        Raises:
            InvalidOrder: the currency is unknown, the total is too large, or it is not the
                amount that the customer expects.
        """
        if self.currency not in MINOR_UNIT_DIGITS:
            raise InvalidOrder("/currency", "This is not an ISO 4217 currency code.")
        total = sum(item.quantity * item.unit_amount for item in self.items)
        if total > MAX_AMOUNT:
            raise InvalidOrder("/items", f"The items total more than {MAX_AMOUNT}.")
        if self.amount is not None and self.amount != total:
            raise InvalidOrder("/amount", f"The items total {total}.")
        order = Order(
            order_id=order_id,
            customer_id=self.customer_id,
            status=FIRST_STATUS,
            amount=total,
            currency=self.currency,
            version=FIRST_VERSION,
            updated_at=order_ids.created_at(order_id),
            items=self.items,
            metadata=self.metadata,
            payment_token=self.payment_token,
            pays_by_token=self.payment_token is not None,
        )
        return order, _event(order, ORDER_CREATED, by)


def _event(
    order: Order,
    event_type: str,
    by: Actor,
    *,
    previous_status: str | None = None,
    reason: str | None = None,
) -> OrderEvent:
    return OrderEvent(
        type=event_type,
        order_id=order.order_id,
        version=order.version,
        status=order.status,
        previous_status=previous_status,
        recorded_at=order.updated_at,
        customer_id=order.customer_id,
        amount=order.amount,
        currency=order.currency,
        reason=reason,
        actor=by,
    )
