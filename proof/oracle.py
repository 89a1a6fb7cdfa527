"""The contract's rules, stated a second time: what an order is, how it moves, who may do what.

The code in src/ states them first; this module shares nothing with it, so that each can contradict
the other. Whatever judges the platform asks here: the model, the history checker, the access matrix
and the tests. A change of a rule is a change in src/ and a change here, and nowhere else.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from proof.order_number import order_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Statuses.

TRANSITIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "PENDING": ("PAID", "CANCELED"),
    "PAID": ("SHIPPED", "CANCELED"),
    "SHIPPED": (),
    "CANCELED": (),
}
"""Where an order can go from each status; in the order in which responses list them."""
STATUSES: Final = tuple(TRANSITIONS)
FIRST_STATUS: Final = "PENDING"
EARNING: Final = frozenset({"PAID", "SHIPPED"})
"""The day's revenue is the amounts of these orders."""
GIVING_BACK: Final = frozenset({"CANCELED"})
"""An order that rests here has no live charge and no reservation."""
STALE_AFTER: Final = timedelta(days=14)
"""An order that is still at its first status by then is canceled."""


def path_to(status: str) -> tuple[str, ...]:
    """The fewest changes that bring a new order to the status: none to the first one."""
    paths: list[tuple[str, ...]] = [()]
    for path in paths:
        last = path[-1] if path else FIRST_STATUS
        if last == status:
            return path
        paths += [(*path, after) for after in TRANSITIONS[last]]
    raise AssertionError(f"Nothing leads to {status}.")


# Events.


def event_type(status: str, previous: str | None) -> str:
    """The type of the event that left the order at `status`; `previous` is None for a new order."""
    return "ORDER_CREATED" if previous is None else f"ORDER_{status}"


FORGOTTEN: Final = "CUSTOMER_FORGOTTEN"
"""The type of the event by which an order, at any status, loses its customer."""

EVENT_TYPES: Final = (
    event_type(FIRST_STATUS, None),
    *(event_type(status, "") for status in STATUSES if status != FIRST_STATUS),
    FORGOTTEN,
)

EVENT_DATA: Final = ("orderId", "customerId", "status", "amount", "currency", "version")
"""What every event tells of its order, beside the order's number."""


def event_of(image: Mapping[str, Any], previous: str | None) -> dict[str, Any]:
    """The event that left an order as the table has it; `previous` is None for a new order."""
    data = {name: image[name] for name in EVENT_DATA}
    more = {"previousStatus": previous, "reason": image.get("reason")}
    data |= {name: value for name, value in more.items() if value is not None}
    return {
        "specversion": "1.0",
        "id": f"{image['orderId']}/{image['version']}",
        "source": "/orders",
        "type": event_type(image["status"], previous),
        "subject": image["orderId"],
        "time": image["updatedAt"],
        "datacontenttype": "application/json",
        "data": data | {"orderNumber": order_number(image["orderId"])},
    }


def timeline_entry(
    image: Mapping[str, Any], previous: str | None, actor: str | None
) -> dict[str, Any]:
    """How the timeline shows the version; staff are also told the `actorId` of staff."""
    return {
        "version": image["version"],
        "status": image["status"],
        "previousStatus": previous,
        "actor": actor,
        "reason": image.get("reason"),
        "changedAt": image["updatedAt"],
    }


# Who may do what.


class Audience(StrEnum):
    """Whom a route serves, and how it turns others away; staff are served by every route."""

    EVERYONE = "everyone, without a token"
    OWNER = "the order's customer; to others there is no such order"
    CUSTOMER = "the customer that the request names; others are forbidden"
    STAFF = "staff; customers are forbidden"


class Shows(StrEnum):
    """What the body of a success is."""

    ORDER = "an order"
    SUMMARIES = "a page of summaries"
    TIMELINE = "a page of an order's events"
    FEED = "a page of CloudEvents"
    REPORT = "a daily report"
    HEALTH = "status and version"
    OTHER = "anything"


class Route(NamedTuple):
    """A route of the API: its function, whom it serves, what it shows."""

    function: str
    audience: Audience
    shows: Shows = Shows.OTHER


ROUTES: Final[Mapping[str, Route]] = {
    "POST /orders": Route("create-order", Audience.CUSTOMER, Shows.ORDER),
    "GET /orders": Route("list-orders-by-status", Audience.STAFF, Shows.SUMMARIES),
    "GET /orders/{orderId}": Route("get-order", Audience.OWNER, Shows.ORDER),
    "PATCH /orders/{orderId}": Route("update-order", Audience.OWNER, Shows.ORDER),
    "GET /orders/{orderId}/timeline": Route("get-order-timeline", Audience.OWNER, Shows.TIMELINE),
    "GET /customers/{customerId}/orders": Route(
        "list-customer-orders", Audience.CUSTOMER, Shows.SUMMARIES
    ),
    "GET /events": Route("list-events", Audience.STAFF, Shows.FEED),
    "GET /reports/daily/{date}": Route("get-daily-report", Audience.STAFF, Shows.REPORT),
    "GET /health": Route("health", Audience.EVERYONE, Shows.HEALTH),
    "GET /openapi.json": Route("api-docs", Audience.EVERYONE),
    "GET /docs": Route("api-docs", Audience.EVERYONE),
    "GET /desk": Route("desk", Audience.EVERYONE),
}


def customer_may_request(status: str, *, of: str) -> bool:
    """Whether a customer may ask that their own order, which is at `of`, become `status`."""
    return status == "CANCELED" and of in {"PENDING", "CANCELED"}


SETTLEMENT: Final = "settle-payments"
"""The function that charges orders and takes back what it charged."""
EXPIRY: Final = "expire-stale-orders"
PLATFORM_REASONS: Final = frozenset({"expired", "out-of-stock", "payment-declined"})
"""Reasons that the platform gives by itself, and that no caller can give."""

# Fields.

ABSENT: Final = object()
"""The default of a field that the order has only if it was sent."""
REQUIRED: Final = object()
"""The default of a field that must be sent."""


class Field(NamedTuple):
    """A field of the order. `sent` has values that a client may send, none where it may not.

    `refused` has values just beyond the field's limits, and of other types.
    """

    sent: tuple[Any, ...] = ()
    default: object = None
    refused: tuple[Any, ...] = ()
    in_summary: bool = False
    changes: bool = False
    """Whether a change of status can change it."""


ORDER: Final[Mapping[str, Field]] = {
    "orderId": Field(in_summary=True),
    "orderNumber": Field(in_summary=True),
    "customerId": Field(in_summary=True),
    "status": Field(in_summary=True, changes=True),
    "amount": Field(in_summary=True),
    "currency": Field(
        ("USD", "JPY", "BHD"), REQUIRED, ("usd", "ZZZ", "USD\n", None), in_summary=True
    ),
    "items": Field(),
    "metadata": Field(
        ({}, {"zone": "Tasse à café ☕", "channel": "web", "a": ""}), {}, ([], 1, None)
    ),
    "version": Field(in_summary=True, changes=True),
    "allowedTransitions": Field(changes=True),
    "createdAt": Field(in_summary=True),
    "updatedAt": Field(in_summary=True, changes=True),
}
"""What the API shows of an order. The platform makes what no client sends; the customer's id, the
items and the amount, which they add up to, are drawn where they are sent."""
ITEM: Final[Mapping[str, Field]] = {
    "sku": Field(
        ("MUG-01", "S&M #2/6", "MUG-01", "OUT-OF-STOCK_1"), REQUIRED, ("", "s" * 65, 1, None)
    ),
    "name": Field(
        ("Mug", "Tasse à café", "☕🫖", 'a "b" \\ c', "\x00\x1f\x7f", "é" * 200),
        REQUIRED,
        ("", "n" * 201, 1, None),
    ),
    "quantity": Field((1, 3, 400), REQUIRED, (0, 1_000_001, "1", 1.0, None)),
    "unitAmount": Field((1999, 0, 1, 10**12), REQUIRED, (-1, 10**12 + 1, "1", 1.0, None)),
}
"""The fields of an item."""
PAYMENT_TOKENS: Final = ("tok_approve", "tok_decline", "tok_unavailable")
"""What the mock gateway knows; sent with an order, and never shown."""

OPTIONAL: Final = frozenset(name for name, field in ORDER.items() if field.default is ABSENT)
"""Absent, never null, where they were not sent."""
SUMMARY_FIELDS: Final = frozenset(name for name, field in ORDER.items() if field.in_summary)
TIMELINE_FIELDS: Final = frozenset(
    {"version", "status", "previousStatus", "actor", "reason", "changedAt"}
)
EVENT_FIELDS: Final = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"}
)
REPORT_FIELDS: Final = frozenset(
    {"date", "generatedAt", "orders", "revenue", "cancellationReasons", "leftOut"}
)


def required(fields: Mapping[str, Field]) -> dict[str, Any]:
    """The least that a client can send of these fields."""
    return {name: field.sent[0] for name, field in fields.items() if field.default is REQUIRED}


def smallest_order(customer_id: str) -> dict[str, Any]:
    """The least that a client can send to place an order."""
    return required(ORDER) | {"customerId": customer_id, "items": [required(ITEM)]}


def as_sent(content: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """What the API shows of the fields that clients send, for an order or an item sent so."""
    shown = {name: content.get(name, field.default) for name, field in fields.items() if field.sent}
    return {name: value for name, value in shown.items() if value is not ABSENT}


# Prices.


def amount_of(items: list[dict[str, Any]]) -> int:
    """What the items come to, in the currency's minor unit."""
    return sum(item["quantity"] * item["unitAmount"] for item in items)


def settled(items: list[dict[str, Any]], token: str | None) -> tuple[str, str | None]:
    """What becomes of an order that pays by this token: its status, and the reason."""
    if any(item["sku"].startswith("OUT-OF-STOCK") for item in items):
        return "CANCELED", "out-of-stock"
    if amount_of(items) > 0 and token not in {"tok_approve", "tok_unavailable"}:
        return "CANCELED", "payment-declined"
    return "PAID", None


def report_of(orders: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What a daily report counts, of orders as the table has them."""
    counts: dict[str, Counter[str]] = {}
    revenue: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for order in orders:
        counts.setdefault(order["currency"], Counter())[order["status"]] += 1
        if order["status"] in EARNING:
            revenue[order["currency"]] += order["amount"]
        if order["status"] == "CANCELED":
            reasons[_counted_as(order.get("reason"))] += 1
    return {
        "orders": {currency: dict(each) for currency, each in counts.items()},
        "revenue": dict(revenue),
        "cancellationReasons": dict(reasons),
    }


def _counted_as(reason: str | None) -> str:
    if not reason:
        return "unspecified"
    return reason if reason in PLATFORM_REASONS else "other"


# Pages and times.

PAGE_SIZE: Final = 20
MOST_ON_A_PAGE: Final = 100
FEED_PAGE_SIZE: Final = 100
MOST_ON_A_FEED_PAGE: Final = 1_000
FILTERED_READS: Final = 5
"""Queries that may go into one page of a list under a filter, or of the feed."""
FEED_DELAY: Final = timedelta(seconds=60)
KEYS_ARE_KEPT: Final = timedelta(hours=24)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def instant(moment: datetime) -> str:
    """As the API writes it: RFC 3339 in UTC, with three decimals and `Z`."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def milliseconds(moment: datetime) -> int:
    """Since the epoch, rounded down."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)
