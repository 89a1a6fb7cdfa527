"""One order's life, for the document's examples: made by the code that makes real answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec

from orders.application.caller import Caller
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.changes import TimelineEntry
from orders.domain.daily_report import DailyReport
from orders.domain.order import CustomerId, NewOrder, OrderItem
from orders.domain.order_id import make_order_id
from orders.domain.status import OrderStatus
from orders.http.bodies import (
    DailyReportBody,
    OrderBody,
    OrderPageBody,
    OrderSummaryBody,
    TimelineEntryBody,
    TimelinePageBody,
)
from orders.http.cursor import encode_cursor

_CREATED: Final = datetime(2026, 11, 23, 4, 36, 0, 123_000, UTC)
_PAID: Final = _CREATED + timedelta(minutes=3)
_STAFF: Final = Caller(CustomerId("usr_7"), is_staff=True)

REQUEST_ID: Final = "JKJaXmPLvHcESHA="
CUSTOMER_ID: Final = CustomerId("cus_42")
ORDER_ID: Final = make_order_id(_CREATED, bytes.fromhex("c3e1f003d1f6a2b4c5d6"))
DAY: Final = date(2026, 11, 23)
CURSOR: Final = encode_cursor(("status",), ORDER_ID)

_placed: Final = NewOrder(
    customer_id=CUSTOMER_ID,
    currency="USD",
    items=(OrderItem("MUG-01", "Mug", 3, 1999),),
    metadata={"channel": "web"},
).placed(ORDER_ID, by=CUSTOMER)
_paid: Final = _placed.changed_to(OrderStatus.PAID, by=_STAFF.actor, at=_PAID)
_canceled: Final = _placed.changed_to(
    OrderStatus.CANCELED, by=CUSTOMER, at=_PAID, reason="changed my mind"
)
_entry: Final = TimelineEntry(
    order_id=ORDER_ID,
    version=1,
    status=OrderStatus.PENDING,
    previous_status=None,
    actor=CUSTOMER,
    reason=None,
    changed_at=_CREATED,
)


def _plain(body: msgspec.Struct) -> Any:  # noqa: ANN401 - JSON
    return msgspec.to_builtins(body)


NEW_ORDER: Final = {
    "customerId": CUSTOMER_ID,
    "currency": "USD",
    "items": [{"sku": "MUG-01", "name": "Mug", "quantity": 3, "unitAmount": 1999}],
    "metadata": {"channel": "web"},
}
NEW_ORDER_PAID_BY_TOKEN: Final = {
    "customerId": CUSTOMER_ID,
    "currency": "JPY",
    "items": [{"sku": "TEA.sencha", "name": "Sencha 100 g", "quantity": 2, "unitAmount": 1200}],
    "amount": 2400,
    "paymentToken": "tok_approve",
}
PENDING_ORDER: Final = _plain(OrderBody.of(_placed))
PAID_ORDER: Final = _plain(OrderBody.of(_paid))
CANCELED_ORDER: Final = _plain(OrderBody.of(_canceled))
ORDER_PAGE: Final = _plain(OrderPageBody([OrderSummaryBody.of(_placed)], CURSOR))
LAST_ORDER_PAGE: Final = _plain(OrderPageBody([OrderSummaryBody.of(_placed)], None))
TIMELINE: Final = _plain(
    TimelinePageBody(
        [
            TimelineEntryBody.of(_entry, _STAFF),
            TimelineEntryBody.of(
                replace(
                    _entry,
                    version=2,
                    status=OrderStatus.PAID,
                    previous_status=OrderStatus.PENDING,
                    actor=Actor.system("settle-payments"),
                    changed_at=_PAID,
                ),
                _STAFF,
            ),
            TimelineEntryBody.of(
                replace(
                    _entry,
                    version=3,
                    status=OrderStatus.CANCELED,
                    previous_status=OrderStatus.PAID,
                    actor=_STAFF.actor,
                    reason="damaged in the warehouse",
                    changed_at=_PAID + timedelta(hours=2),
                ),
                _STAFF,
            ),
        ],
        None,
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
            cancellation_reasons={"changed my mind": 2, "payment-declined": 1},
        )
    )
)
