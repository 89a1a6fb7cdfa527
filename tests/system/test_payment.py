"""Orders that the platform charges: their outcome, and that of money and stock.

The mock services keep a CHARGE and a RESERVATION row for each order.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from proof.oracle import ITEM, required
from system.deployment import SECONDS, at_once, eventually

if TYPE_CHECKING:
    from system.deployment import Caller, Deployment, Json

BURST = 200
PAID = {"CHARGE": "CHARGED", "RESERVATION": "RESERVED"}


def last_event(caller: Caller, order: Json) -> tuple[str, str, str | None]:
    event = caller.timeline(order["orderId"])[-1]
    return event["status"], event["actor"], event["reason"]


def test_an_approved_payment_makes_the_order_paid(deployment: Deployment, customer: Caller) -> None:
    order = customer.settled(customer.place(paymentToken="tok_approve")["orderId"])

    assert (order["status"], order["version"]) == ("PAID", 2)
    assert last_event(customer, order) == ("PAID", "system:settle-payments", None)
    rows = deployment.rows(order["orderId"])
    timeline = [f"EVENT#{version:010d}" for version in (1, 2)]
    assert sorted(rows) == ["CHARGE", "DETAIL", *timeline, "RESERVATION"]
    assert deployment.states(order["orderId"]) == PAID
    assert rows["CHARGE"]["amount"] == {"N": "5997"}
    assert "paymentToken" not in rows["DETAIL"]


def test_a_redelivered_event_charges_and_reserves_nothing(
    deployment: Deployment, customer: Caller
) -> None:
    order = customer.settled(customer.place(paymentToken="tok_approve")["orderId"])
    deployment.settle()
    before = deployment.rows(order["orderId"])

    for version, event in ((1, "ORDER_CREATED"), (2, "ORDER_PAID"), (1, "ORDER_CREATED")):
        deployment.aws("sqs").send_message(
            QueueUrl=deployment.outputs["OrderEventsQueueUrl"],
            MessageBody=json.dumps(
                {"id": f"{order['orderId']}/{version}", "type": event, "subject": order["orderId"]}
            ),
        )
    eventually(deployment.queue_depth, lambda depth: depth == 0)

    assert deployment.rows(order["orderId"]) == before


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"paymentToken": "tok_decline"}, "payment-declined"),
        ({"paymentToken": "of another gateway"}, "payment-declined"),
        (
            {
                "paymentToken": "tok_approve",
                "items": [required(ITEM) | {"sku": "OUT-OF-STOCK-1"}],
            },
            "out-of-stock",
        ),
    ],
)
def test_an_order_that_cannot_be_paid_or_reserved_is_canceled(
    deployment: Deployment, customer: Caller, changes: Json, reason: str
) -> None:
    order = customer.settled(customer.place(**changes)["orderId"])

    assert (order["status"], order["version"]) == ("CANCELED", 2)
    assert last_event(customer, order) == ("CANCELED", "system:settle-payments", reason)
    states = eventually(
        lambda: deployment.states(order["orderId"]),
        lambda states: states.get("RESERVATION") == "RELEASED",
    )
    assert states["CHARGE"] in {"DECLINED", "VOIDED"}


def test_a_burst_at_a_gateway_that_fails_twice_is_paid_in_full(
    deployment: Deployment, customer: Caller
) -> None:
    """Each event is delivered three times, after pauses of at most 10 and 20 seconds."""
    dead_letters = deployment.queue_depth("OrderEventsDeadLetterQueueUrl")
    with deployment.held_queue():
        placed = [customer.place(paymentToken="tok_unavailable")["orderId"] for _ in range(BURST)]
        eventually(deployment.queue_depth, lambda depth: depth >= BURST)
    unpaid = list(placed)

    def those_left() -> list[str]:
        unpaid[:] = [one for one in unpaid if customer.get(one).json()["status"] != "PAID"]
        return unpaid

    eventually(those_left, lambda left: left == [], 3 * SECONDS)
    assert deployment.queue_depth("OrderEventsDeadLetterQueueUrl") == dead_letters
    for order_id in placed:
        assert deployment.states(order_id) == PAID
        rows = deployment.rows(order_id)
        assert (rows["DETAIL"]["version"], rows["CHARGE"]["attempts"]) == ({"N": "2"}, {"N": "3"})


def test_an_order_of_nothing_is_reserved_and_paid_without_a_charge(
    deployment: Deployment, customer: Caller, staff: Caller
) -> None:
    items = [required(ITEM) | {"unitAmount": 0}]
    order = customer.settled(customer.place(paymentToken="tok_decline", items=items)["orderId"])
    deployment.settle()

    assert (order["status"], order["version"]) == ("PAID", 2)
    assert deployment.states(order["orderId"]) == {"RESERVATION": "RESERVED"}
    assert staff.patch(order["orderId"], "CANCELED").status_code == 200
    deployment.settle()
    assert deployment.states(order["orderId"]) == {"CHARGE": "VOIDED", "RESERVATION": "RELEASED"}


def test_no_order_that_is_canceled_while_it_pays_keeps_money_or_stock(
    deployment: Deployment, customer: Caller, staff: Caller
) -> None:
    def place_and_cancel(number: int) -> str:
        order_id: str = customer.place(paymentToken="tok_approve")["orderId"]
        if number % 2:  # half of them while they pay, half right afterwards
            customer.settled(order_id)
        assert staff.patch(order_id, "CANCELED").status_code == 200
        return order_id

    canceled = at_once(place_and_cancel, 8)
    deployment.settle()

    for order_id in canceled:
        assert customer.get(order_id).json()["status"] == "CANCELED"
        states = deployment.states(order_id)
        assert states["RESERVATION"] == "RELEASED"
        assert states["CHARGE"] in {"REFUNDED", "VOIDED"}
    assert "REFUNDED" in {deployment.states(order_id)["CHARGE"] for order_id in canceled}


def test_an_order_that_staff_marked_paid_is_not_charged_too(
    deployment: Deployment, customer: Caller, staff: Caller
) -> None:
    with deployment.held_queue():
        order_id = customer.place(paymentToken="tok_approve")["orderId"]
        assert staff.patch(order_id, "PAID").status_code == 200
    deployment.settle()

    assert customer.get(order_id).json()["version"] == 2
    assert deployment.states(order_id) == {"CHARGE": "VOIDED", "RESERVATION": "RELEASED"}
