"""Our create's transaction and our get, signed and sent by hand: the standard library alone."""

import json
import os
from typing import Any

from benchmarks.floor import rows
from benchmarks.floor.connection import Connection

TABLE = os.environ["TABLE_NAME"]

_ID, _SHARD, _NUMBER = "{order id}", "{shard}", "{number}"

_connection = Connection()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return _CALLS[event["routeKey"]](event)


def create(event: dict[str, Any]) -> dict[str, Any]:
    """The transaction of a create, with the record where the event has a key."""
    number = rows.new_number()
    order_id = rows.order_id(number)
    template = _KEYED if "idempotency-key" in event["headers"] else _PLAIN
    body = (
        template.replace(_ID, order_id)
        .replace(_SHARD, str(rows.shard(order_id)))
        .replace(_NUMBER, f"{number:032x}")
    )
    _connection.call("TransactWriteItems", body.encode())
    return rows.created(order_id)


def get(event: dict[str, Any]) -> dict[str, Any]:
    """Answers as if the order were PENDING, and one of this process."""
    order_id = event["pathParameters"]["orderId"]
    _connection.call("GetItem", _GET.replace(_ID, order_id).encode())
    return rows.found(order_id)


def _transaction(*puts: dict[str, Any]) -> str:
    items = [{"Put": put} for put in puts]
    return _json({"TransactItems": items, "ClientRequestToken": _NUMBER})


def _put(row: rows.Row, condition: str, **values: object) -> dict[str, Any]:
    put = {"TableName": TABLE, "Item": _typed(row)["M"], "ConditionExpression": condition}
    if values:
        named = {f":{name}": _typed(value) for name, value in values.items()}
        put["ExpressionAttributeValues"] = named
    return put


def _json(parameters: dict[str, Any]) -> str:
    return json.dumps(parameters, separators=(",", ":"))


def _typed(value: object) -> dict[str, Any]:
    """A value as DynamoDB's JSON has it."""
    match value:
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case list():
            return {"L": [_typed(part) for part in value]}
        case dict():
            return {"M": {name: _typed(part) for name, part in value.items()}}
        case _:
            raise TypeError(f"no row has a {type(value).__name__}")


_DETAIL = _put(rows.detail_row(_ID, _SHARD), rows.ABSENT)
_CUSTOMER = _put(rows.customer_row(_ID), rows.ABSENT)
_RECORD = _put(rows.record_row(_ID, _NUMBER * 2), rows.ABSENT_OR_EXPIRED, now=rows.NOW_SECONDS)
_PLAIN = _transaction(_DETAIL, _CUSTOMER)
_KEYED = _transaction(_DETAIL, _CUSTOMER, _RECORD)
_GET = _json(
    {
        "TableName": TABLE,
        "Key": _typed({"pk": f"ORDER#{_ID}", "sk": "DETAIL"})["M"],
        "ConsistentRead": True,
        "ReturnConsumedCapacity": "TOTAL",  # our client always asks for it
    }
)
_CALLS = {"POST /orders": create, "GET /orders/{orderId}": get}
