"""Writes an order's timeline: one entry for every change that has committed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)

from orders.adapters import sqs
from orders.adapters.dynamodb.stream import OrderStream
from orders.environment import required
from orders.functions import wiring
from orders.telemetry import about_no_order, about_order, background, logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

    from orders.application.ports import OrderRepository


def consumer(
    stream: OrderStream, orders: OrderRepository
) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    processor = BatchProcessor(EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)

    def record_change(record: DynamoDBRecord) -> None:
        about_no_order()
        try:
            change = stream.change(record.raw_event)
            if change:
                about_order(change.order_id)
                orders.append_to_timeline(change)
        except Exception as error:
            logger.warning("timeline entry not written", cause=type(error).__name__)
            raise

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's
        return dict(process_partial_response(event, record_change, processor, context))

    return handle


handler = background(
    consumer(
        OrderStream(sqs.SqsFailureQueue(sqs.connect(), required("FAILURE_QUEUE_URL"))),
        wiring.orders(wiring.table()),
    )
)
