"""What every `PaymentGateway` and `InventoryService` does, the fakes as well as the mocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from examples import placed_order
from orders.adapters.mock_payments import APPROVE
from orders.application.errors import OutOfStock, PaymentDeclined

if TYPE_CHECKING:
    from orders.application.ports import InventoryService, PaymentGateway


class TestPayments:
    def test_an_order_is_charged_once_and_refunded_once(self, payments: PaymentGateway) -> None:
        order = placed_order()
        charge_id = payments.charge(order, APPROVE)
        assert charge_id == payments.charge(order, APPROVE) == f"ch_{order.order_id}"
        assert [payments.void(order.order_id) for _ in range(3)] == [True, False, False]

    @pytest.mark.parametrize("charged", [False, True])
    def test_a_voided_payment_is_never_charged_again(
        self, payments: PaymentGateway, *, charged: bool
    ) -> None:
        order = placed_order()
        if charged:
            payments.charge(order, APPROVE)
        payments.void(order.order_id)
        with pytest.raises(PaymentDeclined):
            payments.charge(order, APPROVE)
        assert payments.void(order.order_id) is False
        assert payments.charge(placed_order(), APPROVE), "another order is another payment"


class TestInventory:
    @pytest.mark.parametrize("reserved", [False, True])
    def test_a_released_reservation_is_never_reserved_again(
        self, inventory: InventoryService, *, reserved: bool
    ) -> None:
        order = placed_order()
        if reserved:
            inventory.reserve(order)
            inventory.reserve(order)
        inventory.release(order.order_id)
        inventory.release(order.order_id)
        with pytest.raises(OutOfStock):
            inventory.reserve(order)
        inventory.reserve(placed_order())
