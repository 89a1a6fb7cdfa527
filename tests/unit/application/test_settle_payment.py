"""Money and stock end up where the order does, whatever happens in whatever order."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from examples import CUSTOMER_42, MUGS, STAFF, placed_order, rendered
from fakes import FakeClock, FakeInventory, FakePayments, InMemoryOrders
from interleaving import Stepwise, each_interleaving
from orders.application.change_status import ChangeStatus, StatusChange
from orders.application.errors import (
    NewerRow,
    PaymentDeclined,
    PaymentUnavailable,
    TryAgain,
    UnsettledOrder,
)
from orders.application.settle_payment import Settlement, SettlePayment
from orders.domain.actor import Actor
from orders.domain.errors import OrderError
from orders.domain.order_id import make_order_id
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.application.caller import Caller

PENDING, PAID = OrderStatus.PENDING, OrderStatus.PAID
SHIPPED, CANCELED = OrderStatus.SHIPPED, OrderStatus.CANCELED


class Shop:
    """One order to be paid by token, the services, and those who touch the order."""

    def __init__(self, *, pays_by_token: bool = True, is_free: bool = False) -> None:
        self.orders = InMemoryOrders()
        self.payments = FakePayments()
        self.inventory = FakeInventory()
        self.clock = FakeClock()
        self.order = placed_order(
            payment_token="tok" if pays_by_token else None,
            items=(replace(MUGS, quantity=1, unit_amount=0 if is_free else 1),),
        )
        self.orders.orders[self.order.order_id] = self.order

    @property
    def now(self) -> Any:  # noqa: ANN401 - an order, as it stands
        return self.orders.orders[self.order.order_id]

    def settle(self, wrap: Callable[[Any], Any] = lambda port: port) -> Settlement:
        """Deliver one event."""
        settle = SettlePayment(
            wrap(self.orders), wrap(self.payments), wrap(self.inventory), self.clock
        )
        return settle(self.order.order_id)

    def change(
        self,
        caller: Caller,
        status: OrderStatus,
        wrap: Callable[[Any], Any] = lambda port: port,
    ) -> None:
        change = StatusChange(order_id=self.order.order_id, status=status)
        ChangeStatus(wrap(self.orders), self.clock)(caller, change, None, rendered)

    def cancel(self, wrap: Callable[[Any], Any] = lambda port: port) -> None:
        """The customer cancels, if they still may, and the event of that is delivered."""
        with suppress(OrderError):
            self.change(CUSTOMER_42, CANCELED, wrap)
            self.settle(wrap)

    def cancel_by_staff(self, wrap: Callable[[Any], Any] = lambda port: port) -> None:
        """Staff cancel, also what was paid, and the event of that is delivered."""
        self.change(STAFF, CANCELED, wrap)
        self.settle(wrap)

    def pay_by_transfer(self, wrap: Callable[[Any], Any] = lambda port: port) -> None:
        """Staff mark the order PAID, if it isn't, and the event of that is delivered."""
        with suppress(OrderError):
            self.change(STAFF, PAID, wrap)
            self.settle(wrap)

    def redeliver(self) -> None:
        """Deliver again what was not acknowledged."""
        with suppress(PaymentUnavailable):
            self.settle()

    @property
    def is_charged(self) -> bool:
        return self.order.order_id in self.payments.live

    @property
    def is_reserved(self) -> bool:
        return self.order.order_id in self.inventory.live

    def check(self) -> None:
        """A CANCELED order has no live charge or reservation; one that was settled has both."""
        assert self.now.status in {PAID, CANCELED}
        if self.now.status is PAID and self.now.charge_id:
            charged = {self.order.order_id: self.now.charge_id} if self.order.amount else {}
            assert self.payments.live == charged
            assert self.is_reserved
        else:
            assert not self.is_charged
            assert not self.is_reserved
        assert len(self.payments.charged) <= 1
        assert len(self.payments.refunded) <= 1
        assert self.now.payment_token is None


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_an_order_with_a_token_is_reserved_charged_and_paid(shop: Shop) -> None:
    shop.clock.advance(seconds=2)
    assert shop.settle() is Settlement.PAID
    assert (shop.now.status, shop.now.version, shop.now.reason) == (PAID, 2, None)
    assert shop.now.charge_id == f"ch_{shop.order.order_id}"
    assert shop.now.updated_at == shop.clock.now()
    event = shop.orders.events[shop.order.order_id, 2]
    assert event.actor == Actor.system("settle-payments")
    shop.check()


def test_an_order_without_a_token_is_left_alone() -> None:
    shop = Shop(pays_by_token=False)
    for status in OrderStatus:
        shop.orders.orders[shop.order.order_id] = replace(shop.order, status=status)
        assert shop.settle() is Settlement.NOTHING_TO_DO
    assert not shop.is_charged
    assert not shop.is_reserved
    assert shop.now.version == 1


@pytest.mark.parametrize("is_free", [False, True], ids=["charged", "free"])
def test_a_settled_order_keeps_charge_and_stock_whatever_is_redelivered(*, is_free: bool) -> None:
    """An order of nothing is reserved and paid without asking the gateway."""
    shop = Shop(is_free=is_free)
    if is_free:
        shop.payments.refusal = PaymentDeclined()
    assert shop.settle() is Settlement.PAID
    paid = shop.now
    assert (paid.status, paid.version) == (PAID, 2)
    assert shop.settle() is Settlement.NOTHING_TO_DO
    assert shop.now is paid
    shop.check()
    shop.change(STAFF, SHIPPED)
    assert shop.settle() is Settlement.NOTHING_TO_DO
    assert (shop.is_reserved, shop.is_charged) == (True, not is_free)
    assert len(shop.payments.charged) == (not is_free)


@pytest.mark.parametrize("is_free", [False, True], ids=["to be charged", "free"])
def test_an_order_that_is_out_of_stock_is_canceled_and_never_charged(*, is_free: bool) -> None:
    shop = Shop(is_free=is_free)
    shop.inventory.is_empty = True
    assert shop.settle() is Settlement.OUT_OF_STOCK
    assert (shop.now.status, shop.now.reason) == (CANCELED, "out-of-stock")
    assert shop.payments.charged == []
    shop.check()


def test_a_declined_payment_cancels_the_order_and_releases_its_stock(shop: Shop) -> None:
    shop.payments.refusal = PaymentDeclined()
    assert shop.settle() is Settlement.DECLINED
    assert (shop.now.status, shop.now.reason) == (CANCELED, "payment-declined")
    shop.check()


def test_an_undecided_payment_is_retried(shop: Shop) -> None:
    shop.payments.refusal = PaymentUnavailable()
    with pytest.raises(PaymentUnavailable):
        shop.settle()
    assert (shop.now.status, shop.now.version, shop.is_reserved) == (PENDING, 1, True)
    shop.payments.refusal = None
    assert shop.settle() is Settlement.PAID
    assert len(shop.inventory.reserved) == 1
    shop.check()


def test_canceling_while_payment_is_undecided_releases_the_stock(shop: Shop) -> None:
    shop.payments.refusal = PaymentUnavailable()
    shop.redeliver()
    shop.cancel()
    assert shop.now.status is CANCELED
    shop.check()


def test_a_canceled_order_that_was_charged_is_refunded_once(shop: Shop) -> None:
    shop.settle()
    shop.change(STAFF, CANCELED)
    assert shop.settle() is Settlement.REFUNDED
    assert shop.settle() is Settlement.NOTHING_TO_DO
    assert shop.payments.refunded == [shop.order.order_id]
    shop.check()


@pytest.mark.parametrize(("caller", "status"), [(CUSTOMER_42, CANCELED), (STAFF, PAID)])
def test_an_order_that_left_pending_before_its_first_event_arrived_is_never_charged(
    shop: Shop, caller: Caller, status: OrderStatus
) -> None:
    shop.change(caller, status)
    for _ in ("the event of the change", "ORDER_CREATED"):
        assert shop.settle() is Settlement.NOTHING_TO_DO
    assert shop.payments.charged == []
    assert shop.inventory.reserved == []
    shop.check()


def test_an_order_that_cannot_be_settled_raises_its_id(shop: Shop) -> None:
    """It does not exist, it is PENDING without its token, or only a later release knows how."""
    unknown = make_order_id(shop.clock.now(), b"\xff" * 3)
    settle = SettlePayment(shop.orders, shop.payments, shop.inventory, shop.clock)
    with pytest.raises(UnsettledOrder, match=unknown):
        settle(unknown)
    shop.orders.orders[shop.order.order_id] = replace(shop.order, payment_token=None)
    with pytest.raises(UnsettledOrder, match=shop.order.order_id):
        shop.settle()
    shop.orders.orders[shop.order.order_id] = replace(shop.order, status="TELEPORTED")
    with pytest.raises(NewerRow, match=shop.order.order_id):
        shop.settle()
    assert not shop.is_reserved


def test_an_order_that_changes_before_every_write_is_given_up_for_now(shop: Shop) -> None:
    def disturb() -> None:
        shop.orders.orders[shop.order.order_id] = replace(shop.now, version=shop.now.version + 1)

    shop.orders.before_write = disturb
    with pytest.raises(TryAgain):
        shop.settle()
    assert shop.orders.calls.count("update") == 3


class Crash(Exception):
    """The function was stopped here."""


class Fragile:
    """Crashes at the n-th call of any port, before or after the call took effect."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.remaining = at
        self.after = after

    def wrap(self, port: Any) -> Any:  # noqa: ANN401 - a port stays what it was
        fragile = self

        class Wrapped:
            def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - likewise
                def call(*arguments: object, **named: object) -> object:
                    fragile.remaining -= 1
                    if fragile.remaining == 0 and not fragile.after:
                        raise Crash
                    result = getattr(port, name)(*arguments, **named)
                    if fragile.remaining == 0:
                        raise Crash
                    return result

                return call

        return Wrapped()


def decline(shop: Shop) -> None:
    shop.payments.refusal = PaymentDeclined()


def run_out(shop: Shop) -> None:
    shop.inventory.is_empty = True


def nothing_else(_: Shop) -> None:
    """All goes well."""


CIRCUMSTANCES = pytest.mark.parametrize("circumstances", [nothing_else, decline, run_out])
FREE_OR_NOT = pytest.mark.parametrize("is_free", [False, True])
OTHERS = pytest.mark.parametrize(
    "other", [Shop.settle, Shop.cancel, Shop.cancel_by_staff, Shop.pay_by_transfer]
)


@CIRCUMSTANCES
@FREE_OR_NOT
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("meanwhile", [nothing_else, Shop.cancel, Shop.pay_by_transfer])
def test_the_next_run_finishes_a_run_that_stopped_anywhere(
    circumstances: Callable[[Shop], None],
    meanwhile: Callable[[Shop], None],
    *,
    is_free: bool,
    after: bool,
) -> None:
    crashes = 0
    for step in range(1, 10):
        shop = Shop(is_free=is_free)
        circumstances(shop)
        try:
            shop.settle(Fragile(step, after=after).wrap)
        except Crash:
            crashes += 1
            meanwhile(shop)
            shop.redeliver()
        shop.check()
    assert crashes in {3, 4, 5, 6}, "get, reserve, charge, update, void, release"


@CIRCUMSTANCES
@FREE_OR_NOT
@OTHERS
def test_money_and_stock_follow_the_order_however_two_actors_interleave(
    circumstances: Callable[[Shop], None], other: Callable[..., object], *, is_free: bool
) -> None:
    shops: list[Shop] = []

    def actors() -> list[Callable[[], object]]:
        shop = Shop(is_free=is_free)
        circumstances(shop)
        shops.append(shop)
        return [lambda: shop.settle(Stepwise), lambda: other(shop, Stepwise)]

    ends = set()
    for errors in each_interleaving(actors):
        assert errors == [None, None]
        shops[-1].check()
        ends.add((shops[-1].now.status, shops[-1].now.reason))
    assert len(shops) > 15
    assert len(ends) == 1 or other is not Shop.settle, "two deliveries agree on the end"
