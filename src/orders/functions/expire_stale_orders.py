"""Scheduled: cancels orders that stayed PENDING for too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orders.application.errors import MalformedRow
from orders.application.expire_stale_orders import ExpireStaleOrders
from orders.functions.wiring import Wiring
from orders.telemetry import background, bind_order, count, log_exception, logger, unbind_order

if TYPE_CHECKING:
    from orders.telemetry import Handler

_LEFT_MILLISECONDS: Final = 20_000
"""The time reserved for the last order, which takes this long at worst."""


def expirer(stale: ExpireStaleOrders) -> Handler:
    def handle(_event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's
        expired = 0
        for order_id in stale.find():
            if context.get_remaining_time_in_millis() <= _LEFT_MILLISECONDS:
                # The next run continues. The metric counts, because tomorrow there will be more.
                logger.warning("stale orders left for the next run")
                count("OrdersLeftToExpire")
                break
            bind_order(order_id)
            try:
                if stale.expire(order_id):
                    expired += 1
                    logger.info("order expired")
            except MalformedRow as error:
                # It must not keep the orders after it from expiring, today and every day.
                log_exception("order not expired", error)
                count("OrdersUnreadable")
        unbind_order()
        logger.info("stale orders expired", orders=expired)
        if expired:
            count("OrdersExpired", expired)
        return {"expired": expired}

    return handle


_wiring = Wiring(attempt_seconds=1.0)
handler = background(expirer(ExpireStaleOrders(_wiring.orders, _wiring.clock)))
