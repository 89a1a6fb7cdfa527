from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from examples import placed_order
from fakes import NOON
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.errors import IllegalTransition
from orders.domain.status import LAST_VERSION, TRANSITIONS, OrderStatus, _ways, path_to

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


@pytest.mark.parametrize(("current", "target"), PAIRS)
def test_an_order_moves_exactly_as_the_table_says(current: str, target: str) -> None:
    order = replace(placed_order(), status=OrderStatus(current), version=7)
    if (current, target) in ALLOWED:
        moved = order.changed_to(OrderStatus(target), by=CUSTOMER, at=NOON)
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
    moved = order.changed_to(
        OrderStatus.CANCELED, by=Actor("staff", "ann"), at=later, reason="asked by phone"
    )
    assert moved.changed_by == Actor("staff", "ann")
    assert moved.reason == "asked by phone"
    assert moved.updated_at == later
    assert moved.created_at == order.created_at


def test_a_reason_belongs_to_one_move_only() -> None:
    paid = placed_order().changed_to(OrderStatus.PAID, by=CUSTOMER, at=NOON, reason="by transfer")
    assert paid.changed_to(OrderStatus.SHIPPED, by=CUSTOMER, at=NOON).reason is None


def test_a_clock_that_runs_behind_does_not_turn_time_back() -> None:
    order = placed_order()
    moved = order.changed_to(OrderStatus.PAID, by=CUSTOMER, at=NOON - timedelta(minutes=1))
    assert moved.updated_at == order.updated_at


def test_the_payment_token_goes_with_the_first_move_and_the_charge_stays() -> None:
    order = placed_order(payment_token="tok_approve")
    paid = order.changed_to(OrderStatus.PAID, by=CUSTOMER, at=NOON, charge_id="ch_1")
    assert (paid.payment_token, paid.charge_id, paid.pays_by_token) == (None, "ch_1", True)
    canceled = paid.changed_to(OrderStatus.CANCELED, by=CUSTOMER, at=NOON)
    assert (canceled.charge_id, canceled.pays_by_token) == ("ch_1", True)


PENDING, PAID, SHIPPED, CANCELED = OrderStatus
PATHS = {
    (PENDING, 1): (PENDING,),
    (PAID, 2): (PENDING, PAID),
    (CANCELED, 2): (PENDING, CANCELED),
    (SHIPPED, 3): (PENDING, PAID, SHIPPED),
    (CANCELED, 3): (PENDING, PAID, CANCELED),
}


@pytest.mark.parametrize("version", range(-1, 6))
@pytest.mark.parametrize("status", OrderStatus)
def test_status_and_version_tell_how_an_order_got_there(status: OrderStatus, version: int) -> None:
    assert path_to(status, version) == PATHS.get((status, version))


def test_every_way_of_an_order_begins_pending_and_follows_the_table() -> None:
    assert set(_ways((PENDING,))) == set(PATHS.values())


def test_no_order_gets_further_than_the_last_version() -> None:
    assert max(version for _, version in PATHS) == LAST_VERSION
