"""`make dead-letters` and `make redrive`: what died is seen, and comes back, whole and once."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import pytest

from local_stack import REGION, STACK
from orders.domain.actor import CUSTOMER
from system.deployment import TABLE, eventually, stream_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from system.deployment import Caller, Deployment, Json

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


def placed(deployment: Deployment) -> str:
    """An order with its timeline."""
    order_id: str = deployment.customer.place()["orderId"]
    deployment.customer.complete_timeline(order_id, 1)
    return order_id


def recorded(deployment: Deployment, *order_ids: str) -> list[Json]:
    """The stream's own records of the orders' creation."""
    streams = deployment.aws("dynamodbstreams")
    arn = stream_arn(deployment)
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    found: dict[str, Json] = {}
    while not found.keys() >= set(order_ids):
        page = streams.get_records(ShardIterator=iterator)
        assert page["Records"], f"not in the stream: {order_ids}"
        for record in page["Records"]:
            keys = record["dynamodb"]["Keys"]
            order_id = keys["pk"]["S"].removeprefix("ORDER#")
            if order_id in order_ids and keys["sk"]["S"] == "DETAIL":
                found[order_id] = record | {"shardId": shard["ShardId"]}
        iterator = page["NextShardIterator"]
    return [found[order_id] for order_id in order_ids]


def stream_arn(deployment: Deployment) -> str:
    table = deployment.aws("dynamodb").describe_table(TableName=TABLE)["Table"]
    return str(table["LatestStreamArn"])


def given_up(deployment: Deployment, function: str, shard: str, first: str, last: str) -> Json:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html."""
    return {
        "requestContext": {
            "requestId": "316aa6d0-8154-4f3c-9af7-85d5f4a6bc81",
            "functionArn": f"arn:aws:lambda:{REGION}:000000000000:function:{function}",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 1,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "version": "1.0",
        "timestamp": "2026-11-23T00:13:49.717Z",
        "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": first,
            "endSequenceNumber": last,
            "approximateArrivalOfFirstRecord": "2026-11-23T00:13:19Z",
            "approximateArrivalOfLastRecord": "2026-11-23T00:13:19Z",
            "batchSize": 2,
            "streamArn": stream_arn(deployment),
        },
    }


@pytest.mark.parametrize("command", ["list", "redrive"])
def test_both_commands_refuse_where_nothing_died(deployment: Deployment, command: str) -> None:
    answer = deployment.dead_letters(command, "--yes")
    assert answer.returncode == 1
    assert answer.stdout.startswith("No dead letters: ")


def test_the_list_tells_what_died_and_consumes_nothing(deployment: Deployment) -> None:
    order_id = placed(deployment)
    record = stream_record(order_id, paymentToken={"S": SECRET})
    send(deployment, EVENTS, event(order_id), type="ORDER_CREATED")
    send(deployment, EVENTS, SECRET)
    send(deployment, STREAM, record, cause="no version")
    send(
        deployment, STREAM, given_up(deployment, f"{STACK}-record-audit-trail", "shard-1", "1", "2")
    )

    for _ in range(2):
        answer = deployment.dead_letters("list")

        assert answer.returncode == 0, answer.stdout
        assert "order-events-dlq: 2 messages" in answer.stdout
        assert f"order {order_id}, ORDER_CREATED, version 1: " in answer.stdout
        assert "order-stream-dlq: 2 messages" in answer.stdout
        assert f"stream record 'ORDER#{order_id} DETAIL', message " in answer.stdout
        assert ": 'no version'; " in answer.stdout
        assert f"batch for {STACK}-record-audit-trail, shard-1 from 1 to 2" in answer.stdout
        assert "RetryAttemptsExhausted" in answer.stdout
        assert SECRET not in answer.stdout
        assert (visible(deployment, EVENTS), visible(deployment, STREAM)) == (2, 2)


def test_nothing_is_sent_back_unasked(deployment: Deployment) -> None:
    send(deployment, EVENTS, event(placed(deployment)))
    answer = deployment.dead_letters("redrive")
    assert answer.returncode == 1
    assert "Nothing was sent." in answer.stdout
    assert visible(deployment, EVENTS) == 1


def test_an_event_that_died_is_consumed_after_all(deployment: Deployment) -> None:
    with deployment.held_queue() as queue:
        order = deployment.customer.place(paymentToken="tok_approve")
        (message,) = eventually(
            lambda: queue.messages(order["orderId"]), lambda found: len(found) == 1
        )
        kind = message["MessageAttributes"]["type"]["StringValue"]
        send(deployment, EVENTS, message["Body"], type=kind)
        queue.delete([message])

        answer = deployment.dead_letters("redrive", "--yes")

        (again,) = eventually(
            lambda: queue.messages(order["orderId"]), lambda found: len(found) == 1
        )
        assert (again["Body"], again["MessageAttributes"]) == (
            message["Body"],
            message["MessageAttributes"],
        )
    assert answer.returncode == 0, answer.stdout
    assert "no message move tasks" in answer.stdout, "the emulator has none"
    assert deployment.customer.settled(order["orderId"])["status"] == "PAID"
    assert deployment.dead_letters("redrive", "--yes").returncode == 1, "nothing is left"


def test_a_record_that_both_readers_set_aside_is_handed_to_both(deployment: Deployment) -> None:
    order_id = placed(deployment)
    record = stream_record(order_id)
    deployment.settle()  # its own event is gone from the queue
    deployment.forget_entry(order_id, 1)
    for cause in ("of one reader", "of the other"):
        send(deployment, STREAM, record, cause=cause)

    with deployment.held_queue() as queue:
        answer = deployment.dead_letters("redrive", "--yes")
        assert len(deployment.published(queue, order_id)) == 1

    assert answer.returncode == 0, answer.stdout
    (entry,) = deployment.customer.timeline(order_id)
    assert (entry["version"], entry["actor"]) == (1, CUSTOMER.name)
    assert visible(deployment, STREAM) == 0


def test_a_record_that_still_cannot_be_read_is_not_lost(deployment: Deployment) -> None:
    poison = stream_record(placed(deployment), version={"S": SECRET}) | {
        "eventID": secrets.token_hex(8)
    }
    send(deployment, STREAM, poison, cause="no version")

    answer = deployment.dead_letters("redrive", "--yes")

    assert answer.returncode == 1
    assert answer.stdout.count("set aside again") == 2, "by each of the readers"
    assert SECRET not in answer.stdout
    bodies = [
        message["Body"] for message in deployment.messages_of(STREAM, lambda _: True, times=2)
    ]
    assert [json.loads(body) for body in bodies] == [poison] * 2


def test_a_batch_that_lambda_gave_up_is_read_again_from_the_stream(
    deployment: Deployment, customer: Caller
) -> None:
    order_ids = [placed(deployment) for _ in range(3)]
    first, second, _ = recorded(deployment, *order_ids)
    lost = [deployment.forget_entry(order_id, 1) for order_id in order_ids]
    send(
        deployment,
        STREAM,
        given_up(
            deployment,
            f"{STACK}-record-audit-trail",
            first["shardId"],
            first["dynamodb"]["SequenceNumber"],
            second["dynamodb"]["SequenceNumber"],
        ),
    )

    answer = deployment.dead_letters("redrive", "--yes")

    assert answer.returncode == 0, answer.stdout
    rows = [deployment.rows(order_id).get("AUDIT#0000000001") for order_id in order_ids]
    assert rows == [*lost[:2], None], "of the batch, and no others"
    assert len(customer.timeline(order_ids[0])) == 1
    assert visible(deployment, STREAM) == 0


def test_what_the_stream_no_longer_holds_stays_and_the_rest_is_handed_over(
    deployment: Deployment,
) -> None:
    order_id = placed(deployment)
    (record,) = recorded(deployment, order_id)
    lost = deployment.forget_entry(order_id, 1)
    last = record["dynamodb"]["SequenceNumber"]
    trimmed = str(int(last) - 1).zfill(len(last))
    audit = f"{STACK}-record-audit-trail"
    send(deployment, STREAM, given_up(deployment, audit, record["shardId"], trimmed, last))
    send(deployment, STREAM, given_up(deployment, audit, f"shardId-{'0' * 40}", trimmed, last))

    answer = deployment.dead_letters("redrive", "--yes")

    assert answer.returncode == 1
    assert "the stream no longer holds all of it (1 record handed over)" in answer.stdout
    assert "the stream no longer holds all of it (0 records handed over)" in answer.stdout
    assert deployment.rows(order_id)["AUDIT#0000000001"] == lost
    assert visible(deployment, STREAM) == 2


def test_messages_of_unknown_form_stay_and_start_nothing(deployment: Deployment) -> None:
    foreign = given_up(deployment, f"{STACK}-expire-stale-orders", "shard-1", "1", "2")
    damaged = given_up(deployment, f"{STACK}-record-audit-trail", "shard-1", "1", "2")
    for body in (foreign, damaged, "no record", "[]", "{", '{"dynamodb": 1}'):
        send(deployment, STREAM, body)

    answer = deployment.dead_letters("redrive", "--yes")

    assert answer.returncode == 1
    assert "for a function that reads no stream of ours" in answer.stdout
    assert visible(deployment, STREAM) == 6
