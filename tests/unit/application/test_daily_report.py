from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from examples import CUSTOMER_42, MUGS, STAFF, changed_order, event_of, placed_order
from fakes import FakeClock, InMemoryOrders, InMemoryReports
from orders.application.errors import Forbidden, ReportNotFound
from orders.application.get_daily_report import GetDailyReport
from orders.application.make_daily_report import MakeDailyReport
from orders.domain.status import OrderStatus
from proof.oracle import EARNING, TRANSITIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders.domain.daily_report import DailyReport
    from orders.domain.order import Order, OrderSummary
    from orders.domain.order_id import IdRange

PENDING, PAID = OrderStatus.PENDING, OrderStatus.PAID
SHIPPED, CANCELED = OrderStatus.SHIPPED, OrderStatus.CANCELED
THAT_DAY = date(2026, 11, 23)
MORNING = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Office:
    """The use case over fakes, the morning after."""

    def __init__(self, orders: InMemoryOrders | None = None) -> None:
        self.orders = orders or InMemoryOrders()
        self.reports = InMemoryReports()
        self.clock = FakeClock(MORNING + timedelta(days=1))
        self.report = MakeDailyReport(self.orders, self.reports, self.clock)

    def has(
        self,
        status: OrderStatus = PENDING,
        amount: int = 100,
        currency: str = "USD",
        created_at: datetime = MORNING,
        reason: str | None = None,
    ) -> Order:
        items = (replace(MUGS, quantity=1, unit_amount=amount),)
        order = placed_order(created_at, items=items, currency=currency)
        self.orders.orders[order.order_id] = replace(order, status=status, reason=reason)
        return order

    def that_day(self) -> DailyReport:
        return self.report(THAT_DAY)


def test_orders_are_counted_per_currency_and_status() -> None:
    office = Office()
    office.has(PENDING)
    office.has(PENDING)
    office.has(SHIPPED)
    office.has(PAID, currency="JPY")
    report = office.that_day()
    assert report.orders == {"USD": {PENDING: 2, SHIPPED: 1}, "JPY": {PAID: 1}}
    assert (report.day, report.generated_at) == (THAT_DAY, office.clock.now())


def test_revenue_sums_the_orders_that_earn_per_currency() -> None:
    office = Office()
    amounts = {status: 10**digit for digit, status in enumerate(OrderStatus)}
    for status, amount in amounts.items():
        office.has(status, amount)
        office.has(status, amount)
    office.has(PAID, amount=7, currency="JPY")
    assert office.that_day().revenue == {
        "USD": 2 * sum(amounts[OrderStatus(one)] for one in EARNING),
        "JPY": 7,
    }


def test_the_day_runs_from_midnight_to_midnight_in_utc() -> None:
    office = Office()
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    for instant in (
        midnight - timedelta(milliseconds=1),
        midnight,
        midnight + timedelta(days=1, milliseconds=-1),
        midnight + timedelta(days=1),
    ):
        office.has(created_at=instant)
    assert office.that_day().orders == {"USD": {PENDING: 2}}


def test_a_day_without_orders_has_an_empty_report() -> None:
    office = Office()
    report = office.that_day()
    assert (report.orders, report.revenue, report.cancellation_reasons) == ({}, {}, {})
    assert office.reports.get(THAT_DAY) == report


def test_only_reasons_of_cancellations_are_counted() -> None:
    office = Office()
    for reason in ("expired", "expired", "out-of-stock", None, ""):
        office.has(CANCELED, reason=reason)
    office.has(PAID, reason="by transfer")
    reasons = office.that_day().cancellation_reasons
    assert reasons == {"expired": 2, "out-of-stock": 1, "unspecified": 2}


def test_a_free_text_is_not_told_from_others() -> None:
    """It may name somebody."""
    office = Office()
    for reason in ("Ann moved", "Ann moved", "Expired", "other", "unspecified"):
        office.has(CANCELED, reason=reason)
    assert office.that_day().cancellation_reasons == {"other": 5}


@pytest.mark.parametrize("damage", ["gone from the index", "at a status of a later release"])
def test_orders_of_the_day_that_cannot_be_counted_are_reported_as_left_out(damage: str) -> None:
    """Their first event says that they were created."""
    office = Office()
    counted, left_out = office.has(PAID), office.has()
    others = [office.has(created_at=MORNING + timedelta(days=days)) for days in (-1, 1)]
    for order in (counted, left_out, *others):
        office.orders.events[order.order_id, 1] = event_of(order)
    paid = office.orders.orders[counted.order_id]
    office.orders.events[counted.order_id, 2] = event_of(replace(paid, version=2), counted)
    if damage == "gone from the index":
        del office.orders.orders[left_out.order_id]
    else:
        office.orders.orders[left_out.order_id] = replace(left_out, status="TELEPORTED")
    report = office.that_day()
    assert (report.orders, report.left_out) == ({"USD": {PAID: 1}}, 1)


def test_a_day_counted_completely_leaves_nothing_out() -> None:
    office = Office()
    for status in OrderStatus:
        order = office.has(status)
        office.orders.events[order.order_id, 1] = event_of(order)
    assert office.that_day().left_out == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [(OrderStatus(one), OrderStatus(other)) for one in TRANSITIONS for other in TRANSITIONS[one]],
)
@pytest.mark.parametrize("meanwhile", OrderStatus)
def test_an_order_that_changes_during_the_count_is_counted_once(
    before: OrderStatus, after: OrderStatus, meanwhile: OrderStatus
) -> None:
    """It changes right after any of the statuses was read."""

    class Moving(InMemoryOrders):
        def each_by_status(self, status: OrderStatus, ids: IdRange) -> Iterator[OrderSummary]:
            yield from list(super().each_by_status(status, ids))
            if status is meanwhile:
                for key, order in self.orders.items():
                    self.orders[key] = changed_order(order, after, at=MORNING)

    office = Office(Moving())
    office.has(before)
    changed_first = list(OrderStatus).index(meanwhile) < list(OrderStatus).index(after)
    assert office.that_day().orders == {"USD": {after if changed_first else before: 1}}


def test_the_later_version_counts_whichever_is_read_first() -> None:
    """The index may show an order at its old place after its new one was read."""

    class Lagging(InMemoryOrders):
        def each_by_status(self, status: OrderStatus, ids: IdRange) -> Iterator[OrderSummary]:
            for order in super().each_by_status(PENDING, ids):
                if status is PENDING:
                    yield replace(order, status=CANCELED, version=2)
                if status is PAID:
                    yield order

    office = Office(Lagging())
    office.has(PENDING)
    assert office.that_day().orders == {"USD": {CANCELED: 1}}


def test_a_second_run_overwrites_the_first() -> None:
    office = Office()
    office.has()
    office.that_day()
    office.clock.advance(hours=1)
    office.has()
    second = office.that_day()
    assert office.reports.reports == {THAT_DAY: second}
    assert second.orders == {"USD": {PENDING: 2}}
    assert second.generated_at == office.clock.now()


def test_only_staff_read_the_report() -> None:
    office = Office()
    report = office.that_day()
    get = GetDailyReport(office.reports)
    assert get(STAFF, THAT_DAY) is report
    with pytest.raises(Forbidden):
        get(CUSTOMER_42, THAT_DAY)


def test_a_day_without_a_report_is_not_found() -> None:
    with pytest.raises(ReportNotFound):
        GetDailyReport(InMemoryReports())(STAFF, THAT_DAY)
