"""Lists the dead letters of both queues, and sends them back: `dead_letters.py list|redrive`.

On the local stack, or with `--stage` on AWS, with the credentials and the region of the AWS CLI.
Nothing that a row contains is printed but ids. A message is deleted only after what it holds was
sent, and consumers know an event that comes twice by its id, so every command can be repeated.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from emulator import REGION, ROOT
from local_stack import LocalStack
from orders.adapters.aws.client import Client, Unreachable
from orders.adapters.dynamodb import keys
from orders.adapters.dynamodb.stream import recorded_event
from orders.adapters.sqs import MAX_ENTRIES, SqsEventPublisher
from orders.application.errors import MalformedRow
from orders.domain import timestamps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orders.domain.events import OrderEvent

Json = dict[str, Any]

LOCAL: Final = "local"
EVENTS, STREAM = "order-events-dlq", "order-stream-dlq"
OUTPUTS: Final = {
    EVENTS: "OrderEventsDeadLetterQueueUrl",
    STREAM: "OrderStreamDeadLetterQueueUrl",
}

HELD_SECONDS: Final = 300
"""How long messages are hidden from others at most: where this process is killed."""
MAX_MESSAGES: Final = 1000
"""What one run takes of a queue."""
AROUND_ARRIVAL: Final = timedelta(minutes=1)
"""An event arrives in the stream later than it was recorded, by no more than a write takes; and
earlier, by as much as the clock that recorded it, or the change before it, was ahead."""

FAULTS: Final = (BotoCoreError, ClientError)
ORDER_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PLAIN: Final = re.compile(r"[A-Za-z0-9_:.#-]{1,64}")
"""A type, a version, an instant, a key or a reason to give up."""
CAUSE_LENGTH: Final = 256
"""No function gives a longer one."""


class Refused(Exception):
    """Why nothing, or not everything, was done."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was received."""

    id: str
    receipt: str
    body: str
    system: dict[str, str]
    attributes: dict[str, Json]

    @property
    def json(self) -> Json:
        """The body; empty where it is no JSON object, or nested deeper than can be read."""
        with contextlib.suppress(ValueError, RecursionError):
            content = json.loads(self.body)
            if isinstance(content, dict):
                return content
        return {}

    @property
    def batch(self) -> Json | None:
        """Where in the stream the batch was that Lambda gave up."""
        return part(self.json, "DDBStreamBatchInfo") or None

    @property
    def order_id(self) -> str | None:
        """The order that an event, or a record's key, is about."""
        key = str(part(self.json, "keys").get("pk"))
        names = (self.json.get("subject"), key.removeprefix("ORDER#"))
        return next((str(one) for one in names if ORDER_ID.fullmatch(str(one))), None)

    @property
    def cause(self) -> str:
        """Why it is here, as the function that put it here said."""
        cause: str = self.attributes.get("cause", {}).get("StringValue", "no cause given")
        return ascii(cause[:CAUSE_LENGTH])[1:-1]

    @property
    def sent(self) -> datetime:
        """When it first came into a queue."""
        return datetime.fromtimestamp(int(self.system["SentTimestamp"]) / 1000, UTC)


class Sender(Client):
    """The functions' client, with this person's credentials."""

    def __init__(self, sqs: Any) -> None:  # noqa: ANN401 - botocore's
        self._sqs = sqs

    def call(self, _operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        try:
            response: dict[str, Any] = self._sqs.send_message_batch(**parameters)
        except (BotoCoreError, ClientError) as error:
            raise Unreachable(str(error)) from error
        return response


class DeadLetters:
    """The dead-letter queues of one deployed stack. `client` makes botocore's clients."""

    def __init__(self, stack: str, client: Callable[[str], Any]) -> None:
        """Nothing is called yet."""
        self.stack = stack
        self._client = client
        self._sqs = client("sqs")
        self._dynamodb = client("dynamodb")

    @cached_property
    def outputs(self) -> dict[str, str]:
        """What the stack says of itself."""
        stacks = self._client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in stacks[0]["Outputs"]}

    def url(self, queue: str) -> str:
        """Return the address of a dead-letter queue."""
        return self.outputs[OUTPUTS[queue]]

    @contextlib.contextmanager
    def held(self, queue: str) -> Iterator[dict[str, Message]]:
        """Hide the messages from others meanwhile; those left in the dict come back at the end."""
        found: dict[str, Message] = {}
        try:
            while len(found) < MAX_MESSAGES:
                response = self._sqs.receive_message(
                    QueueUrl=self.url(queue),
                    MaxNumberOfMessages=10,
                    VisibilityTimeout=HELD_SECONDS,
                    WaitTimeSeconds=1,  # with none, SQS asks a part of its servers only
                    AttributeNames=["All"],
                    MessageAttributeNames=["All"],
                )
                received = {one["MessageId"]: message(one) for one in response.get("Messages", ())}
                is_complete = found.keys() >= received.keys()
                found |= received
                if is_complete:
                    break
            yield found
        finally:
            for one in found.values():
                with contextlib.suppress(ClientError):  # it is back already
                    self._sqs.change_message_visibility(
                        QueueUrl=self.url(queue), ReceiptHandle=one.receipt, VisibilityTimeout=0
                    )

    def peek(self) -> dict[str, list[Message]]:
        """Return the messages of each queue, which stay in it. Raises Refused: there are none."""
        letters = {}
        for queue in OUTPUTS:
            with self.held(queue) as messages:
                letters[queue] = list(messages.values())
        if not any(letters.values()):
            if hidden := sum(map(self._hidden, OUTPUTS)):
                raise Refused(
                    f"No dead letters to be seen, but {counted(hidden, 'message')} held by another "
                    "run, or by one that was killed. Try again in 5 minutes."
                )
            raise Refused(f"No dead letters: {' and '.join(OUTPUTS)} of {self.stack} are empty.")
        return letters

    def show(self, letters: dict[str, list[Message]]) -> None:
        """Print a line for each message."""
        for queue, messages in letters.items():
            more = " and perhaps more: run it again" if len(messages) >= MAX_MESSAGES else ""
            say(f"{queue}: {counted(len(messages), 'message')}{more}")
            for one in sorted(messages, key=lambda one: one.sent):
                received = counted(int(one.system["ApproximateReceiveCount"]), "receive")
                say(f"  {described(one)}; {received}, {age(one.sent)} old")

    def redrive(self) -> None:
        """Send everything back.

        Raises:
            Refused: what of it stayed; all else was sent.
        """
        stayed = self._redrive(EVENTS, self._send_back) + self._redrive(STREAM, self._send_rows)
        if stayed:
            raise Refused(f"{counted(stayed, 'message')} stayed. See docs/runbook.md.")

    def _redrive(self, queue: str, send: Callable[[Message], int]) -> int:
        """Send what each message holds, then delete it; return how many stayed."""
        sent = 0
        with self.held(queue) as messages:
            for one in list(messages.values()):
                try:
                    sent += send(one)
                    self._sqs.delete_message(QueueUrl=self.url(queue), ReceiptHandle=one.receipt)
                    del messages[one.id]
                except (Refused, *FAULTS) as error:
                    cause = code(error) if isinstance(error, FAULTS) else str(error)
                    say(f"  stays: {described(one)}: {cause}")
            stayed = len(messages)
        say(f"{queue}: {counted(sent, 'event')} sent; {counted(stayed, 'message')} stayed.")
        return stayed

    def _send_back(self, one: Message) -> int:
        attributes = {name: value for name, value in one.attributes.items() if name != "cause"}
        self._sqs.send_message(
            QueueUrl=self.outputs["OrderEventsQueueUrl"],
            MessageBody=one.body,
            MessageAttributes=attributes,
        )
        return 1

    def _send_rows(self, one: Message) -> int:
        """Send the events again from their rows: the order's, or those of the batch's time.

        One that can't be sent holds up no other.

        Raises:
            Refused: it names neither, or not all were sent.
        """
        events: list[OrderEvent] = []
        faults: list[str] = []
        for row in self._rows_of(one):
            inserted = {"eventName": "INSERT", "dynamodb": {"Keys": row, "NewImage": row}}
            try:
                if event := recorded_event(inserted):
                    events.append(event)
            except MalformedRow as error:
                faults.append(str(error))
        if not events and not faults:
            raise Refused("the table has no event of it")
        publisher = SqsEventPublisher(Sender(self._sqs), self.outputs["OrderEventsQueueUrl"])
        for start in range(0, len(events), MAX_ENTRIES):
            unsent = publisher.publish(events[start : start + MAX_ENTRIES])
            if unsent.unavailable or unsent.refused:
                faults.append("the queue did not take all of its events")
            if unsent.unavailable:
                break
        if faults:
            raise Refused("; ".join(dict.fromkeys(faults)))
        return len(events)

    def _rows_of(self, one: Message) -> Iterator[Json]:
        """Raises Refused: it names neither an order nor a batch."""
        if one.order_id:
            yield from self._query("pk", f"ORDER#{one.order_id}", keys.EVENT, keys.EVENT + ":")
        elif one.batch:
            first, last = arrival(one.batch)
            for shard in range(keys.SHARDS):
                yield from self._query("gsi1pk", keys.feed_partition(shard), first, last)
        else:
            raise Refused("it names neither an order nor a batch")

    def _query(self, key: str, partition: str, first: str, last: str) -> Iterator[Json]:
        """The event rows of an order, or of a part of the feed, in DynamoDB's JSON."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self.outputs["OrdersTableName"],
            KeyConditionExpression=(
                f"{key} = :partition AND {key.replace('pk', 'sk')} BETWEEN :first AND :last"
            ),
            ExpressionAttributeValues={
                ":partition": {"S": partition}, ":first": {"S": first}, ":last": {"S": last}
            },
            **({} if key == "pk" else {"IndexName": self.outputs["OrdersIndexName"]}),
        )  # fmt: skip
        for page in pages:
            yield from page["Items"]

    def _hidden(self, queue: str) -> int:
        """How many messages somebody has received, and not yet deleted or shown again."""
        name = "ApproximateNumberOfMessagesNotVisible"
        response = self._sqs.get_queue_attributes(QueueUrl=self.url(queue), AttributeNames=[name])
        return int(response["Attributes"][name])


def part(content: Json, name: str) -> Json:
    """Return the object of this name in a JSON object; empty where there is none."""
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def message(received: Json) -> Message:
    """Return the message that SQS handed out."""
    return Message(
        received["MessageId"],
        received["ReceiptHandle"],
        received["Body"],
        received["Attributes"],
        received.get("MessageAttributes", {}),
    )


def described(one: Message) -> str:
    """Say what a message is about and why it is here, in ids and codes alone."""
    if batch := one.batch:
        condition = plain(part(one.json, "requestContext").get("condition"))
        return (
            f"batch of {plain(batch.get('batchSize'))} records, "
            f"{plain(batch.get('approximateArrivalOfFirstRecord'))} to "
            f"{plain(batch.get('approximateArrivalOfLastRecord'))}: {condition}"
        )
    if one.order_id is None:
        return f"message {one.id}, {len(one.body)} characters: {one.cause}"
    if row := part(one.json, "keys"):
        return f"stream record, order {one.order_id}, {plain(row.get('sk'))}: {one.cause}"
    kind, version = one.json.get("type"), part(one.json, "data").get("version")
    return f"order {one.order_id}, {plain(kind)}, version {plain(version)}: {one.cause}"


def plain(value: object) -> str:
    """Return what a message says, if it is plain: anybody may have written the message."""
    return str(value) if PLAIN.fullmatch(str(value)) else "?"


def arrival(batch: Json) -> tuple[str, str]:
    """Return the part of the feed that a batch's events are in, as sort keys.

    Raises:
        Refused: it doesn't say when its records arrived.
    """
    try:
        first = timestamps.from_text(batch["approximateArrivalOfFirstRecord"]) - AROUND_ARRIVAL
        last = timestamps.from_text(batch["approximateArrivalOfLastRecord"]) + AROUND_ARRIVAL
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Refused("it doesn't say when its records arrived") from error
    return timestamps.to_text(first), timestamps.to_text(last)


def counted(number: int, noun: str) -> str:
    """Return a number of things in words."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def age(since: datetime) -> str:
    """Return how long ago it was, to the second."""
    return str(timedelta(seconds=max(0, round((datetime.now(UTC) - since).total_seconds()))))


def code(error: Exception) -> str:
    """Return what AWS calls the fault; its message can quote the request."""
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return type(error).__name__


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def confirmed(question: str) -> bool:
    """Ask; no response is a no."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def connect(stage: str, port: int) -> DeadLetters:
    """Return the queues of the local stack on this port, or of a stage on AWS."""
    if stage == LOCAL:
        return DeadLetters(f"orders-{stage}", LocalStack(ROOT / ".local", port).client)
    session = botocore.session.Session()
    region = session.get_config_variable("region") or REGION
    return DeadLetters(
        f"orders-{stage}", lambda service: session.create_client(service, region_name=region)
    )


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["list", "redrive"])
    parser.add_argument("--stage", default=LOCAL)
    parser.add_argument("--port", type=int, default=int(os.environ.get("LOCAL_PORT", "4566")))
    parser.add_argument("--yes", action="store_true", help="redrive without asking")
    arguments = parser.parse_args()
    queues = connect(arguments.stage, arguments.port)
    try:
        letters = queues.peek()
        queues.show(letters)
        if arguments.command == "list":
            return
        if not (arguments.yes or confirmed(f"Send all of them back, on {queues.stack}?")):
            raise SystemExit("Nothing was sent. Without a terminal, say --yes (make: YES=1).")
        queues.redrive()
    except Refused as error:
        raise SystemExit(str(error)) from error
    except FAULTS as error:
        where = "Does it run? make up" if arguments.stage == LOCAL else "Stage, region, rights?"
        raise SystemExit(f"{error}\n{where}") from error


if __name__ == "__main__":
    main()
