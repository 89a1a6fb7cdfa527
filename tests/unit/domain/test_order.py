from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import new_order, placed_order
from fakes import NOON, FakeIds
from orders.domain import money
from orders.domain.actor import CUSTOMER
from orders.domain.errors import InvalidOrder
from orders.domain.money import MAX_AMOUNT, MAX_UNIT_AMOUNT, MINOR_UNIT_DIGITS
from orders.domain.order import OrderItem
from orders.domain.order_id import make_order_id
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from orders.domain.order import NewOrder, Order

AN_ID = make_order_id(NOON, bytes(3))

# The bounds of one request: 100 items of 10,000 pieces at 1,000,000,000.
items = st.lists(
    st.builds(
        OrderItem,
        st.just("SKU"),
        st.just("Thing"),
        st.integers(1, 1_000_000),
        st.integers(0, MAX_UNIT_AMOUNT) | st.integers(0, 10**8),
    ),
    min_size=1,
    max_size=100,
).map(tuple)
affordable = st.lists(
    st.builds(
        OrderItem,
        st.just("SKU"),
        st.just("Thing"),
        st.integers(1, 100),
        st.integers(0, 10**8),
    ),
    min_size=1,
    max_size=100,
).map(tuple)


def placed(request: NewOrder) -> Order:
    order, _ = request.placed(AN_ID, by=CUSTOMER)
    return order


def item(quantity: int, unit_amount: int) -> OrderItem:
    return OrderItem("SKU", "Thing", quantity, unit_amount)


@given(items)
def test_the_amount_is_the_exact_sum_or_the_order_is_too_large(lines: tuple[OrderItem]) -> None:
    total = sum(line.unit_amount * line.quantity for line in lines)
    request = new_order(items=lines)
    if total <= MAX_AMOUNT:
        assert placed(request).amount == total
    else:
        with pytest.raises(InvalidOrder) as refused:
            request.placed(AN_ID, by=CUSTOMER)
        assert refused.value.pointer == "/items"


@given(affordable, st.integers(-2, 2))
def test_an_expected_amount_must_be_the_sum(lines: tuple[OrderItem], off_by: int) -> None:
    total = sum(line.unit_amount * line.quantity for line in lines)
    request = new_order(items=lines, amount=total + off_by)
    if off_by:
        with pytest.raises(InvalidOrder) as refused:
            request.placed(AN_ID, by=CUSTOMER)
        assert refused.value.pointer == "/amount"
    else:
        assert placed(request).amount == total


def test_an_expected_amount_of_zero_is_an_expectation_too() -> None:
    with pytest.raises(InvalidOrder) as refused:
        new_order(amount=0).placed(AN_ID, by=CUSTOMER)
    assert (refused.value.pointer, refused.value.detail) == ("/amount", "The items total 5997.")


def test_the_largest_order_is_a_number_to_every_json_reader() -> None:
    fits = (item(1_000, MAX_UNIT_AMOUNT),)
    assert placed(new_order(items=fits)).amount == MAX_AMOUNT < 2**53
    with pytest.raises(InvalidOrder):
        new_order(items=(*fits, item(1, 1))).placed(AN_ID, by=CUSTOMER)


def test_goods_may_be_free() -> None:
    assert placed(new_order(items=(item(10, 0),))).amount == 0


@pytest.mark.parametrize("code", ["ABC", "XAU", "XXX", "usd", "US", ""])
def test_what_is_no_currency_is_refused(code: str) -> None:
    with pytest.raises(InvalidOrder) as refused:
        new_order(currency=code).placed(AN_ID, by=CUSTOMER)
    assert refused.value.pointer == "/currency"


@pytest.mark.parametrize(
    ("code", "digits"), [("JPY", 0), ("USD", 2), ("SGD", 2), ("BHD", 3), ("CLF", 4)]
)
def test_each_currency_has_its_minor_unit(code: str, digits: int) -> None:
    assert MINOR_UNIT_DIGITS[code] == digits


def test_no_currency_is_listed_twice() -> None:
    codes = " ".join(money._BY_MINOR_UNIT.values()).split()
    assert len(codes) == len(MINOR_UNIT_DIGITS)
    assert all(len(code) == 3 and code.isupper() for code in codes)


def test_an_order_begins_pending_at_version_one_when_its_id_was_made() -> None:
    order = placed(new_order(payment_token="tok"))
    assert (order.status, order.version) == (OrderStatus.PENDING, 1)
    assert order.created_at == order.updated_at == NOON
    assert (order.payment_token, order.pays_by_token, order.charge_id) == ("tok", True, None)


def test_an_order_without_a_token_is_not_paid_by_token() -> None:
    assert not placed_order().pays_by_token


def test_a_payment_token_is_not_shown_where_an_order_is_printed() -> None:
    request = new_order(payment_token="tok_secret")
    assert "tok_secret" not in repr(request)
    assert "tok_secret" not in repr(request.placed(FakeIds().order_id(NOON), by=CUSTOMER))
