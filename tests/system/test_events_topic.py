"""The topic of events, and the example of a consumer in docs/examples, deployed as it stands."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Final

import pytest

from emulator import ROOT
from system.deployment import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from system.deployment import Caller, Deployment, Json

EXAMPLE: Final = ROOT / "docs" / "examples" / "shipping-notices"
STACK: Final = "shipping-notices-dev"
LOG: Final = f"/aws/lambda/{STACK}-send-notices"


@pytest.fixture(scope="module")
def topic(deployment: Deployment) -> str:
    return deployment.outputs["OrderEventsTopicArn"]


@pytest.fixture(scope="module")
def queues(
    deployment: Deployment, topic: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The addresses of the example's queues, by their logical ids."""
    service = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("example") / "service")
    deployment.stack.osls(service, "deploy", f"--param=topicArn={topic}")
    cloudformation = deployment.aws("cloudformation")
    resources = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    try:
        yield {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in resources
            if one["ResourceType"] == "AWS::SQS::Queue"
        }
    finally:
        cloudformation.delete_stack(StackName=STACK)


def notices(deployment: Deployment) -> list[Json]:
    events = deployment.aws("logs").filter_log_events(logGroupName=LOG)["events"]
    lines = [event["message"] for event in events if event["message"].startswith("{")]
    return [json.loads(line) for line in lines]


def sent(deployment: Deployment) -> set[str]:
    return {notice["sent"] for notice in notices(deployment) if "sent" in notice}


def test_a_consumer_is_sent_the_events_of_the_type_it_filters_by_and_no_other(
    deployment: Deployment, queues: dict[str, str], customer: Caller, staff: Caller
) -> None:
    assert queues
    shipped = []
    for _ in range(2):
        order_id = customer.place()["orderId"]
        canceled = customer.place()["orderId"]
        staff.patch(order_id, "PAID").raise_for_status()
        staff.patch(order_id, "SHIPPED").raise_for_status()
        staff.patch(canceled, "CANCELED").raise_for_status()
        shipped.append(f"{order_id}/3")

    # The second event comes after whatever the topic got of the first orders.
    eventually(lambda: sent(deployment), lambda found: found >= set(shipped))
    assert sent(deployment) == set(shipped)
    assert {notice["type"] for notice in notices(deployment)} == {"ORDER_SHIPPED"}


def test_a_message_that_the_consumer_cannot_process_becomes_its_dead_letter(
    deployment: Deployment, topic: str, queues: dict[str, str]
) -> None:
    sqs = deployment.aws("sqs")
    sqs.set_queue_attributes(
        QueueUrl=queues["ShippedOrders"], Attributes={"VisibilityTimeout": "0"}
    )
    deployment.aws("sns").publish(
        TopicArn=topic,
        Message="no JSON",
        MessageAttributes={"type": {"DataType": "String", "StringValue": "ORDER_SHIPPED"}},
    )

    def dead_letters() -> list[Json]:
        response = sqs.receive_message(QueueUrl=queues["DeadLetters"], WaitTimeSeconds=1)
        return response.get("Messages", [])  # type: ignore[no-any-return]  # JSON

    (message,) = eventually(dead_letters, bool)
    assert message["Body"] == "no JSON"


def test_every_event_reaches_the_topic_as_it_reaches_the_queue(
    deployment: Deployment, topic: str, customer: Caller, staff: Caller
) -> None:
    """Through a queue of the test's own, which gets a message as it was published."""
    sqs, sns = deployment.aws("sqs"), deployment.aws("sns")
    url = sqs.create_queue(QueueName="everything-on-the-topic")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    policy = {
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn["QueueArn"],
        }
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    subscription = sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    found: dict[str, Json] = {}

    def of(order_id: str) -> list[Json]:
        response = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
        )
        for message in response.get("Messages", ()):
            found[json.loads(message["Body"])["id"]] = message
        return [found[key] for key in sorted(found) if key.startswith(order_id)]

    try:
        with deployment.held_queue() as queue:
            order_id = customer.place()["orderId"]
            for status in ("PAID", "CANCELED"):
                staff.patch(order_id, status, reason="asked for").raise_for_status()
            on_topic = eventually(lambda: of(order_id), lambda messages: len(messages) == 3)
            on_queue = deployment.published(queue, order_id)
    finally:
        sns.unsubscribe(SubscriptionArn=subscription)
        sqs.delete_queue(QueueUrl=url)

    assert [message["Body"] for message in on_topic] == [message["Body"] for message in on_queue]
    for message in on_topic:
        event = json.loads(message["Body"])
        values = {
            name: (one["DataType"], one["StringValue"])
            for name, one in message["MessageAttributes"].items()
        }
        assert values == {"type": ("String", event["type"]), "orderId": ("String", order_id)}
