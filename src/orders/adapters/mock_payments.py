"""A mock payment gateway.

Its charges are rows of the table, so a call can be repeated, as with a real gateway that is given
the order's id as the idempotency key.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from orders.adapters.dynamodb import keys
from orders.adapters.dynamodb.errors import ConditionFailed
from orders.adapters.dynamodb.rows import SCHEMA_VERSION
from orders.application.errors import PaymentDeclined, PaymentUnavailable

if TYPE_CHECKING:
    from orders.adapters.dynamodb.rows import Row
    from orders.adapters.dynamodb.table import Table
    from orders.domain.order import Order
    from orders.domain.order_id import OrderId

APPROVE: Final = "tok_approve"
UNAVAILABLE: Final = "tok_unavailable"
FAILED_ATTEMPTS: Final = 2


class ChargeState(StrEnum):
    """The state of an order's charge. VOIDED refuses every later charge."""

    UNDECIDED = "UNDECIDED"
    CHARGED = "CHARGED"
    DECLINED = "DECLINED"
    REFUNDED = "REFUNDED"
    VOIDED = "VOIDED"


class MockPaymentGateway(NamedTuple):
    """`tok_approve` approves, `tok_unavailable` from the third attempt on; others decline."""

    table: Table

    def charge(self, order: Order, token: str) -> str:
        while True:
            row = self.table.get(keys.charge(order.order_id))
            if row is None or row["state"] == ChargeState.UNDECIDED:
                attempt = 1 if row is None else row["attempts"] + 1
                state = _decide(token, attempt)
                row = self._write(
                    order.order_id,
                    row,
                    state=state,
                    attempts=attempt,
                    chargeId=f"ch_{order.order_id}",
                    amount=order.amount,
                    currency=order.currency,
                )
                if row is None:
                    continue
            if row["state"] == ChargeState.UNDECIDED:
                raise PaymentUnavailable
            if row["state"] != ChargeState.CHARGED:
                raise PaymentDeclined
            return str(row["chargeId"])

    def void(self, order_id: OrderId) -> bool:
        while True:
            row = self.table.get(keys.charge(order_id))
            state = None if row is None else row["state"]
            if state in {ChargeState.REFUNDED, ChargeState.VOIDED}:
                return False
            charged = state == ChargeState.CHARGED
            after = ChargeState.REFUNDED if charged else ChargeState.VOIDED
            if self._write(order_id, row, state=after):
                return charged

    def _write(self, order_id: OrderId, before: Row | None, **changes: object) -> Row | None:
        """The row as written; None if another writer changed it since `before` was read."""
        revision = 0 if before is None else before["revision"]
        after = (
            {"schemaVersion": SCHEMA_VERSION}
            | (before or {})
            | keys.charge(order_id)
            | changes
            | {"revision": revision + 1}
        )
        try:
            if before is None:
                self.table.write(self.table.put(after, "attribute_not_exists(pk)"))
            else:
                self.table.write(self.table.put(after, "revision = :revision", revision=revision))
        except ConditionFailed:
            return None
        return after


def _decide(token: str, attempt: int) -> ChargeState:
    if token == UNAVAILABLE and attempt <= FAILED_ATTEMPTS:
        return ChargeState.UNDECIDED
    return ChargeState.CHARGED if token in {APPROVE, UNAVAILABLE} else ChargeState.DECLINED
