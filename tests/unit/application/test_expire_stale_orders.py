from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from examples import changed_order, placed_order
from fakes import NOON, FakeClock, InMemoryOrders
from interleaving import Stepwise, each_interleaving
from orders.application.errors import TryAgain
from orders.application.expire_stale_orders import ExpireStaleOrders
from orders.domain.actor import Actor
from orders.domain.status import OrderStatus
from proof import oracle

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.domain.order import Order

PENDING, PAID, CANCELED = OrderStatus.PENDING, OrderStatus.PAID, OrderStatus.CANCELED
TWO_WEEKS = oracle.STALE_AFTER


def run(stale: ExpireStaleOrders) -> int:
    """How many orders a whole run cancels."""
    return sum(stale.expire(order_id) for order_id in stale.find())


class Shop:
    def __init__(self, *ages: timedelta) -> None:
        self.orders = InMemoryOrders()
        for age in ages:
            order = placed_order(NOON - age)
            self.orders.orders[order.order_id] = order
        self.stale = ExpireStaleOrders(self.orders, FakeClock())

    def expire(self) -> int:
        return run(self.stale)

    @property
    def all(self) -> list[Order]:
        return [order for _, order in sorted(self.orders.orders.items())]


def test_orders_that_stay_pending_for_more_than_two_weeks_are_canceled() -> None:
    just = timedelta(milliseconds=1)
    shop = Shop(TWO_WEEKS + just, TWO_WEEKS, TWO_WEEKS - just, timedelta())
    assert shop.expire() == 1
    assert [order.status for order in shop.all] == [CANCELED, PENDING, PENDING, PENDING]


def test_an_expired_order_has_its_reason_and_its_event() -> None:
    shop = Shop(TWO_WEEKS * 2)
    shop.expire()
    (order,) = shop.all
    assert (order.updated_at, order.version, order.reason) == (NOON, 2, "expired")
    event = shop.orders.events[order.order_id, 2]
    assert (event.type, event.reason) == ("ORDER_CANCELED", "expired")
    assert event.actor == Actor("system:expire-stale-orders")


@pytest.mark.parametrize("status", [one for one in OrderStatus if one is not PENDING])
def test_orders_that_left_pending_do_not_expire(status: OrderStatus) -> None:
    shop = Shop(TWO_WEEKS * 2)
    (order,) = shop.all
    shop.orders.orders[order.order_id] = replace(order, status=status)
    assert shop.expire() == 0
    assert shop.all == [replace(order, status=status)]


def test_a_second_run_finds_nothing_to_do() -> None:
    shop = Shop(TWO_WEEKS * 2, TWO_WEEKS * 3)
    assert [shop.expire(), shop.expire()] == [2, 0]
    assert [order.version for order in shop.all] == [2, 2]


def test_two_concurrent_runs_expire_each_order_once() -> None:
    shops: list[Shop] = []
    counts: list[list[int]] = []

    def actors() -> list[Callable[[], object]]:
        shop, expired = Shop(TWO_WEEKS * 2, TWO_WEEKS * 3), list[int]()
        shops.append(shop)
        counts.append(expired)
        stale = ExpireStaleOrders(Stepwise(shop.orders), FakeClock())
        return [lambda: expired.append(run(stale)), lambda: expired.append(run(stale))]

    for errors in each_interleaving(actors):
        assert errors == [None, None]
        assert [order.version for order in shops[-1].all] == [2, 2]
        assert sum(counts[-1]) == 2
    assert len(shops) > 10


def test_an_order_that_is_paid_just_before_is_left_alone() -> None:
    """One order before it is read, the other before it is written."""
    shop = Shop(TWO_WEEKS * 2, TWO_WEEKS * 3)

    def pay_all() -> None:
        for key, order in shop.orders.orders.items():
            shop.orders.orders[key] = changed_order(order, PAID)

    shop.orders.before_next_write(pay_all)
    assert shop.expire() == 0
    assert [order.status for order in shop.all] == [PAID, PAID]


def test_an_order_that_only_the_index_still_has_is_skipped() -> None:
    class Gone(InMemoryOrders):
        def get(self, order_id: object) -> None:
            """It was removed."""

    shop = Shop(TWO_WEEKS * 2)
    gone = Gone()
    gone.orders = shop.orders.orders
    assert run(ExpireStaleOrders(gone, FakeClock())) == 0


def test_an_unreachable_store_ends_the_run() -> None:
    class Down(InMemoryOrders):
        def update(self, *_: object) -> None:
            raise TryAgain

    down = Down()
    down.orders = Shop(TWO_WEEKS * 2).orders.orders
    with pytest.raises(TryAgain):
        run(ExpireStaleOrders(down, FakeClock()))


def test_age_counts_from_creation_not_from_the_last_change() -> None:
    shop = Shop(TWO_WEEKS * 2)
    (order,) = shop.all
    shop.orders.orders[order.order_id] = replace(order, updated_at=NOON)
    assert shop.expire() == 1
