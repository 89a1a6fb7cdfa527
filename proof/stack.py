"""The deployed platform as a run needs it: re-wired beforehand, and read whole afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from local_stack import STACK, orderctl_environment
from orderctl.app import NOTHING_TO_DO
from proof.event_source import FunctionFailed
from proof.faults import VISIBILITY_SECONDS
from proof.history import Commit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from local_stack import LocalStack
    from proof.history import Json
    from proof.proxy import Proxy

TABLE: Final = "orders_app"

FEED_DELAY_SECONDS: Final = 37
"""How old an event is in a run when the feed shows it. A function that took the time of a write can
live for 30 s, and a fault holds its last request for 3 s more; on the stage `local`, where nothing
strikes, 5 s are enough."""

MAX_RECEIVES: Final = 2
"""Of a message in a run; then it is a dead letter, so that the operator has some to send again:
each order that pays by `tok_unavailable` is settled at the third receive."""

_COUNTS: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_DEAD_LETTERS: Final = ("OrderEventsDeadLetterQueueUrl", "OrderStreamDeadLetterQueueUrl")
_QUEUES: Final = ("OrderEventsQueueUrl", *_DEAD_LETTERS)


class Platform:
    """The deployed platform, as its operators meet it."""

    def __init__(self, stack: LocalStack) -> None:
        """Take a stack that is up."""
        self.stack = stack
        # The emulator closes idle connections, which a call can meet.
        self.dynamodb = stack.client("dynamodb", attempts=3)
        self.streams = stack.client("dynamodbstreams", attempts=3)
        self.sqs = stack.client("sqs", attempts=3)
        self.functions = stack.client("lambda")

    @cached_property
    def outputs(self) -> dict[str, str]:
        """What the deployment says of itself."""
        return self.stack.outputs()

    @property
    def queue_url(self) -> str:
        """The events' queue."""
        return self.outputs["OrderEventsQueueUrl"]

    def route_through(self, proxy: Proxy, only: Collection[str] | None = None) -> None:
        """Let each function, or `only` some, find AWS at an address of its own of the proxy."""
        for function in self.functions.list_functions(MaxItems=50)["Functions"]:
            short = function["FunctionName"].removeprefix(f"{STACK}-")
            if only is None or short in only:
                self._set(short, AWS_ENDPOINT_URL=proxy.address(short))

    def take_over_stream(self) -> tuple[str, Json]:
        """Stop the emulator's own reading for the publisher; return its name and its settings."""
        publisher = "publish-order-events"
        (mapping,) = (
            mapping
            for mapping in self.functions.list_event_source_mappings()["EventSourceMappings"]
            if ":dynamodb:" in mapping["EventSourceArn"]
            and mapping["FunctionArn"].endswith(f":{STACK}-{publisher}")
        )
        self.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        return publisher, mapping

    def delay_feed(self) -> None:
        """Let the feed wait for writes that faults hold back."""
        self._set("list-events", FEED_DELAY_SECONDS=str(FEED_DELAY_SECONDS))

    def hurry(self) -> None:
        """Let failed messages come again soon, and soon become dead letters."""
        attributes = self.sqs.get_queue_attributes(
            QueueUrl=self.queue_url, AttributeNames=["RedrivePolicy"]
        )["Attributes"]
        policy = json.loads(attributes["RedrivePolicy"]) | {"maxReceiveCount": MAX_RECEIVES}
        self.sqs.set_queue_attributes(
            QueueUrl=self.queue_url,
            Attributes={
                "VisibilityTimeout": str(VISIBILITY_SECONDS),
                "RedrivePolicy": json.dumps(policy),
            },
        )

    def invoke(self, function: str, event: Json) -> Any:  # noqa: ANN401 - JSON
        """Return the function's result. Raises FunctionFailed."""
        response = self.functions.invoke(
            FunctionName=f"{STACK}-{function}", Payload=json.dumps(event)
        )
        payload = json.loads(response["Payload"].read())
        if "FunctionError" in response:
            raise FunctionFailed(payload)
        return payload

    @cached_property
    def stream_arn(self) -> str:
        """The table's stream, which has one shard in the emulator."""
        table = self.dynamodb.describe_table(TableName=TABLE)["Table"]
        arn: str = table["LatestStreamArn"]
        return arn

    def records(self, after: str | None, limit: int) -> list[Json]:
        """Return the stream's next records behind a sequence number, or its first ones."""
        described = self.streams.describe_stream(StreamArn=self.stream_arn)["StreamDescription"]
        (shard,) = described["Shards"]
        place = {"ShardIteratorType": "TRIM_HORIZON"}
        if after is not None:
            place = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": after}
        iterator = self.streams.get_shard_iterator(
            StreamArn=self.stream_arn, ShardId=shard["ShardId"], **place
        )["ShardIterator"]
        found = self.streams.get_records(ShardIterator=iterator, Limit=limit)["Records"]
        for record in found:
            change = record["dynamodb"]
            at = change["ApproximateCreationDateTime"].timestamp()
            record["dynamodb"] = change | {"ApproximateCreationDateTime": at}
            record["eventSourceARN"] = self.stream_arn
        return list(found)

    def commits(self) -> list[Commit]:
        """Return everything that was ever written to the table, in order."""
        found: list[Commit] = []
        last = None
        while records := self.records(last, 1000):
            found += [_commit(record["dynamodb"]) for record in records]
            last = records[-1]["dynamodb"]["SequenceNumber"]
        return found

    def rows(self) -> list[Json]:
        """Return all rows of the table."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=TABLE, ConsistentRead=True)
        return [plain({"M": row}) for page in pages for row in page["Items"]]

    def days(self) -> list[str]:
        """Return the UTC days on which orders were placed."""
        return sorted({row["createdAt"][:10] for row in self.rows() if row["sk"] == "DETAIL"})

    def queue_is_empty(self) -> bool:
        """Tell whether every event was consumed, or has become a dead letter."""
        return self._lies_in(self.queue_url) == 0

    def send_to_stream_dead_letters(self, discarded: Json) -> None:
        """Take what Lambda sends to a stream mapping's on-failure destination."""
        self.sqs.send_message(
            QueueUrl=self.outputs["OrderStreamDeadLetterQueueUrl"],
            MessageBody=json.dumps(discarded),
        )

    def redrive(self) -> bool:
        """Send dead letters again, as an operator does; False where there are none."""
        result = subprocess.run(
            [sys.executable, "-m", "orderctl", "dead-letters", "redrive", "--yes"],
            env=orderctl_environment(self.stack),
            stdout=subprocess.DEVNULL,
            check=False,
        )
        return result.returncode != NOTHING_TO_DO

    def dead_letters(self) -> list[Json]:
        """Return and delete what lies there, and what nobody consumed."""
        return [letter for name in _QUEUES for letter in self._received(name)]

    def count_dead_letters(self) -> int:
        """Return how many lie there; they stay."""
        return sum(self._lies_in(self.outputs[name]) for name in _DEAD_LETTERS)

    def _set(self, function: str, **variables: str) -> None:
        """Change these of the function's environment variables."""
        name = f"{STACK}-{function}"
        known = self.functions.get_function_configuration(FunctionName=name)["Environment"]
        self.functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": known["Variables"] | variables}
        )

    def _received(self, output: str) -> Iterator[Json]:
        url = self.outputs[output]
        while messages := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60
        ).get("Messages"):
            for message in messages:
                yield {"queue": output.removesuffix("Url"), "body": message["Body"]}
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def _lies_in(self, url: str) -> int:
        response = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))
        return sum(int(response["Attributes"][name]) for name in _COUNTS)


def plain(value: Json) -> Any:  # noqa: ANN401 - whatever the row holds
    """Return a DynamoDB attribute as a plain value; a row's numbers are whole."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return int(content)
        case "M":
            return {name: plain(member) for name, member in content.items()}
        case "L":
            return [plain(member) for member in content]
        case "NULL":
            return None
        case _:
            return content


def _commit(change: Json) -> Commit:
    images = {
        name: plain({"M": change[name]}) for name in ("OldImage", "NewImage") if name in change
    }
    keys = plain({"M": change["Keys"]})
    return Commit(
        pk=keys["pk"], sk=keys["sk"], old=images.get("OldImage"), new=images.get("NewImage")
    )
