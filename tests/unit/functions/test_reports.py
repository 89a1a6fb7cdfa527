"""The daily report: made on schedule, read over HTTP."""

from __future__ import annotations

import traceback
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from api import Api
from examples import placed_order
from gateway import CUSTOMER_CLAIMS, STAFF_CLAIMS
from orders.application.make_daily_report import MakeDailyReport
from orders.functions.daily_report import reporter
from orders.telemetry import background

NO_REPORTS = [
    *("2026-11-22", "2026-11-31", "2026-02-30", "0000-01-01", "20261123", "2026-W48-1", "today"),
    *("2026-11-23T00:00:00Z", "2026-1-1", "２０２６-11-23", "2026-11-23%0A", "%FF"),
]
CONTEXT = SimpleNamespace(aws_request_id="one")


def scheduled(time: str = "2026-11-24T00:30:00Z") -> dict[str, Any]:
    """What EventBridge hands over."""
    return {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": time,
        "region": "ap-southeast-1",
        "resources": ["arn:aws:events:ap-southeast-1:123456789012:rule/daily"],
        "detail": {},
    }


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


def test_on_schedule_the_day_before_is_reported(api: Api) -> None:
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


def test_by_hand_any_day_is_reported(api: Api) -> None:
    assert make(api, {"date": "2026-11-22"}) == {"date": "2026-11-22", "orders": 0}
    assert set(api.reports.reports) == {date(2026, 11, 22)}


@pytest.mark.parametrize(
    "event",
    [{"date": "secret"}, {"date": 5}, {"time": "secret"}, {"time": "0001-01-01T00:00:00Z"}, {}],
)
def test_a_day_that_is_none_fails_loudly_and_is_not_quoted(api: Api, event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="neither a date nor a time that can be read") as failed:
        make(api, event)
    assert "secret" not in "".join(traceback.format_exception(failed.value))


def test_right_after_midnight_the_day_that_has_ended_is_reported(api: Api) -> None:
    assert make(api, scheduled("2026-11-24T00:00:00Z"))["date"] == "2026-11-23"
    assert make(api, scheduled("2026-11-23T23:59:59Z"))["date"] == "2026-11-22"


def test_a_retry_after_the_next_midnight_reports_the_same_day(api: Api) -> None:
    api.clock.advance(days=1)
    assert make(api, scheduled())["date"] == "2026-11-23"


def test_the_report_is_for_staff(api: Api) -> None:
    make(api, scheduled())
    response = api.get("/reports/daily/2026-11-23", CUSTOMER_CLAIMS)
    assert (response.status, response.problem) == (403, "forbidden")


@pytest.mark.parametrize("day", NO_REPORTS)
def test_a_day_without_a_report_is_not_found(api: Api, day: str) -> None:
    make(api, scheduled())
    response = api.get(f"/reports/daily/{day}", STAFF_CLAIMS)
    assert (response.status, response.problem) == (404, "report-not-found")


def test_a_parameter_that_is_not_known_is_refused(api: Api) -> None:
    response = api.get("/reports/daily/2026-11-23?currency=USD", STAFF_CLAIMS)
    assert response.problem == "malformed-request"
