"""SQS: the queue of order events and the dead-letter queues."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orders.adapters.aws.client import Refused, Unreachable
from orders.application.ports import Unsent
from orders.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orders.adapters.aws.client import Client
    from orders.domain.events import OrderEvent

MAX_ENTRIES: Final = 10
"""Messages per SendMessageBatch call; ten events of 4 KiB stay far below its 1 MiB."""

EVENT_BYTES: Final = 4096
"""Every event is smaller, unless its row was written without the API."""

MAX_CAUSE: Final = 256

NEVER_TAKEN: Final = frozenset(
    {
        "InvalidAttributeValue",
        "InvalidMessageContents",
        "InvalidParameter",
        "InvalidParameterValue",
        "ParameterValueInvalid",
    }
)
"""Errors of the message itself, in SQS's words and in those of SNS. `SenderFault` doesn't tell:
throttling can set it too."""


class QueueUnavailable(Exception):
    """The queue did not accept the message, after the client's own retries."""


class SqsEventPublisher(NamedTuple):
    """`EventPublisher` on a queue."""

    client: Client
    queue_url: str

    def publish(self, events: Sequence[OrderEvent]) -> Unsent:
        return send_in_batches("queue", events, _entry, self._send)

    def _send(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        return self.client.call(
            "SendMessageBatch", {"QueueUrl": self.queue_url, "Entries": entries}
        )


def send_in_batches(
    to: str,
    events: Sequence[OrderEvent],
    entry: Callable[[OrderEvent, str], dict[str, Any]],
    send: Callable[[list[dict[str, Any]]], dict[str, Any]],
) -> Unsent:
    """Send the events, ten to a call.

    `entry` makes an event and its body an entry of a batch; `send` is the call, whose response has
    the entries not taken in `Failed`, and which raises Unreachable or Refused. `to` is for the log.
    """
    bodies = [event_body(event) for event in events]
    unavailable: set[int] = set()
    refused = {
        index: "TooLarge" for index, body in enumerate(bodies) if len(body.encode()) >= EVENT_BYTES
    }
    sendable = [index for index in range(len(events)) if index not in refused]
    for start in range(0, len(sendable), MAX_ENTRIES):
        batch = sendable[start : start + MAX_ENTRIES]
        try:
            response = send(
                [{"Id": str(index), **entry(events[index], bodies[index])} for index in batch]
            )
        except (Unreachable, Refused) as error:
            logger.warning("events not sent", to=to, cause=str(error), events=len(batch))
            unavailable.update(batch)
        else:
            for failure in response.get("Failed") or ():
                if failure["Code"] in NEVER_TAKEN:
                    refused[int(failure["Id"])] = failure["Code"]
                else:
                    logger.warning("event not sent", to=to, cause=failure["Code"])
                    unavailable.add(int(failure["Id"]))
    for index, cause in refused.items():
        logger.error("event refused", to=to, event_id=events[index].event_id, cause=cause)
    return Unsent(unavailable, set(refused))


class SqsDeadLetterQueue(NamedTuple):
    """Takes the keys of records that can't be published, for a person to inspect.

    Never their content: that stays in the row, where it can be erased.
    """

    client: Client
    queue_url: str

    def send(self, record: dict[str, Any], cause: str) -> None:
        """Raises QueueUnavailable: the record must not be acknowledged then."""
        change = record.get("dynamodb") or {}
        body = {
            "keys": _texts(change.get("Keys")),
            "eventID": record.get("eventID"),
            "sequenceNumber": change.get("SequenceNumber"),
        }
        try:
            self.client.call(
                "SendMessage",
                {
                    "QueueUrl": self.queue_url,
                    "MessageBody": json.dumps(body),
                    "MessageAttributes": attributes(cause=ascii(cause)[:MAX_CAUSE]),
                },
            )
        except (Unreachable, Refused) as error:
            raise QueueUnavailable from error


class SqsConsumedQueue(NamedTuple):
    """`ConsumedQueue` of a queue and its dead-letter queue."""

    client: Client
    queue_url: str
    dead_letter_queue_url: str

    def delay(self, receipt_handle: str, seconds: int) -> bool:
        """Redeliver the message after this pause instead of the queue's visibility timeout."""
        return self._call(
            "message not put off",
            "ChangeMessageVisibility",
            {
                "QueueUrl": self.queue_url,
                "ReceiptHandle": receipt_handle,
                "VisibilityTimeout": seconds,
            },
        )

    def dead_letter(self, body: str, event_type: str | None, cause: str) -> bool:
        """Send a copy to the dead-letter queue, with its cause as an attribute."""
        values = {"cause": cause[:MAX_CAUSE]} | ({"type": event_type} if event_type else {})
        return self._call(
            "dead letter not sent",
            "SendMessage",
            {
                "QueueUrl": self.dead_letter_queue_url,
                "MessageBody": body,
                "MessageAttributes": attributes(**values),
            },
        )

    def _call(self, warning: str, operation: str, parameters: dict[str, Any]) -> bool:
        try:
            self.client.call(operation, parameters)
        except (Unreachable, Refused) as error:
            logger.warning(warning, cause=str(error))
            return False
        return True


def attributes(**values: str) -> dict[str, dict[str, str]]:
    """Message attributes, as SQS and SNS take them."""
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


def _texts(keys: Any) -> dict[str, str]:  # noqa: ANN401 - of a record that can't be read
    """The key's string attributes, without DynamoDB's types."""
    found = keys.items() if isinstance(keys, dict) else ()
    return {name: value["S"] for name, value in found if isinstance(value, dict) and "S" in value}


def _entry(event: OrderEvent, body: str) -> dict[str, Any]:
    return {"MessageBody": body, "MessageAttributes": attributes(type=event.type)}


def event_body(event: OrderEvent) -> str:
    """The event as JSON. What a reason may hold and SQS refuses is escaped."""
    body = json.dumps(event.to_cloud_event(), ensure_ascii=False, separators=(",", ":"))
    body = body.replace("\ufffe", r"\ufffe").replace("\uffff", r"\uffff")
    return body.encode(errors="backslashreplace").decode()  # lone surrogates
