"""Placing an order and changing it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import BY_STAFF, MUGS, changed_order, event_of, new_order, placed_order
from fakes import NOON
from orders.domain import money
from orders.domain.actor import CUSTOMER
from orders.domain.customer_id import CustomerId
from orders.domain.errors import InvalidOrder
from orders.domain.money import MAX_AMOUNT, MAX_UNIT_AMOUNT, MINOR_UNIT_DIGITS
from orders.domain.order_id import make_order_id
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from orders.domain.order import NewOrder, Order, OrderItem

AN_ID = make_order_id(NOON, bytes(3))


def items(
    quantities: st.SearchStrategy[int], unit_amounts: st.SearchStrategy[int]
) -> st.SearchStrategy[tuple[OrderItem, ...]]:
    return st.lists(st.builds(item, quantities, unit_amounts), min_size=1, max_size=100).map(tuple)


def item(quantity: int, unit_amount: int) -> OrderItem:
    return replace(MUGS, quantity=quantity, unit_amount=unit_amount)


def placed(request: NewOrder) -> Order:
    order, _ = request.placed(AN_ID, by=CUSTOMER)
    return order


def refused_field(request: NewOrder) -> str:
    """The pointer to the field at fault."""
    with pytest.raises(InvalidOrder) as refused:
        placed(request)
    return refused.value.pointer


@given(items(st.integers(1, 1_000_000), st.integers(0, MAX_UNIT_AMOUNT) | st.integers(0, 10**8)))
def test_the_amount_is_the_exact_sum_or_the_order_is_too_large(lines: tuple[OrderItem]) -> None:
    total = sum(line.unit_amount * line.quantity for line in lines)
    request = new_order(items=lines)
    if total <= MAX_AMOUNT:
        assert placed(request).amount == total
    else:
        assert refused_field(request) == "/items"


@given(items(st.integers(1, 100), st.integers(0, 10**8)), st.integers(-2, 2))
def test_an_expected_amount_must_be_the_sum(lines: tuple[OrderItem], off_by: int) -> None:
    total = sum(line.unit_amount * line.quantity for line in lines)
    request = new_order(items=lines, amount=total + off_by)
    if off_by:
        assert refused_field(request) == "/amount"
    else:
        assert placed(request).amount == total


def test_every_json_reader_can_represent_the_largest_amount() -> None:
    fits = (item(1_000, MAX_UNIT_AMOUNT),)
    assert placed(new_order(items=fits)).amount == MAX_AMOUNT < 2**53
    assert refused_field(new_order(items=(*fits, item(1, 1)))) == "/items"


def test_each_currency_is_listed_once_with_its_minor_unit() -> None:
    digits = {"JPY": 0, "USD": 2, "SGD": 2, "BHD": 3, "CLF": 4}
    assert digits.items() <= MINOR_UNIT_DIGITS.items()
    assert not MINOR_UNIT_DIGITS.keys() & {"ABC", "XAU", "XXX"}
    codes = " ".join(money._BY_MINOR_UNIT.values()).split()
    assert len(codes) == len(MINOR_UNIT_DIGITS)
    assert all(len(code) == 3 and code.isupper() for code in codes)


def test_a_new_order_is_pending_at_version_1_since_its_id_was_made() -> None:
    order = placed(new_order(payment_token="tok"))
    assert (order.status, order.version) == (OrderStatus.PENDING, 1)
    assert order.created_at == order.updated_at == NOON
    assert (order.payment_token, order.pays_by_token, order.charge_id) == ("tok", True, None)
    assert not placed_order().pays_by_token


def test_printing_an_order_does_not_reveal_its_payment_token() -> None:
    request = new_order(payment_token="tok_secret")
    assert "tok_secret" not in repr(request)
    assert "tok_secret" not in repr(placed(request))


def test_a_change_keeps_its_time_and_its_reason() -> None:
    later = NOON + timedelta(hours=1)
    paid = changed_order(placed_order(), OrderStatus.PAID, at=later, reason="by transfer")
    assert (paid.updated_at, paid.created_at, paid.reason) == (later, NOON, "by transfer")
    assert changed_order(paid, OrderStatus.SHIPPED).reason is None


def test_a_clock_that_runs_behind_never_turns_time_back() -> None:
    """An earlier event would precede the last one in the feed, and pollers would miss it."""
    order = placed_order()
    moved, event = order.changed_to(OrderStatus.PAID, by=CUSTOMER, at=NOON - timedelta(minutes=1))
    assert moved.updated_at == event.recorded_at == order.updated_at


def test_the_payment_token_goes_with_the_first_change_and_the_charge_stays() -> None:
    order = placed_order(payment_token="tok_approve")
    paid = changed_order(order, OrderStatus.PAID, charge_id="ch_1")
    assert (paid.payment_token, paid.charge_id, paid.pays_by_token) == (None, "ch_1", True)
    canceled = changed_order(paid, OrderStatus.CANCELED)
    assert (canceled.charge_id, canceled.pays_by_token) == ("ch_1", True)


@pytest.mark.parametrize(("reason", "kept"), [("Ann moved", None), ("expired", "expired")])
def test_a_forgotten_order_keeps_what_it_is_settled_shipped_and_booked_by(
    reason: str, kept: str | None
) -> None:
    paying = placed_order(payment_token="tok_approve", items=(MUGS, MUGS), metadata={"a": "b"})
    for order in (paying, changed_order(paying, OrderStatus.CANCELED, reason=reason)):
        later = order.updated_at + timedelta(hours=1)
        forgotten, event = order.forgotten(by=BY_STAFF, at=later)
        assert forgotten == replace(
            order,
            customer_id=CustomerId(f"forgotten-{order.order_id}"),
            items=(replace(MUGS, name="erased"),) * 2,
            metadata={},
            reason=order.reason and kept,
            version=order.version + 1,
            updated_at=later,
        )
        assert replace(forgotten, version=order.version, updated_at=order.updated_at) == (
            order.anonymized()
        )
        told = event_of(forgotten)
        assert event == replace(told, type="CUSTOMER_FORGOTTEN", reason=None, actor=BY_STAFF)


def test_an_order_is_never_forgotten_before_it_last_changed() -> None:
    order = placed_order()
    forgotten, event = order.forgotten(by=BY_STAFF, at=order.updated_at - timedelta(hours=1))
    assert forgotten.updated_at == event.recorded_at == order.updated_at
