"""The operations that are measured: what each needs beforehand, and the least it may cost."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from benchmarks.systems import OURS, TYPICAL, function_of
from examples import placed_order
from gateway import item_body, request
from orders.adapters.dynamodb import keys
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.adapters.dynamodb.table import Table
from orders.adapters.mock_payments import APPROVE
from orders.domain.order import CustomerId
from servers import INDEX, client_of
from stream_records import batch, change_of, created, message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.systems import Running
    from gateway import Event
    from orders.domain.order import Order

# As Cognito makes them: ids of 36 characters.
CUSTOMER: Final = CustomerId("3a4b1c52-40f1-70d6-8a5e-b1c2d3e4f506")
STAFF: Final = "8f1e2d3c-50a1-7042-9b7c-c6d5e4f30211"

PAGE: Final = 20
ON_THE_FIRST_PAGE: Final = PAGE + 5
IN_EACH_SHARD: Final = PAGE + 5
"""Orders of the status: as with many, each shard could fill the page alone."""

STALE: Final = timedelta(days=15)

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


def _repository(running: Running) -> DynamoDbOrders:
    """Past the meter."""
    return DynamoDbOrders(Table(client_of(running.upstream), running.settings["TABLE_NAME"]), INDEX)


def _added(running: Running, order: Order) -> Order:
    _repository(running).add(order, None, datetime.now(UTC))
    return order


def _order(**changes: Any) -> Order:  # noqa: ANN401 - fields of NewOrder
    return placed_order(customer_id=CUSTOMER, **changes)


def _status_page(running: Running) -> Prepared:
    for number in range(IN_EACH_SHARD * keys.STATUS_SHARDS):
        order = _order()
        # Evenly, where chance would now and then put most of a page into one shard.
        while keys.status_shard(order.order_id) != number % keys.STATUS_SHARDS:
            order = _order()
        _added(running, order)
    return _http(_get("/orders?status=PENDING", _staff_claims()))


def _timeline(running: Running) -> Prepared:
    order = _added(running, _order())
    running.invoke("record-audit-trail", batch(created(order)))
    return _http(_get(f"/orders/{order.order_id}/timeline", _customer_claims(CUSTOMER)))


def _report(running: Running) -> Prepared:
    day = datetime.now(UTC).date().isoformat()
    _order_id(running)
    running.invoke("daily-report", {"date": day})
    return _http(_get(f"/reports/daily/{day}", _staff_claims()))


def _expiry(running: Running) -> Prepared:
    _added(running, placed_order(datetime.now(UTC) - STALE, customer_id=CUSTOMER))
    return "expire-stale-orders", {}


# The rivals have these routes too.
_SHARED: Final = (
    Operation("create", lambda _: _http(create_event()), Minimum(1, 0, 6)),
    Operation("create with key", lambda _: _http(create_event(key=_new_key())), Minimum(1, 0, 8)),
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
        Minimum(2, 1, 6),
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
        Minimum(2, 1, 7),
    ),
    Operation(
        "update with key",
        lambda running: _http(_patch(_order_id(running), "PAID", _new_key())),
        Minimum(2, 2, 9),
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
    Operation("daily report", _report, Minimum(1, 1)),
    Operation(
        "publishing a change",
        lambda _: ("publish-order-events", batch(created(_order()))),
        Minimum(1),
    ),
    Operation(
        "timeline entry",
        lambda _: ("record-audit-trail", batch(created(_order()))),
        Minimum(1, 0, 1),
    ),
    Operation(
        "event without token",
        lambda running: (
            "settle-payments", batch(message(change_of(_added(running, _order()))))
        ),
        Minimum(1, 1),
    ),
    # The order; then, of the mocks, a reservation and a charge, a conditional write each; PAID.
    Operation(
        "payment by token",
        lambda running: (
            "settle-payments",
            batch(message(change_of(_added(running, _order(payment_token=APPROVE))))),
        ),
        Minimum(4, 1, 9),
    ),
    Operation("expiry of one order", _expiry, Minimum(10, 5, 7)),
    # The last, because it leaves many orders. Of each shard at least one is to be looked at.
    Operation("status page of 20", _status_page, Minimum(8, 4)),
)  # fmt: skip

OPERATIONS: Final[Mapping[str, tuple[Operation, ...]]] = {
    OURS.name: _SHARED + _OURS_ALONE,
    TYPICAL.name: _SHARED,
}
