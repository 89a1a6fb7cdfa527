"""Tables full of orders, as months of trade would leave them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from math import lcm
from random import Random
from typing import TYPE_CHECKING, Final

from examples import new_order
from orders.adapters.dynamodb import keys, rows
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.customer_id import CustomerId
from orders.domain.order_id import make_order_id
from orders.domain.status import OrderStatus
from servers import put_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orders.adapters.dynamodb.table import Table
    from orders.domain.order_id import OrderId

BUYER: Final = CustomerId("adab46ae-aae5-4926-bd8c-4d973a61684b")
"""Who placed all of the orders: the longest list that a customer can have in the table."""

FULLEST: Final = OrderStatus.SHIPPED
_LIVES: Final = (
    *[(OrderStatus.PAID, OrderStatus.SHIPPED)] * 4,
    (OrderStatus.PAID,),
    *[(OrderStatus.PAID, OrderStatus.SHIPPED)] * 3,
    (OrderStatus.CANCELED,),
    (),
)
"""What happened to ten orders, again and again: most orders have been shipped."""
_EVENTS: Final = sum(1 + len(life) for life in _LIVES)

ROUND: Final = lcm(len(_LIVES), keys.SHARDS)
"""The shards of the index take turns, so everything repeats itself after this many orders.

Chance would put more of one page into a shard than of another. So any page that begins with a round
reads rows of the same sizes, wherever it is and however many there are.
"""

_SOON: Final = timedelta(milliseconds=100)
"""From change to change: an order's events are recorded before the next order is placed."""

_FIRST_DAY: Final = date(2026, 1, 1)
_STAFF: Final = Actor("staff", "aa9a423e-8102-4f33-9ff1-906c38523374")

_LOADERS: Final = 3
"""DynamoDB Local writes one row at a time: more threads than keep it busy would not help."""


@dataclass(frozen=True, slots=True)
class Shop:
    """`sizes[n]` orders of the n-th day, whole rounds; events of the first `told` days only.

    All events of a million orders would double the minutes that it takes to write them.
    """

    sizes: Sequence[int]
    told: int

    @property
    def size(self) -> int:
        return sum(self.sizes)

    @property
    def events(self) -> int:
        return sum(self.sizes[: self.told]) * _EVENTS // len(_LIVES)

    def day(self, number: int) -> date:
        return _FIRST_DAY + timedelta(days=number)

    def middle(self, days: int | None = None) -> datetime | None:
        """When about half of the orders of the first `days`, or of all days, had been placed.

        None for a single round, which has no middle.
        """
        before = sum(self.sizes[:days]) // 2 // ROUND * ROUND
        if before == 0:
            return None
        day = 0
        while before >= self.sizes[day]:
            before -= self.sizes[day]
            day += 1
        return self._placed_at(day, before)

    def fill(self, table: Table) -> None:
        """Write the rows that creates and updates leave."""

        def load(number: int) -> None:
            put_all(table, self._rows(number))

        with ThreadPoolExecutor(_LOADERS) as threads:
            list(threads.map(load, range(len(self.sizes))))

    def _placed_at(self, day: int, place: int) -> datetime:
        start = datetime.combine(self.day(day), datetime.min.time(), UTC)
        return start + place * timedelta(days=1) / self.sizes[day]

    def _rows(self, day: int) -> Iterator[rows.Row]:
        """All rows of a day's orders; the same ones every time."""
        random = Random(f"{self.sizes} {day}")  # noqa: S311 - these ids are no secrets
        for place, life in zip(range(self.sizes[day]), cycle(_LIVES), strict=False):
            placed_at = self._placed_at(day, place)
            order_id = make_order_id(placed_at, random.randbytes(3))
            while keys.shard_of(order_id) != place % keys.SHARDS:
                order_id = make_order_id(placed_at, random.randbytes(3))
            yield from _rows_of(order_id, life, told=day < self.told)


def _rows_of(order_id: OrderId, life: Sequence[OrderStatus], *, told: bool) -> Iterator[rows.Row]:
    new = new_order(customer_id=BUYER)
    order, event = new.placed(order_id, by=CUSTOMER)
    events = [event]
    for status in life:
        at = order.updated_at + _SOON
        order, event = order.changed_to(status, by=_STAFF, at=at)
        events.append(event)
    yield from (rows.detail_row(order), rows.customer_row(order))
    if told:
        yield from map(rows.event_row, events)
