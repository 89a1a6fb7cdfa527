"""A customer's row that is missing or contradicts the order's own row.

It never prevents a change of the order: the change repairs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from examples import CUS_42, changed_order, event_of, placed_order
from fakes import NOON
from gateway import CUSTOMERS_ORDERS
from orders.adapters.dynamodb import keys, rows
from orders.application.errors import KeyInUse, StaleOrder
from orders.application.idempotency import IdempotencyRecord, StoredResponse
from orders.domain.status import OrderStatus
from servers import aws_client, dynamodb_local
from written import metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from api import Api
    from orders.adapters.dynamodb.repository import DynamoDbOrders
    from orders.adapters.dynamodb.rows import Row
    from orders.adapters.dynamodb.table import Table
    from orders.domain.order import Order
    from wire import Recorder

PENDING, PAID = OrderStatus.PENDING, OrderStatus.PAID
SHIPPED, CANCELED = OrderStatus.SHIPPED, OrderStatus.CANCELED
RECORD = IdempotencyRecord(
    "ann#" + "0f" * 32, "request", StoredResponse("the first response"), 10**10
)
KEYS = pytest.mark.parametrize("record", [None, RECORD], ids=["no key", "a key"])

DAMAGES: dict[str, dict[str, Any] | None] = {
    "missing": None,
    "at another version": {"version": 7},
    "at another status": {"status": "SHIPPED"},
    "at a status of a later release": {"status": "TELEPORTED", "version": 9},
    "without its status": {"status": None},
    "of wrong types": {"status": 5, "version": "one"},
    "of another place in the index": {"gsi1pk": "CUST_ORDERS#nobody", "version": 3},
}
DAMAGED = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())


def damage_customer_row(table: Table, order: Order, damage: dict[str, Any] | None) -> None:
    key = keys.customer_order(order.customer_id, order.order_id)
    wire_key = {name: {"S": value} for name, value in key.items()}
    if damage is None:
        aws_client("dynamodb", dynamodb_local()).delete_item(TableName=table.name, Key=wire_key)
        return
    row = rows.customer_row(order) | damage
    table.write(table.put({name: value for name, value in row.items() if value is not None}))


def customer_row(table: Table, order: Order) -> Row | None:
    return table.get(keys.customer_order(order.customer_id, order.order_id))


@pytest.fixture
def order(orders: DynamoDbOrders) -> Order:
    order = placed_order()
    orders.add(order, event_of(order), None, NOON)
    return order


@DAMAGED
@KEYS
def test_a_change_succeeds_and_repairs_the_row(
    orders: DynamoDbOrders,
    order: Order,
    damage: dict[str, Any] | None,
    record: IdempotencyRecord | None,
) -> None:
    damage_customer_row(orders.table, order, damage)
    paid = changed_order(order, PAID)

    orders.update(order, paid, event_of(paid, order), record, NOON)

    assert orders.get(order.order_id) == paid
    assert customer_row(orders.table, order) == rows.customer_row(paid)
    assert len(orders.get_with_events(order.order_id, after_version=0, limit=9)[1]) == 2
    assert orders.get_record(RECORD.record_id) == record
    shipped = changed_order(paid, SHIPPED)
    orders.update(paid, shipped, event_of(shipped, paid), None, NOON)
    assert customer_row(orders.table, order) == rows.customer_row(shipped)


@DAMAGED
def test_the_request_succeeds_and_the_repair_is_counted(
    api: Api,
    orders: DynamoDbOrders,
    wire: Recorder,
    output: Callable[[], str],
    damage: dict[str, Any] | None,
) -> None:
    created = api.post()
    found = orders.get(created.json["orderId"])
    assert found
    damage_customer_row(orders.table, found, damage)
    output()
    wire.forget()

    response = api.patch(found.order_id, {"status": "PAID"}, idempotency_key="a-key")

    assert (response.status, response.json["version"]) == (200, 2)
    assert wire.counts == {"BatchGetItem": 1, "TransactWriteItems": 2}
    written = output()
    assert metric(written, "CustomerRowsMended") == 1
    assert metric(written, "EventsRecorded") == 1
    assert CUS_42 not in written
    again = api.patch(found.order_id, {"status": "PAID"}, idempotency_key="a-key")
    assert again.text == response.text
    listed = api.get(f"{CUSTOMERS_ORDERS}?consistent=true").json["items"]
    assert [summary["status"] for summary in listed] == ["PAID"]
    assert metric(output(), "CustomerRowsMended") is None


@KEYS
@pytest.mark.parametrize("begun", [True, False], ids=["during the repair", "before"])
def test_a_change_that_loses_the_race_changes_nothing(
    orders: DynamoDbOrders, order: Order, record: IdempotencyRecord | None, *, begun: bool
) -> None:
    """The other change may come first, or between the two writes."""
    damage_customer_row(orders.table, order, None)
    paid, canceled = changed_order(order, PAID), changed_order(order, CANCELED)

    def win() -> None:
        orders.update(order, canceled, event_of(canceled, order), None, NOON)

    class Overtaken(type(orders)):  # type: ignore[misc]  # a repository that is overtaken
        """Another change repairs the row just before this one does."""

        def _mend(self, *arguments: Any) -> None:  # noqa: ANN401 - as the original
            win()
            super()._mend(*arguments)

    overtaken = Overtaken(orders.table, orders.index) if begun else orders
    if not begun:
        win()
    with pytest.raises(StaleOrder):
        overtaken.update(order, paid, event_of(paid, order), record, NOON)

    assert orders.get(order.order_id) == canceled
    assert customer_row(orders.table, order) == rows.customer_row(canceled)
    assert orders.get_record(RECORD.record_id) is None
    _, events = orders.get_with_events(order.order_id, after_version=0, limit=9)
    assert [found.item for found in events] == [event_of(order), event_of(canceled, order)]


def test_a_key_in_use_is_reported_before_the_row_is_repaired(
    orders: DynamoDbOrders, order: Order
) -> None:
    damage_customer_row(orders.table, order, None)
    orders.remember(RECORD, NOON)
    paid = changed_order(order, PAID)
    with pytest.raises(KeyInUse):
        orders.update(order, paid, event_of(paid, order), RECORD, NOON)
    assert orders.get(order.order_id) == order
    assert customer_row(orders.table, order) is None


def test_attributes_of_a_later_release_are_kept(orders: DynamoDbOrders, order: Order) -> None:
    table = orders.table
    for row in (rows.detail_row(order), rows.customer_row(order)):
        table.write(table.put(row | {"carrier": "DHL"}))
    paid = changed_order(order, PAID)
    orders.update(order, paid, event_of(paid, order), None, NOON)
    damage_customer_row(table, order, {"carrier": "DHL", "version": 9})
    shipped = changed_order(paid, SHIPPED)
    orders.update(paid, shipped, event_of(shipped, paid), None, NOON)
    detail = table.get(keys.detail(order.order_id))
    assert detail == rows.detail_row(shipped) | {"carrier": "DHL"}
    assert customer_row(table, order) == rows.customer_row(shipped) | {"carrier": "DHL"}
