"""Orders in the single table."""

from __future__ import annotations

import heapq
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from orders.adapters.dynamodb import keys, rows
from orders.adapters.dynamodb.faults import ConditionFailed
from orders.application.conflicts import KeyInUse, StaleOrder
from orders.domain import timestamps
from orders.domain.order_id import IdRange, OrderId
from orders.domain.status import OrderStatus
from orders.telemetry import count

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from orders.adapters.dynamodb.table import Operation, Table
    from orders.application.idempotency import IdempotencyRecord
    from orders.application.ports import OrderVersion
    from orders.domain.changes import TimelineEntry
    from orders.domain.order import CustomerId, Order, OrderSummary

_ABSENT: Final = "attribute_not_exists(pk)"
_ABSENT_OR_EXPIRED: Final = "attribute_not_exists(pk) OR expiresAt <= :now"
_LATEST_VERSION: Final = 9_999_999_999

_SPARE: Final = 5
"""With so many more than twice its share, a shard is asked again for one page of 20 in 1,400."""


@dataclass(frozen=True, slots=True)
class DynamoDbOrders:
    """`OrderRepository` on one table and its index."""

    table: Table
    index: str
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(keys.STATUS_SHARDS), repr=False
    )

    def add(self, order: Order, record: IdempotencyRecord | None, now: datetime) -> None:
        operations = [
            self.table.put(rows.detail_row(order), _ABSENT),
            self.table.put(rows.customer_row(order), _ABSENT),
        ]
        if record:
            operations.append(self._put_record(record, now))
        try:
            self.table.write(*operations)
        except ConditionFailed as error:
            raise KeyInUse from error
        count("EventsRecorded")

    def update(
        self, before: Order, after: Order, record: IdempotencyRecord | None, now: datetime
    ) -> None:
        operations = [self._update_detail(before, after), self._update_customer_row(before, after)]
        if record:
            operations.append(self._put_record(record, now))
        try:
            self.table.write(*operations)
        except ConditionFailed as error:
            record_failed = len(operations) - 1 in error.failed and record is not None
            raise (KeyInUse if record_failed else StaleOrder) from error
        count("EventsRecorded")

    def remember(self, record: IdempotencyRecord, now: datetime) -> None:
        try:
            self.table.write(self._put_record(record, now))
        except ConditionFailed as error:
            raise KeyInUse from error

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
    ) -> Sequence[OrderSummary]:
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
        return [rows.summary_from(row) for row in found]

    def list_by_status(
        self, status: OrderStatus, ids: IdRange, *, newest_first: bool, limit: int
    ) -> Sequence[OrderSummary]:
        """One call per shard, all at once; one range of ids serves them all.

        Ids spread evenly, so each shard is asked for twice its share of the page and a few more.
        In the rare case that the page may hold more of one, it is asked again, for as many as
        there can be.
        """
        share = min(limit, 2 * limit // keys.STATUS_SHARDS + _SPARE)

        def read(shard: int, ids: IdRange = ids, limit: int = share) -> list[OrderSummary]:
            return list(self._shard(status, shard, ids, newest_first=newest_first, limit=limit))

        found = list(self._threads.map(read, range(keys.STATUS_SHARDS)))
        page = _first(limit, found, newest_first=newest_first)
        for shard, orders in enumerate(found):
            if share == len(orders) < limit and orders[-1] in page:
                last = orders[-1].order_id
                rest = ids.before(last) if newest_first else ids.after(last)
                found[shard] = orders + read(shard, rest, limit - share)
                page = _first(limit, found, newest_first=newest_first)
        return page

    def each_by_status(self, status: OrderStatus, ids: IdRange) -> Iterator[OrderSummary]:
        for shard in range(keys.STATUS_SHARDS):
            yield from self._shard(status, shard, ids, newest_first=False, limit=None)

    def each_changed(
        self, since: datetime, until: datetime
    ) -> Iterator[tuple[OrderId, int | None] | None]:
        first, last = (keys.by_time(order_id) for order_id in IdRange.all().bounds() or ())
        for status in OrderStatus:
            for shard in range(keys.STATUS_SHARDS):
                found = self.table.search(
                    keys.status_partition(status, shard),
                    first,
                    last,
                    index=self.index,
                    only="updatedAt BETWEEN :since AND :until",
                    since=timestamps.to_text(since),
                    until=timestamps.to_text(until),
                )
                for row in found:
                    yield None if row is None else rows.version_from(row)

    def get_reasons(self, order_ids: Collection[OrderId]) -> Mapping[OrderId, str | None]:
        found = self.table.get_many(
            [keys.detail(order_id) for order_id in order_ids], ["orderId", "reason"]
        )
        return {OrderId(row["orderId"]): row.get("reason") for row in found}

    def get_with_timeline(
        self, order_id: OrderId, *, after_version: int, limit: int
    ) -> tuple[Order | None, Sequence[TimelineEntry]]:
        order = self._threads.submit(self.get, order_id)
        entries = self.table.query(
            keys.detail(order_id)["pk"],
            keys.timeline_entry(order_id, after_version + 1)["sk"],
            keys.timeline_entry(order_id, _LATEST_VERSION)["sk"],
            consistent=True,
            limit=limit,
        )
        found = [rows.timeline_entry_from(row) for row in entries]
        return order.result(), found

    def get_recorded(self, versions: Collection[OrderVersion]) -> Collection[OrderVersion]:
        by_key = {
            (key["pk"], key["sk"]): version
            for version in versions
            for key in [keys.timeline_entry(*version)]
        }
        found = self.table.get_many([{"pk": pk, "sk": sk} for pk, sk in by_key], ["pk", "sk"])
        return {by_key[row["pk"], row["sk"]] for row in found}

    def append_to_timeline(self, entry: TimelineEntry) -> None:
        self.table.insert(rows.timeline_row(entry))

    def _shard(
        self,
        status: OrderStatus,
        shard: int,
        ids: IdRange,
        *,
        newest_first: bool,
        limit: int | None,
    ) -> Iterator[OrderSummary]:
        bounds = ids.bounds()
        if bounds is None:
            return
        found = self.table.query(
            keys.status_partition(status, shard),
            keys.by_time(bounds[0]),
            keys.by_time(bounds[1]),
            index=self.index,
            ascending=not newest_first,
            limit=limit,
        )
        for row in found:
            yield rows.summary_from(row)

    def _update_detail(self, before: Order, after: Order) -> Operation:
        key = keys.detail(before.order_id)
        return self._update_row(key, before, rows.changing_in_detail(after))

    def _update_customer_row(self, before: Order, after: Order) -> Operation:
        key = keys.customer_order(before.customer_id, before.order_id)
        return self._update_row(key, before, rows.changing_in_summary(after))

    def _update_row(
        self, key: keys.Key, before: Order, changing: Mapping[str, object]
    ) -> Operation:
        """Set what has a value, remove what has none, if status and version are as before."""
        kept = {name: value for name, value in changing.items() if value is not None}
        gone = [f"#{name}" for name, value in changing.items() if value is None]
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in kept)
        if gone:
            expression += " REMOVE " + ", ".join(gone)
        return self.table.update(
            key,
            expression,
            "#status = :statusBefore AND #version = :versionBefore",
            {f"#{name}": name for name in changing},
            **kept,
            statusBefore=before.status.value,
            versionBefore=before.version,
        )

    def _put_record(self, record: IdempotencyRecord, now: datetime) -> Operation:
        seconds = timestamps.to_milliseconds(now) // 1000
        return self.table.put(rows.idempotency_row(record), _ABSENT_OR_EXPIRED, now=seconds)


def _first(
    limit: int, shards: Sequence[Sequence[OrderSummary]], *, newest_first: bool
) -> list[OrderSummary]:
    merged = heapq.merge(*shards, key=lambda order: order.order_id, reverse=newest_first)
    return list(islice(merged, limit))
