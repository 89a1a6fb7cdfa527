from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from examples import changed_order, placed_order
from fakes import NOON
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.errors import IllegalTransition
from orders.domain.status import TRANSITIONS, OrderStatus, known_status

ALLOWED = {
    ("PENDING", "PAID"),
    ("PENDING", "CANCELED"),
    ("PAID", "SHIPPED"),
    ("PAID", "CANCELED"),
}
STATUSES = ("PENDING", "PAID", "SHIPPED", "CANCELED")
PAIRS = list(itertools.product(STATUSES, STATUSES))


def test_there_are_four_statuses() -> None:
    assert [status.value for status in OrderStatus] == list(STATUSES)
    assert set(TRANSITIONS) == set(OrderStatus)


def test_a_move_leads_further_down_the_statuses() -> None:
    """Else the daily report, which reads one after the other, could miss an order that moves."""
    in_order = list(OrderStatus)
    for before, reached in TRANSITIONS.items():
        assert all(in_order.index(before) < in_order.index(after) for after in reached)


@pytest.mark.parametrize(("current", "target"), PAIRS)
def test_an_order_moves_exactly_as_the_table_says(current: str, target: str) -> None:
    order = replace(placed_order(), status=OrderStatus(current), version=7)
    if (current, target) in ALLOWED:
        moved, _ = order.changed_to(OrderStatus(target), by=CUSTOMER, at=NOON)
        assert (moved.status, moved.version) == (OrderStatus(target), 8)
    else:
        with pytest.raises(IllegalTransition) as refused:
            order.changed_to(OrderStatus(target), by=CUSTOMER, at=NOON)
        assert refused.value.current is OrderStatus(current)
        assert refused.value.detail == f"An order that is {current} cannot become {target}."


@pytest.mark.parametrize("current", STATUSES)
def test_an_order_tells_its_allowed_transitions(current: str) -> None:
    order = replace(placed_order(), status=OrderStatus(current))
    targets = {(current, target.value) for target in order.allowed_transitions}
    assert targets == {pair for pair in ALLOWED if pair[0] == current}


def test_a_move_says_who_when_and_why() -> None:
    order = placed_order()
    later = NOON + timedelta(hours=1)
    moved, event = order.changed_to(
        OrderStatus.CANCELED, by=Actor("staff", "ann"), at=later, reason="asked by phone"
    )
    assert event.actor == Actor("staff", "ann")
    assert moved.reason == event.reason == "asked by phone"
    assert moved.updated_at == later
    assert moved.created_at == order.created_at


def test_a_reason_belongs_to_one_move_only() -> None:
    paid = changed_order(placed_order(), OrderStatus.PAID, reason="by transfer")
    shipped, event = paid.changed_to(OrderStatus.SHIPPED, by=CUSTOMER, at=NOON)
    assert (shipped.reason, event.reason) == (None, None)


def test_a_clock_that_runs_behind_does_not_turn_time_back() -> None:
    order = placed_order()
    moved = changed_order(order, OrderStatus.PAID, at=NOON - timedelta(minutes=1))
    assert moved.updated_at == order.updated_at


def test_the_payment_token_goes_with_the_first_move_and_the_charge_stays() -> None:
    order = placed_order(payment_token="tok_approve")
    paid = changed_order(order, OrderStatus.PAID, charge_id="ch_1")
    assert (paid.payment_token, paid.charge_id, paid.pays_by_token) == (None, "ch_1", True)
    canceled = changed_order(paid, OrderStatus.CANCELED)
    assert (canceled.charge_id, canceled.pays_by_token) == ("ch_1", True)


def test_a_status_that_only_a_later_release_knows_is_a_text_and_final_here() -> None:
    status = known_status("TELEPORTED")
    assert (type(status), status) == (str, "TELEPORTED")
    assert known_status("PAID") is OrderStatus.PAID
    order = replace(placed_order(), status=status)
    assert order.allowed_transitions == ()
    for target in OrderStatus:
        with pytest.raises(IllegalTransition) as refused:
            order.changed_to(target, by=CUSTOMER, at=NOON)
        assert refused.value.current == "TELEPORTED"
