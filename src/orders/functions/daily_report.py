"""Scheduled: makes the report of the UTC day that has ended."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from orders.adapters.dynamodb.repository import DynamoDbReports
from orders.adapters.system import SystemClock
from orders.application.make_daily_report import MakeDailyReport
from orders.functions import wiring
from orders.telemetry import background, logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.application.ports import Clock


def reporter(
    make_report: MakeDailyReport, clock: Clock
) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The report of the day before; invoked by hand with `{"date": "2026-11-23"}`, of that day."""

    def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
        yesterday = clock.now().date() - timedelta(days=1)
        day = date.fromisoformat(event["date"]) if "date" in event else yesterday
        report = make_report(day)
        orders = sum(sum(counts.values()) for counts in report.orders.values())
        logger.info("daily report made", day=day.isoformat(), orders=orders)
        return {"date": day.isoformat(), "orders": orders}

    return handle


_table = wiring.table()
_clock = SystemClock()
handler = background(
    reporter(MakeDailyReport(wiring.orders(_table), DynamoDbReports(_table), _clock), _clock)
)
