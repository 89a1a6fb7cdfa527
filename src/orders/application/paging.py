"""Pages of a list: a window of order ids, read in one direction, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders.domain.order import OrderSummary
    from orders.domain.order_id import IdRange, OrderId

Item = TypeVar("Item")
Position = TypeVar("Position")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item, Position]):
    """Some of a list. `next_position` is None exactly where the list ends."""

    items: Sequence[Item]
    next_position: Position | None


def next_page(found: Sequence[OrderSummary], limit: int) -> Page[OrderSummary, OrderId]:
    """The first `limit` orders; another page follows if one more was found."""
    items = found[:limit]
    return Page(items, items[-1].order_id if len(found) > limit else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """At most `limit` orders of `ids`, newest or oldest first."""

    limit: int
    ids: IdRange
    newest_first: bool = True

    def remaining_after(self, order_id: OrderId) -> IdRange:
        return self.ids.before(order_id) if self.newest_first else self.ids.after(order_id)
