"""Consumes the platform's own events and settles the payments of their orders."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from orders.adapters.aws.client import connect
from orders.adapters.mock_inventory import MockInventory
from orders.adapters.mock_payments import MockPaymentGateway
from orders.adapters.no_payments import NoPayments
from orders.adapters.sqs import SqsConsumedQueue
from orders.application.errors import (
    LoggableError,
    MalformedRow,
    NewerRow,
    PaymentUnavailable,
    TryAgain,
    UnsettledOrder,
)
from orders.application.settle_payment import Settlement, SettlePayment
from orders.domain import timestamps
from orders.domain.order_id import parse_order_id
from orders.environment import required
from orders.functions.wiring import Wiring
from orders.telemetry import (
    background,
    bind_order,
    cause_of,
    count,
    log_exception,
    logger,
    unbind_order,
)

if TYPE_CHECKING:
    from orders.application.ports import Clock, InventoryService, PaymentGateway
    from orders.domain.order_id import OrderId
    from orders.telemetry import Handler

    Message = dict[str, Any]
    """A record of Lambda's SQS event."""

FIRST_PAUSE_SECONDS: Final = 10
LONGEST_PAUSE_SECONDS: Final = 15 * 60
"""The pause before a redelivery doubles from the first to the longest."""

GIVES_UP_AFTER: Final = timedelta(hours=24)
"""After a message's first receive. Six hours of attempts are promised; the rest allows for time in
which the function was throttled or could not start."""

_LEFT_MILLISECONDS: Final = 15_000
"""The time that must remain to start a message, half of the function's timeout: a function that
times out fails the whole batch."""


class ConsumedQueue(Protocol):
    """The queue that the messages come from, with its dead-letter queue.

    Each method says whether SQS did it.
    """

    def delay(self, receipt_handle: str, seconds: int) -> bool: ...

    def dead_letter(self, body: str, event_type: str | None, cause: str) -> bool: ...


class NotAnEvent(LoggableError):
    """The message has no subject that is an order id."""


class OutOfTime(Exception):
    """Too little time remains to start the message."""


_NEVER: Final = frozenset({MalformedRow, NotAnEvent, UnsettledOrder})
"""No later attempt can succeed. Exactly these classes: a subclass may be worth another attempt."""

_FORESEEN: Final = (NewerRow, OutOfTime, PaymentUnavailable, TryAgain)


def consumer(settle: SettlePayment, consumed_queue: ConsumedQueue) -> Handler:
    """The function without telemetry."""

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's
        failed = [one["messageId"] for one in event["Records"] if not is_done(one, context)]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    def is_done(message: Message, context: Any) -> bool:  # noqa: ANN401 - Lambda's
        unbind_order()
        try:
            _require_time(context)
            order_id = _subject(message["body"])
            bind_order(order_id)
            settlement = settle(order_id)
        except Exception as error:  # noqa: BLE001 - one message must not fail the others
            return _is_given_up(message, error, settle.clock, consumed_queue)
        logger.info("event processed", settlement=settlement)
        if settlement is not Settlement.NOTHING_TO_DO:
            count(f"Payment{settlement}")
        return True

    return handle


def _is_given_up(message: Message, error: Exception, clock: Clock, queue: ConsumedQueue) -> bool:
    """Whether the message moved to the dead-letter queue; else it is redelivered after a pause."""
    cause, receives = cause_of(error), _receives(message)
    if type(error) in _NEVER:
        return _is_dead_lettered(message, cause, queue)
    if not isinstance(error, _FORESEEN):
        log_exception("settlement failed", error)
    if _since_first_receive(message, clock) >= GIVES_UP_AFTER:
        return _is_dead_lettered(message, cause, queue)
    pause = _pause_seconds(receives)
    queue.delay(message["receiptHandle"], pause)
    logger.warning("event not processed", cause=cause, receives=receives, pause_seconds=pause)
    count("EventsRetried")
    return False


def _is_dead_lettered(message: Message, cause: str, queue: ConsumedQueue) -> bool:
    if not queue.dead_letter(message["body"], _event_type(message), cause):
        count("EventsRetried")
        return False
    logger.error("event given up", cause=cause, receives=_receives(message))
    count("EventsDeadLettered")
    return True


def _since_first_receive(message: Message, clock: Clock) -> timedelta:
    now = timestamps.to_milliseconds(clock.now())
    first = message["attributes"].get("ApproximateFirstReceiveTimestamp", now)
    return timedelta(milliseconds=now - int(first))


def _require_time(context: Any) -> None:  # noqa: ANN401 - Lambda's
    if context.get_remaining_time_in_millis() < _LEFT_MILLISECONDS:
        raise OutOfTime


def _subject(body: str) -> OrderId:
    try:
        order_id = parse_order_id(json.loads(body)["subject"])
    except (KeyError, RecursionError, TypeError, ValueError):
        order_id = None
    if order_id is None:
        raise NotAnEvent
    return order_id


def _receives(message: Message) -> int:
    return int(message["attributes"].get("ApproximateReceiveCount", 1))


def _event_type(message: Message) -> str | None:
    """The attribute that consumers filter by, so that a redriven dead letter still has it."""
    value: str | None = message["messageAttributes"].get("type", {}).get("stringValue")
    return value


def _pause_seconds(receives: int) -> int:
    """Grows with the receives, with jitter: messages that failed together don't return together."""
    doublings = min(receives - 1, 10)
    whole = min(FIRST_PAUSE_SECONDS * 2**doublings, LONGEST_PAUSE_SECONDS)
    return random.randint(whole // 2, whole)  # noqa: S311 - jitter, not a secret


def _services(wiring: Wiring) -> tuple[PaymentGateway, InventoryService]:
    if wiring.payments == "mock":
        return MockPaymentGateway(wiring.table), MockInventory(wiring.table)
    return NoPayments(), NoPayments()


_consumed_queue = SqsConsumedQueue(
    connect("sqs", attempt_seconds=3.0), required("QUEUE_URL"), required("DEAD_LETTER_QUEUE_URL")
)
_wiring = Wiring(attempt_seconds=1.0)
handler = background(
    consumer(SettlePayment(_wiring.orders, *_services(_wiring), _wiring.clock), _consumed_queue)
)
