"""The drill of docs/runbook.md: the consumer breaks, and one event becomes a dead letter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from system.deployment import SECONDS, TABLE, eventually

if TYPE_CHECKING:
    from system.deployment import Caller, Deployment, Json

CONSUMER = "settle-payments"
BROKEN_TABLE = "a-table-that-is-not-there"
DENIED = "Refused: AccessDeniedException"


def test_every_order_is_settled_after_the_consumer_broke_and_an_event_died(
    deployment: Deployment, customer: Caller, staff: Caller
) -> None:
    deployment.settle()
    for output in ("OrderEventsDeadLetterQueueUrl", "OrderStreamDeadLetterQueueUrl"):
        deployment.aws("sqs").purge_queue(QueueUrl=deployment.outputs[output])

    with deployment.changed_environment(CONSUMER, TABLE_NAME=BROKEN_TABLE):
        approved = customer.place(paymentToken="tok_approve")["orderId"]
        declined = customer.place(paymentToken="tok_decline")["orderId"]
        by_hand = customer.place()["orderId"]
        canceled = customer.place(paymentToken="tok_approve")["orderId"]
        customer.patch(canceled, "CANCELED", reason="of two minds").raise_for_status()
        damaged = customer.place(paymentToken="tok_approve")["orderId"]
        placed = {approved, declined, by_hand, canceled, damaged}
        eventually(lambda: put_off(deployment), lambda orders: orders >= placed)
        statuses = [customer.get(one).json()["status"] for one in (approved, declined, by_hand)]
        assert statuses == ["PENDING"] * 3, "nothing settles them"
        assert deployment.queue_depth("OrderEventsDeadLetterQueueUrl") == 0, "they will be retried"
        items = take_items(deployment, damaged)

    assert customer.settled(approved)["status"] == "PAID"
    assert customer.settled(declined)["status"] == "CANCELED"
    cause = f"MalformedRow: order ORDER#{damaged} "
    listed = eventually(lambda: dead_letters(deployment), bool, 2 * SECONDS)
    assert [(one["queue"], one["order"]) for one in listed] == [("order-events-dlq", damaged)]
    assert listed[0]["cause"].startswith(cause)
    put_items(deployment, damaged, items)

    redrive = deployment.orderctl("dead-letters", "redrive", "--yes")

    assert redrive.returncode == 0, redrive.stderr
    assert customer.settled(damaged)["status"] == "PAID"
    eventually(deployment.queue_depth, lambda depth: depth == 0)
    assert customer.get(by_hand).json()["status"] == "PENDING"
    assert customer.get(canceled).json()["version"] == 2
    for paid in (approved, damaged):
        assert deployment.states(paid) == {"CHARGE": "CHARGED", "RESERVATION": "RESERVED"}
    assert set(deployment.states(declined).values()).isdisjoint({"CHARGED", "RESERVED"})
    assert set(deployment.states(canceled).values()).isdisjoint({"CHARGED", "RESERVED"})
    assert deployment.states(by_hand) == {}
    assert paths(staff, approved) == ["PENDING", "PAID"]
    assert paths(staff, declined) == ["PENDING", "CANCELED"]
    assert paths(staff, canceled) == ["PENDING", "CANCELED"]
    assert dead_letters(deployment) == []


def dead_letters(deployment: Deployment) -> list[Json]:
    listed = deployment.orderctl("dead-letters", "list", "--json").stdout
    return [json.loads(line) for line in listed.splitlines()]


def put_off(deployment: Deployment) -> set[str]:
    """The orders whose events will be retried, from the consumer's log."""
    return {
        line["order_id"]
        for line in deployment.log_lines(CONSUMER)
        if line.get("message") == "event not processed" and line["cause"] == DENIED
    }


def take_items(deployment: Deployment, order_id: str) -> Json:
    """Remove the items from the order's row and return them."""
    row: Json = deployment.aws("dynamodb").update_item(
        TableName=TABLE, Key=key(order_id), UpdateExpression="REMOVE #i",
        ExpressionAttributeNames={"#i": "items"}, ReturnValues="ALL_OLD",
    )["Attributes"]  # fmt: skip
    items: Json = row["items"]
    return items


def put_items(deployment: Deployment, order_id: str, items: Json) -> None:
    """Restore the order's row."""
    deployment.aws("dynamodb").update_item(
        TableName=TABLE, Key=key(order_id), UpdateExpression="SET #i = :items",
        ExpressionAttributeNames={"#i": "items"}, ExpressionAttributeValues={":items": items},
    )  # fmt: skip


def key(order_id: str) -> Json:
    """Of the order's own row."""
    return {"pk": {"S": f"ORDER#{order_id}"}, "sk": {"S": "DETAIL"}}


def paths(staff: Caller, order_id: str) -> list[str]:
    """The statuses of the timeline."""
    return [event["status"] for event in staff.timeline(order_id)]
