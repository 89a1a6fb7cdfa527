"""Daily reports in the single table."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from orders.adapters.dynamodb import keys
from orders.adapters.dynamodb.rows import SCHEMA_VERSION, reads
from orders.domain import timestamps
from orders.domain.daily_report import DailyReport
from orders.domain.status import known_status

if TYPE_CHECKING:
    from orders.adapters.dynamodb.rows import Row
    from orders.adapters.dynamodb.table import Table


class DynamoDbReports(NamedTuple):
    """`ReportRepository` on the same table."""

    table: Table

    def put(self, report: DailyReport) -> None:
        self.table.write(self.table.put(report_row(report)))

    def get(self, day: date) -> DailyReport | None:
        row = self.table.get(keys.daily_report(day))
        return None if row is None else report_from(row)


def report_row(report: DailyReport) -> Row:
    return keys.daily_report(report.day) | {
        "schemaVersion": SCHEMA_VERSION,
        "generatedAt": timestamps.to_text(report.generated_at),
        "orders": {
            currency: {str(status): count for status, count in counts.items()}
            for currency, counts in report.orders.items()
        },
        "revenue": dict(report.revenue),
        "cancellationReasons": dict(report.cancellation_reasons),
        "leftOut": report.left_out,
    }


@reads("daily report")
def report_from(row: Row) -> DailyReport:
    """Raises MalformedRow, NewerRow."""
    return DailyReport(
        day=date.fromisoformat(row["sk"]),
        generated_at=timestamps.from_text(row["generatedAt"]),
        orders={
            currency: {known_status(status): count for status, count in counts.items()}
            for currency, counts in row["orders"].items()
        },
        revenue=row["revenue"],
        cancellation_reasons=row["cancellationReasons"],
        left_out=row["leftOut"],
    )
