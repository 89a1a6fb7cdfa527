"""Count one UTC day's orders and money."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from orders.domain.daily_report import DailyReport
from orders.domain.order_id import IdRange
from orders.domain.reasons import platform_reason
from orders.domain.status import EARNING, OrderStatus

if TYPE_CHECKING:
    from datetime import date

    from orders.application.ports import Clock, OrderRepository, ReportRepository
    from orders.domain.order import OrderSummary
    from orders.domain.order_id import OrderId


class MakeDailyReport(NamedTuple):
    """Reads only the day's part of the index. A rerun overwrites the report."""

    orders: OrderRepository
    reports: ReportRepository
    clock: Clock

    def __call__(self, day: date) -> DailyReport:
        generated_at = self.clock.now()
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        created = set(self.orders.each_created(midnight, midnight + timedelta(days=1)))
        counted = self._orders_of(day)
        counts: dict[str, Counter[str]] = {}
        revenue: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        for order in counted.values():
            counts.setdefault(order.currency, Counter())[order.status] += 1
            if order.status in EARNING:
                revenue[order.currency] += order.amount
            if order.status is OrderStatus.CANCELED:
                reasons[_counted_as(order.reason)] += 1
        report = DailyReport(
            day=day,
            generated_at=generated_at,
            orders=counts,
            revenue=revenue,
            cancellation_reasons=reasons,
            left_out=len(created - counted.keys()),
        )
        self.reports.put(report)
        return report

    def _orders_of(self, day: date) -> dict[OrderId, OrderSummary]:
        """Reads the statuses in lifecycle order: an order that changes meanwhile is found again.

        Only the index's lag, of milliseconds, can hide it.
        """
        ids = IdRange.of_day(day)
        newest: dict[OrderId, OrderSummary] = {}
        for status in OrderStatus:
            for order in self.orders.each_by_status(status, ids):
                seen = newest.get(order.order_id)
                if seen is None or seen.version < order.version:
                    newest[order.order_id] = order
        return newest


def _counted_as(reason: str | None) -> str:
    """Free texts are not told apart: they may name people, whom a report can't forget."""
    return (platform_reason(reason) or "other") if reason else "unspecified"
