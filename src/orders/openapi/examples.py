"""The document's examples: one order's life, rendered by the code that makes real responses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from orders.application.caller import Caller
from orders.domain import timestamps
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.customer_id import CustomerId
from orders.domain.daily_report import DailyReport
from orders.domain.order_id import make_order_id
from orders.domain.status import OrderStatus
from orders.http.bodies import (
    DailyReportBody,
    EventPageBody,
    NewOrderBody,
    OrderBody,
    OrderPageBody,
    OrderSummaryBody,
    TimelineEventBody,
    TimelinePageBody,
)
from orders.http.cursor import encode_cursor

if TYPE_CHECKING:
    from orders.domain.events import CloudEvent

_CREATED: Final = datetime(2026, 11, 23, 4, 36, 0, 123_000, UTC)
_PAID: Final = _CREATED + timedelta(minutes=3)
_STAFF: Final = Caller(CustomerId("usr_7"), is_staff=True)

REQUEST_ID: Final = "JKJaXmPLvHcESHA="
CUSTOMER_ID: Final = CustomerId("cus_42")
ORDER_ID: Final = make_order_id(_CREATED, bytes.fromhex("c3e1f0"))
DAY: Final = date(2026, 11, 23)
CURSOR: Final = encode_cursor(("status",), ORDER_ID)

NEW_ORDER: Final = {
    "customerId": CUSTOMER_ID,
    "currency": "USD",
    "items": [{"sku": "MUG-01", "name": "Mug", "quantity": 3, "unitAmount": 1999}],
    "metadata": {"channel": "web"},
}
NEW_ORDER_PAID_BY_TOKEN: Final = NEW_ORDER | {"amount": 5997, "paymentToken": "tok_approve"}
_new_order: Final = msgspec.convert(NEW_ORDER, NewOrderBody).to_domain()
_placed, _creation = _new_order.placed(ORDER_ID, by=CUSTOMER)
_paid, _payment = _placed.changed_to(OrderStatus.PAID, by=Actor.system("settle-payments"), at=_PAID)
_shipped, _shipment = _paid.changed_to(
    OrderStatus.SHIPPED, by=_STAFF.actor, at=_PAID + timedelta(hours=1)
)
_returned, _cancellation = _paid.changed_to(
    OrderStatus.CANCELED,
    by=_STAFF.actor,
    at=_PAID + timedelta(hours=2),
    reason="damaged in the warehouse",
)
_canceled, _ = _placed.changed_to(
    OrderStatus.CANCELED, by=CUSTOMER, at=_PAID, reason="changed my mind"
)
_events: Final = (_creation, _payment, _cancellation)
EVENTS: Final[dict[str, CloudEvent]] = {
    event.type: event.to_cloud_event() for event in (*_events, _shipment)
}
"""By their types."""


def _plain(body: msgspec.Struct) -> Any:  # noqa: ANN401 - JSON
    return msgspec.to_builtins(body)


PENDING_ORDER: Final = _plain(OrderBody.of(_placed))
PAID_ORDER: Final = _plain(OrderBody.of(_paid))
CANCELED_ORDER: Final = _plain(OrderBody.of(_canceled))
ORDER_PAGE: Final = _plain(OrderPageBody([OrderSummaryBody.of(_placed)], CURSOR))
LAST_ORDER_PAGE: Final = _plain(OrderPageBody([OrderSummaryBody.of(_placed)], None))
TIMELINE: Final = _plain(
    TimelinePageBody([TimelineEventBody.of(event, _STAFF) for event in _events], None)
)
EVENT_PAGE: Final = _plain(
    EventPageBody(
        [event.to_cloud_event() for event in _events],
        encode_cursor(("events",), f"{timestamps.to_text(_PAID)}#{ORDER_ID}#0000000003"),
    )
)
DAILY_REPORT: Final = _plain(
    DailyReportBody.of(
        DailyReport(
            day=DAY,
            generated_at=datetime(2026, 11, 24, 0, 30, 0, 42_000, UTC),
            orders={
                "USD": {OrderStatus.PENDING: 4, OrderStatus.PAID: 11, OrderStatus.CANCELED: 3},
                "JPY": {OrderStatus.SHIPPED: 2},
            },
            revenue={"USD": 65967, "JPY": 4800},
            cancellation_reasons={"other": 2, "payment-declined": 1},
            left_out=0,
        )
    )
)
