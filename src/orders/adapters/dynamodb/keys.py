"""The keys of the single table. No part of a key may contain `#`: it separates the parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

from orders.domain import order_id as order_ids
from orders.domain import timestamps

if TYPE_CHECKING:
    from datetime import date, datetime

    from orders.domain.customer_id import CustomerId
    from orders.domain.order_id import OrderId

Key = dict[str, str]

SHARDS: Final = 8
"""Index partitions per status, and of the feed, so that a busy one is not a hot partition."""

ORDER: Final = "ORDER#"
"""Followed by the order's id: its partition, and its sort key in a customer's."""

DETAIL: Final = "DETAIL"
CHARGE: Final = "CHARGE"
RESERVATION: Final = "RESERVATION"
EVENT: Final = "EVENT#"
RECORD: Final = "RECORD"


def detail(order_id: OrderId) -> Key:
    return {"pk": f"{ORDER}{order_id}", "sk": DETAIL}


def customer_order(customer_id: CustomerId, order_id: OrderId) -> Key:
    return {"pk": customer_partition(customer_id), "sk": customer_sort(order_id)}


def customer_partition(customer_id: CustomerId) -> str:
    return f"CUSTOMER#{customer_id}"


def customer_sort(order_id: OrderId) -> str:
    return f"{ORDER}{order_id}"


def event(order_id: OrderId, version: int) -> Key:
    """Ten digits, so that an order's events sort as their versions do."""
    return {"pk": f"{ORDER}{order_id}", "sk": f"{EVENT}{version:010d}"}


def idempotency_record(record_id: str) -> Key:
    return {"pk": f"IDEMPOTENCY#{record_id}", "sk": RECORD}


def charge(order_id: OrderId) -> Key:
    return {"pk": f"{ORDER}{order_id}", "sk": CHARGE}


def reservation(order_id: OrderId) -> Key:
    return {"pk": f"{ORDER}{order_id}", "sk": RESERVATION}


def daily_report(day: date) -> Key:
    return {"pk": "REPORT#DAILY", "sk": day.isoformat()}


def status_partition(status: str, shard: int) -> str:
    return f"STATUS#{status}#{shard}"


def feed_partition(shard: int) -> str:
    return f"EVENTS#{shard}"


def shard_of(order_id: OrderId) -> int:
    return crc32(order_id.encode()) % SHARDS


def without_customer(partition: str) -> str:
    """A partition key that is safe to log: a customer's id can be an address or a name."""
    kind, *parts = partition.split("#")
    if kind in {"CUSTOMER", "IDEMPOTENCY"}:
        parts[:1] = ["*"]
    return "#".join([kind, *parts])


def customer_index_partition(customer_id: CustomerId) -> str:
    return f"CUST_ORDERS#{customer_id}"


def by_time(order_id: OrderId) -> str:
    """The index's sort key: by creation time, then by id."""
    return f"{timestamps.to_text(order_ids.created_at(order_id))}#{order_id}"


def by_record(recorded_at: datetime, order_id: OrderId, version: int) -> str:
    """The index's sort key of events: by the time of recording, then by order and version."""
    return f"{timestamps.to_text(recorded_at)}#{order_id}#{version:010d}"
