"""Tables full of orders, as months of trade would leave them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Final

from orders.adapters.dynamodb import rows
from orders.adapters.dynamodb.table import Table
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.order import CustomerId, NewOrder, OrderItem
from orders.domain.order_id import make_order_id
from orders.domain.status import OrderStatus
from servers import client_of, create_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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

_REASONS: Final = ("expired", "payment-declined", "out-of-stock", "Changed my mind.")
_CURRENCIES: Final = ("EUR", "SGD", "USD")
_FIRST_DAY: Final = date(2026, 1, 1)
_STAFF: Final = Actor("staff", "aa9a423e-8102-4f33-9ff1-906c38523374")

_LOADERS: Final = 3
"""DynamoDB Local writes one row at a time: more threads than keep it busy would not help."""
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Shop:
    """A table with `sizes[n]` orders of the n-th day."""

    table: Table
    sizes: Sequence[int]

    @property
    def size(self) -> int:
        return sum(self.sizes)

    def day(self, number: int) -> date:
        return _FIRST_DAY + timedelta(days=number)

    def orders_of(self, number: int) -> Iterator[Order]:
        """The orders of a day, the earliest first; the same ones every time."""
        random = Random(f"{self.sizes} {number}")  # noqa: S311 - these ids are no secrets
        day = self.day(number)
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        for place in range(self.sizes[number]):
            at = start + place * timedelta(days=1) / self.sizes[number]
            yield _order(place, make_order_id(at, random.randbytes(3)))


def open_shop(endpoint: str, sizes: Sequence[int]) -> Shop:
    """A new table that holds both rows of every order, as a create and its updates leave them."""
    shop = Shop(Table(client_of(endpoint), create_table(endpoint)), sizes)

    def load(number: int) -> None:
        orders = shop.orders_of(number)
        while chunk := list(islice(orders, _CHUNK)):
            put = [
                row for order in chunk for row in (rows.detail_row(order), rows.customer_row(order))
            ]
            shop.table.client.sync_batch_write(shop.table.name, put_items=put)

    with ThreadPoolExecutor(_LOADERS) as threads:
        list(threads.map(load, range(len(sizes))))
    return shop


def middle_of(shop: Shop) -> Order:
    """The order that as many others are younger than as older."""
    before = shop.size // 2
    for number, size in enumerate(shop.sizes):
        if before < size:
            return next(islice(shop.orders_of(number), before, None))
        before -= size
    raise ValueError("the shop is empty")


def _order(place: int, order_id: OrderId) -> Order:
    new = NewOrder(
        customer_id=BUYER,
        currency=_CURRENCIES[place % len(_CURRENCIES)],
        items=(OrderItem("MUG-01", "Mug", 6 + place % 4, 1999),),
        metadata={"channel": "web"},
    )
    order = new.placed(order_id, by=CUSTOMER)
    status, later = _TEN[place % len(_TEN)], order.created_at + timedelta(hours=1)
    match status:
        case OrderStatus.PENDING:
            return order
        case OrderStatus.CANCELED:
            reason = _REASONS[place // len(_TEN) % len(_REASONS)]
            return order.changed_to(status, by=CUSTOMER, at=later, reason=reason)
    order = order.changed_to(OrderStatus.PAID, by=_STAFF, at=later)
    return order if status is order.status else order.changed_to(status, by=_STAFF, at=later)
