"""Takes a customer out of the rows of their orders, one transaction an order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orders.adapters.dynamodb import keys, rows
from orders.adapters.dynamodb.errors import ConditionFailed
from orders.adapters.dynamodb.values import from_typed, to_typed
from orders.application.errors import MalformedRow, TryAgain
from orders.domain.actor import Actor
from orders.domain.customer_id import forgotten_customer
from orders.domain.order import FIRST_VERSION
from orders.domain.order_id import OrderId, parse_order_id
from orders.domain.status import transitions_from
from orders.http.bodies import OrderBody

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
_LATEST_VERSION: Final = 9_999_999_999


def find_orders(stage: Stage, customer_id: CustomerId) -> Mapping[str, bool]:
    """The orders with a row that names the customer, and whether each is open.

    Their list has them; those that it lost are looked for in the index, all of which is read.
    """
    found = {_order_named(row): _is_open(row) for row in _listed(stage.table, customer_id)}
    pages = (
        stage.client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=stage.table.name,
            IndexName=stage.orders.index,
            FilterExpression="customerId = :customer",
            ExpressionAttributeValues=to_typed({":customer": customer_id}),
        )
    )
    for row in (from_typed(item) for page in pages for item in page["Items"]):
        order_id = rows.order_id_of(row)
        if order_id is None or order_id in found or customer_id == forgotten_customer(order_id):
            continue
        # The index may lag behind the order, which another run has just forgotten.
        own = list(stage.table.query(keys.detail(order_id)["pk"], "!", "~", consistent=True))
        if any(one.get("customerId") == customer_id for one in own):
            found[order_id] = any(_is_open(one) for one in own if one["sk"] == keys.DETAIL)
    return found


def listed_orders(stage: Stage, customer_id: CustomerId) -> Iterator[str]:
    """The orders of the customer's list, oldest first, strongly consistent."""
    return map(_order_named, _listed(stage.table, customer_id))


def _listed(table: Table, customer_id: CustomerId) -> Iterator[Row]:
    """None for the pseudonym of a forgotten customer: nothing is left to forget."""
    first, last = (keys.customer_sort(OrderId(bound)) for bound in ("", "~"))
    for row in table.query(keys.customer_partition(customer_id), first, last, consistent=True):
        order_id = rows.order_id_of(row)
        if order_id is None or customer_id != forgotten_customer(order_id):
            yield row


def _order_named(row: Row) -> str:
    """In a damaged key that may be no order's id."""
    return str(row["sk"]).removeprefix(keys.ORDER)


def _is_open(row: Row) -> bool:
    return bool(transitions_from(str(row.get("status"))))


def forget_order(stage: Stage, customer_id: CustomerId, text: str) -> Order | None:
    """The order as it was; None if it was forgotten meanwhile. `text` is as found.

    The order and its events lose the customer and all free texts, its row moves to a pseudonym, and
    an event tells consumers. Attributes that this release doesn't know go as well: they may be
    personal.

    Raises:
        MalformedRow: the order can't be read, disagrees with its events, or is another customer's;
            nothing was written.
        TryAgain: likewise nothing was written, because other writes kept coming first.
    """
    order_id = parse_order_id(text)
    if order_id is None:
        raise MalformedRow("a row of the customer names no order")
    listed = keys.customer_order(customer_id, order_id)
    for _ in range(_ATTEMPTS):
        order = _read_order(stage.table, customer_id, order_id)
        events = _read_events(stage.table, order_id)
        if events and events[-1].version > order.version:
            # A change between the two reads looks like that, too.
            if _read_order(stage.table, customer_id, order_id).version > order.version:
                continue
            raise MalformedRow(f"order {order_id} is behind its events: restore its row")
        named = {order.customer_id, *(event.customer_id for event in events)}
        if customer_id not in named and stage.table.get(listed) is None:
            return None
        _check_agreement(order, events)
        forgotten, event = order.forgotten(by=_ACTOR, at=stage.now())
        operations = _operations(stage.table, listed, forgotten, [*events, event])
        try:
            stage.table_for_events.write(*operations)
        except ConditionFailed:
            continue
        return order
    raise TryAgain


def _read_order(table: Table, customer_id: CustomerId, order_id: OrderId) -> Order:
    row = table.get(keys.detail(order_id))
    if row is None:
        raise MalformedRow(f"order {order_id} is missing, but other rows of it name the customer")
    order = _order_from(row)
    # A restored row can list an order that was forgotten.
    if order.customer_id not in {customer_id, forgotten_customer(order_id)}:
        raise MalformedRow(f"order {order_id} is another customer's, but rows of it name this one")
    return order


@rows.reads("order")
def _order_from(row: Row) -> Order:
    order = rows.order_from(row)
    OrderBody.of(order)  # also items and metadata have to be what the API can show
    to_typed(rows.detail_row(order))  # and what can be written
    return order


def _read_events(table: Table, order_id: OrderId) -> list[OrderEvent]:
    """All of the order's. Read after it, so that none that led to it is missing."""
    found = table.query(
        keys.detail(order_id)["pk"],
        keys.event(order_id, FIRST_VERSION)["sk"],
        keys.event(order_id, _LATEST_VERSION)["sk"],
        consistent=True,
    )
    return [rows.event_from(row) for row in found]


def _check_agreement(order: Order, events: list[OrderEvent]) -> None:
    """Whatever is forgotten stays as it is: `restore` can't tell any more what was damaged.

    Raises:
        MalformedRow: the order is not what its events made of it.
    """
    versions = {event.version for event in events}
    for version in range(FIRST_VERSION, order.version + 1):
        if version not in versions:
            raise MalformedRow(f"order {order.order_id} lacks its event {version}: restore it")
    money = {(event.amount, event.currency) for event in events}
    if money != {(order.amount, order.currency)} or events[-1].status != order.status:
        raise MalformedRow(f"order {order.order_id} differs from its events: restore its row")


def _operations(
    table: Table, listed: Key, forgotten: Order, events: list[OrderEvent]
) -> list[Operation]:
    """`events` ends with the new one."""
    *earlier, told = events
    return [
        table.put(rows.detail_row(forgotten), "version = :before", before=forgotten.version - 1),
        {"Delete": {"TableName": table.name, "Key": to_typed(listed)}},
        table.put(rows.customer_row(forgotten)),
        *(table.put(rows.event_row(event.anonymized())) for event in earlier),
        table.put(rows.event_row(told), "attribute_not_exists(pk)"),
    ]
