"""The feed: all events of all orders, in recording order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from orders.application.paging import Page

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from orders.application.caller import Caller
    from orders.application.ports import Clock, OrderRepository
    from orders.domain.events import OrderEvent

MAX_READS: Final = 5


class FeedRequest(NamedTuple):
    """At most `limit` events recorded from `since` (included) to `until` (not included).

    They come after the position `after`, which is empty at the start of the feed. `type` filters by
    event type; None shows all.
    """

    after: str
    since: datetime
    until: datetime
    type: str | None
    limit: int


class ListEvents(NamedTuple):
    """For staff. Hides events recorded within the last `delay`.

    `delay` exceeds the time from an event's timestamp until the index shows it, so a new event
    always comes after every position already returned.
    """

    orders: OrderRepository
    clock: Clock
    delay: timedelta

    def __call__(self, caller: Caller, request: FeedRequest) -> Page[OrderEvent, str]:
        """A page and the position to continue from, which is never None.

        Reads until the page is full, the feed ends or the reads are used up.

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
