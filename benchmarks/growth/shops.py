"""Tables full of orders, as months of trade would leave them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from orders.adapters.dynamodb import rows
from orders.adapters.dynamodb.table import Table
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.customer_id import CustomerId
from orders.domain.order import NewOrder, OrderItem
from orders.domain.order_id import make_order_id
from orders.domain.status import OrderStatus
from servers import client_of, create_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orders.domain.events import OrderEvent
    from orders.domain.order import Order
    from orders.domain.order_id import OrderId

BUYER: Final = CustomerId("adab46ae-aae5-4926-bd8c-4d973a61684b")
"""Whose orders they all are: the longest list that a customer can have in the table."""

FULLEST: Final = OrderStatus.SHIPPED
_TEN: Final = (
    *[OrderStatus.SHIPPED] * 4,
    OrderStatus.PAID,
    *[OrderStatus.SHIPPED] * 3,
    OrderStatus.CANCELED,
    OrderStatus.PENDING,
)
"""What became of ten orders, again and again: most of what was ever ordered has been shipped.

Any page of twenty shows two such tens, wherever it is: what pages cost can be compared.
"""

_STEPS: Final[Mapping[OrderStatus, Sequence[OrderStatus]]] = {
    OrderStatus.PENDING: (),
    OrderStatus.PAID: (OrderStatus.PAID,),
    OrderStatus.SHIPPED: (OrderStatus.PAID, OrderStatus.SHIPPED),
    OrderStatus.CANCELED: (OrderStatus.CANCELED,),
}
_REASONS: Final = ("expired", "payment-declined", "out-of-stock", "Changed my mind.")
_CURRENCIES: Final = ("EUR", "SGD", "USD")
_FIRST_DAY: Final = date(2026, 1, 1)
_STAFF: Final = Actor("staff", "aa9a423e-8102-4f33-9ff1-906c38523374")

_LOADERS: Final = 3
"""DynamoDB Local writes one row at a time: more threads than keep it busy would not help."""
_CHUNK: Final = 500


class Life(NamedTuple):
    """An order, and all that has happened to it."""

    order: Order
    events: list[OrderEvent]


@dataclass(frozen=True, slots=True)
class Shop:
    """A table with `sizes[n]` orders of the n-th day, and the events of the first `told` days."""

    table: Table
    sizes: Sequence[int]
    told: int

    @property
    def size(self) -> int:
        return sum(self.sizes)

    @property
    def events(self) -> int:
        """How many there are."""
        of_ten = sum(1 + len(_STEPS[status]) for status in _TEN)
        return sum(self.sizes[: self.told]) * of_ten // len(_TEN)

    def day(self, number: int) -> date:
        return _FIRST_DAY + timedelta(days=number)

    def lives_of(self, number: int) -> Iterator[Life]:
        """The orders of a day, the earliest first; the same ones every time."""
        random = Random(f"{self.sizes} {number}")  # noqa: S311 - these ids are no secrets
        day = self.day(number)
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        for place in range(self.sizes[number]):
            at = start + place * timedelta(days=1) / self.sizes[number]
            yield _life(place, make_order_id(at, random.randbytes(3)))


def open_shop(endpoint: str, sizes: Sequence[int], told: int | None = None) -> Shop:
    """A new table of orders as creates and updates leave them; sizes are multiples of ten.

    Events are more than half of all rows: those after the first `told` days are left out.
    """
    table = Table(client_of(endpoint), create_table(endpoint))
    shop = Shop(table, sizes, len(sizes) if told is None else told)

    def load(number: int) -> None:
        lives = shop.lives_of(number)
        while chunk := list(islice(lives, _CHUNK)):
            put = [row for life in chunk for row in _rows(life, told=number < shop.told)]
            shop.table.client.sync_batch_write(shop.table.name, put_items=put)

    with ThreadPoolExecutor(_LOADERS) as threads:
        list(threads.map(load, range(len(sizes))))
    return shop


def middle_of(shop: Shop, days: int | None = None) -> Order:
    """The order of the first `days`, or of all, that as many are younger than as older."""
    sizes = shop.sizes[:days]
    before = sum(sizes) // 2
    for number, size in enumerate(sizes):
        if before < size:
            return next(islice(shop.lives_of(number), before, None)).order
        before -= size
    raise ValueError("the shop is empty")


def _life(place: int, order_id: OrderId) -> Life:
    new = NewOrder(
        customer_id=BUYER,
        currency=_CURRENCIES[place % len(_CURRENCIES)],
        items=(OrderItem("MUG-01", "Mug", 6 + place % 4, 1999),),
        metadata={"channel": "web"},
    )
    order, created = new.placed(order_id, by=CUSTOMER)
    events, later = [created], order.created_at + timedelta(hours=1)
    for status in _STEPS[_TEN[place % len(_TEN)]]:
        if status is OrderStatus.CANCELED:
            reason = _REASONS[place // len(_TEN) % len(_REASONS)]
            order, event = order.changed_to(status, by=CUSTOMER, at=later, reason=reason)
        else:
            order, event = order.changed_to(status, by=_STAFF, at=later)
        events.append(event)
    return Life(order, events)


def _rows(life: Life, *, told: bool) -> list[rows.Row]:
    order, events = life
    of_events = map(rows.event_row, events) if told else ()
    return [rows.detail_row(order), rows.customer_row(order), *of_events]
