"""The rows and answers of our functions for one fixed order, under an id that is new each time.

All of it is written down beforehand; only the id is put in, by formatting strings, and the shard
that follows from it. Orders of one process share the millisecond that it started in.
"""

import itertools
import os
import time
import zlib
from typing import Any

Row = dict[str, Any]

CUSTOMER = "cus_42"
STAFF = "ann"
REQUEST: dict[str, Any] = {
    "customerId": CUSTOMER,
    "currency": "USD",
    "items": [{"sku": "MUG-01", "name": "Mug", "quantity": 3, "unitAmount": 1999}],
}
"""The body of POST /orders whose rows these are, sent by the customer with `sub` CUSTOMER."""

ABSENT = "attribute_not_exists(pk)"
ABSENT_OR_EXPIRED = "attribute_not_exists(pk) OR expiresAt <= :now"

_STARTED = time.time_ns() // 1_000_000
_SECONDS, _MILLISECONDS = divmod(_STARTED, 1000)
NOW = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(_SECONDS)) + f".{_MILLISECONDS:03}Z"
NOW_SECONDS = _SECONDS
_EXPIRES_AT = -(-_STARTED // 1000) + 24 * 60 * 60  # rounded up
_FINGERPRINT = "f" * 64

_TIME_PART = f"{_STARTED >> 16:08x}-{_STARTED & 0xFFFF:04x}"
_numbers = itertools.count(int.from_bytes(os.urandom(5)))


def new_number() -> int:
    """One that no other process is likely to have: it makes ids, keys and tokens differ."""
    return next(_numbers)


def order_id(number: int) -> str:
    """A UUIDv7."""
    return f"{_TIME_PART}-7000-8000-{number:012x}"


def shard(order_id: str) -> int:
    return zlib.crc32(order_id.encode()) % 8


def detail_row(order_id: str, shard: object) -> Row:
    return {
        "pk": f"ORDER#{order_id}",
        "sk": "DETAIL",
        "gsi1pk": f"STATUS#PENDING#{shard}",
        "gsi1sk": f"{NOW}#{order_id}",
        "schemaVersion": 1,
        "orderId": order_id,
        "customerId": CUSTOMER,
        "status": "PENDING",
        "amount": 5997,
        "currency": "USD",
        "version": 1,
        "createdAt": NOW,
        "updatedAt": NOW,
        "actor": "customer",
        "items": REQUEST["items"],
        "metadata": {},
    }


def customer_row(order_id: str) -> Row:
    return {
        "pk": f"CUSTOMER#{CUSTOMER}",
        "sk": f"ORDER#{order_id}",
        "gsi1pk": f"CUST_ORDERS#{CUSTOMER}",
        "gsi1sk": f"{NOW}#{order_id}",
        "schemaVersion": 1,
        "orderId": order_id,
        "customerId": CUSTOMER,
        "status": "PENDING",
        "amount": 5997,
        "currency": "USD",
        "version": 1,
        "createdAt": NOW,
        "updatedAt": NOW,
    }


def record_row(order_id: str, digest: str) -> Row:
    """`digest` stands for that of operation and key: nothing is hashed here."""
    return {
        "pk": f"IDEMPOTENCY#{CUSTOMER}#{digest}",
        "sk": "RECORD",
        "schemaVersion": 1,
        "fingerprint": _FINGERPRINT,
        "status": 201,
        "body": order_body(order_id),
        "etag": '"1"',
        "location": location(order_id),
        "expiresAt": _EXPIRES_AT,
    }


def created(order_id: str) -> dict[str, Any]:
    headers = {"Location": location(order_id), "ETag": '"1"'}
    return _response(201, order_body(order_id), headers)


def found(order_id: str) -> dict[str, Any]:
    return _response(200, order_body(order_id), {"ETag": '"1"'})


def paid(order_id: str) -> dict[str, Any]:
    body = order_body(order_id, "PAID", 2, '["SHIPPED","CANCELED"]')
    return _response(200, body, {"ETag": '"2"'})


def location(order_id: str) -> str:
    return f"https://api.example.com/orders/{order_id}"


def order_body(
    order_id: str,
    status: str = "PENDING",
    version: int = 1,
    transitions: str = '["PAID","CANCELED"]',
) -> str:
    return (
        f'{{"orderId":"{order_id}","customerId":"{CUSTOMER}","status":"{status}","amount":5997,'
        '"currency":"USD","items":[{"sku":"MUG-01","name":"Mug","quantity":3,"unitAmount":1999}],'
        f'"metadata":{{}},"version":{version},"allowedTransitions":{transitions},'
        f'"createdAt":"{NOW}","updatedAt":"{NOW}"}}'
    )


def _response(status: int, body: str, headers: dict[str, str]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {
            "Content-Type": "application/json",
            "Cache-Control": "private, no-cache",
            **headers,
        },
        "body": body,
        "isBase64Encoded": False,
    }
