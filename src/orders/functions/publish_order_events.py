"""The outbox relay: publishes committed events to the queue, and to the topic if there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orders.adapters import sqs
from orders.adapters.aws.client import connect
from orders.adapters.dynamodb.stream import recorded_event
from orders.application.errors import MalformedRow
from orders.environment import optional, required
from orders.telemetry import background, bind_order, count, logger, unbind_order

if TYPE_CHECKING:
    from orders.adapters.aws.client import Client
    from orders.adapters.dynamodb.stream import StreamRecord
    from orders.application.ports import EventPublisher
    from orders.domain.events import OrderEvent


_LEFT_MILLISECONDS: Final = 22_000
"""The time that ten records need: a call to the queue and one to the topic take 10 seconds each at
worst, by the clients' timeouts and pauses. A function that times out can't report what it sent."""

_ATTEMPT_SECONDS: Final = 3.0


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
                self._set_aside(record, "refused by the queue or the topic")
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


def _publisher(client: Client) -> EventPublisher:
    queue = sqs.SqsEventPublisher(client, required("QUEUE_URL"))
    topic_arn = optional("TOPIC_ARN", "")
    if not topic_arn:
        return queue
    from orders.adapters import sns  # noqa: PLC0415 - a start without a topic needs no XML

    topic = sns.SnsEventPublisher(sns.connect(_ATTEMPT_SECONDS), topic_arn)
    return sns.QueueAndTopic(queue, topic)


_client = connect("sqs", _ATTEMPT_SECONDS)
handler = background(
    Relay(
        _publisher(_client),
        sqs.SqsDeadLetterQueue(_client, required("DEAD_LETTER_QUEUE_URL")),
    )
)
