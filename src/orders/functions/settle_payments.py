"""Consumes the platform's own events: settles the payment of the orders that they name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)

from orders.adapters.mock_inventory import MockInventory
from orders.adapters.mock_payments import MockPaymentGateway
from orders.adapters.system import SystemClock
from orders.application.settle_payment import Settlement, SettlePayment
from orders.domain.order_id import parse_order_id
from orders.functions import wiring
from orders.telemetry import about_no_order, about_order, background, count, logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

    from orders.domain.order_id import OrderId


_LEFT_MILLISECONDS: Final = 3_000
"""What a message must have left to be begun: a function that is cut off fails all of its batch.

Half of the function's time. It is enough unless the table stalls, and then the batch comes again.
"""


class OutOfTime(Exception):
    """The message was not begun."""


def consumer(settle: SettlePayment) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)

    def process(record: SQSRecord, lambda_context: Any) -> None:  # noqa: ANN401 - Lambda's
        about_no_order()
        try:
            _require_time(lambda_context)
            order_id = _subject(record.body)
            about_order(order_id)
            settlement = settle(order_id)
        except Exception as error:
            logger.warning("event not processed", cause=type(error).__name__)
            count("EventsNotProcessed")
            raise
        logger.info("event processed", settlement=settlement)
        if settlement is not Settlement.NOTHING_TO_DO:
            count(f"Payment{settlement}")

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's
        return dict(process_partial_response(event, process, processor, context))

    return handle


def _require_time(context: Any) -> None:  # noqa: ANN401 - Lambda's
    if context.get_remaining_time_in_millis() < _LEFT_MILLISECONDS:
        raise OutOfTime


def _subject(body: str) -> OrderId:
    """Raises ValueError, KeyError: not one of our events; it ends in the dead-letter queue."""
    order_id = parse_order_id(json.loads(body)["subject"])
    if order_id is None:
        message = "the event's subject is not an order id"
        raise ValueError(message)
    return order_id


_table = wiring.table(attempt_seconds=1.0)
handler = background(
    consumer(
        SettlePayment(
            wiring.orders(_table),
            MockPaymentGateway(_table),
            MockInventory(_table),
            SystemClock(),
        )
    )
)
