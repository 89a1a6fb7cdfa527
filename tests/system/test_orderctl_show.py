"""`orderctl show`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from orders.domain.order_id import make_order_id
from orders.domain.timestamps import EPOCH
from system.deployment import MARK, TABLE, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from system.deployment import Caller, Deployment, Json

CONSUMER: Final = "settle-payments"
TOKEN: Final = "tok_approve"


@pytest.fixture
def no_dead_letters(deployment: Deployment) -> Iterator[None]:
    """Before, and afterwards."""
    _purge(deployment)
    yield
    _purge(deployment)


def _purge(deployment: Deployment) -> None:
    for output in ("OrderEventsDeadLetterQueueUrl", "OrderStreamDeadLetterQueueUrl"):
        deployment.aws("sqs").purge_queue(QueueUrl=deployment.outputs[output])


def shown(deployment: Deployment, order: str) -> Json:
    """What scripts see."""
    result = deployment.orderctl("show", order, "--json")
    assert result.returncode == 0, result.stderr
    assert TOKEN not in result.stdout
    document: Json = json.loads(result.stdout)
    return document


def logged(deployment: Deployment, order_id: str, message: str) -> None:
    """Wait for the consumer's line about the order; other calls make the emulator hand it out."""

    def is_there() -> bool:
        deployment.customer.place()
        lines = deployment.log_lines(CONSUMER)
        return any(
            (one.get("message"), one.get("order_id")) == (message, order_id) for one in lines
        )

    eventually(is_there, bool)


def test_a_settled_order_is_shown_with_all_that_belongs_to_it(
    deployment: Deployment, customer: Caller
) -> None:
    order = customer.place(paymentToken=TOKEN)
    order_id = order["orderId"]
    settled = customer.settled(order_id)
    logged(deployment, order_id, "event processed")

    document = shown(deployment, order["orderNumber"].lower().replace("-", ""))

    assert document["state"].startswith("PAID since ")
    assert document["state"].endswith(", by settle-payments; it waits to become SHIPPED.")
    assert document["order"] == settled
    assert [one["type"] for one in document["events"]] == ["ORDER_CREATED", "ORDER_PAID"]
    payment = document["payment"]
    assert (payment["tokenHeld"], payment["charge"]["state"]) == (False, "CHARGED")
    assert payment["reservation"] == "RESERVED"
    assert {"create-order", "publish-order-events", CONSUMER} <= {
        one["source"] for one in document["log"]
    }
    times = [one["timestamp"] for one in document["log"] if "timestamp" in one]
    assert times == sorted(times)
    text = deployment.orderctl("show", order_id.upper()).stdout
    assert text.startswith(document["state"])
    assert "59.97 USD" in text
    assert f"Mug {MARK}" in text


def test_an_order_says_what_its_settlement_waits_for(
    deployment: Deployment, customer: Caller
) -> None:
    with deployment.changed_environment(CONSUMER, PAYMENTS="none"):
        order_id = customer.place(paymentToken=TOKEN)["orderId"]
        logged(deployment, order_id, "event not processed")
        document = shown(deployment, order_id)

    assert "; settlement failed " in document["state"]
    assert "last with PaymentUnavailable" in document["state"]
    assert "; next try " in document["state"]
    assert document["payment"]["tokenHeld"] is True
    assert customer.settled(order_id)["status"] == "PAID"


@pytest.mark.usefixtures("no_dead_letters")
def test_an_unreadable_order_and_its_dead_letter_are_shown_without_its_token(
    deployment: Deployment, customer: Caller
) -> None:
    with deployment.held_queue() as queue:
        order_id = customer.place(paymentToken=TOKEN)["orderId"]
        deployment.published(queue, order_id)
        assert f"{CONSUMER} is paused" in shown(deployment, order_id)["state"]
        items = change(deployment, order_id, "REMOVE #items")["items"]
    dead_letters = "OrderEventsDeadLetterQueueUrl"
    eventually(lambda: deployment.queue_depth(dead_letters), lambda depth: depth == 1)
    send_stream_record(deployment, order_id)

    document = shown(deployment, order_id)
    text = deployment.orderctl("show", order_id)

    cause = f"order ORDER#{order_id} DETAIL can't be read: no 'items'"
    assert document["state"].startswith(f"{cause}: see docs/runbook.md#orders-unreadable; ")
    assert document["order"] is None
    (row,) = document["unreadableRows"]
    assert (row["sk"], row["cause"]) == ("DETAIL", cause)
    assert "paymentToken" in row["attributes"]
    assert [(one["queue"], one["about"], one["cause"]) for one in document["deadLetters"]] == [
        (
            "order-events-dlq",
            "ORDER_CREATED, version 1",
            f"MalformedRow: {cause}",
        ),
        (
            "order-stream-dlq",
            "stream record EVENT#0000000001",
            "TooLarge",
        ),
    ]
    assert TOKEN not in text.stdout + text.stderr
    assert f"MalformedRow: {cause}" in text.stdout
    assert deployment.queue_depth(dead_letters) == 1, "it stays"
    change(deployment, order_id, "SET #items = :items", {":items": items})


def test_what_a_caller_wrote_cannot_steer_the_terminal(
    deployment: Deployment, customer: Caller
) -> None:
    order_id = customer.place(metadata={MARK: f"{MARK}\x1b[2J\u202e"})["orderId"]
    reason = f"\x1b]0;{MARK}\x07 [bold]no[/bold]\r\nPAID"
    customer.patch(order_id, "CANCELED", reason=reason).raise_for_status()

    text = deployment.orderctl("show", order_id).stdout

    assert "by customer: " in text.splitlines()[0]
    assert text.count(rf"\x1b]0;{MARK}\x07 [bold]no[/bold]\r\nPAID") == 2, "sentence and event"
    assert rf"{MARK}\x1b[2J\u202e" in text
    assert text.replace("\n", "").isprintable()
    assert shown(deployment, order_id)["events"][1]["reason"] == reason


def test_an_order_whose_own_row_is_gone_is_still_found(
    deployment: Deployment, customer: Caller
) -> None:
    order_id = customer.place()["orderId"]
    row = deployment.aws("dynamodb").delete_item(
        TableName=TABLE, Key=key(order_id), ReturnValues="ALL_OLD"
    )["Attributes"]

    document = shown(deployment, order_id)

    assert document["state"].startswith(
        "The order's own row is missing: see docs/runbook.md#restoring-data"
    )
    assert [one["type"] for one in document["events"]] == ["ORDER_CREATED"]
    deployment.aws("dynamodb").put_item(TableName=TABLE, Item=row)


def test_an_order_that_is_none_is_one_line(deployment: Deployment) -> None:
    unknown = make_order_id(EPOCH, b"000")

    result = deployment.orderctl("show", unknown)

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.endswith(f"({unknown}) on local. Check --stage.\n")
    assert result.stderr.count("\n") == 1


def key(order_id: str) -> Json:
    """Of the order's own row."""
    return {"pk": {"S": f"ORDER#{order_id}"}, "sk": {"S": "DETAIL"}}


def change(
    deployment: Deployment, order_id: str, expression: str, values: Json | None = None
) -> Json:
    """Change the items in the order's own row; returns the row as it was."""
    row: Json = deployment.aws("dynamodb").update_item(
        TableName=TABLE,
        Key=key(order_id),
        UpdateExpression=expression,
        ExpressionAttributeNames={"#items": "items"},
        ReturnValues="ALL_OLD",
        **({"ExpressionAttributeValues": values} if values else {}),
    )["Attributes"]
    return row


def send_stream_record(deployment: Deployment, order_id: str) -> None:
    """As the publisher sends a record of the order's first event that it sets aside."""
    deployment.aws("sqs").send_message(
        QueueUrl=deployment.outputs["OrderStreamDeadLetterQueueUrl"],
        MessageBody=json.dumps({"keys": {"pk": f"ORDER#{order_id}", "sk": "EVENT#0000000001"}}),
        MessageAttributes={"cause": {"DataType": "String", "StringValue": "TooLarge"}},
    )
