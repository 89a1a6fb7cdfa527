"""Place an order, once."""

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
"""A key can be in use when we write and expired when we read, and an id can be drawn twice in a
millisecond; neither can be so for ever."""


@dataclass(frozen=True, slots=True)
class CreateOrder:
    """A fresh create is one write and nothing else; only a repetition reads."""

    orders: OrderRepository
    clock: Clock
    ids: IdGenerator

    def __call__(
        self, caller: Caller, request: NewOrder, key: IdempotencyKey | None, render: Render
    ) -> Outcome:
        """The order's response, or the first one again.

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
