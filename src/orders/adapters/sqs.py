"""SQS: the queue of order events and the dead-letter queues."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orders.adapters.aws.client import Refused, Unreachable
from orders.application.ports import Unsent
from orders.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders.adapters.aws.client import Client
    from orders.domain.events import OrderEvent

MAX_ENTRIES: Final = 10
"""Messages per SendMessageBatch call; ten events of 4 KiB stay far below its 1 MiB."""

EVENT_BYTES: Final = 4096
"""Every event is smaller, unless its row was written without the API."""

MAX_CAUSE: Final = 256

_NEVER_TAKEN: Final = frozenset(
    {"InvalidMessageContents", "InvalidParameterValue", "InvalidAttributeValue"}
)
"""Errors of the message itself. `SenderFault` doesn't tell: throttling can set it too."""


class QueueUnavailable(Exception):
    """The queue did not accept the message, after the client's own retries."""


class SqsEventPublisher(NamedTuple):
    """`EventPublisher` on a queue."""

    client: Client
    queue_url: str

    def publish(self, events: Sequence[OrderEvent]) -> Unsent:
        entries = [_entry(index, event) for index, event in enumerate(events)]
        sizes = [len(entry["MessageBody"].encode()) for entry in entries]
        unavailable: set[int] = set()
        refused = {index: "TooLarge" for index, size in enumerate(sizes) if size >= EVENT_BYTES}
        sendable = [index for index in range(len(events)) if index not in refused]
        for start in range(0, len(sendable), MAX_ENTRIES):
            batch = sendable[start : start + MAX_ENTRIES]
            try:
                response = self.client.call(
                    "SendMessageBatch",
                    {"QueueUrl": self.queue_url, "Entries": [entries[index] for index in batch]},
                )
            except (Unreachable, Refused) as error:
                logger.warning("events not sent", cause=str(error), events=len(batch))
                unavailable.update(batch)
            else:
                for entry in response.get("Failed") or ():
                    if entry["Code"] in _NEVER_TAKEN:
                        refused[int(entry["Id"])] = entry["Code"]
                    else:
                        logger.warning("event not sent", cause=entry["Code"])
                        unavailable.add(int(entry["Id"]))
        for index, cause in refused.items():
            logger.error("event refused", event_id=events[index].event_id, cause=cause)
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
                    "MessageAttributes": _attributes(cause=ascii(cause)[:MAX_CAUSE]),
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
        attributes = {"cause": cause[:MAX_CAUSE]} | ({"type": event_type} if event_type else {})
        return self._call(
            "dead letter not sent",
            "SendMessage",
            {
                "QueueUrl": self.dead_letter_queue_url,
                "MessageBody": body,
                "MessageAttributes": _attributes(**attributes),
            },
        )

    def _call(self, warning: str, operation: str, parameters: dict[str, Any]) -> bool:
        try:
            self.client.call(operation, parameters)
        except (Unreachable, Refused) as error:
            logger.warning(warning, cause=str(error))
            return False
        return True


def _attributes(**values: str) -> dict[str, dict[str, str]]:
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


def _texts(keys: Any) -> dict[str, str]:  # noqa: ANN401 - of a record that can't be read
    """The key's string attributes, without DynamoDB's types."""
    found = keys.items() if isinstance(keys, dict) else ()
    return {name: value["S"] for name, value in found if isinstance(value, dict) and "S" in value}


def _entry(index: int, event: OrderEvent) -> dict[str, Any]:
    return {
        "Id": str(index),
        "MessageBody": event_body(event),
        "MessageAttributes": _attributes(type=event.type),
    }


def event_body(event: OrderEvent) -> str:
    """The event as JSON. What a reason may hold and SQS refuses is escaped."""
    body = json.dumps(event.to_cloud_event(), ensure_ascii=False, separators=(",", ":"))
    body = body.replace("\ufffe", r"\ufffe").replace("\uffff", r"\uffff")
    return body.encode(errors="backslashreplace").decode()  # lone surrogates
