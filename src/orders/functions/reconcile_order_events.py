"""Scheduled: looks for timeline entries that are missing, and makes up for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orders.adapters import sqs
from orders.adapters.system import SystemClock
from orders.application.reconcile_order_events import ReconcileOrderEvents
from orders.domain.errors import MalformedRow
from orders.environment import required
from orders.functions import wiring
from orders.telemetry import about_no_order, about_order, background, count, logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.domain.order_id import OrderId

_LEFT_MILLISECONDS: Final = 45_000
"""What is kept back of the function's time.

By the clients' timeouts and pauses an order takes 40 seconds at worst: 8 each to read it and to
write an entry, 12 for each of two events. To search on takes less between two looks at the time.
"""


class OutOfTime(Exception):
    """Not every order was looked at. The next run starts from the same end, so this one fails."""


def reconciler(
    reconcile: ReconcileOrderEvents,
) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    def restore(order_id: OrderId) -> list[bool]:
        restored = []
        about_order(order_id)
        try:
            for entry in reconcile.restore(order_id):
                restored.append(entry.is_restored)
                logger.warning(
                    "timeline entry missing", version=entry.version, restored=entry.is_restored
                )
                count("MissingTimelineEntries")
        except MalformedRow:
            # It must not keep those behind it from being looked at.
            logger.exception("order not reconciled")
            count("OrdersUnreadable")
        about_no_order()
        return restored

    def handle(_event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's
        missing: list[bool] = []
        for lacking in reconcile.find():
            _require_time(context)
            for order_id in lacking:
                _require_time(context)
                missing += restore(order_id)
        logger.info("orders reconciled", missing=len(missing), restored=sum(missing))
        return {"missing": len(missing), "restored": sum(missing)}

    return handle


def _require_time(context: Any) -> None:  # noqa: ANN401 - Lambda's
    if context.get_remaining_time_in_millis() <= _LEFT_MILLISECONDS:
        raise OutOfTime


handler = background(
    reconciler(
        ReconcileOrderEvents(
            wiring.orders(wiring.table(attempt_seconds=1.0)),
            sqs.SqsEventPublisher(sqs.connect(), required("QUEUE_URL")),
            SystemClock(),
        )
    )
)
