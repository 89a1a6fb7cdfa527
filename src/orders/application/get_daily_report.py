"""Read a day's report."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orders.application.errors import ReportNotFound

if TYPE_CHECKING:
    from datetime import date

    from orders.application.caller import Caller
    from orders.application.ports import ReportRepository
    from orders.domain.daily_report import DailyReport


class GetDailyReport(NamedTuple):
    """For staff."""

    reports: ReportRepository

    def __call__(self, caller: Caller, day: date) -> DailyReport:
        """Raises Forbidden, ReportNotFound."""
        caller.require_staff()
        report = self.reports.get(day)
        if report is None:
            raise ReportNotFound
        return report
