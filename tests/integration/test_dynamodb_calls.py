"""What each request costs in calls of DynamoDB, counted on the wire through the real routes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

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
from servers import INDEX, aws_client

if TYPE_CHECKING:
    from collections.abc import Collection

    from api import Api
    from orders.adapters.dynamodb.repository import DynamoDbOrders
    from orders.adapters.dynamodb.table import Table
    from orders.domain.order import Order
    from wire import Call, Recorder

KEY = "a-key"
PAID = {"status": "PAID"}
WITH_ONE_KEY = frozenset({"GetItem", "BatchGetItem", "PutItem", "TransactWriteItems"})


def calls_that_may_scan(calls: Collection[Call]) -> list[str]:
    """The operations of calls that name neither the rows nor the one partition that they read."""
    return [
        call.operation
        for call in calls
        if not (
            call.operation in WITH_ONE_KEY
            or (
                call.operation == "Query"
                and "pk = :partition" in call.parameters["KeyConditionExpression"]
            )
        )
    ]


def written(wire: Recorder) -> list[str]:
    """What the last transaction does to its rows."""
    (*_, call) = (call for call in wire.calls if call.operation == "TransactWriteItems")
    return [kind for item in call.parameters["TransactItems"] for kind in item]


@pytest.fixture
def order_id(api: Api, wire: Recorder) -> str:
    """An order that is there already."""
    created = api.post()
    assert created.status == 201
    wire.forget()
    return str(created.json["orderId"])


class TestCalls:
    def test_a_fresh_create_is_one_call(self, api: Api, wire: Recorder) -> None:
        """The order, its place among the customer's, its event."""
        assert api.post().status == 201
        assert wire.counts == {"TransactWriteItems": 1}
        assert written(wire) == ["Put", "Put", "Put"]

    def test_a_fresh_create_with_a_key_is_one_call(self, api: Api, wire: Recorder) -> None:
        assert api.post(idempotency_key=KEY).status == 201
        assert wire.counts == {"TransactWriteItems": 1}
        assert written(wire) == ["Put", "Put", "Put", "Put"]

    def test_a_replay_is_two_calls(self, api: Api, wire: Recorder) -> None:
        first = api.post(idempotency_key=KEY)
        wire.forget()

        replay = api.post(idempotency_key=KEY)

        assert replay.headers["Idempotent-Replayed"] == "true"
        assert replay.text == first.text
        assert wire.counts == {"TransactWriteItems": 1, "GetItem": 1}

    def test_a_reused_key_is_two_calls(self, api: Api, wire: Recorder) -> None:
        api.post(idempotency_key=KEY)
        wire.forget()

        assert (
            api.post(order_body(currency="EUR"), idempotency_key=KEY).problem
            == "idempotency-key-reused"
        )
        assert wire.counts == {"TransactWriteItems": 1, "GetItem": 1}

    def test_a_get_is_one_call(self, api: Api, wire: Recorder, order_id: str) -> None:
        assert api.get(f"/orders/{order_id}").status == 200
        assert wire.counts == {"GetItem": 1}

    @pytest.mark.parametrize("query", ["", "?consistent=true", "?limit=2&sort=createdAt"])
    def test_an_unfiltered_page_is_one_call(self, api: Api, wire: Recorder, query: str) -> None:
        for _ in range(5):
            api.post()
        wire.forget()

        assert api.get(CUSTOMERS_ORDERS + query).status == 200
        assert wire.counts == {"Query": 1}

    def test_each_page_of_a_walk_is_one_call(self, api: Api, wire: Recorder) -> None:
        for _ in range(5):
            api.post()
        wire.forget()

        page = api.get(f"{CUSTOMERS_ORDERS}?limit=2").json
        pages = 1
        while page["nextCursor"]:
            page = api.get(f"{CUSTOMERS_ORDERS}?limit=2&cursor={page['nextCursor']}").json
            pages += 1

        assert pages == 3
        assert wire.counts == {"Query": 3}

    def test_a_short_filtered_list_is_one_call(self, api: Api, wire: Recorder) -> None:
        api.post()
        wire.forget()

        assert api.get(f"{CUSTOMERS_ORDERS}?status=PENDING").status == 200
        assert wire.counts == {"Query": 1}

    def test_a_status_page_is_one_call_per_shard(
        self, api: Api, wire: Recorder, order_id: str
    ) -> None:
        page = api.get("/orders?status=PENDING", STAFF_CLAIMS)

        assert [order["orderId"] for order in page.json["items"]] == [order_id]
        assert wire.counts == {"Query": keys.SHARDS} == {"Query": 8}

    @pytest.mark.parametrize("sort", ["createdAt", "-createdAt"])
    def test_a_status_page_of_one_shard_alone_is_two_calls_more(
        self, api: Api, wire: Recorder, orders: DynamoDbOrders, sort: str
    ) -> None:
        placed: list[Order] = []
        while len(placed) < 25:
            order = placed_order(NOON + timedelta(seconds=len(placed)))
            if keys.shard_of(order.order_id) == 3:
                orders.add(order, event_of(order), None, NOON)
                placed.append(order)
        wire.forget()

        page = api.get(f"/orders?status=PENDING&sort={sort}", STAFF_CLAIMS).json

        in_order = placed if sort == "createdAt" else placed[::-1]
        assert [item["orderId"] for item in page["items"]] == [o.order_id for o in in_order[:20]]
        assert page["nextCursor"]
        assert wire.counts == {"Query": keys.SHARDS + 2}

    def test_a_page_of_the_feed_is_one_call_per_shard(
        self, api: Api, wire: Recorder, order_id: str
    ) -> None:
        api.clock.advance(minutes=2)
        page = api.get("/events?limit=1000", STAFF_CLAIMS)

        assert [event["id"] for event in page.json["items"]] == [f"{order_id}/1"]
        assert wire.counts == {"Query": keys.SHARDS}

    def test_a_timeline_is_two_calls(self, api: Api, wire: Recorder, order_id: str) -> None:
        assert api.get(f"/orders/{order_id}/timeline").status == 200
        assert wire.counts == {"GetItem": 1, "Query": 1}

    def test_an_update_is_two_calls(self, api: Api, wire: Recorder, order_id: str) -> None:
        assert api.patch(order_id, PAID).json["version"] == 2
        assert wire.counts == {"GetItem": 1, "TransactWriteItems": 1}
        assert written(wire) == ["Update", "Update", "Put"]

    def test_an_update_with_a_key_is_two_calls(
        self, api: Api, wire: Recorder, order_id: str
    ) -> None:
        assert api.patch(order_id, PAID, idempotency_key=KEY).json["version"] == 2
        assert wire.counts == {"BatchGetItem": 1, "TransactWriteItems": 1}
        assert written(wire) == ["Update", "Update", "Put", "Put"]

    def test_a_replayed_update_is_one_call(self, api: Api, wire: Recorder, order_id: str) -> None:
        api.patch(order_id, PAID, idempotency_key=KEY)
        wire.forget()

        assert (
            api.patch(order_id, PAID, idempotency_key=KEY).headers["Idempotent-Replayed"] == "true"
        )
        assert wire.counts == {"BatchGetItem": 1}

    def test_an_update_that_changes_nothing_is_one_call(
        self, api: Api, wire: Recorder, order_id: str
    ) -> None:
        assert api.patch(order_id, {"status": "PENDING"}).json["version"] == 1
        assert wire.counts == {"GetItem": 1}

    def test_a_refused_update_is_one_call(self, api: Api, wire: Recorder, order_id: str) -> None:
        assert api.patch(order_id, {"status": "SHIPPED"}).problem == "illegal-transition"
        assert wire.counts == {"GetItem": 1}

    def test_a_report_is_one_call(self, api: Api, wire: Recorder) -> None:
        assert api.get("/reports/daily/2026-11-23", STAFF_CLAIMS).problem == "report-not-found"
        assert wire.counts == {"GetItem": 1}

    @pytest.mark.parametrize(
        ("path", "claims"),
        [
            (CUSTOMERS_ORDERS, OTHER_CLAIMS),
            ("/events", OTHER_CLAIMS),
            ("/events?cursor=x", STAFF_CLAIMS),
            ("/events?recordedFrom=2026-01-02T00:00:00Z&recordedTo=2026-01-01T00:00:00Z",
             STAFF_CLAIMS),
            ("/orders?status=PENDING", OTHER_CLAIMS),
            ("/orders/not-an-id", STAFF_CLAIMS),
            (f"{CUSTOMERS_ORDERS}?limit=0", STAFF_CLAIMS),
            (f"{CUSTOMERS_ORDERS}?createdFrom=2026-01-02T00:00:00Z&createdTo=2026-01-01T00:00:00Z",
             STAFF_CLAIMS),
            ("/orders?status=PENDING&createdTo=1969-01-01T00:00:00Z", STAFF_CLAIMS),
            ("/health", STAFF_CLAIMS),
        ],
    )  # fmt: skip
    def test_what_needs_no_row_is_no_call(
        self, api: Api, wire: Recorder, path: str, claims: dict[str, Any]
    ) -> None:
        api.get(path, claims)
        assert wire.counts == {}


class TestConsistency:
    """The emulators always answer with what was written last, so it is the request that counts."""

    def test_what_is_said_of_an_order_is_as_last_committed(
        self, api: Api, wire: Recorder, table: Table, order_id: str
    ) -> None:
        api.get(f"/orders/{order_id}")
        api.get(f"/orders/{order_id}/timeline")
        api.get(f"{CUSTOMERS_ORDERS}?consistent=true")
        api.patch(order_id, PAID, idempotency_key=KEY)
        api.post(idempotency_key=KEY)
        api.post(idempotency_key=KEY)

        for call in wire.calls:
            if call.operation == "BatchGetItem":
                assert call.parameters["RequestItems"][table.name]["ConsistentRead"] is True
            elif call.operation != "TransactWriteItems":
                assert call.parameters["ConsistentRead"] is True

    @pytest.mark.parametrize("path", [CUSTOMERS_ORDERS, "/orders?status=PENDING", "/events"])
    def test_lists_read_the_index_which_is_eventually_consistent(
        self, api: Api, wire: Recorder, path: str
    ) -> None:
        api.get(path, STAFF_CLAIMS)

        for call in wire.calls:
            assert call.parameters["IndexName"] == INDEX
            assert call.parameters.get("ConsistentRead", False) is False


class TestNothingScans:
    def test_no_request_does(self, api: Api, wire: Recorder) -> None:
        order_id = api.post(idempotency_key=KEY).json["orderId"]
        api.post(idempotency_key=KEY)
        api.get(f"/orders/{order_id}")
        api.patch(order_id, PAID, idempotency_key=KEY)
        api.get(f"/orders/{order_id}/timeline")
        for query in ("", "?consistent=true", "?status=PAID", "?limit=1&sort=createdAt"):
            api.get(CUSTOMERS_ORDERS + query)
        api.get("/orders?status=PAID", STAFF_CLAIMS)
        api.get("/reports/daily/2026-11-23", STAFF_CLAIMS)
        api.get("/events?type=ORDER_PAID", STAFF_CLAIMS)

        assert set(wire.counts) == {"TransactWriteItems", "GetItem", "BatchGetItem", "Query"}
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


class TestLongLists:
    def test_each_by_status_goes_on_after_a_megabyte(
        self, wire: Recorder, orders: DynamoDbOrders
    ) -> None:
        """600 index rows of some 2,300 bytes, all of one shard."""
        customer = CustomerId("c" * 2000)
        placed: list[Order] = []
        while len(placed) < 600:
            order = placed_order(NOON + timedelta(seconds=len(placed)), customer_id=customer)
            if keys.shard_of(order.order_id) == 3:
                placed.append(order)
        orders.table.client.sync_batch_write(
            orders.table.name, put_items=[rows.detail_row(order) for order in placed]
        )
        wire.forget()

        found = orders.each_by_status(OrderStatus.PENDING, IdRange.all())

        assert [order.order_id for order in found] == [order.order_id for order in placed]
        assert wire.counts == {"Query": keys.SHARDS + 1}
