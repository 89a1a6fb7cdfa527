"""Orders in the single table."""

from __future__ import annotations

import heapq
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from orders.adapters.dynamodb import keys, rows
from orders.adapters.dynamodb.errors import ConditionFailed
from orders.application.errors import IdTaken, KeyInUse, MalformedRow, StaleOrder
from orders.application.paging import Found
from orders.domain import timestamps
from orders.domain.order import FIRST_VERSION
from orders.telemetry import count, logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import ThreadPoolExecutor
    from datetime import datetime

    from orders.adapters.dynamodb.rows import Row
    from orders.adapters.dynamodb.table import Operation, Table
    from orders.application.idempotency import IdempotencyRecord
    from orders.domain.customer_id import CustomerId
    from orders.domain.events import OrderEvent
    from orders.domain.order import Order, OrderSummary
    from orders.domain.order_id import IdRange, OrderId
    from orders.domain.status import OrderStatus

Item = TypeVar("Item")

_ABSENT: Final = "attribute_not_exists(pk)"
_ABSENT_OR_EXPIRED: Final = "attribute_not_exists(pk) OR purgeAt <= :now"
_AS_BEFORE: Final = "#status = :statusBefore AND #version = :versionBefore"
_LATEST_VERSION: Final = 9_999_999_999

_CUSTOMER_ROW: Final = 1
"""Its place in the transaction of an update: behind the order, before its event and the record."""

_SPARE: Final = 5
"""With this many beyond twice its share, a shard is read again for one page of 20 in 1,400."""


class DynamoDbOrders:
    """`OrderRepository` on one table and its index."""

    def __init__(self, table: Table, index: str) -> None:
        self.table = table
        self.index = index

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - few functions need it

        return ThreadPoolExecutor(keys.SHARDS)

    def add(
        self, order: Order, event: OrderEvent, record: IdempotencyRecord | None, now: datetime
    ) -> None:
        operations = [
            self.table.put(rows.detail_row(order), _ABSENT),
            self.table.put(rows.customer_row(order), _ABSENT),
            self.table.put(rows.event_row(event), _ABSENT),
            *self._put_record(record, now),
        ]
        try:
            self.table.write(*operations)
        except ConditionFailed as error:
            raise _key_in_use(error, record, operations) or IdTaken() from error
        count("EventsRecorded")

    def update(
        self,
        before: Order,
        after: Order,
        event: OrderEvent,
        record: IdempotencyRecord | None,
        now: datetime,
    ) -> None:
        operations = [
            self._update_detail(before, after),
            self._update_customer_row(before, after),
            self.table.put(rows.event_row(event), _ABSENT),
            *self._put_record(record, now),
        ]
        try:
            self.table.write(*operations)
        except ConditionFailed as error:
            if error.failed.keys() != {_CUSTOMER_ROW}:
                raise _key_in_use(error, record, operations) or StaleOrder() from error
            self._mend(operations, after)
        count("EventsRecorded")

    def remember(self, record: IdempotencyRecord, now: datetime) -> None:
        operations = self._put_record(record, now)
        try:
            self.table.write(*operations)
        except ConditionFailed as error:
            if in_use := _key_in_use(error, record, operations):
                raise in_use from error
            raise

    def get(self, order_id: OrderId) -> Order | None:
        row = self.table.get(keys.detail(order_id))
        return None if row is None else rows.order_from(row)

    def get_record(self, record_id: str) -> IdempotencyRecord | None:
        row = self.table.get(keys.idempotency_record(record_id))
        return None if row is None else rows.idempotency_record_from(row)

    def get_with_record(
        self, order_id: OrderId, record_id: str, *, snapshot: bool = False
    ) -> tuple[Order | None, IdempotencyRecord | None]:
        both = [keys.detail(order_id), keys.idempotency_record(record_id)]
        found = self.table.get_snapshot(both) if snapshot else self.table.get_many(both)
        by_kind = {row["sk"]: row for row in found}
        order, record = by_kind.get(keys.DETAIL), by_kind.get(keys.RECORD)
        return (
            None if order is None else rows.order_from(order),
            None if record is None else rows.idempotency_record_from(record),
        )

    def list_by_customer(
        self,
        customer_id: CustomerId,
        ids: IdRange,
        *,
        newest_first: bool,
        limit: int,
        consistent: bool,
    ) -> Sequence[Found[OrderSummary, OrderId]]:
        bounds = ids.bounds()
        if bounds is None:
            return []
        first, last = bounds
        if consistent:
            partition, index = keys.customer_partition(customer_id), None
            low, high = keys.customer_sort(first), keys.customer_sort(last)
        else:
            partition, index = keys.customer_index_partition(customer_id), self.index
            low, high = keys.by_time(first), keys.by_time(last)
        found = self.table.query(
            partition,
            low,
            high,
            index=index,
            ascending=not newest_first,
            consistent=consistent,
            limit=limit,
        )
        return list(_orders(found))

    def list_by_status(
        self, status: OrderStatus, ids: IdRange, *, newest_first: bool, limit: int
    ) -> Sequence[Found[OrderSummary, OrderId]]:
        bounds = ids.bounds()
        if bounds is None:
            return []
        partitions = [keys.status_partition(status, shard) for shard in range(keys.SHARDS)]
        first, last = map(keys.by_time, bounds)
        return list(_orders(self._merged(partitions, first, last, limit, descending=newest_first)))

    def each_by_status(self, status: OrderStatus, ids: IdRange) -> Iterator[OrderSummary]:
        bounds = ids.bounds()
        if bounds is None:
            return
        first, last = map(keys.by_time, bounds)
        for shard in range(keys.SHARDS):
            partition = keys.status_partition(status, shard)
            for one in _orders(self.table.query(partition, first, last, index=self.index)):
                if one.item is not None:
                    yield one.item

    def get_with_events(
        self, order_id: OrderId, *, after_version: int, limit: int
    ) -> tuple[Order | None, Sequence[Found[OrderEvent, int]]]:
        order = self._threads.submit(self.get, order_id)
        found = self.table.query(
            keys.detail(order_id)["pk"],
            keys.event(order_id, after_version + 1)["sk"],
            keys.event(order_id, _LATEST_VERSION)["sk"],
            consistent=True,
            limit=limit,
        )
        events = [
            Found(int(row["sk"].removeprefix(keys.EVENT)), _readable(rows.event_from, row))
            for row in found
        ]
        return order.result(), events

    def list_events(
        self, after: str, since: datetime, until: datetime, limit: int
    ) -> Sequence[Found[OrderEvent, str]]:
        # After a position come the keys that extend it, and all later ones.
        first = max(timestamps.to_text(since), f"{after}#" if after else "")
        last = timestamps.to_text(until)
        if first > last:
            return []
        partitions = [keys.feed_partition(shard) for shard in range(keys.SHARDS)]
        return [
            Found(row["gsi1sk"], _readable(rows.event_from, row))
            for row in self._merged(partitions, first, last, limit)
        ]

    def each_created(self, since: datetime, until: datetime) -> Iterator[OrderId]:
        first, last = timestamps.to_text(since), timestamps.to_text(until)
        for shard in range(keys.SHARDS):
            for row in self.table.query(keys.feed_partition(shard), first, last, index=self.index):
                order_id = rows.order_id_of(row)
                if order_id and row["sk"] == keys.event(order_id, FIRST_VERSION)["sk"]:
                    yield order_id

    def _merged(
        self,
        partitions: Sequence[str],
        first: str,
        last: str,
        limit: int,
        *,
        descending: bool = False,
    ) -> list[Row]:
        """The first `limit` rows of several partitions of the index, by their sort key.

        One call per partition, in parallel. Rows spread evenly, so each call asks for slightly more
        than twice its share of the page; a partition that may have still more is read again.
        """
        share = min(limit, 2 * limit // len(partitions) + _SPARE)

        def read(partition: str, behind: Row | None = None) -> list[Row]:
            found = self.table.query(
                partition,
                first,
                last,
                index=self.index,
                ascending=not descending,
                limit=share,
                behind=behind,
            )
            return list(found)

        found = list(self._threads.map(read, partitions))
        unread = [
            partition for partition in range(len(partitions)) if len(found[partition]) == share
        ]
        while True:
            merged = heapq.merge(*found, key=lambda row: row["gsi1sk"], reverse=descending)
            page = list(islice(merged, limit))
            unread = [i for i in unread if len(page) < limit or found[i][-1] in page[:-1]]
            if not unread:
                return page
            for i in unread.copy():
                more = read(partitions[i], behind=found[i][-1])
                found[i] += more
                if len(more) < share:
                    unread.remove(i)

    def _mend(self, operations: list[Operation], after: Order) -> None:
        """Update an order whose customer row is missing or out of step.

        The order's own row is authoritative; the customer row is rewritten to match it.

        Raises:
            StaleOrder.
        """
        row = rows.customer_row(after)
        key = keys.customer_order(after.customer_id, after.order_id)
        changing = {name: value for name, value in row.items() if name not in key}
        operations[_CUSTOMER_ROW] = self._set(key, changing)
        try:
            self.table.write(*operations)
        except ConditionFailed as error:
            raise StaleOrder from error
        logger.error("customer row mended")
        count("CustomerRowsMended")

    def _update_detail(self, before: Order, after: Order) -> Operation:
        key = keys.detail(before.order_id)
        return self._set(key, rows.changing_in_detail(after), before)

    def _update_customer_row(self, before: Order, after: Order) -> Operation:
        key = keys.customer_order(before.customer_id, before.order_id)
        return self._set(key, rows.changing_in_summary(after), before)

    def _set(
        self, key: keys.Key, changing: Mapping[str, object], before: Order | None = None
    ) -> Operation:
        """Set attributes with a value, remove those without; if the order is still at `before`."""
        kept = {name: value for name, value in changing.items() if value is not None}
        gone = [f"#{name}" for name, value in changing.items() if value is None]
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in kept)
        if gone:
            expression += " REMOVE " + ", ".join(gone)
        names = {f"#{name}": name for name in changing}
        if before is None:
            return self.table.update(key, expression, None, names, **kept)
        return self.table.update(
            key,
            expression,
            _AS_BEFORE,
            names,
            **kept,
            statusBefore=str(before.status),
            versionBefore=before.version,
        )

    def _put_record(self, record: IdempotencyRecord | None, now: datetime) -> list[Operation]:
        if record is None:
            return []
        seconds = timestamps.to_milliseconds(now) // 1000
        row = rows.idempotency_row(record)
        return [self.table.put(row, _ABSENT_OR_EXPIRED, show_old=True, now=seconds)]


def _key_in_use(
    error: ConditionFailed, record: IdempotencyRecord | None, operations: Sequence[Operation]
) -> KeyInUse | None:
    """If it is the record, the last of the operations, that can't be written."""
    row = error.failed.get(len(operations) - 1)
    return KeyInUse(rows.idempotency_record_from(row)) if record and row else None


def _orders(found: Iterable[Row]) -> Iterator[Found[OrderSummary, OrderId]]:
    """The orders in rows of the index or of a customer. Skips a row whose key names no order."""
    for row in found:
        order = _readable(rows.summary_from, row)
        order_id = order.order_id if order else rows.order_id_of(row)
        if order_id is not None:
            yield Found(order_id, order)


def _readable(read: Callable[[Row], Item], row: Row) -> Item | None:
    """None for an unreadable row, which is logged and counted, so that the list survives it."""
    try:
        return read(row)
    except MalformedRow as error:
        logger.error("row left out", cause=str(error))
        count("OrdersUnreadable")
        return None
