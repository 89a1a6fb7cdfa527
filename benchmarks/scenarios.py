"""The operations that are measured: what each needs beforehand, and the least it may cost."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from benchmarks.systems import OURS, TYPICAL, function_of
from examples import new_order
from gateway import item_body, request
from orders.adapters.dynamodb import keys, rows
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.adapters.dynamodb.table import Table
from orders.adapters.mock_payments import APPROVE
from orders.adapters.sqs import event_body
from orders.adapters.system import RandomIds
from orders.domain import actor, timestamps
from orders.domain.customer_id import CustomerId
from orders.http.listing import DEFAULT_FEED_LIMIT
from servers import INDEX, client_of
from stream_records import batch, message, stream_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.systems import Running
    from gateway import Event
    from orders.domain.events import OrderEvent
    from orders.domain.order import Order
    from orders.domain.order_id import OrderId

# As Cognito makes them: ids of 36 characters.
CUSTOMER: Final = CustomerId("3a4b1c52-40f1-70d6-8a5e-b1c2d3e4f506")
STAFF: Final = "8f1e2d3c-50a1-7042-9b7c-c6d5e4f30211"

PAGE: Final = 20
ON_THE_FIRST_PAGE: Final = PAGE + 5
IN_EACH_SHARD: Final = PAGE + 5
"""Orders of the status: as with many, each shard could fill the page alone."""

STALE: Final = timedelta(days=15)
FEED_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Of the events that a page of the feed is measured with, and of no others."""

Prepared = tuple[str, "Event"]
"""A function, and the event that it is measured with."""


@dataclass(frozen=True, slots=True)
class Minimum:
    """The least that the contract permits. Units are None where the rows' sizes decide.

    Otherwise they are of rows and index entries as they are here, with ids of 36 characters.
    """

    calls: int
    read: float | None = 0
    write: float | None = 0


@dataclass(frozen=True, slots=True)
class Operation:
    """`prepare` makes what it needs, which is not measured, and the event."""

    name: str
    prepare: Callable[[Running], Prepared]
    minimum: Minimum


def _http(event: Event) -> Prepared:
    return function_of(event), event


def _customer_claims(customer: str) -> Event:
    """Those of an access token of Amazon Cognito."""
    return {
        "sub": customer,
        "iss": "https://cognito-idp.ap-southeast-1.amazonaws.com/ap-southeast-1_AbCdEf123",
        "client_id": "1example23456789abcdefghij",
        "origin_jti": "5b9f50a3-05da-454a-8b99-b79c2349de77",
        "event_id": "fe6d1b9e-1c1f-4c3e-9a59-3f5d6f1f0a61",
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "auth_time": 1_795_435_200,
        "exp": 1_795_438_800,
        "iat": 1_795_435_200,
        "jti": "7f3c2a10-6a6b-4f3b-8c8e-2f6c1d0e9b7a",
        "username": customer,
    }


def _staff_claims() -> Event:
    return _customer_claims(STAFF) | {"cognito:groups": ["staff"]}


def _new_key() -> str:
    return str(uuid.uuid4())


def create_event(items: int = 1, key: str | None = None, customer: str = CUSTOMER) -> Event:
    """POST /orders, with a key or without."""
    body = {
        "customerId": customer,
        "currency": "USD",
        "metadata": {"channel": "web"},
        "items": [item_body(sku=f"MUG-{number:02}") for number in range(items)],
    }
    headers = {} if key is None else {"idempotency_key": key}
    return request("POST", "/orders", body, claims=_customer_claims(customer), headers=headers)


def _get(target: str, claims: Event, **headers: str) -> Event:
    return request("GET", target, claims=claims, headers=headers)


def _patch(order_id: str, status: str, key: str | None = None) -> Event:
    headers = {} if key is None else {"idempotency_key": key}
    body = {"status": status}
    return request("PATCH", f"/orders/{order_id}", body, claims=_staff_claims(), headers=headers)


def _order_id(running: Running) -> str:
    """Of a new order."""
    return str(running.send(create_event())["orderId"])


def _twice(running: Running, event: Event) -> Prepared:
    """Send it, so that it is a repetition that is measured."""
    running.send(event)
    return _http(event)


def _page(query: str) -> Callable[[Running], Prepared]:
    def prepare(running: Running) -> Prepared:
        customer = str(uuid.uuid4())
        for _ in range(ON_THE_FIRST_PAGE):
            running.send(create_event(customer=customer))
        return _http(_get(f"/customers/{customer}/orders{query}", _customer_claims(customer)))

    return prepare


def _table(running: Running) -> Table:
    """Past the meter."""
    return Table(client_of(running.upstream), running.settings["TABLE_NAME"])


def _placed(
    created_at: datetime | None = None, shard: int | None = None, token: str | None = None
) -> tuple[Order, OrderEvent]:
    """A new order, in a shard of the index if one is given, and its event."""
    order_id = _new_id(created_at)
    while shard is not None and keys.shard_of(order_id) != shard:
        order_id = _new_id(created_at)
    new = new_order(customer_id=CUSTOMER, payment_token=token)
    return new.placed(order_id, by=actor.CUSTOMER)


def _new_id(created_at: datetime | None) -> OrderId:
    return RandomIds().order_id(created_at or datetime.now(UTC))


def _added(running: Running, order: Order, event: OrderEvent) -> Order:
    orders = DynamoDbOrders(_table(running), INDEX)
    orders.add(order, event, None, datetime.now(UTC))
    return order


def _status_page(running: Running) -> Prepared:
    # Evenly, where chance would now and then put most of a page into one shard.
    for number in range(IN_EACH_SHARD * keys.SHARDS):
        _added(running, *_placed(shard=number % keys.SHARDS))
    return _http(_get("/orders?status=PENDING", _staff_claims()))


def _feed_page(running: Running) -> Prepared:
    """Of events that lie evenly in the shards, more than the page takes."""
    events = [
        _placed(FEED_DAY + timedelta(seconds=number), number % keys.SHARDS)[1]
        for number in range(3 * DEFAULT_FEED_LIMIT)
    ]
    table = _table(running)
    table.client.sync_batch_write(table.name, put_items=[rows.event_row(one) for one in events])
    since = timestamps.to_text(FEED_DAY)
    return _http(_get(f"/events?recordedFrom={since}", _staff_claims()))


def _timeline(running: Running) -> Prepared:
    return _http(_get(f"/orders/{_order_id(running)}/timeline", _customer_claims(CUSTOMER)))


def _publication(_: Running) -> Prepared:
    _order, event = _placed()
    return "publish-order-events", batch(stream_record("INSERT", None, rows.event_row(event)))


def _settlement(token: str | None = None) -> Callable[[Running], Prepared]:
    def prepare(running: Running) -> Prepared:
        order, event = _placed(token=token)
        _added(running, order, event)
        return "settle-payments", batch(message(event_body(event)))

    return prepare


def _report(running: Running) -> Prepared:
    day = datetime.now(UTC).date().isoformat()
    _order_id(running)
    running.invoke("daily-report", {"date": day})
    return _http(_get(f"/reports/daily/{day}", _staff_claims()))


def _expiry(running: Running) -> Prepared:
    _added(running, *_placed(datetime.now(UTC) - STALE))
    return "expire-stale-orders", {}


# The rivals have these routes too.
_SHARED: Final = (
    Operation("create", lambda _: _http(create_event()), Minimum(1, 0, 9)),
    Operation("create with key", lambda _: _http(create_event(key=_new_key())), Minimum(1, 0, 11)),
    Operation("create of 10 items", lambda _: _http(create_event(10)), Minimum(1, 0, None)),
    Operation(
        "create of 10 items with key",
        lambda _: _http(create_event(10, _new_key())),
        Minimum(1, 0, None),
    ),
    Operation("create of 100 items", lambda _: _http(create_event(100)), Minimum(1, 0, None)),
    Operation(
        "create of 100 items with key",
        lambda _: _http(create_event(100, _new_key())),
        Minimum(1, 0, None),
    ),
    # A create may not read first, so the repetition is a transaction that fails, and a read.
    Operation(
        "replayed create",
        lambda running: _twice(running, create_event(key=_new_key())),
        Minimum(2, 1, 8),
    ),
    Operation(
        "get",
        lambda running: _http(_get(f"/orders/{_order_id(running)}", _customer_claims(CUSTOMER))),
        Minimum(1, 1),
    ),
    # That there is no other page is known from a row more than it has: 21 of 0.4 KB.
    Operation("page of 20", _page(""), Minimum(1, 1.5)),
    Operation(
        "update",
        lambda running: _http(_patch(_order_id(running), "PAID")),
        Minimum(2, 1, 10),
    ),
    Operation(
        "update with key",
        lambda running: _http(_patch(_order_id(running), "PAID", _new_key())),
        Minimum(2, 2, 12),
    ),
    Operation(
        "replayed update",
        lambda running: _twice(running, _patch(_order_id(running), "PAID", _new_key())),
        Minimum(1, 2),
    ),
    Operation(
        "update that changes nothing",
        lambda running: _http(_patch(_order_id(running), "PENDING")),
        Minimum(1, 1),
    ),
)

_OURS_ALONE: Final = (
    Operation(
        "get, not modified",
        lambda running: _http(
            _get(
                f"/orders/{_order_id(running)}", _customer_claims(CUSTOMER), if_none_match='"1"'
            )
        ),
        Minimum(1, 1),
    ),
    Operation("page of 20, consistent", _page("?consistent=true"), Minimum(1, 3)),
    Operation("timeline", _timeline, Minimum(2, 2)),
    Operation("feed page of 100", _feed_page, Minimum(8, None)),
    Operation("daily report", _report, Minimum(1, 1)),
    Operation("publishing an event", _publication, Minimum(1)),
    Operation("event without token", _settlement(), Minimum(1, 1)),
    # The order; then, of the mocks, a reservation and a charge, a conditional write each; PAID.
    Operation("payment by token", _settlement(APPROVE), Minimum(4, 1, 12)),
    Operation("expiry of one order", _expiry, Minimum(10, 5, 10)),
    # The last, because it leaves many orders. Of each shard at least one is to be looked at.
    Operation("status page of 20", _status_page, Minimum(8, 4)),
)  # fmt: skip

OPERATIONS: Final[Mapping[str, tuple[Operation, ...]]] = {
    OURS.name: _SHARED + _OURS_ALONE,
    TYPICAL.name: _SHARED,
}
