"""The outbox relay: publishes committed events to the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orders.adapters import sqs
from orders.adapters.aws.client import connect
from orders.adapters.dynamodb.stream import recorded_event
from orders.application.errors import MalformedRow
from orders.environment import required
from orders.telemetry import background, bind_order, count, logger, unbind_order

if TYPE_CHECKING:
    from orders.adapters.dynamodb.stream import StreamRecord
    from orders.application.ports import EventPublisher
    from orders.domain.events import OrderEvent

_LEFT_MILLISECONDS: Final = 12_000
"""The time that ten records need: a call to the queue takes 10 seconds at worst, by the client's
timeouts and pauses. A function that times out can't report what it has sent."""


class Relay:
    """Sends in stream order, ten records per call, and stops at the first unsent one.

    Lambda redelivers from that record on. Later events that were already sent are sent again, under
    the same ids.
    """

    def __init__(self, publisher: EventPublisher, failures: sqs.SqsDeadLetterQueue) -> None:
        self._publisher = publisher
        self._failures = failures

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's
        records: list[StreamRecord] = event["Records"]
        for start in range(0, len(records), sqs.MAX_ENTRIES):
            batch = records[start : start + sqs.MAX_ENTRIES]
            if context.get_remaining_time_in_millis() < _LEFT_MILLISECONDS:
                return _failed_from(batch[0])
            try:
                failed = self._send(batch)
            except sqs.QueueUnavailable:
                failed = batch[0]
            if failed:
                return _failed_from(failed)
        return {"batchItemFailures": []}

    def _send(self, records: list[StreamRecord]) -> StreamRecord | None:
        """The first record to send again later; None if all are done."""
        batch: list[tuple[StreamRecord, OrderEvent]] = []
        for record in records:
            try:
                if event := recorded_event(record):
                    batch.append((record, event))
            except MalformedRow as error:
                self._set_aside(record, str(error))
        unsent = self._publisher.publish([event for _, event in batch])
        for index, (record, event) in enumerate(batch):
            bind_order(event.order_id)
            if index in unsent.refused:
                self._set_aside(record, "the queue refuses the event")
            elif index not in unsent.unavailable:
                logger.info("event published", type=event.type, event_id=event.event_id)
                count("EventsPublished")
        unbind_order()
        return batch[min(unsent.unavailable)][0] if unsent.unavailable else None

    def _set_aside(self, record: StreamRecord, cause: str) -> None:
        """It can't be sent, and must not block the records behind it."""
        self._failures.send(record, cause)
        logger.error("stream record set aside", event_id=record.get("eventID"), cause=cause)
        count("RecordsSetAside")


def _failed_from(record: StreamRecord) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}


_client = connect("sqs", attempt_seconds=3.0)
handler = background(
    Relay(
        sqs.SqsEventPublisher(_client, required("QUEUE_URL")),
        sqs.SqsDeadLetterQueue(_client, required("DEAD_LETTER_QUEUE_URL")),
    )
)
