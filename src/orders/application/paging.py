"""Pages of a list: a window of order ids, read in one direction, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders.domain.order_id import IdRange, OrderId

Item = TypeVar("Item")
Position = TypeVar("Position")


class Found(NamedTuple, Generic[Item, Position]):
    """An item at its position in a list; None if this release can't read it."""

    position: Position
    item: Item | None


class Page(NamedTuple, Generic[Item, Position]):
    """One page of a list. `next_position` is None exactly at the end of the list."""

    items: Sequence[Item]
    next_position: Position | None


def next_page(found: Sequence[Found[Item, Position]], limit: int) -> Page[Item, Position]:
    """The first `limit` items; another page follows if more were found."""
    items = [one.item for one in found[:limit] if one.item is not None]
    return Page(items, found[limit - 1].position if len(found) > limit else None)


class PageRequest(NamedTuple):
    """At most `limit` orders of `ids`, newest or oldest first."""

    limit: int
    ids: IdRange
    newest_first: bool = True

    def remaining_after(self, order_id: OrderId) -> IdRange:
        return self.ids.before(order_id) if self.newest_first else self.ids.after(order_id)
