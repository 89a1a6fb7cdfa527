"""The outbox relay: what the table's stream says has committed is published to the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders.adapters import sqs
from orders.adapters.dynamodb.stream import OrderStream
from orders.environment import required
from orders.telemetry import about_no_order, about_order, background, count, logger

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
        failed: list[StreamRecord] = []
        readable: list[tuple[StreamRecord, OrderChange]] = []
        for record in event["Records"]:
            try:
                change = stream.change(record)
            except sqs.Unavailable:
                failed.append(record)
                continue
            if change:
                readable.append((record, change))
        unsent = publisher.publish([change for _, change in readable])
        for index, (record, change) in enumerate(readable):
            about_order(change.order_id)
            if index in unsent.unavailable:
                failed.append(record)
            elif index in unsent.refused:
                try:
                    stream.set_aside(record, "the queue refuses the event")
                except sqs.Unavailable:
                    failed.append(record)
            else:
                logger.info("event published", type=change.event_type, event_id=change.event_id)
        about_no_order()
        if sent := len(readable) - len(unsent.unavailable) - len(unsent.refused):
            count("EventsPublished", sent)
        return {
            "batchItemFailures": [
                {"itemIdentifier": record["dynamodb"]["SequenceNumber"]} for record in failed
            ]
        }

    return handle


_client = sqs.connect()
handler = background(
    consumer(
        OrderStream(sqs.SqsFailureQueue(_client, required("FAILURE_QUEUE_URL"))),
        sqs.SqsEventPublisher(_client, required("QUEUE_URL")),
    )
)
