"""Bring an order's charge and reservation in line with its status."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from orders.application.errors import (
    NewerRow,
    OutOfStock,
    PaymentDeclined,
    StaleOrder,
    TryAgain,
    UnsettledOrder,
)
from orders.domain.actor import Actor
from orders.domain.reasons import OUT_OF_STOCK, PAYMENT_DECLINED
from orders.domain.status import GIVING_BACK, OrderStatus

if TYPE_CHECKING:
    from orders.application.ports import Clock, InventoryService, OrderRepository, PaymentGateway
    from orders.domain.order import Order
    from orders.domain.order_id import OrderId

_ATTEMPTS: Final = 3
_ACTOR: Final = Actor.system("settle-payments")

FREE: Final = "free"
"""The charge id of an order of amount 0, which the platform settles without a charge."""


class Settlement(StrEnum):
    """What a run did about an order's payment."""

    NOTHING_TO_DO = "NothingToDo"
    PAID = "Paid"
    DECLINED = "Declined"
    OUT_OF_STOCK = "OutOfStock"
    REFUNDED = "Refunded"


class SettlePayment(NamedTuple):
    """Acts on the order's current state, not on the event that triggered it.

    It therefore doesn't matter which event arrived, how often or in which order: every run leads to
    the same state, and the next run completes an interrupted one.
    """

    orders: OrderRepository
    payments: PaymentGateway
    inventory: InventoryService
    clock: Clock

    def __call__(self, order_id: OrderId) -> Settlement:
        """Settle the order as its status requires.

        Raises:
            PaymentUnavailable, TryAgain: deliver the event again later.
            NewerRow: likewise; only that release knows what its status means for the payment.
            UnsettledOrder, MalformedRow: delivering the event again would not help.
        """
        for _ in range(_ATTEMPTS):
            order = self.orders.get(order_id)
            if order is None:
                raise UnsettledOrder(f"an event names an order that is not there: {order_id}")
            try:
                return self._settle(order)
            except StaleOrder:
                continue
        raise TryAgain

    def _settle(self, order: Order) -> Settlement:
        if not order.pays_by_token:
            return Settlement.NOTHING_TO_DO
        if not isinstance(order.status, OrderStatus):
            raise NewerRow(f"order {order.order_id} is at a status of a later release")
        if order.status is OrderStatus.PENDING:
            return self._pay(order)
        if order.status in GIVING_BACK or order.charge_id is None:
            return self._give_back(order)
        return Settlement.NOTHING_TO_DO

    def _pay(self, order: Order) -> Settlement:
        if order.payment_token is None:
            raise UnsettledOrder(f"a PENDING order lost its payment token: {order.order_id}")
        try:
            self.inventory.reserve(order)
            charge_id = FREE
            if order.amount > 0:
                charge_id = self.payments.charge(order, order.payment_token)
        except OutOfStock:
            self._change(order, OrderStatus.CANCELED, reason=OUT_OF_STOCK)
            self._give_back(order)
            return Settlement.OUT_OF_STOCK
        except PaymentDeclined:
            self._change(order, OrderStatus.CANCELED, reason=PAYMENT_DECLINED)
            self._give_back(order)
            return Settlement.DECLINED
        self._change(order, OrderStatus.PAID, charge_id=charge_id)
        return Settlement.PAID

    def _give_back(self, order: Order) -> Settlement:
        """The order was canceled, or paid by other means: it must keep neither charge nor stock."""
        refunded = self.payments.void(order.order_id)
        self.inventory.release(order.order_id)
        return Settlement.REFUNDED if refunded else Settlement.NOTHING_TO_DO

    def _change(
        self,
        order: Order,
        status: OrderStatus,
        *,
        reason: str | None = None,
        charge_id: str | None = None,
    ) -> None:
        now = self.clock.now()
        changed, event = order.changed_to(
            status, by=_ACTOR, at=now, reason=reason, charge_id=charge_id
        )
        self.orders.update(order, changed, event, None, now)
