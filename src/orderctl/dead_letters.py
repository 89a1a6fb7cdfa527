"""Dead-letter queues and their messages: found from the stack, and read without losing any.

Anybody may have written a message. Nothing that one contains is shown but ids, codes and causes.
"""

from __future__ import annotations

import contextlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from orderctl.commands.triggers import list_triggers
from orderctl.sending import queue_name
from orders.adapters.dynamodb import keys
from orders.domain.order_id import parse_order_id

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from types import TracebackType

    from orderctl.stage import Stage
    from orders.adapters.dynamodb.keys import Key
    from orders.domain.order_id import OrderId

    Json = dict[str, Any]

HOLD_SECONDS: Final = 300
"""How long messages are hidden from others at most: where this process is killed."""

AT_ONCE: Final = 10
"""Messages that SQS hands out in one call."""

PEEKS: Final = {
    "cloudformation:DescribeStacks": "the stack",
    "cloudformation:ListStackResources": "the stack",
    "lambda:ListEventSourceMappings": "*",
    "sqs:ChangeMessageVisibility": "the dead-letter queues",
    "sqs:GetQueueAttributes": "the queues and the dead-letter queues",
    "sqs:ReceiveMessage": "the dead-letter queues",
}
"""The rights to find the queues and to read their messages."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_:.#-]{1,64}")
"""A type, a version, an instant, a key or a reason to give up."""
_CAUSE_LENGTH: Final = 256
"""No function gives a longer one."""
_VERSION_DIGITS: Final = 10


class DeadLetterQueue(NamedTuple):
    """A queue for what another queue, or a trigger of the stack, gave up."""

    name: str
    """Without the stage at its end."""
    url: str
    is_of_publisher: bool
    """Whether its messages name events that `publish-order-events` didn't publish."""
    source: str | None
    """The URL of the queue that its messages came from, and can be sent to again.

    None if there is none: no reader of the stream can be handed a record again, and where queues
    share a dead-letter queue, a message doesn't say which it came from.
    """
    hidden: int
    """About how many messages somebody had received, and not yet deleted or given back."""


def find_queues(stage: Stage) -> list[DeadLetterQueue]:
    """Every dead-letter queue of the stack. Raises Problem: there is no such stage."""
    of_publisher = stage.outputs["OrderStreamDeadLetterQueueUrl"]
    attributes = {url: _attributes(stage, url) for url in stage.resources["AWS::SQS::Queue"]}
    dead_letters = dead_letter_arns(attributes.values(), list_triggers(stage))
    found = []
    for url, own in attributes.items():
        if own["QueueArn"] not in dead_letters:
            continue
        sources = [
            source
            for source, others in attributes.items()
            if _redrive_target(others) == own["QueueArn"]
        ]
        found.append(
            DeadLetterQueue(
                queue_name(url).removesuffix(f"-{stage.name}"),
                url,
                url == of_publisher,
                sources[0] if len(sources) == 1 else None,
                int(own["ApproximateNumberOfMessagesNotVisible"]),
            )
        )
    return sorted(found)


def dead_letter_arns(
    queues: Iterable[Mapping[str, str]], triggers: Iterable[Mapping[str, Any]]
) -> set[str]:
    """The ARNs of the queues that another queue, or a trigger, names for what it gives up.

    From SQS's attributes of the queues, and Lambda's descriptions of the triggers.
    """
    named = {*map(_redrive_target, queues), *map(_on_failure, triggers)}
    return {arn for arn in named if arn}


def _attributes(stage: Stage, url: str) -> Mapping[str, str]:
    names = ["QueueArn", "RedrivePolicy", "ApproximateNumberOfMessagesNotVisible"]
    response = stage.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    attributes: Mapping[str, str] = response["Attributes"]
    return attributes


def _redrive_target(attributes: Mapping[str, str]) -> str | None:
    policy = json.loads(attributes.get("RedrivePolicy", "{}"))
    target: str | None = policy.get("deadLetterTargetArn")
    return target


def _on_failure(trigger: Mapping[str, Any]) -> str | None:
    target: str | None = (
        trigger.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    )
    return target


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was received."""

    id: str
    body: str
    system: Mapping[str, str]
    attributes: Mapping[str, Json]

    @property
    def json(self) -> Json:
        """The body; empty where it is no JSON object, or nested deeper than can be read."""
        with contextlib.suppress(ValueError, RecursionError):
            content = json.loads(self.body)
            if isinstance(content, dict):
                return content
        return {}

    @property
    def batch(self) -> Json:
        """Where in the stream the batch was that Lambda gave up; empty where it is none."""
        return _part(self.json, "DDBStreamBatchInfo")

    @property
    def record(self) -> Json:
        """The keys of the stream record that was set aside; empty where it is none."""
        return _part(self.json, "keys")

    @property
    def order_id(self) -> OrderId | None:
        """The order that an event, or a record's key, is about."""
        return parse_order_id(str(self.json.get("subject"))) or self._order_of_record

    @property
    def event_key(self) -> Key | None:
        """The key of the row of the event that this is a copy of, or names."""
        subject, _, version = str(self.json.get("id")).partition("/")
        order_id = parse_order_id(subject)
        if self.record:
            order_id = self._order_of_record
            version = str(self.record.get("sk")).removeprefix(keys.EVENT)
        if order_id and version.isdecimal() and len(version) <= _VERSION_DIGITS:
            return keys.event(order_id, int(version))
        return None

    @property
    def _order_of_record(self) -> OrderId | None:
        return parse_order_id(str(self.record.get("pk")).removeprefix(keys.ORDER))

    @property
    def cause(self) -> str:
        """Why it is here, as the function, or Lambda, that put it here said."""
        if self.batch:
            return _plain(_part(self.json, "requestContext").get("condition"))
        cause: str = self.attributes.get("cause", {}).get("StringValue", "no cause given")
        return ascii(cause[:_CAUSE_LENGTH])[1:-1]

    @property
    def receives(self) -> int:
        return int(self.system["ApproximateReceiveCount"])

    @property
    def sent_at(self) -> datetime:
        """When it first came into a queue."""
        return datetime.fromtimestamp(int(self.system["SentTimestamp"]) / 1000, UTC)


def described(message: Message) -> str:
    """What a message is about, beside its order, in codes alone."""
    if batch := message.batch:
        return (
            f"batch of {_plain(batch.get('batchSize'))} records, "
            f"{_plain(batch.get('approximateArrivalOfFirstRecord'))} to "
            f"{_plain(batch.get('approximateArrivalOfLastRecord'))}"
        )
    if message.order_id is None:
        return f"{len(message.body)} characters"
    if record := message.record:
        return f"stream record {_plain(record.get('sk'))}"
    kind, version = message.json.get("type"), _part(message.json, "data").get("version")
    return f"{_plain(kind)}, version {_plain(version)}"


class Held:
    """A dead-letter queue whose messages are hidden from others until the `with` ends.

    Remembers each message that is not deleted: SQS lets nobody hold more than 120,000.
    """

    def __init__(self, stage: Stage, queue: DeadLetterQueue) -> None:
        self._sqs = stage.client("sqs")
        self._url = queue.url
        self._receipts: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        receipts = list(self._receipts.values())
        with ThreadPoolExecutor(AT_ONCE) as threads:
            starts = range(0, len(receipts), AT_ONCE)
            list(threads.map(lambda i: self._give_back(receipts[i : i + AT_ONCE]), starts))

    def batches(self) -> Iterator[list[Message]]:
        """The queue's messages, each one once, until it is empty.

        Those that are held for longer than `HOLD_SECONDS` come again, and are held again. It ends
        where all of these came without a new one among them.
        """
        repeated = 0
        while repeated <= len(self._receipts):
            received = self._receive()
            if not received:
                return
            new = [one for one in received if one["MessageId"] not in self._receipts]
            self._receipts |= {one["MessageId"]: one["ReceiptHandle"] for one in received}
            repeated = 0 if new else repeated + len(received)
            if new:
                yield [_message(one) for one in new]

    def delete(self, message: Message) -> None:
        receipt = self._receipts[message.id]
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)
        del self._receipts[message.id]

    def _receive(self) -> list[Json]:
        response = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=AT_ONCE,
            VisibilityTimeout=HOLD_SECONDS,
            WaitTimeSeconds=1,  # with none, SQS asks a part of its servers only
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        received: list[Json] = response.get("Messages", [])
        return received

    def _give_back(self, receipts: Iterable[str]) -> None:
        """SQS says of each that is back already that it failed, which is no fault."""
        entries = [
            {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
            for index, receipt in enumerate(receipts)
        ]
        self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)


def peek(
    stage: Stage, queue: DeadLetterQueue, wanted: Callable[[Message], bool]
) -> Generator[Message]:
    """The wanted messages, which stay in the queue; others see them again when this ends."""
    with Held(stage, queue) as held:
        for batch in held.batches():
            yield from filter(wanted, batch)


def _message(received: Json) -> Message:
    return Message(
        received["MessageId"],
        received["Body"],
        received["Attributes"],
        received.get("MessageAttributes", {}),
    )


def _part(content: Json, name: str) -> Json:
    """The object of this name in a JSON object; empty where there is none."""
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def _plain(value: object) -> str:
    """What a message says, if it is plain."""
    return str(value) if _PLAIN.fullmatch(str(value)) else "?"
