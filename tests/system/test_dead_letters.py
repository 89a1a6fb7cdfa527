"""Messages that can't be processed become dead letters, and hold up no other."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from system.deployment import TABLE, eventually, stream_record

if TYPE_CHECKING:
    from system.deployment import Caller, Deployment

PUBLISHER = "publish-order-events"


def test_a_message_that_is_not_an_event_becomes_a_dead_letter_at_once_with_its_cause(
    deployment: Deployment, customer: Caller
) -> None:
    body = json.dumps({"no": "event", "but": secrets.token_hex(8)})
    deployment.aws("sqs").send_message(
        QueueUrl=deployment.outputs["OrderEventsQueueUrl"], MessageBody=body
    )
    behind = customer.settled(customer.place(paymentToken="tok_approve")["orderId"])

    assert behind["status"] == "PAID"
    (dead,) = deployment.messages_of("OrderEventsDeadLetterQueueUrl", lambda one: one == body)
    assert dead["MessageAttributes"]["cause"]["StringValue"] == "NotAnEvent"
    eventually(deployment.queue_depth, lambda depth: depth == 0)


def test_an_unreadable_stream_record_becomes_a_dead_letter_with_its_keys(
    deployment: Deployment,
) -> None:
    good = [f"01978c5e-7a1b-7c3e-9f00-00000000000{number}" for number in (1, 3)]
    poison = stream_record("01978c5e-7a1b-7c3e-9f00-000000000002", version={"S": "one"})
    with deployment.held_queue() as queue:
        response = deployment.invoke(
            PUBLISHER, {"Records": [stream_record(good[0]), poison, stream_record(good[1])]}
        )
        messages = [
            *eventually(lambda: queue.messages(good[0]), lambda found: len(found) == 1),
            *eventually(lambda: queue.messages(good[1]), lambda found: len(found) == 1),
        ]
        assert [json.loads(m["Body"])["id"] for m in messages] == [f"{one}/1" for one in good]
        queue.delete(messages)  # there are no such orders

    assert response == {"batchItemFailures": []}
    keys = {name: key["S"] for name, key in poison["dynamodb"]["Keys"].items()}
    (aside,) = deployment.messages_of(
        "OrderStreamDeadLetterQueueUrl", lambda body: json.loads(body)["keys"] == keys
    )
    assert set(json.loads(aside["Body"])) == {"keys", "eventID", "sequenceNumber"}
    assert "TypeError" in aside["MessageAttributes"]["cause"]["StringValue"]


def test_an_unreadable_event_row_holds_up_no_order(
    deployment: Deployment, customer: Caller
) -> None:
    keys = {"pk": f"ORDER#{secrets.token_hex(8)}", "sk": "EVENT#0000000001"}
    broken = {name: {"S": key} for name, key in keys.items()} | {"status": {"S": "LOST"}}
    deployment.aws("dynamodb").put_item(TableName=TABLE, Item=broken)
    order = customer.settled(customer.place(paymentToken="tok_approve")["orderId"])

    assert len(customer.timeline(order["orderId"])) == 2
    deployment.messages_of(
        "OrderStreamDeadLetterQueueUrl", lambda body: json.loads(body)["keys"] == keys
    )
