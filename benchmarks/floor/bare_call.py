"""Our functions' own calls, through our DynamoDB client, and nothing around them."""

import os
from typing import Any

from pydynox import DynamoDBClient

from benchmarks.floor import rows

TABLE = os.environ["TABLE_NAME"]
INDEX = "gsi1"

_client = DynamoDBClient(connect_timeout=2.3, read_timeout=2.3, max_retries=3)

_PAGE_OF_20 = 21
"""One more, to know whether another page follows."""

_DETAIL_CHANGE = (
    "SET #status = :status, #version = :version, #updatedAt = :updatedAt, #gsi1pk = :gsi1pk,"
    " #actor = :actor, #staffId = :staffId REMOVE #reason, #paymentToken, #chargeId"
)
_SUMMARY_CHANGE = "SET #status = :status, #version = :version, #updatedAt = :updatedAt"
_UNCHANGED = "#status = :statusBefore AND #version = :versionBefore"
_SUMMARY_NAMES = {f"#{name}": name for name in ("status", "version", "updatedAt")}
_DETAIL_NAMES = _SUMMARY_NAMES | {
    f"#{name}": name
    for name in ("gsi1pk", "actor", "staffId", "reason", "paymentToken", "chargeId")
}
_SUMMARY_VALUES = {
    ":status": "PAID",
    ":version": 2,
    ":updatedAt": rows.NOW,
    ":statusBefore": "PENDING",
    ":versionBefore": 1,
}


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return _CALLS[event["routeKey"]](event)


def create(event: dict[str, Any]) -> dict[str, Any]:
    """The transaction of a create, with the record where the event has a key."""
    number = rows.new_number()
    order_id = rows.order_id(number)
    operations = [
        _put(rows.detail_row(order_id, rows.shard(order_id)), rows.ABSENT),
        _put(rows.customer_row(order_id), rows.ABSENT),
    ]
    if "idempotency-key" in event["headers"]:
        record = rows.record_row(order_id, f"{number:064x}")
        values = {":now": rows.NOW_SECONDS}
        operations.append(
            _put(record, rows.ABSENT_OR_EXPIRED) | {"expression_attribute_values": values}
        )
    _client.sync_transact_write(operations, client_request_token=f"{number:032x}")
    return rows.created(order_id)


def get(event: dict[str, Any]) -> dict[str, Any]:
    """Answers as if the order were PENDING, and one of this process."""
    order_id = event["pathParameters"]["orderId"]
    _read(order_id)
    return rows.found(order_id)


def page(_event: dict[str, Any]) -> dict[str, Any]:
    """The newest 20 of the fixed customer; the response has none of them."""
    found = _client.sync_query(
        TABLE,
        "gsi1pk = :partition AND gsi1sk BETWEEN :first AND :last",
        expression_attribute_values={
            ":partition": f"CUST_ORDERS#{rows.CUSTOMER}",
            ":first": _FIRST,
            ":last": _LAST,
        },
        limit=_PAGE_OF_20,
        scan_index_forward=False,
        index_name=INDEX,
        consistent_read=False,
    )
    list(found)
    return _EMPTY_PAGE


def pay(event: dict[str, Any]) -> dict[str, Any]:
    """The read and the transaction of staff's PAID; the order must be PENDING."""
    order_id = event["pathParameters"]["orderId"]
    _read(order_id)
    number = rows.new_number()
    detail = {
        "type": "update",
        "table": TABLE,
        "key": {"pk": f"ORDER#{order_id}", "sk": "DETAIL"},
        "update_expression": _DETAIL_CHANGE,
        "condition_expression": _UNCHANGED,
        "expression_attribute_names": _DETAIL_NAMES,
        "expression_attribute_values": _SUMMARY_VALUES
        | {
            ":gsi1pk": f"STATUS#PAID#{rows.shard(order_id)}",
            ":actor": "staff",
            ":staffId": rows.STAFF,
        },
    }
    summary = {
        "type": "update",
        "table": TABLE,
        "key": {"pk": f"CUSTOMER#{rows.CUSTOMER}", "sk": f"ORDER#{order_id}"},
        "update_expression": _SUMMARY_CHANGE,
        "condition_expression": _UNCHANGED,
        "expression_attribute_names": _SUMMARY_NAMES,
        "expression_attribute_values": _SUMMARY_VALUES,
    }
    _client.sync_transact_write([detail, summary], client_request_token=f"{number:032x}")
    return rows.paid(order_id)


def _read(order_id: str) -> None:
    key = {"pk": f"ORDER#{order_id}", "sk": "DETAIL"}
    _client.sync_get_item(TABLE, key, consistent_read=True)


def _put(row: rows.Row, condition: str) -> dict[str, Any]:
    return {"type": "put", "table": TABLE, "item": row, "condition_expression": condition}


_FIRST = "1970-01-01T00:00:00.000Z#00000000-0000-0000-0000-000000000000"
_LAST = "9999-12-31T23:59:59.999Z#e677d21f-dbff-ffff-ffff-ffffffffffff"
_EMPTY_PAGE = {
    "statusCode": 200,
    "headers": {"Content-Type": "application/json", "Cache-Control": "private, no-cache"},
    "body": '{"items":[],"nextCursor":null}',
    "isBase64Encoded": False,
}
_CALLS = {
    "POST /orders": create,
    "GET /orders/{orderId}": get,
    "GET /customers/{customerId}/orders": page,
    "PATCH /orders/{orderId}": pay,
}
