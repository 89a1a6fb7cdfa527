"""Place an order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from orders.application.errors import IdTaken, KeyInUse, TryAgain
from orders.application.idempotency import Outcome

if TYPE_CHECKING:
    from orders.application.caller import Caller
    from orders.application.idempotency import IdempotencyKey, Render
    from orders.application.ports import Clock, IdGenerator, OrderRepository
    from orders.domain.order import NewOrder

_ATTEMPTS: Final = 3
"""A key may expire while its write is refused, and an id may be drawn twice in a millisecond;
neither keeps happening."""


class CreateOrder(NamedTuple):
    """A new order takes one write and no read, and so does a retry."""

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
        if not caller.may_act_for(order.customer_id) and key:
            # The one precedence that needs a read: a replay goes before a refusal.
            record = self.orders.get_record(key.record_id)
            if replay := key.replay(record, self.clock.now()):
                return replay
        caller.require_acts_for(order.customer_id)
        for _ in range(_ATTEMPTS):
            response = render(order)
            record = key.remember(response, now) if key else None
            try:
                self.orders.add(order, event, record, self.clock.now())
            except KeyInUse as error:
                if key and (replay := key.replay(error.record, self.clock.now())):
                    return replay
            except IdTaken:
                order, event = request.placed(self.ids.order_id(now), by=caller.actor)
            else:
                return Outcome(response, order=order)
        raise TryAgain
