"""The operations that are measured, and what each needs beforehand."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from benchmarks.figures import ROOT
from examples import new_order
from gateway import CUSTOMER_CLAIMS, STAFF_CLAIMS, item_body, order_body, request
from orders.adapters.dynamodb import keys, rows
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.adapters.dynamodb.table import Table
from orders.adapters.mock_payments import APPROVE
from orders.adapters.sqs import event_body
from orders.adapters.system import RandomIds
from orders.domain import actor, timestamps
from orders.domain.customer_id import CustomerId
from orders.http.listing import DEFAULT_FEED_LIMIT
from orders.http.routes import ROUTES
from proof import oracle
from servers import INDEX, client_of, put_all
from stream_records import batch, message, stream_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.systems import Running
    from gateway import Event
    from orders.domain.events import OrderEvent
    from orders.domain.order import Order
    from orders.http.routes import Route

# Ids of 36 characters, as Cognito makes them.
CUSTOMER: Final = CustomerId("3a4b1c52-40f1-70d6-8a5e-b1c2d3e4f506")
STAFF: Final = STAFF_CLAIMS | {"sub": "8f1e2d3c-50a1-7042-9b7c-c6d5e4f30211"}

PAGE: Final = 20
ON_THE_FIRST_PAGE: Final = PAGE + 5
IN_EACH_SHARD: Final = PAGE + 5
"""Orders of the status: each shard could fill the page alone."""

STALE: Final = timedelta(days=15)
FEED_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The day of the events on the measured page of the feed, and of no others."""


@dataclass(frozen=True, slots=True)
class Operation:
    """`prepare` makes what the function needs, which is not measured, and returns the event."""

    name: str
    function: str
    prepare: Callable[[Running], Event]


def create_event(items: int = 1, *, key: bool = False, customer: str = CUSTOMER) -> Event:
    """POST /orders, with a new key or without one."""
    body = order_body(
        customerId=customer,
        metadata={"channel": "web"},
        items=[item_body(sku=f"MUG-{number:02}") for number in range(items)],
    )
    return request("POST", "/orders", body, claims=_claims(customer), headers=_key(given=key))


def _claims(customer: str = CUSTOMER) -> Event:
    return CUSTOMER_CLAIMS | {"sub": customer}


def _key(*, given: bool) -> dict[str, str]:
    return {"idempotency_key": str(uuid.uuid4())} if given else {}


def _create(name: str, items: int = 1, *, key: bool = False) -> Operation:
    return Operation(name, "create-order", lambda _: create_event(items, key=key))


def _get(running: Running, **headers: str) -> Event:
    return request("GET", f"/orders/{_order_id(running)}", claims=_claims(), headers=headers)


def _patch(running: Running, status: str = "PAID", *, key: bool = False) -> Event:
    target, body = f"/orders/{_order_id(running)}", {"status": status}
    return request("PATCH", target, body, claims=STAFF, headers=_key(given=key))


def _order_id(running: Running) -> str:
    """The id of a new order."""
    return str(running.send(create_event())["orderId"])


def _repeated(running: Running, event: Event) -> Event:
    """Send it, so that the retry is measured."""
    running.send(event)
    return event


def _page(running: Running, query: str = "") -> Event:
    customer = str(uuid.uuid4())
    for _ in range(ON_THE_FIRST_PAGE):
        running.send(create_event(customer=customer))
    return request("GET", f"/customers/{customer}/orders{query}", claims=_claims(customer))


def table_of(running: Running) -> Table:
    """Past the meter."""
    return Table(client_of(running.upstream), running.environment["TABLE_NAME"])


def placed(
    created_at: datetime | None = None, shard: int | None = None, token: str | None = None
) -> tuple[Order, OrderEvent]:
    """A new order and its event; in a shard of the index if one is given."""
    at = created_at or datetime.now(UTC)
    order_id = RandomIds().order_id(at)
    while shard is not None and keys.shard_of(order_id) != shard:
        order_id = RandomIds().order_id(at)
    new = new_order(customer_id=CUSTOMER, payment_token=token)
    return new.placed(order_id, by=actor.CUSTOMER)


def _add(running: Running, order: Order, event: OrderEvent) -> None:
    DynamoDbOrders(table_of(running), INDEX).add(order, event, None, datetime.now(UTC))


def _status_page(running: Running) -> Event:
    # Evenly, because chance would now and then put most of a page into one shard.
    for number in range(IN_EACH_SHARD * keys.SHARDS):
        _add(running, *placed(shard=number % keys.SHARDS))
    return request("GET", "/orders?status=PENDING", claims=STAFF)


def _feed_page(running: Running) -> Event:
    """More events than the page takes, evenly in the shards."""
    events = [
        placed(FEED_DAY + timedelta(seconds=number), number % keys.SHARDS)[1]
        for number in range(3 * DEFAULT_FEED_LIMIT)
    ]
    table = table_of(running)
    put_all(table, [rows.event_row(one) for one in events])
    return request("GET", f"/events?recordedFrom={timestamps.to_text(FEED_DAY)}", claims=STAFF)


def stream_batch(size: int = 1) -> Event:
    """Events of new orders, as the table's stream hands them over."""
    events = [placed()[1] for _ in range(size)]
    return batch(*(stream_record("INSERT", None, rows.event_row(event)) for event in events))


def queue_batch(running: Running, token: str | None = None, size: int = 1) -> Event:
    """Events of new orders that are in the table, as the queue hands them over."""
    made = [placed(token=token) for _ in range(size)]
    for order, event in made:
        _add(running, order, event)
    return batch(*(message(event_body(event)) for _, event in made))


def _report(running: Running) -> Event:
    day = datetime.now(UTC).date().isoformat()
    _order_id(running)
    running.invoke("daily-report", {"date": day})
    return request("GET", f"/reports/daily/{day}", claims=STAFF)


def _expiry(running: Running) -> Event:
    _add(running, *placed(datetime.now(UTC) - STALE))
    return {}


COMPARED: Final = (
    _create("create"),
    _create("create with key", key=True),
    _create("create of 10 items", 10),
    _create("create of 10 items with key", 10, key=True),
    _create("create of 100 items", 100),
    _create("create of 100 items with key", 100, key=True),
    Operation(
        "replayed create",
        "create-order",
        lambda running: _repeated(running, create_event(key=True)),
    ),
    Operation("get", "get-order", _get),
    Operation("page of 20", "list-customer-orders", _page),
    Operation("update", "update-order", _patch),
    Operation("update with key", "update-order", lambda running: _patch(running, key=True)),
    Operation(
        "replayed update",
        "update-order",
        lambda running: _repeated(running, _patch(running, key=True)),
    ),
    Operation(
        "update that changes nothing", "update-order", lambda running: _patch(running, "PENDING")
    ),
)
"""What the rivals do too."""

_OURS_ALONE: Final = (
    Operation(
        "get, not modified", "get-order", lambda running: _get(running, if_none_match='"1"')
    ),
    Operation(
        "page of 20, consistent",
        "list-customer-orders",
        lambda running: _page(running, "?consistent=true"),
    ),
    Operation(
        "timeline",
        "get-order-timeline",
        lambda running: request(
            "GET", f"/orders/{_order_id(running)}/timeline", claims=_claims()
        ),
    ),
    Operation("feed page of 100", "list-events", _feed_page),
    Operation("daily report", "get-daily-report", _report),
    Operation("publishing an event", "publish-order-events", lambda _: stream_batch()),
    Operation("event without token", "settle-payments", queue_batch),
    Operation(
        "payment by token", "settle-payments", lambda running: queue_batch(running, APPROVE)
    ),
    Operation("expiry of one order", "expire-stale-orders", _expiry),
    # The last, because it leaves many orders.
    Operation("status page of 20", "list-orders-by-status", _status_page),
)  # fmt: skip


def _get_of(route: Route) -> Operation:
    """Of a route that nothing above measures: about a new order, on today's date."""

    def prepare(running: Running) -> Event:
        known = running.send(create_event()) | {"date": datetime.now(UTC).date().isoformat()}
        query = urlencode({name: known[name] for name in _query_of(route)})
        return request("GET", f"{route.path.format_map(known)}?{query}", claims=STAFF)

    return Operation(route.key, route.function, prepare)


def _query_of(route: Route) -> list[str]:
    """The parameters that it requires."""
    document: dict[str, Any] = json.loads((ROOT / "openapi.json").read_text())
    parameters = document["paths"].get(route.path, {}).get("get", {}).get("parameters", ())
    return [one["name"] for one in parameters if one["in"] == "query" and one.get("required")]


def _is_about_an_order(route: Route) -> bool:
    parameters = {*re.findall(r"{(\w+)}", route.path), *_query_of(route)}
    return route.method == "GET" and parameters <= {*oracle.ORDER, "date"}


def _routes_without_operation() -> list[Route]:
    measured = {operation.function for operation in (*COMPARED, *_OURS_ALONE)}
    return [route for route in ROUTES if route.function not in measured]


OPERATIONS: Final = (
    *COMPARED,
    *(_get_of(route) for route in _routes_without_operation() if _is_about_an_order(route)),
    *_OURS_ALONE,
)
NOT_MEASURED: Final = [
    route.key for route in _routes_without_operation() if not _is_about_an_order(route)
]
"""Routes that need more than an order; the operations above have to say what."""
