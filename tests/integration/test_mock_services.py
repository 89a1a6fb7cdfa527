"""The mocks of a payment gateway and an inventory, however many callers they have at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from examples import MUGS, placed_order
from orders.adapters.dynamodb import keys
from orders.adapters.mock_inventory import MockInventory
from orders.adapters.mock_payments import (
    APPROVE,
    FAILED_ATTEMPTS,
    UNAVAILABLE,
    ChargeState,
    MockPaymentGateway,
)
from orders.application.errors import OutOfStock, PaymentDeclined, PaymentUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orders.adapters.dynamodb.table import Table
    from orders.domain.order import Order

THREADS = 16


@pytest.fixture
def payments(table: Table) -> MockPaymentGateway:
    return MockPaymentGateway(table)


@pytest.fixture
def inventory(table: Table) -> MockInventory:
    return MockInventory(table)


@pytest.fixture
def order() -> Order:
    return placed_order()


def outcomes(attempts: Sequence[Callable[[], object]]) -> list[object]:
    """What each returned or raised; all are made at once."""
    start = Barrier(len(attempts))

    def outcome(attempt: Callable[[], object]) -> object:
        start.wait()
        try:
            return attempt()
        except (OutOfStock, PaymentDeclined, PaymentUnavailable) as error:
            return type(error)

    with ThreadPoolExecutor(len(attempts)) as pool:
        return list(pool.map(outcome, attempts))


class TestPayments:
    def test_concurrent_charges_charge_once(
        self, payments: MockPaymentGateway, order: Order
    ) -> None:
        found = outcomes([lambda: payments.charge(order, APPROVE)] * THREADS)

        assert set(found) == {f"ch_{order.order_id}"}
        row = payments.table.get(keys.charge(order.order_id))
        assert row
        assert (row["attempts"], row["revision"], row["state"]) == (1, 1, "CHARGED")
        assert (row["amount"], row["currency"]) == (order.amount, order.currency)

    def test_an_unavailable_gateway_fails_twice_then_approves(
        self, payments: MockPaymentGateway, order: Order
    ) -> None:
        found = Counter(outcomes([lambda: payments.charge(order, UNAVAILABLE)] * THREADS))

        assert found == {
            PaymentUnavailable: FAILED_ATTEMPTS,
            f"ch_{order.order_id}": THREADS - FAILED_ATTEMPTS,
        }

    @pytest.mark.parametrize("token", ["tok_decline", "tok_", "", "TOK_APPROVE", "tok_approve "])
    def test_any_other_token_is_declined_for_good_for_its_order(
        self, payments: MockPaymentGateway, order: Order, token: str
    ) -> None:
        for attempt in (token, token, APPROVE):
            with pytest.raises(PaymentDeclined):
                payments.charge(order, attempt)

    def test_an_undecided_payment_that_is_voided_is_declined(
        self, payments: MockPaymentGateway, order: Order
    ) -> None:
        for _ in range(FAILED_ATTEMPTS):
            with pytest.raises(PaymentUnavailable):
                payments.charge(order, UNAVAILABLE)
        assert payments.void(order.order_id) is False
        with pytest.raises(PaymentDeclined):
            payments.charge(order, UNAVAILABLE)

    def test_concurrent_voids_refund_once(self, payments: MockPaymentGateway, order: Order) -> None:
        payments.charge(order, APPROVE)
        found = outcomes([lambda: payments.void(order.order_id)] * THREADS)
        assert Counter(found) == {True: 1, False: THREADS - 1}

    def test_nothing_stays_charged_when_voids_and_charges_race(
        self, payments: MockPaymentGateway, order: Order
    ) -> None:
        """Whatever was charged is refunded once."""
        attempts: list[Callable[[], object]] = [
            lambda: payments.charge(order, APPROVE),
            lambda: payments.void(order.order_id),
        ]
        found = outcomes(attempts * (THREADS // 2))

        row = payments.table.get(keys.charge(order.order_id))
        assert row
        refunds = found.count(True)
        was_charged = f"ch_{order.order_id}" in found
        assert refunds <= 1
        assert row["state"] == (ChargeState.REFUNDED if refunds else ChargeState.VOIDED)
        assert refunds == 1 or not was_charged


class TestInventory:
    def test_concurrent_reservations_reserve_once(
        self, inventory: MockInventory, order: Order
    ) -> None:
        assert outcomes([lambda: inventory.reserve(order)] * THREADS) == [None] * THREADS

        row = inventory.table.get(keys.reservation(order.order_id))
        assert row
        assert row["state"] == "RESERVED"
        assert row["items"] == [{"sku": MUGS.sku, "quantity": MUGS.quantity}]

    @pytest.mark.parametrize("sku", ["OUT-OF-STOCK", "OUT-OF-STOCK-01"])
    def test_one_item_out_of_stock_prevents_the_whole_reservation(
        self, inventory: MockInventory, sku: str
    ) -> None:
        order = placed_order(items=(MUGS, replace(MUGS, sku=sku)))
        with pytest.raises(OutOfStock):
            inventory.reserve(order)
        assert inventory.table.get(keys.reservation(order.order_id)) is None

    @pytest.mark.parametrize("sku", ["OUT-OF", "NOT-OUT-OF-STOCK", "out-of-stock"])
    def test_any_other_item_is_in_stock(self, inventory: MockInventory, sku: str) -> None:
        inventory.reserve(placed_order(items=(replace(MUGS, sku=sku),)))

    def test_nothing_stays_reserved_when_releases_and_reservations_race(
        self, inventory: MockInventory, order: Order
    ) -> None:
        attempts: list[Callable[[], object]] = [
            lambda: inventory.reserve(order),
            lambda: inventory.release(order.order_id),
        ]
        outcomes(attempts * (THREADS // 2))

        row = inventory.table.get(keys.reservation(order.order_id))
        assert row
        assert row["state"] == "RELEASED"
