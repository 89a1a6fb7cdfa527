"""Scheduled: cancels orders that stayed PENDING for too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orders.adapters.system import SystemClock
from orders.application.expire_stale_orders import ExpireStaleOrders
from orders.functions import wiring
from orders.telemetry import background, count, logger

if TYPE_CHECKING:
    from collections.abc import Callable

_LEFT_MILLISECONDS: Final = 20_000
"""What is kept back of the function's time: one order can take that long at worst."""


def expirer(expire: ExpireStaleOrders) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    def handle(_event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's
        expired = expire(lambda: context.get_remaining_time_in_millis() > _LEFT_MILLISECONDS)
        logger.info("stale orders expired", orders=expired)
        if expired:
            count("OrdersExpired", expired)
        return {"expired": expired}

    return handle


handler = background(expirer(ExpireStaleOrders(wiring.orders(wiring.table()), SystemClock())))
