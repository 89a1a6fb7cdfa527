"""What each request costs in calls of DynamoDB, counted on the wire through the real routes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest

from examples import event_of, placed_order
from fakes import NOON, FakeClock
from gateway import CUSTOMERS_ORDERS, OTHER_CLAIMS, STAFF_CLAIMS, order_body
from orders.adapters.dynamodb import keys, rows
from orders.adapters.dynamodb.reports import DynamoDbReports
from orders.adapters.mock_inventory import MockInventory
from orders.adapters.mock_payments import APPROVE, MockPaymentGateway
from orders.application.expire_stale_orders import ExpireStaleOrders
from orders.application.make_daily_report import MakeDailyReport
from orders.application.settle_payment import SettlePayment
from orders.domain.customer_id import CustomerId
from orders.domain.order_id import IdRange
from orders.domain.status import OrderStatus
from orders.http.routes import ROUTES
from sample_requests import sample_target
from servers import INDEX, aws_client, put_all

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from api import Api, Response
    from orders.adapters.dynamodb.repository import DynamoDbOrders
    from orders.adapters.dynamodb.table import Table
    from orders.domain.order import Order
    from wire import Call, Recorder

PAID, SHIPPED = {"status": "PAID"}, {"status": "SHIPPED"}
PUT, UPDATE = "Put", "Update"
GET, BATCH, QUERY, WRITE = "GetItem", "BatchGetItem", "Query", "TransactWriteItems"
SNAPSHOT = "TransactGetItems"


class Cost(NamedTuple):
    """A request, the status of its response, its calls, and what its transaction does to rows."""

    send: Callable[[Api, str], Response]
    status: int
    calls: dict[str, int]
    rows: tuple[str, ...] = ()


def get(target: str, status: int = 200, **calls: int) -> Cost:
    return Cost(lambda api, order_id: api.get(target.format(order_id), STAFF_CLAIMS), status, calls)


COSTS = {
    "create": Cost(lambda api, _: api.post(), 201, {WRITE: 1}, (PUT, PUT, PUT)),
    "create with a key": Cost(
        lambda api, _: api.post(idempotency_key="new"), 201, {WRITE: 1}, (PUT, PUT, PUT, PUT)
    ),
    "replayed create": Cost(
        lambda api, _: api.post(idempotency_key="create"), 201, {WRITE: 1}, (PUT,) * 4
    ),
    "reused key": Cost(
        lambda api, _: api.post(order_body(currency="EUR"), idempotency_key="create"),
        422,
        {WRITE: 1},
        (PUT,) * 4,
    ),
    "change": Cost(
        lambda api, order_id: api.patch(order_id, SHIPPED),
        200,
        {GET: 1, WRITE: 1},
        (UPDATE, UPDATE, PUT),
    ),
    "change with a key": Cost(
        lambda api, order_id: api.patch(order_id, SHIPPED, idempotency_key="new"),
        200,
        {BATCH: 1, WRITE: 1},
        (UPDATE, UPDATE, PUT, PUT),
    ),
    "replayed change": Cost(
        lambda api, order_id: api.patch(order_id, PAID, idempotency_key="change"), 200, {BATCH: 1}
    ),
    "no-op": Cost(lambda api, order_id: api.patch(order_id, PAID), 200, {GET: 1}),
    "illegal transition": Cost(
        lambda api, order_id: api.patch(order_id, {"status": "PENDING"}), 409, {GET: 1}
    ),
    "illegal transition with a new key": Cost(
        lambda api, order_id: api.patch(order_id, {"status": "PENDING"}, idempotency_key="new"),
        409,
        {BATCH: 1, SNAPSHOT: 1},
    ),
    "get": get("/orders/{}", GetItem=1),
    "timeline": get("/orders/{}/timeline", GetItem=1, Query=1),
    "customer's page": get(CUSTOMERS_ORDERS, Query=1),
    "customer's page, consistent": get(f"{CUSTOMERS_ORDERS}?consistent=true", Query=1),
    "customer's page, filtered": get(f"{CUSTOMERS_ORDERS}?status=PAID", Query=1),
    "status page": get("/orders?status=PAID", Query=keys.SHARDS),
    "feed page": get("/events?limit=1000", Query=keys.SHARDS),
    "report": get("/reports/daily/2026-11-23", 404, GetItem=1),
    "health": get("/health"),
    "invalid id": get("/orders/not-an-id", 404),
    "invalid page size": get(f"{CUSTOMERS_ORDERS}?limit=0", 400),
    "invalid cursor": get("/events?cursor=x", 400),
    "empty window": get(
        f"{CUSTOMERS_ORDERS}?createdFrom=2026-01-02T00:00:00Z&createdTo=2026-01-01T00:00:00Z"
    ),
    "window before the first order": get("/orders?status=PAID&createdTo=1969-01-01T00:00:00Z"),
    "empty window of the feed": get(
        "/events?recordedFrom=2026-01-02T00:00:00Z&recordedTo=2026-01-01T00:00:00Z"
    ),
    "forbidden list": Cost(lambda api, _: api.get(CUSTOMERS_ORDERS, OTHER_CLAIMS), 403, {}),
    "forbidden feed": Cost(lambda api, _: api.get("/events", OTHER_CLAIMS), 403, {}),
}


def calls_that_may_scan(calls: Collection[Call]) -> list[str]:
    """The operations of calls that name neither the rows nor the one partition that they read."""
    return [
        call.operation
        for call in calls
        if call.operation not in {GET, BATCH, "PutItem", WRITE}
        and "pk = :partition" not in call.parameters.get("KeyConditionExpression", "")
    ]


def is_consistent(call: Call, table: str) -> bool:
    read = call.parameters
    if call.operation == BATCH:
        read = read["RequestItems"][table]
    return read.get("ConsistentRead") is True


@pytest.fixture
def order_id(api: Api, wire: Recorder) -> str:
    """An order that was created and changed, each with a key; its events are old enough."""
    created = api.post(idempotency_key="create")
    order_id = str(created.json["orderId"])
    assert api.patch(order_id, PAID, idempotency_key="change").json["version"] == 2
    api.clock.advance(minutes=2)
    wire.forget()
    return order_id


@pytest.mark.parametrize("cost", COSTS.values(), ids=COSTS.keys())
def test_a_request_makes_its_calls_and_no_other(
    api: Api, wire: Recorder, table: Table, order_id: str, cost: Cost
) -> None:
    """Emulators always return the last write, so consistency is read off the request."""
    response = cost.send(api, order_id)
    assert response.status == cost.status
    assert wire.counts == cost.calls
    for call in wire.calls:
        if call.operation == WRITE:
            written = [kind for item in call.parameters["TransactItems"] for kind in item]
            assert tuple(written) == cost.rows
            for item in call.parameters["TransactItems"]:
                if PUT in item:
                    assert item[PUT]["ConditionExpression"].startswith("attribute_not_exists")
        elif call.operation != SNAPSHOT:
            assert is_consistent(call, table.name) == (call.parameters.get("IndexName") != INDEX)


def test_each_page_of_a_walk_is_one_call(api: Api, wire: Recorder) -> None:
    for _ in range(5):
        api.post()
    wire.forget()
    page = api.get(f"{CUSTOMERS_ORDERS}?limit=2").json
    pages = 1
    while page["nextCursor"]:
        page = api.get(f"{CUSTOMERS_ORDERS}?limit=2&cursor={page['nextCursor']}").json
        pages += 1
    assert pages == 3
    assert wire.counts == {QUERY: 3}


@pytest.mark.parametrize("sort", ["createdAt", "-createdAt"])
def test_a_status_page_held_by_one_shard_takes_two_calls_more(
    api: Api, wire: Recorder, orders: DynamoDbOrders, sort: str
) -> None:
    placed = placed_in_one_shard(25)
    for order in placed:
        orders.add(order, event_of(order), None, NOON)
    wire.forget()

    page = api.get(f"/orders?status=PENDING&sort={sort}", STAFF_CLAIMS).json

    in_order = placed if sort == "createdAt" else placed[::-1]
    assert [item["orderId"] for item in page["items"]] == [o.order_id for o in in_order[:20]]
    assert page["nextCursor"]
    assert wire.counts == {QUERY: keys.SHARDS + 2}


def placed_in_one_shard(count: int, **fields: CustomerId) -> list[Order]:
    placed: list[Order] = []
    while len(placed) < count:
        order = placed_order(NOON + timedelta(seconds=len(placed)), **fields)
        if keys.shard_of(order.order_id) == 3:
            placed.append(order)
    return placed


class TestNothingScans:
    def test_no_route_does(
        self, api: Api, wire: Recorder, table: Table, orders: DynamoDbOrders, order_id: str
    ) -> None:
        MakeDailyReport(orders, DynamoDbReports(table), api.clock)(NOON.date())
        for route in ROUTES:
            if "GET" in route.methods:
                target = sample_target(route.key, orderId=order_id, date=str(NOON.date()))
                assert api.get(target, STAFF_CLAIMS).status == 200
        assert calls_that_may_scan(wire.calls) == []

    def test_no_background_work_does(
        self, wire: Recorder, table: Table, orders: DynamoDbOrders
    ) -> None:
        clock = FakeClock()
        order = placed_order(payment_token=APPROVE)
        orders.add(order, event_of(order), None, NOON)
        settle = SettlePayment(orders, MockPaymentGateway(table), MockInventory(table), clock)
        settle(order.order_id)
        MakeDailyReport(orders, DynamoDbReports(table), clock)(NOON.date())
        old = placed_order(NOON - timedelta(days=15))
        orders.add(old, event_of(old), None, NOON)
        stale = ExpireStaleOrders(orders, clock)
        assert [stale.expire(order_id) for order_id in stale.find()] == [True]

        assert calls_that_may_scan(wire.calls) == []

    def test_a_scan_would_be_seen(self, wire: Recorder, table: Table) -> None:
        database = aws_client("dynamodb", wire.endpoint)
        database.scan(TableName=table.name)
        database.execute_statement(Statement=f'SELECT * FROM "{table.name}"')  # noqa: S608 - not SQL, and the name is ours

        assert calls_that_may_scan(wire.calls) == ["Scan", "ExecuteStatement"]


def test_each_by_status_goes_on_after_a_megabyte(wire: Recorder, orders: DynamoDbOrders) -> None:
    """600 index rows of some 2,300 bytes, all of one shard."""
    placed = placed_in_one_shard(600, customer_id=CustomerId("c" * 2000))
    put_all(orders.table, [rows.detail_row(order) for order in placed])
    wire.forget()

    found = orders.each_by_status(OrderStatus.PENDING, IdRange.all())

    assert [order.order_id for order in found] == [order.order_id for order in placed]
    assert wire.counts == {QUERY: keys.SHARDS + 1}
