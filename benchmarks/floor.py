"""The least that could respond: our functions' own calls, through the library of our client.

Nothing is checked: no validation, no rights, no log. Everything is about one fixed order under an
id that is new each time; the rows are those of the frozen release of the contract.
"""

import itertools
import json
import os
import time
import zlib
from collections.abc import Mapping
from typing import Any

import pycurl

TABLE = os.environ["TABLE_NAME"]
CUSTOMER = "cus_42"
ITEMS = [{"sku": "MUG-01", "name": "Mug", "quantity": 3, "unitAmount": 1999}]

_curl = pycurl.Curl()
_curl.setopt(pycurl.URL, os.environ["AWS_ENDPOINT_URL"])
_curl.setopt(pycurl.AWS_SIGV4, f"aws:amz:{os.environ['AWS_REGION']}:dynamodb")
_curl.setopt(pycurl.USERNAME, os.environ["AWS_ACCESS_KEY_ID"])
_curl.setopt(pycurl.PASSWORD, os.environ["AWS_SECRET_ACCESS_KEY"])
_curl.setopt(pycurl.FAILONERROR, 1)
if "AWS_CA_BUNDLE" in os.environ:
    _curl.setopt(pycurl.CAINFO, os.environ["AWS_CA_BUNDLE"])

_STARTED = time.time_ns() // 1_000_000
_SECONDS, _MILLISECONDS = divmod(_STARTED, 1000)
_NOW = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(_SECONDS)) + f".{_MILLISECONDS:03}Z"
_EXPIRES_AT = -(-_STARTED // 1000) + 24 * 60 * 60  # rounded up
_TIME_PART = f"{_STARTED >> 16:08x}-{_STARTED & 0xFFFF:04x}"
_numbers = itertools.count(int.from_bytes(os.urandom(5)))

_ABSENT = "attribute_not_exists(pk)"
_ABSENT_OR_EXPIRED = "attribute_not_exists(pk) OR expiresAt <= :now"


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    return _CALLS[event["routeKey"]](event)


def create(event: dict[str, Any]) -> dict[str, Any]:
    """The transaction of a create, with the idempotency record where the event has a key."""
    number = next(_numbers)
    order_id = f"{_TIME_PART}-7000-8000-{number:012x}"
    body = _order(order_id)
    location = f"https://api.example.com/orders/{order_id}"
    summary = {
        "gsi1sk": f"{_NOW}#{order_id}",
        "schemaVersion": 1,
        "orderId": order_id,
        "customerId": CUSTOMER,
        "status": "PENDING",
        "amount": 5997,
        "currency": "USD",
        "version": 1,
        "createdAt": _NOW,
        "updatedAt": _NOW,
    }
    detail = {
        **_detail_key(order_id),
        "gsi1pk": f"STATUS#PENDING#{zlib.crc32(order_id.encode()) % 8}",
        **summary,
        "actor": "customer",
        "items": ITEMS,
        "metadata": {},
    }
    by_customer = {
        "pk": f"CUSTOMER#{CUSTOMER}",
        "sk": f"ORDER#{order_id}",
        "gsi1pk": f"CUST_ORDERS#{CUSTOMER}",
        **summary,
    }
    operations = [_put(detail, _ABSENT), _put(by_customer, _ABSENT)]
    if "idempotency-key" in event["headers"]:
        record = {
            "pk": f"IDEMPOTENCY#{CUSTOMER}#{number:064x}",
            "sk": "RECORD",
            "schemaVersion": 1,
            "fingerprint": "f" * 64,
            "status": 201,
            "body": body,
            "etag": '"1"',
            "location": location,
            "expiresAt": _EXPIRES_AT,
        }
        operations.append(_put(record, _ABSENT_OR_EXPIRED))
        now = {":now": {"N": str(_SECONDS)}}
        operations[-1]["Put"]["ExpressionAttributeValues"] = now
    request = {"TransactItems": operations, "ClientRequestToken": f"{number:032x}"}
    _call("TransactWriteItems", request)
    return _response(201, body, {"Location": location, "ETag": '"1"'})


def get(event: dict[str, Any]) -> dict[str, Any]:
    """Responds as if the order were PENDING, and made by this process."""
    order_id = event["pathParameters"]["orderId"]
    key = {name: {"S": value} for name, value in _detail_key(order_id).items()}
    _call("GetItem", {"TableName": TABLE, "Key": key, "ConsistentRead": True})
    return _response(200, _order(order_id), {"ETag": '"1"'})


def _detail_key(order_id: str) -> dict[str, Any]:
    return {"pk": f"ORDER#{order_id}", "sk": "DETAIL"}


def _put(row: dict[str, Any], condition: str) -> dict[str, Any]:
    item = {name: _typed(value) for name, value in row.items()}
    return {"Put": {"TableName": TABLE, "Item": item, "ConditionExpression": condition}}


def _typed(value: Any) -> dict[str, object]:  # noqa: ANN401 - of a row
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if isinstance(value, dict):
        return {"M": {name: _typed(one) for name, one in value.items()}}
    return {"L": [_typed(one) for one in value]}


def _call(operation: str, request: Mapping[str, object]) -> None:
    """Raises pycurl.error, also where the response is an error."""
    headers = [f"X-Amz-Target: DynamoDB_20120810.{operation}"]
    headers.append("Content-Type: application/x-amz-json-1.0")
    _curl.setopt(pycurl.HTTPHEADER, headers)
    _curl.setopt(pycurl.POSTFIELDS, json.dumps(request))
    json.loads(_curl.perform_rb())


def _order(order_id: str) -> str:
    return (
        f'{{"orderId":"{order_id}","customerId":"{CUSTOMER}","status":"PENDING","amount":5997,'
        '"currency":"USD","items":[{"sku":"MUG-01","name":"Mug","quantity":3,"unitAmount":1999}],'
        '"metadata":{},"version":1,"allowedTransitions":["PAID","CANCELED"],'
        f'"createdAt":"{_NOW}","updatedAt":"{_NOW}"}}'
    )


def _response(status: int, body: str, headers: dict[str, str]) -> dict[str, Any]:
    shown = {"Content-Type": "application/json", "Cache-Control": "private, no-cache", **headers}
    return {"statusCode": status, "headers": shown, "body": body, "isBase64Encoded": False}


_CALLS = {
    "POST /orders": create,
    "GET /orders/{orderId}": get,
}
