"""The feed: all events of all orders, in the order in which they were recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from orders.application.paging import Page

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from orders.application.caller import Caller
    from orders.application.ports import Clock, OrderRepository
    from orders.domain.events import OrderEvent

MAX_READS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRequest:
    """At most `limit` events recorded from `since` to before `until`, behind a position.

    The position is empty at the beginning. `type` leaves out events of other types.
    """

    after: str
    since: datetime
    until: datetime
    type: str | None
    limit: int


@dataclass(frozen=True, slots=True)
class ListEvents:
    """For staff. Shows nothing that was recorded within the last `delay`.

    That is longer than a write can take from the moment its time is taken, with the index's lag:
    whatever is still to come belongs behind every position that was ever given.
    """

    orders: OrderRepository
    clock: Clock
    delay: timedelta

    def __call__(self, caller: Caller, request: FeedRequest) -> Page[OrderEvent, str]:
        """A page and the position to go on from, which there always is.

        Reads on until the page is full, the feed ends, or reads are spent.

        Raises:
            Forbidden: the caller is a customer.
        """
        caller.require_staff()
        until = min(request.until, self.clock.now() - self.delay)
        events: list[OrderEvent] = []
        position = request.after
        for _ in range(MAX_READS):
            found = self.orders.list_events(position, request.since, until, request.limit)
            for position, event in found:
                if event is None or request.type not in {None, event.type}:
                    continue
                events.append(event)
                if len(events) == request.limit:
                    return Page(events, position)
            if len(found) < request.limit:
                break
        return Page(events, position)
