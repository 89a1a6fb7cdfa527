from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from examples import placed_order
from fakes import NOON
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.changes import EVENT_TYPES, OrderChange, creation, last_change
from orders.domain.order import CustomerId
from orders.domain.order_id import make_order_id
from orders.domain.status import TRANSITIONS, OrderStatus
from stream_records import change_of

AN_ID = make_order_id(NOON, bytes(3))
CREATED = OrderChange(
    order_id=AN_ID,
    version=1,
    status=OrderStatus.PENDING,
    previous_status=None,
    actor=CUSTOMER,
    reason=None,
    changed_at=NOON,
    customer_id=CustomerId("cus_42"),
    amount=5997,
    currency="USD",
)
CANCELED = replace(
    CREATED,
    version=3,
    status=OrderStatus.CANCELED,
    previous_status=OrderStatus.PAID,
    reason="broken mug",
    actor=Actor("staff", "ann"),
)


def test_a_new_order_is_told_as_a_cloud_event() -> None:
    assert CREATED.to_event() == {
        "specversion": "1.0",
        "id": f"{AN_ID}/1",
        "source": "/orders",
        "type": "ORDER_CREATED",
        "subject": AN_ID,
        "time": "2026-11-23T12:00:00.123Z",
        "datacontenttype": "application/json",
        "data": {
            "orderId": AN_ID,
            "customerId": "cus_42",
            "status": "PENDING",
            "amount": 5997,
            "currency": "USD",
            "version": 1,
        },
    }


def test_a_move_is_told_with_where_it_came_from_and_why_and_not_by_whom() -> None:
    event = CANCELED.to_event()
    assert event["id"] == f"{AN_ID}/3"
    assert event["type"] == "ORDER_CANCELED"
    assert event["data"] == {
        "orderId": AN_ID,
        "customerId": "cus_42",
        "status": "CANCELED",
        "previousStatus": "PAID",
        "amount": 5997,
        "currency": "USD",
        "version": 3,
        "reason": "broken mug",
    }


@pytest.mark.parametrize(
    ("status", "event_type"),
    [
        ("PENDING", "ORDER_CREATED"),
        ("PAID", "ORDER_PAID"),
        ("SHIPPED", "ORDER_SHIPPED"),
        ("CANCELED", "ORDER_CANCELED"),
    ],
)
def test_each_status_has_its_event(status: str, event_type: str) -> None:
    assert replace(CREATED, status=OrderStatus(status)).event_type == event_type
    assert len(EVENT_TYPES) == len(OrderStatus)


def test_the_largest_event_stays_under_four_kibibytes() -> None:
    largest = replace(
        CANCELED,
        version=9_999_999_999,
        customer_id=CustomerId("c" * 128),
        amount=10**12,
        reason="\U0001f600" * 500,
    )
    assert len(json.dumps(largest.to_event(), ensure_ascii=False).encode()) < 4096


def test_an_actor_of_the_platform_names_its_function() -> None:
    assert Actor.system("expire-stale-orders").name == "system:expire-stale-orders"


def test_an_order_tells_of_its_last_change_what_the_stream_did() -> None:
    placed = placed_order()
    assert last_change(placed, None) == change_of(placed)
    orders = [placed]
    for before in orders:
        for status in TRANSITIONS[before.status]:
            by, at = Actor("staff", "ann"), NOON + timedelta(hours=before.version)
            after = before.changed_to(status, by=by, at=at, reason="asked")
            assert last_change(after, before.status) == change_of(after, before)
            orders.append(after)
    assert len(orders) == 5


def test_a_later_version_tells_all_of_the_creation_but_by_whom() -> None:
    placed = placed_order(payment_token="tok_approve")
    paid = placed.changed_to(
        OrderStatus.PAID, by=Actor("staff", "ann"), at=NOON + timedelta(days=1), reason="by hand"
    )
    assert creation(paid, CUSTOMER) == change_of(placed)
