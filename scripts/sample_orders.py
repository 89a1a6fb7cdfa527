"""Orders of a shop that look like a shop's, the same each time."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from orders.domain.actor import CUSTOMER, Actor
from orders.domain.customer_id import CustomerId
from orders.domain.order import NewOrder, OrderItem
from orders.domain.order_id import make_order_id
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders.domain.events import OrderEvent
    from orders.domain.order import Order

NOW: Final = datetime(2026, 11, 30, 9, 41, tzinfo=UTC)
DAYS: Final = 40

_STAFF: Final = (Actor("staff", "maria"), Actor("staff", "jonas"))
_GOODS: Final = (
    ("KET-100", "Pour-over kettle, 1 l", 7900),
    ("CUP-4-WHT", "Espresso cups, set of 4", 3450),
    ("FLT-02-100", "Filter papers no. 2, 100 pieces", 690),
    ("BEAN-HOUSE-1000", "House blend, 1 kg", 2490),
    ("BEAN-YIRG-250", "Yirgacheffe, 250 g", 1250),
    ("GRD-HAND-38", "Hand grinder, 38 mm burrs", 14900),
    ("SCL-TIMER", "Scale with timer", 5500),
)
_CURRENCIES: Final = {"EUR": 1.0, "USD": 1.1, "JPY": 1.6}
"""How much an amount in the minor unit of each is of that in cents of a euro."""
_REASONS: Final = ("ordered twice", "expired", "payment-declined", "out-of-stock", None)


def sample_orders() -> Iterator[tuple[Order, list[OrderEvent]]]:
    """Forty days of orders up to NOW: the latest wait for payment or for shipping."""
    chance = random.Random(13)  # noqa: S311 - nothing secret
    for days_ago in range(DAYS, -1, -1):
        midnight = (NOW - timedelta(days=days_ago)).replace(hour=0, minute=0)
        weekend = midnight.weekday() >= 5  # noqa: PLR2004
        for _ in range(chance.randint(5, 9) if weekend else chance.randint(8, 16)):
            placed = midnight + timedelta(milliseconds=chance.randrange(86_400_000))
            if placed < NOW:
                yield _order(chance, placed)


def _order(chance: random.Random, placed: datetime) -> tuple[Order, list[OrderEvent]]:
    (currency,) = chance.choices(list(_CURRENCIES), weights=[6, 3, 1])
    order, event = NewOrder(
        customer_id=CustomerId(f"cus_{chance.randint(1000, 1400)}"),
        currency=currency,
        items=tuple(
            OrderItem(sku, name, chance.choice((1, 1, 2, 3)), round(cents * _CURRENCIES[currency]))
            for sku, name, cents in chance.sample(_GOODS, chance.choice((1, 2, 2, 3)))
        ),
        metadata={"channel": chance.choice(("web", "web", "app", "phone"))},
    ).placed(make_order_id(placed, chance.randbytes(3)), by=CUSTOMER)
    events = [event]

    def change(status: OrderStatus, hours: float, reason: str | None = None) -> bool:
        nonlocal order
        at = order.updated_at + timedelta(hours=hours)
        if at >= NOW:
            return False
        order, changed = order.changed_to(status, by=chance.choice(_STAFF), at=at, reason=reason)
        events.append(changed)
        return True

    if chance.random() < 0.08:  # noqa: PLR2004
        change(OrderStatus.CANCELED, chance.uniform(1, 30), chance.choice(_REASONS))
    elif change(OrderStatus.PAID, chance.uniform(0.1, 12)):
        change(OrderStatus.SHIPPED, chance.uniform(20, 44))
    return order, events
