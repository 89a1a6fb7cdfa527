"""Find what the stream's readers missed, and make up for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from orders.application.ports import OrderVersion
from orders.domain.actor import Actor
from orders.domain.changes import creation, last_change
from orders.domain.errors import MalformedRow, TryAgain
from orders.domain.order import FIRST_VERSION
from orders.domain.order_id import parse_order_id
from orders.domain.status import LAST_VERSION, path_to

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from orders.application.ports import Clock, EventPublisher, OrderRepository
    from orders.domain.changes import OrderChange
    from orders.domain.order import Order
    from orders.domain.order_id import OrderId
    from orders.domain.status import OrderStatus

WINDOW: Final = timedelta(days=2)
"""Twice the time for which the stream holds a change, and for which its readers try.

It ends at the margin, so that of daily runs two look at each change, the later one when the readers
have given it up.
"""
MARGIN: Final = timedelta(minutes=15)
"""Entries follow within a second. By now an alarm says that the stream's readers are behind."""

_READ_AT_ONCE: Final = 100 // LAST_VERSION
_NOT_KNOWN: Final = Actor("")
"""Stands in an event, which doesn't say who made the change; it is never in an entry."""


class MissingEntry(NamedTuple):
    """A version that had no timeline entry. Restored, with its event; or else in part at most."""

    version: int
    is_restored: bool


@dataclass(frozen=True, slots=True)
class ReconcileOrderEvents:
    """Safe to run twice, at once, and to be stopped at any time: nothing is written twice."""

    orders: OrderRepository
    publisher: EventPublisher
    clock: Clock

    def find(self) -> Iterator[Collection[OrderId]]:
        """Those that seem to lack an entry, of each few orders that were looked at.

        None of none meanwhile, so that the caller can stop between any two calls of the search.
        """
        now = self.clock.now()
        latest: dict[OrderId, int | None] = {}
        for found in self.orders.each_changed(now - MARGIN - WINDOW, now - MARGIN):
            if found is not None:
                latest |= [found]
            if len(latest) == _READ_AT_ONCE:
                yield self._lacking(latest)
                latest = {}
            else:
                yield ()
        yield self._lacking(latest)

    def restore(self, order_id: OrderId) -> Iterator[MissingEntry]:
        """Publish the event of each missing version and write its entry, as far as it is known.

        The event comes first: while there is no entry, a run that was stopped is made up for.

        Raises:
            MalformedRow: the order or its timeline can't be read.
            TryAgain.
        """
        order, entries = self.orders.get_with_timeline(
            order_id, after_version=0, limit=LAST_VERSION
        )
        if order is None or order.updated_at > self.clock.now() - MARGIN:
            return
        path = path_to(order.status, order.version)
        if path is None or parse_order_id(order_id) is None:
            message = f"no order gets to this version so: {order_id}"
            raise MalformedRow(message)
        recorded = {entry.version for entry in entries}
        for version in range(FIRST_VERSION, order.version + 1):
            if version not in recorded:
                yield MissingEntry(version, self._restore(order, version, path))

    def _lacking(self, latest: Mapping[OrderId, int | None]) -> Collection[OrderId]:
        """A version that can't be is looked into too."""
        versions = [
            OrderVersion(order_id, version)
            for order_id, last in latest.items()
            if last is not None and FIRST_VERSION <= last <= LAST_VERSION
            for version in range(FIRST_VERSION, last + 1)
        ]
        recorded = self.orders.get_recorded(versions) if versions else ()
        sound = {version.order_id for version in versions}
        lacking = {version.order_id for version in versions if version not in recorded}
        return [order_id for order_id in latest if order_id in lacking or order_id not in sound]

    def _restore(self, order: Order, version: int, path: tuple[OrderStatus, ...]) -> bool:
        """Whether event and entry are there now; the order says all of its last change alone.

        An event that the queue refuses for good doesn't keep the entry away.
        """
        if version == order.version:
            change = last_change(order, path[-2] if len(path) > 1 else None)
            is_published = self._publish(change)
            self.orders.append_to_timeline(change)
            return is_published
        if version == FIRST_VERSION:
            self._publish(creation(order, _NOT_KNOWN))
        return False

    def _publish(self, change: OrderChange) -> bool:
        """Whether the event was sent; else the queue refuses it for good."""
        unsent = self.publisher.publish([change])
        if unsent.unavailable:
            raise TryAgain
        return not unsent.refused
