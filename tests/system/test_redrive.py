"""`make dead-letters` and `make redrive`: what died is seen, and comes back, whole and once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from local_stack import REGION, STACK
from system.deployment import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from system.deployment import Deployment, Json

EVENTS, STREAM = "OrderEventsDeadLetterQueueUrl", "OrderStreamDeadLetterQueueUrl"
SECRET = "sEcReT"


@pytest.fixture(autouse=True)
def empty_queues(deployment: Deployment) -> Iterator[None]:
    """Whatever other tests left is gone, and nothing is left for them."""
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
    """An event as the queue has it, in what matters to its consumer."""
    return {
        "id": f"{order_id}/1",
        "type": "ORDER_CREATED",
        "subject": order_id,
        "data": {"customerId": SECRET, "version": 1},
    }


def set_aside(order_id: str) -> Json:
    """What the stream's reader leaves of a record that it can't publish."""
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


@pytest.mark.parametrize("command", ["list", "redrive"])
def test_both_commands_refuse_where_nothing_died(deployment: Deployment, command: str) -> None:
    response = deployment.dead_letters(command, "--yes")
    assert response.returncode == 1
    assert response.stdout.startswith("No dead letters: ")


def test_the_list_tells_what_died_and_consumes_nothing(deployment: Deployment) -> None:
    order_id = deployment.customer.place()["orderId"]
    send(deployment, EVENTS, event(order_id), type="ORDER_CREATED", cause="UnsettledOrder")
    send(deployment, EVENTS, SECRET)
    send(deployment, STREAM, set_aside(order_id), cause="no version")
    send(deployment, STREAM, given_up("2026-11-23T00:13:19Z", "2026-11-23T00:13:20Z"))

    for _ in range(2):
        response = deployment.dead_letters("list")

        assert response.returncode == 0, response.stdout
        assert "order-events-dlq: 2 messages" in response.stdout
        assert f"order {order_id}, ORDER_CREATED, version 1: UnsettledOrder; " in response.stdout
        assert "order-stream-dlq: 2 messages" in response.stdout
        assert f"order {order_id}, EVENT#0000000001: no version; " in response.stdout
        assert "batch of 2 records, 2026-11-23T00:13:19Z to 2026-11-23T00:13:20Z" in response.stdout
        assert "RetryAttemptsExhausted" in response.stdout
        assert SECRET not in response.stdout
        assert (visible(deployment, EVENTS), visible(deployment, STREAM)) == (2, 2)


def test_nothing_is_sent_back_unasked(deployment: Deployment) -> None:
    send(deployment, EVENTS, event(deployment.customer.place()["orderId"]))
    response = deployment.dead_letters("redrive")
    assert response.returncode == 1
    assert "Nothing was sent." in response.stdout
    assert visible(deployment, EVENTS) == 1


def test_an_event_that_died_is_consumed_after_all(deployment: Deployment) -> None:
    with deployment.held_queue() as queue:
        order = deployment.customer.place(paymentToken="tok_approve")
        (message,) = eventually(
            lambda: queue.messages(order["orderId"]), lambda found: len(found) == 1
        )
        kind = message["MessageAttributes"]["type"]["StringValue"]
        send(deployment, EVENTS, message["Body"], type=kind, cause="PaymentUnavailable")
        queue.delete([message])

        response = deployment.dead_letters("redrive", "--yes")

        (again,) = eventually(
            lambda: queue.messages(order["orderId"]), lambda found: len(found) == 1
        )
        assert (again["Body"], again["MessageAttributes"]) == (
            message["Body"],
            message["MessageAttributes"],
        )
    assert response.returncode == 0, response.stdout
    assert deployment.customer.settled(order["orderId"])["status"] == "PAID"
    assert deployment.dead_letters("redrive", "--yes").returncode == 1, "nothing is left"


def test_an_order_whose_record_was_set_aside_has_all_its_events_sent_again(
    deployment: Deployment,
) -> None:
    with deployment.held_queue() as queue:
        order_id = deployment.customer.place()["orderId"]
        deployment.staff.patch(order_id, "PAID").raise_for_status()
        first = deployment.published(queue, order_id)
        queue.delete(first)
        send(deployment, STREAM, set_aside(order_id), cause="the queue refuses the event")

        response = deployment.dead_letters("redrive", "--yes")

        again = eventually(lambda: queue.messages(order_id), lambda found: len(found) == 2)
        queue.delete(again)
    assert response.returncode == 0, response.stdout
    assert [message["Body"] for message in again] == [message["Body"] for message in first]
    assert visible(deployment, STREAM) == 0


def test_the_events_of_a_batch_that_lambda_gave_up_are_sent_again_from_their_rows(
    deployment: Deployment,
) -> None:
    with deployment.held_queue() as queue:
        orders = [deployment.customer.place() for _ in range(3)]
        for order in orders:
            queue.delete(deployment.published(queue, order["orderId"]))
        first, last = orders[0]["createdAt"], orders[-1]["createdAt"]
        send(deployment, STREAM, given_up(whole_second(first, 0), whole_second(last, 1)))

        response = deployment.dead_letters("redrive", "--yes")

        for order in orders:
            (message,) = eventually(
                lambda order=order: queue.messages(order["orderId"]),  # type: ignore[misc]  # bound early
                lambda found: len(found) == 1,
            )
            assert json.loads(message["Body"])["id"] == f"{order['orderId']}/1"
            queue.delete([message])
    assert response.returncode == 0, response.stdout
    assert visible(deployment, STREAM) == 0


def whole_second(instant: str, later: int) -> str:
    moved = datetime.fromisoformat(instant) + timedelta(seconds=later)
    return f"{moved:%Y-%m-%dT%H:%M:%SZ}"


def test_messages_of_unknown_form_stay_and_send_nothing(deployment: Deployment) -> None:
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
