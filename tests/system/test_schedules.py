"""The scheduled tasks: the daily report, and the expiry of unpaid orders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from infrastructure.templates import compiled
from local_stack import STACK
from orders.domain.status import OrderStatus
from system.past_orders import PastOrders

if TYPE_CHECKING:
    from system.deployment import Caller, Deployment, Json


@pytest.fixture(scope="module")
def past(deployment: Deployment) -> PastOrders:
    return PastOrders(deployment)


def scheduled(time: datetime) -> Json:
    """The part of EventBridge's event that the functions read."""
    return {"detail-type": "Scheduled Event", "time": f"{time:%Y-%m-%dT%H:%M:%SZ}", "detail": {}}


def test_every_schedule_of_the_template_is_deployed(deployment: Deployment) -> None:
    events = deployment.aws("events")
    deployed = {
        target["Arn"].rpartition(":")[2]: (rule["ScheduleExpression"], rule["State"])
        for rule in events.list_rules()["Rules"]
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    }
    template = compiled("local")
    assert deployed == {
        f"{STACK}-{template.target(target['Arn'])}": (rule["ScheduleExpression"], rule["State"])
        for rule in template.properties("AWS::Events::Rule").values()
        for target in rule["Targets"]
    }


def test_the_report_counts_the_day_before(
    deployment: Deployment, staff: Caller, past: PastOrders
) -> None:
    # A day without other tests' orders, and too young for its orders to expire.
    day = (datetime.now(UTC) - timedelta(days=10)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    next_day = day + timedelta(days=1)
    instant = timedelta(milliseconds=1)
    past.place(day)
    past.place(day, OrderStatus.PAID)
    past.place(next_day - instant, OrderStatus.PAID, OrderStatus.SHIPPED)
    past.place(day, OrderStatus.CANCELED, reason="of two minds")
    canceled = past.place(day, OrderStatus.CANCELED)
    past.place(day - instant, OrderStatus.PAID)
    past.place(next_day, OrderStatus.PAID)

    event = scheduled(next_day + timedelta(minutes=30))
    result = deployment.invoke("daily-report", event)
    report = staff.http.get(f"/reports/daily/{day.date()}").raise_for_status().json()

    assert result == {"date": f"{day.date()}", "orders": 5}
    assert report["date"] == result["date"]
    assert report["orders"] == {"USD": {"PENDING": 1, "PAID": 1, "SHIPPED": 1, "CANCELED": 2}}
    assert report["revenue"] == {"USD": 2 * 5997}
    assert report["cancellationReasons"] == {"other": 1, "unspecified": 1}
    assert report["leftOut"] == 0

    staff.patch(canceled.order_id, "CANCELED").raise_for_status()
    past.place(day)
    deployment.invoke("daily-report", {"date": result["date"]})
    again = staff.http.get(f"/reports/daily/{day.date()}").json()
    assert again["orders"]["USD"]["PENDING"] == 2
    assert again["generatedAt"] > report["generatedAt"]


def test_orders_unpaid_for_14_days_are_canceled_once(
    deployment: Deployment, staff: Caller, past: PastOrders
) -> None:
    now = datetime.now(UTC)
    stale = past.place(now - timedelta(days=14, minutes=5))
    young = past.place(now - timedelta(days=13, hours=23))
    paid = past.place(now - timedelta(days=15), OrderStatus.PAID)
    event = scheduled(now)

    assert deployment.invoke("expire-stale-orders", event) == {"expired": 1}
    assert deployment.invoke("expire-stale-orders", event) == {"expired": 0}

    assert staff.get(stale.order_id).json()["status"] == "CANCELED"
    last = staff.timeline(stale.order_id)[-1]
    assert (last["actor"], last["reason"]) == ("system:expire-stale-orders", "expired")
    assert staff.get(young.order_id).json()["status"] == "PENDING"
    assert staff.get(paid.order_id).json()["status"] == "PAID"
