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
    from collections.abc import Iterable, Iterator

    from orders.adapters.aws.client import Client
    from orders.adapters.dynamodb.stream import StreamRecord
    from orders.application.ports import EventPublisher
    from orders.domain.events import OrderEvent


_PUBLISH_MILLISECONDS: Final = 22_000
"""The time that ten events need: a call to the queue and one to the topic take 10 seconds each at
worst, by the clients' timeouts and pauses. A function that times out can't report what it sent."""

_SET_ASIDE_MILLISECONDS: Final = 11_000
"""The time that one record needs: a call."""

_ATTEMPT_SECONDS: Final = 3.0


class Relay:
    """Sends in stream order, ten events per call, and stops at the first unsent one.

    Lambda redelivers from that record on. Later events that were already sent are sent again, under
    the same ids.
    """

    def __init__(self, publisher: EventPublisher, failures: sqs.SqsDeadLetterQueue) -> None:
        self._publisher = publisher
        self._failures = failures

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's
        for part in _parts(event["Records"]):
            if isinstance(part, list):
                failed = self._publish(part, context)
            else:
                failed = self._set_aside(*part, context)
            if failed:
                return _failed_from(failed)
        return {"batchItemFailures": []}

    def _publish(
        self,
        batch: list[tuple[StreamRecord, OrderEvent]],
        context: Any,  # noqa: ANN401 - Lambda's
    ) -> StreamRecord | None:
        """The first record to send again later; None if all are done."""
        if context.get_remaining_time_in_millis() < _PUBLISH_MILLISECONDS:
            return batch[0][0]
        unsent = self._publisher.publish([event for _, event in batch])
        failed: StreamRecord | None = None
        for index, (record, event) in enumerate(batch):
            bind_order(event.order_id)
            if index in unsent.unavailable:
                failed = failed or record
            elif index in unsent.refused:
                cause = "refused by the queue or the topic"
                failed = failed or self._set_aside(record, cause, context)
            else:
                logger.info("event published", type=event.type, event_id=event.event_id)
                count("EventsPublished")
        unbind_order()
        return failed

    def _set_aside(
        self,
        record: StreamRecord,
        cause: str,
        context: Any,  # noqa: ANN401 - Lambda's
    ) -> StreamRecord | None:
        """It can't be sent, and must not block those behind it. Returned if it has to wait."""
        if context.get_remaining_time_in_millis() < _SET_ASIDE_MILLISECONDS:
            return record
        try:
            self._failures.send(record, cause)
        except sqs.QueueUnavailable:
            return record
        logger.error("stream record set aside", event_id=record.get("eventID"), cause=cause)
        count("RecordsSetAside")
        return None


def _parts(
    records: Iterable[StreamRecord],
) -> Iterator[list[tuple[StreamRecord, OrderEvent]] | tuple[StreamRecord, str]]:
    """In stream order: up to ten events, or one record that can't be read, with its cause.

    So each invocation that does anything gets further in the stream.
    """
    batch: list[tuple[StreamRecord, OrderEvent]] = []
    for record in records:
        try:
            event = recorded_event(record)
        except MalformedRow as error:
            if batch:
                yield batch
                batch = []
            yield record, str(error)
            continue
        if event:
            batch.append((record, event))
        if len(batch) == sqs.MAX_ENTRIES:
            yield batch
            batch = []
    if batch:
        yield batch


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
