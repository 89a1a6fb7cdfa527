"""Records as DynamoDB's stream and SQS hand them to Lambda."""

from __future__ import annotations

import base64
import itertools
from typing import TYPE_CHECKING, Any

from examples import event_of
from fakes import NOON
from orders.adapters.dynamodb import keys, rows
from orders.adapters.sqs import event_body
from orders.domain.timestamps import to_milliseconds

if TYPE_CHECKING:
    from datetime import datetime

    from orders.domain.events import OrderEvent
    from orders.domain.order import Order

Record = dict[str, Any]

_numbers = itertools.count(1)


def recorded(event: OrderEvent) -> Record:
    """The stream's record of an event."""
    return stream_record("INSERT", None, rows.event_row(event))


def created(order: Order) -> Record:
    """The stream's record of an order's first event."""
    return recorded(event_of(order))


def stream_record(kind: str, old: rows.Row | None, new: rows.Row | None) -> Record:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html."""
    number = str(next(_numbers) * 100_000_000_000)
    row = new or old or {}
    change: Record = {
        "ApproximateCreationDateTime": 1_795_435_200,
        "Keys": {name: {"S": row[name]} for name in ("pk", "sk")},
        "SequenceNumber": number,
        "SizeBytes": 600,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    if new is not None:
        change["NewImage"] = _attribute(new)["M"]
    if old is not None:
        change["OldImage"] = _attribute(old)["M"]
    return {
        "eventID": f"event-{number}",
        "eventName": kind,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "ap-southeast-1",
        "dynamodb": change,
        "eventSourceARN": "arn:aws:dynamodb:ap-southeast-1:123456789012:table/orders_app/stream/x",
    }


def unreadable(order: Order, marker: str = "?") -> Record:
    """The record of an event whose amount is no number."""
    return stream_record("INSERT", None, rows.event_row(event_of(order)) | {"amount": marker})


def sequence_number(record: Record) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def message(
    event: OrderEvent | str, *, receives: int = 1, first_received: datetime = NOON
) -> Record:
    """A message of the queue; its body is the event, or the text itself."""
    body = event if isinstance(event, str) else event_body(event)
    kind = "ORDER_UNHEARD_OF" if isinstance(event, str) else event.type
    return {
        "messageId": f"message-{next(_numbers)}",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": str(receives),
            "ApproximateFirstReceiveTimestamp": str(to_milliseconds(first_received)),
        },
        "messageAttributes": {"type": {"stringValue": kind, "dataType": "String"}},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:ap-southeast-1:123456789012:order-events-queue",
        "awsRegion": "ap-southeast-1",
    }


def batch(*records: Record) -> dict[str, Any]:
    return {"Records": list(records)}


def failures(response: dict[str, Any]) -> list[str]:
    """The items that Lambda must deliver again."""
    assert set(response) == {"batchItemFailures"}
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


class FakeConsumedQueue:
    """Keeps the delays and the dead letters, unless `is_down`: then SQS does nothing of it."""

    def __init__(self) -> None:
        self.pauses: list[int] = []
        self.dead_letters: list[tuple[str, str | None, str]] = []
        self.is_down = False

    def delay(self, receipt_handle: str, seconds: int) -> bool:
        assert receipt_handle
        if not self.is_down:
            self.pauses.append(seconds)
        return not self.is_down

    def dead_letter(self, body: str, event_type: str | None, cause: str) -> bool:
        if not self.is_down:
            self.dead_letters.append((body, event_type, cause))
        return not self.is_down


class FakeDeadLetterQueue:
    """Keeps the records sent to it, unless `fault` is set: then it raises that."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.fault: Exception | None = None

    def send(self, record: Record, cause: str) -> None:
        assert cause
        if self.fault:
            raise self.fault
        self.records.append(record)


def _attribute(value: object) -> Record:
    match value:
        case None:
            return {"NULL": True}
        case list():
            return {"L": [_attribute(item) for item in value]}
        case dict():
            return {"M": {name: _attribute(item) for name, item in value.items()}}
        case bytes():
            return {"B": base64.b64encode(value).decode()}
        case bool():
            return {"BOOL": value}
    return {"S": value} if isinstance(value, str) else {"N": str(value)}


def reservation_record(order: Order) -> Record:
    row = keys.reservation(order.order_id) | {"schemaVersion": 1, "state": "RESERVED"}
    return stream_record("INSERT", None, row)
