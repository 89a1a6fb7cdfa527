"""The event that an order gets with each change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from examples import BY_STAFF, event_of, new_order
from fakes import NOON
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.customer_id import CustomerId
from orders.domain.events import EVENT_TYPES, OrderEvent
from orders.domain.order_id import make_order_id
from orders.domain.status import TRANSITIONS, OrderStatus
from proof.order_number import order_number

AN_ID = make_order_id(NOON, bytes(10))
CREATED = OrderEvent(
    type="ORDER_CREATED",
    order_id=AN_ID,
    version=1,
    status=OrderStatus.PENDING,
    previous_status=None,
    recorded_at=NOON,
    customer_id=CustomerId("cus_42"),
    amount=5997,
    currency="USD",
    actor=CUSTOMER,
)


def test_placing_an_order_gives_the_event_of_it() -> None:
    _, event = new_order(payment_token="tok_approve").placed(AN_ID, by=CUSTOMER)
    assert event == CREATED


def test_every_move_gives_the_event_that_tells_it() -> None:
    """From the first version on, along every way through the transition table."""
    placed, _ = new_order().placed(AN_ID, by=CUSTOMER)
    reached = [placed]
    for before in reached:
        for status in TRANSITIONS[OrderStatus(before.status)]:
            after, event = before.changed_to(
                status, by=BY_STAFF, at=NOON + timedelta(hours=before.version), reason="asked"
            )
            assert event == event_of(after, before)
            assert (event.type, event.version) == (f"ORDER_{status}", before.version + 1)
            assert (event.actor, event.reason) == (BY_STAFF, "asked")
            assert event.type in EVENT_TYPES
            reached.append(after)


def test_an_event_is_never_recorded_before_the_one_before_it() -> None:
    """Else it would stand in front of it in the feed, and be missed by who has read that far."""
    order, created = new_order().placed(AN_ID, by=CUSTOMER)
    _, event = order.changed_to(OrderStatus.PAID, by=CUSTOMER, at=NOON - timedelta(minutes=1))
    assert event.recorded_at == created.recorded_at


def test_a_new_order_is_told_as_a_cloud_event() -> None:
    assert CREATED.to_cloud_event() == {
        "specversion": "1.0",
        "id": f"{AN_ID}/1",
        "source": "/orders",
        "type": "ORDER_CREATED",
        "subject": AN_ID,
        "time": "2026-11-23T12:00:00.123Z",
        "datacontenttype": "application/json",
        "data": {
            "orderId": AN_ID,
            "orderNumber": order_number(AN_ID),
            "customerId": "cus_42",
            "status": "PENDING",
            "amount": 5997,
            "currency": "USD",
            "version": 1,
        },
    }


def test_a_move_is_told_with_where_it_came_from_and_why_and_not_by_whom() -> None:
    canceled = replace(
        CREATED,
        type="ORDER_CANCELED",
        version=3,
        status=OrderStatus.CANCELED,
        previous_status=OrderStatus.PAID,
        reason="broken mug",
        actor=BY_STAFF,
    )
    event = canceled.to_cloud_event()
    assert (event["id"], event["type"]) == (f"{AN_ID}/3", "ORDER_CANCELED")
    assert event["data"] == {
        "orderId": AN_ID,
        "orderNumber": order_number(AN_ID),
        "customerId": "cus_42",
        "status": "CANCELED",
        "previousStatus": "PAID",
        "amount": 5997,
        "currency": "USD",
        "version": 3,
        "reason": "broken mug",
    }


def test_an_event_that_only_a_later_release_knows_is_told_as_it_is() -> None:
    teleported = replace(CREATED, type="ORDER_TELEPORTED", status="TELEPORTED")
    event = teleported.to_cloud_event()
    assert (event["type"], event["data"]["status"]) == ("ORDER_TELEPORTED", "TELEPORTED")


def test_an_actor_of_the_platform_names_its_function() -> None:
    assert Actor.system("expire-stale-orders").name == "system:expire-stale-orders"
