"""The outbox relay: what the table's stream says has committed is published to the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders.adapters import sqs
from orders.adapters.dynamodb.stream import OrderStream
from orders.environment import required
from orders.telemetry import background, count, logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.adapters.dynamodb.stream import StreamRecord
    from orders.application.ports import EventPublisher
    from orders.domain.changes import OrderChange


def consumer(
    stream: OrderStream, publisher: EventPublisher
) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """A batch is sent whole, ten events a call, so Powertools' one record at a time won't do.

    Lambda repeats the batch from the first record that is reported as failed; events behind it
    that were sent are sent again, under their same ids.
    """

    def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
        failed: list[str] = []
        changes: list[tuple[str, OrderChange]] = []
        for record in event["Records"]:
            try:
                change = stream.change(record)
            except sqs.Unavailable:
                failed.append(_sequence_number(record))
                continue
            if change:
                changes.append((_sequence_number(record), change))
        unsent = publisher.publish([change for _, change in changes])
        for index, (sequence_number, change) in enumerate(changes):
            if index in unsent:
                failed.append(sequence_number)
            else:
                logger.info("event published", type=change.event_type, event_id=change.event_id)
        if sent := len(changes) - len(unsent):
            count("EventsPublished", sent)
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}

    return handle


def _sequence_number(record: StreamRecord) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


_client = sqs.connect()
handler = background(
    consumer(
        OrderStream(sqs.SqsFailureQueue(_client, required("FAILURE_QUEUE_URL"))),
        sqs.SqsEventPublisher(_client, required("QUEUE_URL")),
    )
)
