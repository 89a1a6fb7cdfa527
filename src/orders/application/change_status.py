"""Change an order's status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from orders.application.errors import (
    Forbidden,
    OrderNotFound,
    TryAgain,
    VersionMismatch,
    WriteConflict,
)
from orders.application.idempotency import Outcome
from orders.domain.errors import IllegalTransition
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from orders.application.caller import Caller
    from orders.application.idempotency import IdempotencyKey, IdempotencyRecord, Render
    from orders.application.ports import Clock, OrderRepository
    from orders.domain.order import Order
    from orders.domain.order_id import OrderId

_ATTEMPTS: Final = len(OrderStatus) + 1
"""Each lost race means that another change committed, and no order has one for every status."""


class StatusChange(NamedTuple):
    """The requested change. `expects` tells whether a version meets the caller's precondition."""

    order_id: OrderId
    status: OrderStatus
    reason: str | None = None
    expects: Callable[[int], bool] | None = None


class ChangeStatus(NamedTuple):
    """One read and one write. After losing a race, it reads and decides again."""

    orders: OrderRepository
    clock: Clock

    def __call__(
        self, caller: Caller, change: StatusChange, key: IdempotencyKey | None, render: Render
    ) -> Outcome:
        """The response with the changed order, or with the current one for a no-op.

        A retry gets the first response.

        Raises:
            IdempotencyKeyReused, OrderNotFound, Forbidden, VersionMismatch, IllegalTransition,
            TryAgain: in this order of precedence.
        """
        snapshot = False
        for _ in range(_ATTEMPTS):
            order, record = self._read(change.order_id, key, snapshot=snapshot)
            now = self.clock.now()
            if key and (replay := key.replay(record, now)):
                return replay
            if order is None or not caller.may_act_for(order.customer_id):
                raise OrderNotFound
            try:
                return self._apply(caller, change, order, key, render, now)
            except WriteConflict:
                continue
            except (Forbidden, VersionMismatch, IllegalTransition):
                # The change may conflict with this very request's first attempt, which committed
                # between the reads of order and record. A snapshot shows both.
                if key is None or snapshot:
                    raise
                snapshot = True
        raise TryAgain

    def _apply(  # noqa: PLR0913, PLR0917 - what a change is decided on
        self,
        caller: Caller,
        change: StatusChange,
        order: Order,
        key: IdempotencyKey | None,
        render: Render,
        now: datetime,
    ) -> Outcome:
        caller.require_may_change(order, change.status)
        if change.expects and not change.expects(order.version):
            raise VersionMismatch(order.version)
        if order.status is change.status:
            response = render(order)
            if key:
                self.orders.remember(key.remember(response, now), now)
            return Outcome(response)
        changed, event = order.changed_to(
            change.status, by=caller.actor, at=now, reason=change.reason
        )
        response = render(changed)
        self.orders.update(order, changed, event, key.remember(response, now) if key else None, now)
        return Outcome(response, order=changed)

    def _read(
        self, order_id: OrderId, key: IdempotencyKey | None, *, snapshot: bool
    ) -> tuple[Order | None, IdempotencyRecord | None]:
        if key is None:
            return self.orders.get(order_id), None
        return self.orders.get_with_record(order_id, key.record_id, snapshot=snapshot)
