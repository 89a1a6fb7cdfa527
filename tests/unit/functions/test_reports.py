"""The daily report: made on schedule, read over HTTP."""

from __future__ import annotations

import traceback
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from api import Api
from examples import placed_order
from gateway import STAFF_CLAIMS
from orders.application.make_daily_report import MakeDailyReport
from orders.functions.daily_report import reporter
from orders.telemetry import background

CONTEXT = SimpleNamespace(aws_request_id="one")


def scheduled(time: str = "2026-11-24T00:30:00Z") -> dict[str, Any]:
    """What EventBridge hands over, as far as it is read."""
    return {"detail-type": "Scheduled Event", "source": "aws.events", "time": time}


@pytest.fixture
def api() -> Api:
    api = Api()
    order = placed_order()
    api.orders.orders[order.order_id] = order
    api.clock.advance(days=1)
    return api


def make(api: Api, event: dict[str, Any]) -> dict[str, Any]:
    handler = background(reporter(MakeDailyReport(api.orders, api.reports, api.clock)))
    return handler(event, CONTEXT)


def test_the_schedule_reports_on_the_day_before(api: Api) -> None:
    assert make(api, scheduled()) == {"date": "2026-11-23", "orders": 1}
    response = api.get("/reports/daily/2026-11-23", STAFF_CLAIMS)
    assert response.status == 200
    assert response.json == {
        "date": "2026-11-23",
        "generatedAt": "2026-11-24T12:00:00.123Z",
        "orders": {"USD": {"PENDING": 1}},
        "revenue": {},
        "cancellationReasons": {},
        "leftOut": 0,
    }
    assert response.headers["Cache-Control"] == "private, no-cache"


def test_any_day_can_be_reported_on_by_hand(api: Api) -> None:
    assert make(api, {"date": "2026-11-22"}) == {"date": "2026-11-22", "orders": 0}
    assert set(api.reports.reports) == {date(2026, 11, 22)}


@pytest.mark.parametrize(
    "event",
    [{"date": "secret"}, {"date": 5}, {"time": "secret"}, {"time": "0001-01-01T00:00:00Z"}, {}],
)
def test_an_event_without_a_date_fails_and_is_not_quoted(api: Api, event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="neither a date nor a time that can be read") as failed:
        make(api, event)
    assert "secret" not in "".join(traceback.format_exception(failed.value))


@pytest.mark.parametrize(
    ("time", "day"),
    [("2026-11-24T00:00:00Z", "2026-11-23"), ("2026-11-23T23:59:59Z", "2026-11-22")],
)
def test_the_schedules_time_decides_which_day_is_reported(api: Api, time: str, day: str) -> None:
    """However late a retry is."""
    api.clock.advance(days=3)
    assert make(api, scheduled(time))["date"] == day


@pytest.mark.parametrize(
    "day",
    [
        *("2026-11-22", "2026-11-31", "2026-02-30", "0000-01-01", "20261123", "2026-W48-1"),
        *("today", "2026-11-23T00:00:00Z", "2026-1-1", "２０２６-11-23", "2026-11-23%0A", "%FF"),
    ],
)
def test_a_missing_report_or_an_invalid_date_is_not_found(api: Api, day: str) -> None:
    make(api, scheduled())
    response = api.get(f"/reports/daily/{day}", STAFF_CLAIMS)
    assert (response.status, response.problem) == (404, "report-not-found")
