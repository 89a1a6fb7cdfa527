"""`orderctl dead-letters`: what was given up is listed, sent again, or deleted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest

from emulator import REGION
from local_stack import STACK, orderctl_environment
from orders.domain.order_id import OrderId
from orders.domain.order_number import order_number
from system.deployment import TABLE, at_once, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from system.deployment import Deployment, HeldQueue, Json

EVENTS, STREAM = "OrderEventsDeadLetterQueueUrl", "OrderStreamDeadLetterQueueUrl"
SECRET: Final = "sEcReT"
NOWHERE: Final = "01978c5e-7a1b-7c3e-9f00-00000000000f"
DIES_BEFORE_DELETING: Final = """
import os, sys
from orderctl import __main__, dead_letters
dead_letters.HOLD_SECONDS = 1
dead_letters.Held.delete = lambda *_: os._exit(9)
sys.exit(__main__.run(sys.argv[1:]))
"""


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


def send(deployment: Deployment, output: str, body: Json | str, **attributes: str) -> str:
    """Returns the message's id."""
    response = deployment.aws("sqs").send_message(
        QueueUrl=deployment.outputs[output],
        MessageBody=body if isinstance(body, str) else json.dumps(body),
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    )
    return str(response["MessageId"])


def visible(deployment: Deployment, output: str) -> int:
    attributes = deployment.aws("sqs").get_queue_attributes(
        QueueUrl=deployment.outputs[output], AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


def lines(result: subprocess.CompletedProcess[str]) -> list[Json]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def records(deployment: Deployment) -> list[Json]:
    """What operators did with dead letters, without who and when."""
    events = deployment.aws("logs").filter_log_events(
        logGroupName=deployment.outputs["OperationsLogGroupName"]
    )["events"]
    entries = [json.loads(event["message"]) for event in events]
    return [
        {name: value for name, value in one.items() if name not in {"time", "operator"}}
        for one in entries
        if one["operation"].startswith("dead-letters")
    ]


def event(order_id: str) -> Json:
    """The part of an event that its consumer reads."""
    return {
        "id": f"{order_id}/1",
        "type": "ORDER_CREATED",
        "subject": order_id,
        "data": {"customerId": SECRET, "version": 1},
    }


def set_aside(order_id: str, version: int = 1) -> Json:
    """The dead letter of a record that the stream's reader can't publish."""
    keys = {"pk": f"ORDER#{order_id}", "sk": f"EVENT#{version:010d}"}
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


def whole_second(instant: str, later: int) -> str:
    moved = datetime.fromisoformat(instant) + timedelta(seconds=later)
    return f"{moved:%Y-%m-%dT%H:%M:%SZ}"


def by_id(messages: list[Json]) -> dict[str, tuple[str, Json]]:
    """Body and attributes of each event, however often it came: batches overlap."""
    return {
        json.loads(message["Body"])["id"]: (message["Body"], message["MessageAttributes"])
        for message in messages
    }


def sent_to(queue: HeldQueue, order_ids: list[str]) -> Counter[str]:
    """How often each of these orders' events came."""
    bodies = [json.loads(message["Body"]) for message in queue.received.values()]
    return Counter(one["subject"] for one in bodies if one["subject"] in order_ids)


def test_the_list_says_what_each_is_about_and_why_and_shows_no_content(
    deployment: Deployment,
) -> None:
    order_id = deployment.customer.place()["orderId"]
    died = send(deployment, EVENTS, event(order_id), type="ORDER_CREATED", cause="UnsettledOrder")
    odd = send(deployment, EVENTS, SECRET, cause="\x1b[2J[bold]")
    aside = send(deployment, STREAM, set_aside(order_id), cause="no version")
    batch = send(deployment, STREAM, given_up("2026-11-23T00:13:19Z", "2026-11-23T00:13:20Z"))

    people = deployment.orderctl("dead-letters", "list")
    scripts = deployment.orderctl("dead-letters", "list", "--json")

    assert people.returncode == scripts.returncode == 0
    about = {one["message"]: (one["about"], one["cause"]) for one in lines(scripts)}
    assert about == {
        died: ("ORDER_CREATED, version 1", "UnsettledOrder"),
        odd: (f"{len(SECRET)} characters", "\\x1b[2J[bold]"),
        aside: ("stream record EVENT#0000000001", "no version"),
        batch: (
            "batch of 2 records, 2026-11-23T00:13:19Z to 2026-11-23T00:13:20Z",
            "RetryAttemptsExhausted",
        ),
    }
    for message_id, texts in about.items():
        (line,) = [one for one in people.stdout.splitlines() if message_id in one]
        assert all(line.count(text) == 1 for text in texts)
        assert (order_number(OrderId(order_id)) in line) is (message_id in {died, aside})
    assert SECRET not in people.stdout + scripts.stdout
    assert "\x1b" not in people.stdout
    assert [(one["queue"], one["order"]) for one in lines(scripts)] == [
        ("order-events-dlq", order_id),
        ("order-events-dlq", None),
        ("order-stream-dlq", order_id),
        ("order-stream-dlq", None),
    ]
    assert (visible(deployment, EVENTS), visible(deployment, STREAM)) == (2, 2)


@pytest.mark.parametrize("command", [["redrive"], ["delete", "--all"]])
def test_nothing_is_changed_without_a_yes(deployment: Deployment, command: list[str]) -> None:
    order_id = deployment.customer.place()["orderId"]
    send(deployment, EVENTS, event(order_id))
    send(deployment, STREAM, set_aside(order_id))
    before = len(records(deployment))

    result = deployment.orderctl("dead-letters", *command, answer="no\n")

    assert result.returncode == 3
    assert f"{command[0].capitalize()} 2 messages on local?" in result.stderr
    assert (visible(deployment, EVENTS), visible(deployment, STREAM)) == (1, 1)
    assert len(records(deployment)) == before


def test_what_died_of_either_queue_is_sent_again_as_it_was_and_consumed(
    deployment: Deployment,
) -> None:
    """A dead event, a record that was set aside, and the records of a batch that was given up."""
    customer = deployment.customer
    before = len(records(deployment))
    with deployment.held_queue() as queue:
        died = customer.place(paymentToken="tok_approve")
        aside = customer.place()
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

        result = deployment.orderctl("dead-letters", "redrive", answer="y\n")

        for order_id, published in sent.items():
            again = eventually(
                lambda order_id=order_id: by_id(queue.messages(order_id)),  # type: ignore[misc]  # bound early
                lambda found, published=published: len(found) == len(published),  # type: ignore[misc]
            )
            assert again == by_id(published)
    assert result.returncode == 0, result.stderr
    assert customer.settled(died["orderId"])["status"] == "PAID"
    assert (visible(deployment, EVENTS), visible(deployment, STREAM)) == (0, 0)
    again_at_once = deployment.orderctl("dead-letters", "redrive", "--yes")
    assert (again_at_once.returncode, again_at_once.stdout) == (3, ""), "nothing is left"
    of_events, of_stream = (
        [one for one in records(deployment)[before:] if one["queue"] == name]
        for name in ("order-events-dlq", "order-stream-dlq")
    )
    operation = {"operation": "dead-letters redrive", "queue": "order-events-dlq"}
    assert of_events == [
        operation | {"state": "began"},
        operation | {"state": "done", "sent": 1, "deleted": 1, "stayed": 0},
    ]
    assert of_stream[1]["sent"] >= 3
    assert (of_stream[1]["deleted"], of_stream[1]["stayed"]) == (2, 0)


def test_an_old_copy_brings_back_nothing_that_was_erased_from_its_row(
    deployment: Deployment,
) -> None:
    order_id = deployment.customer.place()["orderId"]
    deployment.settle()
    deployment.aws("dynamodb").update_item(
        TableName=TABLE,
        Key={"pk": {"S": f"ORDER#{order_id}"}, "sk": {"S": "EVENT#0000000001"}},
        UpdateExpression="SET customerId = :forgotten",
        ExpressionAttributeValues={":forgotten": {"S": f"forgotten-{order_id}"}},
    )
    with deployment.held_queue() as queue:
        send(deployment, EVENTS, event(order_id), type="ORDER_CREATED", cause="TryAgain")
        send(deployment, EVENTS, event(NOWHERE), type="ORDER_CREATED", cause="TryAgain")

        assert deployment.orderctl("dead-letters", "redrive", "--yes").returncode == 0

        for subject, customer_id in ((order_id, f"forgotten-{order_id}"), (NOWHERE, SECRET)):
            (message,) = eventually(
                lambda subject=subject: queue.messages(subject),  # type: ignore[misc]  # bound early
                lambda found: len(found) == 1,
            )
            assert json.loads(message["Body"])["data"]["customerId"] == customer_id
            assert message["MessageAttributes"].keys() == {"type"}
        queue.delete([*queue.received.values()])


def test_a_deleted_message_is_gone_and_nobody_is_sent_it(deployment: Deployment) -> None:
    order_id = deployment.customer.place()["orderId"]
    deployment.settle()
    doomed = send(deployment, EVENTS, event(order_id))
    send(deployment, EVENTS, event(NOWHERE))
    before = len(records(deployment))

    result = deployment.orderctl(
        "dead-letters", "delete", "--order", order_id, "--json", answer="y\n"
    )

    assert "unprocessed" in result.stderr
    assert lines(result) == [
        {"queue": "order-events-dlq", "message": doomed, "order": order_id, "result": "deleted"}
    ]
    assert visible(deployment, EVENTS) == 1, "the other order's stays"
    assert deployment.queue_depth() == 0
    operation = {
        "operation": "dead-letters delete", "queue": "order-events-dlq", "order": order_id
    }  # fmt: skip
    assert records(deployment)[before:] == [
        operation | {"state": "began"},
        operation | {"state": "done", "sent": 0, "deleted": 1, "stayed": 0},
    ]


def test_a_run_that_dies_between_sending_and_deleting_loses_nothing(
    deployment: Deployment,
) -> None:
    orders = [deployment.customer.place()["orderId"] for _ in range(12)]
    deployment.settle()
    with deployment.held_queue() as queue:
        for order_id in orders:
            send(deployment, EVENTS, event(order_id), type="ORDER_CREATED")

        died = subprocess.run(
            [sys.executable, "-c", DIES_BEFORE_DELETING, "dead-letters", "redrive", "--yes"],
            env=orderctl_environment(deployment.stack),
            check=False,
        )
        eventually(
            lambda: deployment.orderctl("dead-letters", "redrive", "--yes").returncode,
            lambda code: code == 3,
        )

        times = eventually(
            lambda: (queue.messages(NOWHERE), sent_to(queue, orders))[1],
            lambda found: len(found) == len(orders),
        )
    assert died.returncode == 9
    assert max(times.values()) == 2, "some were sent before it died, and again"
    assert deployment.queue_depth(EVENTS) == 0


def test_two_redrives_at_once_lose_nothing(deployment: Deployment) -> None:
    orders = [deployment.customer.place()["orderId"] for _ in range(30)]
    deployment.settle()
    with deployment.held_queue() as queue:
        for order_id in orders:
            send(deployment, EVENTS, event(order_id), type="ORDER_CREATED")

        at_once(lambda _: deployment.orderctl("dead-letters", "redrive", "--yes"), 2)
        eventually(
            lambda: deployment.orderctl("dead-letters", "redrive", "--yes").returncode,
            lambda code: code == 3,
        )

        eventually(
            lambda: (queue.messages(NOWHERE), sent_to(queue, orders))[1],
            lambda found: len(found) == len(orders),
        )
    assert deployment.queue_depth(EVENTS) == 0
