"""The event of each change, and the CloudEvent that consumers get."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from examples import BY_STAFF, event_of, new_order
from fakes import NOON
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.customer_id import CustomerId
from orders.domain.events import EVENT_TYPES, OrderEvent
from orders.domain.order_id import make_order_id
from orders.domain.status import OrderStatus
from proof import oracle
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


def test_the_event_types_are_the_contracts() -> None:
    assert set(EVENT_TYPES) == set(oracle.EVENT_TYPES)


def test_placing_an_order_records_its_creation() -> None:
    _, event = new_order(payment_token="tok_approve").placed(AN_ID, by=CUSTOMER)
    assert event == CREATED


def test_every_transition_records_its_event() -> None:
    """From the first version on, along every path through the transition table."""
    placed, _ = new_order().placed(AN_ID, by=CUSTOMER)
    reached = [placed]
    for before in reached:
        for status in before.allowed_transitions:
            after, event = before.changed_to(
                status, by=BY_STAFF, at=NOON + timedelta(hours=before.version), reason="asked"
            )
            assert event == event_of(after, before)
            assert event.type == oracle.event_type(status, before.status)
            assert (event.version, event.actor, event.reason) == (after.version, BY_STAFF, "asked")
            reached.append(after)


def test_a_cloud_event_describes_the_order_and_never_who_changed_it() -> None:
    event = CREATED.to_cloud_event()
    assert event == {
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
    canceled = replace(
        CREATED,
        type="ORDER_CANCELED",
        version=3,
        status=OrderStatus.CANCELED,
        previous_status=OrderStatus.PAID,
        reason="broken mug",
        actor=BY_STAFF,
    )
    assert canceled.to_cloud_event() == event | {
        "id": f"{AN_ID}/3",
        "type": "ORDER_CANCELED",
        "data": event["data"]
        | {"status": "CANCELED", "previousStatus": "PAID", "version": 3, "reason": "broken mug"},
    }


def test_an_event_of_a_later_release_is_published_unchanged() -> None:
    teleported = replace(CREATED, type="ORDER_TELEPORTED", status="TELEPORTED")
    event = teleported.to_cloud_event()
    assert (event["type"], event["data"]["status"]) == ("ORDER_TELEPORTED", "TELEPORTED")


def test_a_platform_actor_is_named_after_its_function() -> None:
    assert Actor.system("expire-stale-orders").name == "system:expire-stale-orders"


def test_an_anonymized_event_names_nobody_and_keeps_the_rest() -> None:
    """A customer can be staff, too."""
    canceled = replace(CREATED, reason="Ann moved", actor=Actor("staff", "cus_42"))
    pseudonym = CustomerId(f"forgotten-{AN_ID}")
    anonymous = replace(CREATED, customer_id=pseudonym, reason=None, actor=Actor("staff"))
    assert canceled.anonymized() == anonymous == anonymous.anonymized()
    by_others = replace(canceled, reason="expired", actor=BY_STAFF)
    assert by_others.anonymized() == replace(by_others, customer_id=pseudonym)
