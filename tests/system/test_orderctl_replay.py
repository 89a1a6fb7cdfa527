"""`orderctl replay`."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING, Final

import pytest

from local_stack import orderctl_environment
from system.deployment import TABLE, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from system.deployment import Caller, Deployment, Json

ORDERS: Final = 30
UNKNOWN: Final = "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"


class NewQueue:
    """The queue of a consumer that is new."""

    def __init__(self, deployment: Deployment) -> None:
        self.name = f"new-consumer-{time.time_ns()}"
        self._sqs = deployment.aws("sqs")
        self.url = self._sqs.create_queue(QueueName=self.name)["QueueUrl"]

    def depth(self) -> int:
        attributes = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])

    @property
    def arn(self) -> str:
        attributes = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        return str(attributes["Attributes"]["QueueArn"])

    def copies(self, order_id: str) -> list[str]:
        """The bodies of what is in it now of the order."""
        bodies = []
        while messages := self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            bodies += [message["Body"] for message in messages]
        return [body for body in bodies if json.loads(body)["subject"] == order_id]

    def events(self) -> dict[str, Json]:
        """All that it got, by event id; what came twice says the same."""
        events: dict[str, Json] = {}
        while self.depth():
            for message in self._sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)[
                "Messages"
            ]:
                event = json.loads(message["Body"])
                assert events.setdefault(event["id"], event) == event
        return events

    def delete(self) -> None:
        self._sqs.delete_queue(QueueUrl=self.url)


@pytest.fixture
def queue(deployment: Deployment) -> Iterator[NewQueue]:
    queue = NewQueue(deployment)
    yield queue
    queue.delete()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def feed(staff: Caller, since: str, until: str) -> dict[str, Json]:
    """The events recorded in a time, by event id, as GET /events has them."""
    events: dict[str, Json] = {}
    query = {"recordedFrom": since, "recordedTo": until, "limit": "1000"}
    while True:
        page = staff.http.get("/events", params=query).raise_for_status().json()
        events |= {event["id"]: event for event in page["items"]}
        if not page["items"]:
            return events
        query["cursor"] = page["nextCursor"]


def recorded(deployment: Deployment, queue: NewQueue) -> list[Json]:
    """The lines about replays to the queue."""
    events = deployment.aws("logs").filter_log_events(
        logGroupName=deployment.outputs["OperationsLogGroupName"]
    )["events"]
    entries = [json.loads(event["message"]) for event in events]
    return [entry for entry in entries if entry.get("to") == queue.name]


def test_a_new_consumer_gets_all_of_the_feed_though_events_go_on_and_it_is_interrupted(
    deployment: Deployment, customer: Caller, staff: Caller, queue: NewQueue
) -> None:
    since = now()
    last = [customer.place()["orderId"] for _ in range(ORDERS)][-1]
    eventually(lambda: feed(staff, since, now()), lambda events: f"{last}/1" in events)
    over = Event()

    def go_on() -> None:
        while not over.is_set():
            staff.patch(customer.place()["orderId"], "CANCELED")

    arguments = ["replay", "--since", since, "--to", queue.name, "--yes", "--json"]
    with ThreadPoolExecutor(1) as threads:
        going_on = threads.submit(go_on)
        try:
            # A batch in ten seconds: it is not through when the signal comes.
            replay = subprocess.Popen(
                [sys.executable, "-m", "orderctl", *arguments, "--rate", "1"],
                env=orderctl_environment(deployment.stack),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            eventually(queue.depth, lambda depth: depth > 0)
            replay.send_signal(signal.SIGINT)
            output, said = replay.communicate()
            interrupted = json.loads(output)
            command, *again = shlex.split(interrupted["continue"])
            assert command == "./orderctl"
            resumed = deployment.orderctl(*again, "--rate", "1000")
        finally:
            over.set()
        going_on.result()

    assert replay.returncode == 1
    assert interrupted["continue"] in said
    assert "Traceback" not in said
    until = again[again.index("--until") + 1]
    expected = feed(staff, since, until)
    assert len(expected) >= ORDERS // 2
    assert 0 < interrupted["sent"] < len(expected)
    done = json.loads(resumed.stdout)
    assert done["sent"] + interrupted["sent"] == len(expected)
    assert queue.events() == expected
    records = recorded(deployment, queue)
    assert [entry["state"] for entry in records] == ["began", "interrupted", "began", "done"]
    assert records[1]["position"] == interrupted["position"] == records[2]["after"]
    assert records[3]["sent"] == done["sent"]


@pytest.fixture
def subscribed(deployment: Deployment, queue: NewQueue) -> Iterator[NewQueue]:
    """The queue, which gets what the topic of events gets."""
    sns = deployment.aws("sns")
    topic_may_send = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue.arn,
    }
    deployment.aws("sqs").set_queue_attributes(
        QueueUrl=queue.url,
        Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [topic_may_send]})},
    )
    subscription = sns.subscribe(
        TopicArn=deployment.outputs["OrderEventsTopicArn"],
        Protocol="sqs",
        Endpoint=queue.arn,
        Attributes={"RawMessageDelivery": "true"},
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    yield queue
    sns.unsubscribe(SubscriptionArn=subscription)


def test_an_order_is_sent_again_to_the_queue_and_the_topic_as_it_was_sent_first(
    deployment: Deployment, customer: Caller, subscribed: NewQueue
) -> None:
    with deployment.held_queue() as held:
        order = customer.place(paymentToken="tok_approve")
        (first,) = eventually(lambda: held.messages(order["orderId"]), bool)
        assert eventually(lambda: subscribed.copies(order["orderId"]), bool) == [first["Body"]]

        assert (
            deployment.orderctl("replay", "--order", order["orderNumber"], "--yes").returncode == 0
        )

        copies = eventually(lambda: held.messages(order["orderId"]), lambda found: len(found) > 1)
        assert {copy["Body"] for copy in copies} == {first["Body"]}
        assert [copy["MessageAttributes"] for copy in copies] == [first["MessageAttributes"]] * 2
        assert eventually(lambda: subscribed.copies(order["orderId"]), bool) == [first["Body"]]

    assert customer.settled(order["orderId"])["status"] == "PAID"


def test_events_of_a_settled_order_change_nothing(deployment: Deployment, customer: Caller) -> None:
    order_id = customer.place(paymentToken="tok_approve")["orderId"]
    customer.settled(order_id)
    before = deployment.rows(order_id)

    assert deployment.orderctl("replay", "--order", order_id, "--yes").returncode == 0

    deployment.settle()
    assert deployment.rows(order_id) == before


def test_only_events_of_a_type_are_sent(
    deployment: Deployment, customer: Caller, staff: Caller, queue: NewQueue
) -> None:
    since = now()
    order_id = customer.place()["orderId"]
    staff.patch(order_id, "PAID").raise_for_status()
    eventually(lambda: feed(staff, since, now()), lambda events: f"{order_id}/2" in events)
    arguments = ["--since", since, "--type", "ORDER_PAID", "--to", queue.url, "--json"]

    result = eventually(  # to the second, AWS's clock may be behind that of the feed
        lambda: deployment.orderctl("replay", *arguments, answer="y\n"),
        lambda result: result.returncode != 3,
    )

    events = queue.events()
    assert f"{order_id}/2" in events
    assert {event["type"] for event in events.values()} == {"ORDER_PAID"}
    assert json.loads(result.stdout)["sent"] == len(events)
    assert f"Send {len(events)} event" in result.stderr


def test_an_unreadable_event_is_named_and_the_others_are_sent(
    deployment: Deployment, customer: Caller, staff: Caller, queue: NewQueue
) -> None:
    order_id = customer.place()["orderId"]
    staff.patch(order_id, "PAID").raise_for_status()
    row = deployment.rows(order_id)["EVENT#0000000001"]
    table = deployment.aws("dynamodb")
    table.put_item(TableName=TABLE, Item=row | {"amount": {"S": "much"}})
    try:
        result = deployment.orderctl(
            "replay", "--order", order_id, "--to", queue.name, "--yes", "--json"
        )
    finally:
        table.put_item(TableName=TABLE, Item=row)

    assert result.returncode == 1
    assert f"ORDER#{order_id} EVENT#0000000001 can't be read" in result.stderr
    assert (json.loads(result.stdout)["sent"], json.loads(result.stdout)["refused"]) == (1, 1)
    assert [*queue.events()] == [f"{order_id}/2"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--since", "2020-01-01", "--until", "2020-01-02"], 3, "No event was recorded from 2020"),
        (["--order", UNKNOWN], 1, f"There is no order {UNKNOWN} on local: check"),
        (["--since", "1h", "--to", "no-such-queue"], 1, "There is no queue no-such-queue on local"),
        ([], 2, "Give either --order or --since."),
        (["--order", UNKNOWN, "--since", "1h"], 2, "Give either --order or --since."),
        (["--order", UNKNOWN, "--type", "ORDER_PAID"], 2, "go with --since."),
        (["--since", "1h", "--type", "ORDER_LOST"], 2, "ORDER_LOST isn't a valid type"),
        (["--since", "1h", "--after", "yesterday"], 2, "yesterday is not a position"),
    ],
)
def test_what_can_t_be_sent_is_said(
    deployment: Deployment, arguments: list[str], code: int, says: str
) -> None:
    result = deployment.orderctl("replay", *arguments, "--yes")

    assert result.returncode == code
    assert says in result.stderr
    assert not result.stdout
