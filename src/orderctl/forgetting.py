"""Takes a customer out of the rows of their orders, one transaction an order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orders.adapters.dynamodb import keys, rows
from orders.adapters.dynamodb.errors import ConditionFailed
from orders.adapters.dynamodb.values import to_typed
from orders.application.errors import MalformedRow, TryAgain
from orders.domain.actor import Actor
from orders.domain.customer_id import forgotten_customer
from orders.domain.order import FIRST_VERSION
from orders.domain.order_id import OrderId

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderctl.stage import Stage
    from orders.adapters.dynamodb.keys import Key
    from orders.adapters.dynamodb.rows import Row
    from orders.adapters.dynamodb.table import Operation, Table
    from orders.domain.customer_id import CustomerId
    from orders.domain.events import OrderEvent
    from orders.domain.order import Order

_ACTOR: Final = Actor.system("orderctl")
_ATTEMPTS: Final = 10
"""Each lost race means that the order moved on, and none has so many statuses."""
_CUSTOMER_ROW: Final = 1
"""Its place in the transaction."""


def customer_rows(stage: Stage, customer_id: CustomerId) -> Iterator[Row]:
    """The rows that list the customer's orders, oldest first, strongly consistent.

    None for the pseudonym of a forgotten customer: nothing is left to forget.
    """
    first, last = (keys.customer_sort(OrderId(bound)) for bound in ("", "~"))
    partition = keys.customer_partition(customer_id)
    for row in stage.table.query(partition, first, last, consistent=True):
        order_id = rows.order_id_of(row)
        if order_id is None or customer_id != forgotten_customer(order_id):
            yield row


def forget_order(stage: Stage, customer_id: CustomerId, row: Row) -> Order | None:
    """The order of one of the customer's rows as it was; None if it was forgotten meanwhile.

    The order and its events lose the customer and all free texts, its row moves to a pseudonym, and
    an event tells consumers. Attributes that this release doesn't know go as well: they may be
    personal.

    Raises:
        MalformedRow: the order can't be read or is another customer's; nothing was written.
        TryAgain: likewise nothing was written, because other writes kept coming first.
    """
    order_id = rows.order_id_of(row)
    if order_id is None:
        raise MalformedRow("a row of the customer names no order")
    for _ in range(_ATTEMPTS):
        order = _read_order(stage.table, customer_id, order_id)
        events = _read_events(stage.table, order)
        forgotten, event = order.forgotten(by=_ACTOR, at=stage.now())
        operations = _operations(stage.table, customer_id, forgotten, [*events, event])
        try:
            stage.table_for_events.write(*operations)
        except ConditionFailed as error:
            if _CUSTOMER_ROW in error.failed:
                return None
        else:
            return order
    raise TryAgain


def _read_order(table: Table, customer_id: CustomerId, order_id: OrderId) -> Order:
    row = table.get(keys.detail(order_id))
    if row is None:
        raise MalformedRow(f"order {order_id} is missing, but its customer's list has it")
    order = rows.order_from(row)
    # A restored row can list an order that was forgotten.
    if order.customer_id not in {customer_id, forgotten_customer(order_id)}:
        raise MalformedRow(f"order {order_id} is another customer's, but this one's list has it")
    return order


def _read_events(table: Table, order: Order) -> list[OrderEvent]:
    """All that led to the order. Read after it, so that none of them is missing."""
    found = table.query(
        keys.detail(order.order_id)["pk"],
        keys.event(order.order_id, FIRST_VERSION)["sk"],
        keys.event(order.order_id, order.version)["sk"],
        consistent=True,
    )
    return [rows.event_from(row) for row in found]


def _operations(
    table: Table, customer_id: CustomerId, forgotten: Order, events: list[OrderEvent]
) -> list[Operation]:
    """`events` ends with the new one."""
    *earlier, told = events
    return [
        table.put(rows.detail_row(forgotten), "version = :before", before=forgotten.version - 1),
        _delete(table, keys.customer_order(customer_id, forgotten.order_id)),
        table.put(rows.customer_row(forgotten)),
        *(table.put(rows.event_row(event.anonymized())) for event in earlier),
        table.put(rows.event_row(told), "attribute_not_exists(pk)"),
    ]


def _delete(table: Table, key: Key) -> Operation:
    """Delete the row, which must be there."""
    there = "attribute_exists(pk)"
    return {"Delete": {"TableName": table.name, "Key": to_typed(key), "ConditionExpression": there}}
