"""Place an order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from orders.application.errors import IdTaken, KeyInUse, TryAgain
from orders.application.idempotency import Outcome

if TYPE_CHECKING:
    from orders.application.caller import Caller
    from orders.application.idempotency import IdempotencyKey, Render
    from orders.application.ports import Clock, IdGenerator, OrderRepository
    from orders.domain.order import NewOrder

_ATTEMPTS: Final = 3
"""A key may expire between the write and the read, and an id may be drawn twice in a millisecond;
neither keeps happening."""


@dataclass(frozen=True, slots=True)
class CreateOrder:
    """A new order takes one write and no read; only a retry reads."""

    orders: OrderRepository
    clock: Clock
    ids: IdGenerator

    def __call__(
        self, caller: Caller, request: NewOrder, key: IdempotencyKey | None, render: Render
    ) -> Outcome:
        """The response with the new order; the first response for a retry.

        Raises:
            InvalidOrder, IdempotencyKeyReused, Forbidden, TryAgain.
        """
        now = self.clock.now()
        order, event = request.placed(self.ids.order_id(now), by=caller.actor)
        if not caller.may_act_for(order.customer_id) and (replay := self._replay(key)):
            return replay
        caller.require_acts_for(order.customer_id)
        for _ in range(_ATTEMPTS):
            response = render(order)
            record = key.remember(response, now) if key else None
            try:
                self.orders.add(order, event, record, self.clock.now())
            except KeyInUse:
                if replay := self._replay(key):
                    return replay
            except IdTaken:
                order, event = request.placed(self.ids.order_id(now), by=caller.actor)
            else:
                return Outcome(response, order=order)
        raise TryAgain

    def _replay(self, key: IdempotencyKey | None) -> Outcome | None:
        if key is None:
            return None
        return key.replay(self.orders.get_record(key.record_id), self.clock.now())
