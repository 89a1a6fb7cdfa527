"""`make dead-letters` and `make redrive`: dead letters are listed, and sent back unchanged."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from emulator import REGION
from local_stack import STACK
from system.deployment import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from system.deployment import Deployment, Json

EVENTS, STREAM = "OrderEventsDeadLetterQueueUrl", "OrderStreamDeadLetterQueueUrl"
SECRET = "sEcReT"


@pytest.fixture(autouse=True)
def empty_queues(deployment: Deployment) -> Iterator[None]:
    """Delete what other tests left, and leave nothing for them."""
    deployment.settle()
    empty(deployment)
    yield
    empty(deployment)


def empty(deployment: Deployment) -> None:
    for output in (EVENTS, STREAM):
        deployment.aws("sqs").purge_queue(QueueUrl=deployment.outputs[output])


def send(deployment: Deployment, output: str, body: Json | str, **attributes: str) -> None:
    deployment.aws("sqs").send_message(
        QueueUrl=deployment.outputs[output],
        MessageBody=body if isinstance(body, str) else json.dumps(body),
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    )


def visible(deployment: Deployment, output: str) -> int:
    attributes = deployment.aws("sqs").get_queue_attributes(
        QueueUrl=deployment.outputs[output], AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


def event(order_id: str) -> Json:
    """The part of an event that its consumer reads."""
    return {
        "id": f"{order_id}/1",
        "type": "ORDER_CREATED",
        "subject": order_id,
        "data": {"customerId": SECRET, "version": 1},
    }


def set_aside(order_id: str) -> Json:
    """The dead letter of a record that the stream's reader can't publish."""
    keys = {"pk": f"ORDER#{order_id}", "sk": "EVENT#0000000001"}
    return {"keys": keys, "eventID": "e-1", "sequenceNumber": "1"}


def given_up(first: str, last: str) -> Json:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html."""
    function = f"arn:aws:lambda:{REGION}:000000000000:function:{STACK}-publish-order-events"
    return {
        "requestContext": {
            "requestId": "316aa6d0-8154-4f3c-9af7-85d5f4a6bc81",
            "functionArn": function,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 1,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "version": "1.0",
        "timestamp": last,
        "DDBStreamBatchInfo": {
            "shardId": "shardId-00000000000000000001",
            "startSequenceNumber": "100",
            "endSequenceNumber": "104",
            "approximateArrivalOfFirstRecord": first,
            "approximateArrivalOfLastRecord": last,
            "batchSize": 2,
            "streamArn": f"arn:aws:dynamodb:{REGION}:000000000000:table/orders_app/stream/1",
        },
    }


def test_both_commands_refuse_where_there_is_no_dead_letter(deployment: Deployment) -> None:
    for command in ("list", "redrive"):
        response = deployment.dead_letters(command, "--yes")
        assert response.returncode == 1
        assert response.stdout.startswith("No dead letters: ")


def test_dead_letters_are_listed_and_not_sent_back_without_a_confirmation(
    deployment: Deployment,
) -> None:
    order_id = deployment.customer.place()["orderId"]
    send(deployment, EVENTS, event(order_id), type="ORDER_CREATED", cause="UnsettledOrder")
    send(deployment, EVENTS, SECRET)
    send(deployment, STREAM, set_aside(order_id), cause="no version")
    send(deployment, STREAM, given_up("2026-11-23T00:13:19Z", "2026-11-23T00:13:20Z"))

    for command, code in (("list", 0), ("redrive", 1)):
        response = deployment.dead_letters(command)

        assert response.returncode == code, response.stdout
        assert ("Nothing was sent." in response.stdout) is (command == "redrive")
        assert "order-events-dlq: 2 messages" in response.stdout
        assert f"order {order_id}, ORDER_CREATED, version 1: UnsettledOrder; " in response.stdout
        assert "order-stream-dlq: 2 messages" in response.stdout
        assert f"order {order_id}, EVENT#0000000001: no version; " in response.stdout
        assert "batch of 2 records, 2026-11-23T00:13:19Z to 2026-11-23T00:13:20Z" in response.stdout
        assert "RetryAttemptsExhausted" in response.stdout
        assert SECRET not in response.stdout
        assert (visible(deployment, EVENTS), visible(deployment, STREAM)) == (2, 2)


def test_what_died_of_either_queue_is_sent_again_as_it_was_and_consumed(
    deployment: Deployment,
) -> None:
    """A dead event, a record that was set aside, and the records of a batch that was given up."""
    customer = deployment.customer
    with deployment.held_queue() as queue:
        died = customer.place(paymentToken="tok_approve")
        aside = customer.place()
        deployment.staff.patch(aside["orderId"], "PAID").raise_for_status()
        lost = [customer.place() for _ in range(2)]
        sent: dict[str, list[Json]] = {}
        for order in (died, aside, *lost):
            sent[order["orderId"]] = deployment.published(queue, order["orderId"])
        queue.delete([*queue.received.values()])
        (message,) = sent[died["orderId"]]
        kind = message["MessageAttributes"]["type"]["StringValue"]
        send(deployment, EVENTS, message["Body"], type=kind, cause="PaymentUnavailable")
        send(deployment, STREAM, set_aside(aside["orderId"]), cause="the queue refuses the event")
        first, last = lost[0]["createdAt"], lost[-1]["createdAt"]
        send(deployment, STREAM, given_up(whole_second(first, 0), whole_second(last, 1)))

        response = deployment.dead_letters("redrive", "--yes")

        for order_id, before in sent.items():
            again = eventually(
                lambda order_id=order_id: by_id(queue.messages(order_id)),  # type: ignore[misc]  # bound early
                lambda found, before=before: len(found) == len(before),  # type: ignore[misc]
            )
            assert again == by_id(before)
    assert response.returncode == 0, response.stdout
    assert customer.settled(died["orderId"])["status"] == "PAID"
    assert visible(deployment, STREAM) == 0
    assert deployment.dead_letters("redrive", "--yes").returncode == 1, "nothing is left"


def by_id(messages: list[Json]) -> dict[str, tuple[str, Json]]:
    """Body and attributes of each event, however often it came: batches overlap."""
    return {
        json.loads(message["Body"])["id"]: (message["Body"], message["MessageAttributes"])
        for message in messages
    }


def whole_second(instant: str, later: int) -> str:
    moved = datetime.fromisoformat(instant) + timedelta(seconds=later)
    return f"{moved:%Y-%m-%dT%H:%M:%SZ}"


def test_unknown_messages_stay_and_send_nothing(deployment: Deployment) -> None:
    nowhere = "01978c5e-7a1b-7c3e-9f00-00000000000f"
    untimed = given_up("2026-11-23T00:13:19Z", "yesterday")
    bodies = (set_aside(nowhere), untimed, "no record", "[]", "{", '{"keys": 1}')
    for body in bodies:
        send(deployment, STREAM, body)

    response = deployment.dead_letters("redrive", "--yes")

    assert response.returncode == 1
    assert "the table has no event of it" in response.stdout
    assert "it doesn't say when its records arrived" in response.stdout
    assert "it names neither an order nor a batch" in response.stdout
    assert visible(deployment, STREAM) == len(bodies)
