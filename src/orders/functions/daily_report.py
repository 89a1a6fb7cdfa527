"""Scheduled: makes the report of the previous UTC day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from orders.application.make_daily_report import MakeDailyReport
from orders.domain import timestamps
from orders.functions.wiring import Wiring
from orders.telemetry import background, count, logger

if TYPE_CHECKING:
    from orders.telemetry import Handler


def reporter(make_report: MakeDailyReport) -> Handler:
    """Reports on the day before the schedule's `time`, which every retry repeats.

    Invoked by hand with `{"date": "2026-11-23"}`, it reports on that day.
    """

    def handle(event: dict[str, Any], _context: object) -> dict[str, Any]:
        day = _day_of(event)
        report = make_report(day)
        orders = sum(sum(counts.values()) for counts in report.orders.values())
        logger.info(
            "daily report made", day=day.isoformat(), orders=orders, left_out=report.left_out
        )
        if report.left_out:
            count("OrdersUnreadable", report.left_out)
        return {"date": day.isoformat(), "orders": orders}

    return handle


def _day_of(event: dict[str, Any]) -> date:
    """Raises ValueError without quoting the event, because Lambda logs the message."""
    try:
        if "date" in event:
            return date.fromisoformat(event["date"])
        return timestamps.from_text(event["time"]).date() - timedelta(days=1)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise ValueError("the event has neither a date nor a time that can be read") from None


_wiring = Wiring()
handler = background(reporter(MakeDailyReport(_wiring.orders, _wiring.reports, _wiring.clock)))
