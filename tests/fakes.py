"""The ports, in memory. The repositories pass the same contract tests as the real ones."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from orders.application.errors import IdTaken, KeyInUse, OutOfStock, PaymentDeclined, StaleOrder
from orders.application.paging import Found
from orders.application.ports import Unsent
from orders.domain import timestamps
from orders.domain.order import FIRST_VERSION, OrderSummary
from orders.domain.order_id import make_order_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from orders.application.idempotency import IdempotencyRecord
    from orders.domain.customer_id import CustomerId
    from orders.domain.daily_report import DailyReport
    from orders.domain.events import OrderEvent
    from orders.domain.order import Order
    from orders.domain.order_id import IdRange, OrderId
    from orders.domain.status import OrderStatus

NOON = datetime(2026, 11, 23, 12, 0, 0, 123_000, tzinfo=UTC)


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def advance(self, **duration: float) -> None:
        self.time += timedelta(**duration)


class FakeIds:
    """Ids that grow with every call, of any of these, within one millisecond too."""

    _noise = itertools.count(1)

    def order_id(self, created_at: datetime) -> OrderId:
        return make_order_id(created_at, next(self._noise).to_bytes(3))


class InMemoryOrders:
    """`OrderRepository` on dictionaries, which a test may read and fill.

    `unindexed` holds orders that eventually consistent lists don't show yet. `before_write` runs
    before each write, outside its transaction, and `between_reads` between the two reads of a call
    that is no snapshot: there a test puts another caller's write.
    """

    def __init__(self) -> None:
        self.orders: dict[OrderId, Order] = {}
        self.records: dict[str, IdempotencyRecord] = {}
        self.events: dict[tuple[OrderId, int], OrderEvent] = {}
        self.unindexed: set[OrderId] = set()
        self.calls: list[str] = []
        self.before_write: Callable[[], None] = lambda: None
        self.between_reads: Callable[[], None] = lambda: None
        self._lock = Lock()

    def before_next_write(self, act: Callable[[], object]) -> None:
        """Run `act` once, as `before_write`."""

        def once() -> None:
            self.before_write = lambda: None
            act()

        self.before_write = once

    def add(
        self, order: Order, event: OrderEvent, record: IdempotencyRecord | None, now: datetime
    ) -> None:
        self._about_to_write("add")
        with self._lock:
            self._refuse_live_record(record, now)
            if order.order_id in self.orders:
                raise IdTaken
            self._write(order, event, record)

    def update(
        self,
        before: Order,
        after: Order,
        event: OrderEvent,
        record: IdempotencyRecord | None,
        now: datetime,
    ) -> None:
        self._about_to_write("update")
        with self._lock:
            self._refuse_live_record(record, now)
            found = self.orders.get(before.order_id)
            if found is None or (found.status, found.version) != (before.status, before.version):
                raise StaleOrder
            self._write(after, event, record)

    def remember(self, record: IdempotencyRecord, now: datetime) -> None:
        self._about_to_write("remember")
        with self._lock:
            self._refuse_live_record(record, now)
            self.records[record.record_id] = record

    def get(self, order_id: OrderId) -> Order | None:
        self.calls.append("get")
        return self.orders.get(order_id)

    def get_record(self, record_id: str) -> IdempotencyRecord | None:
        self.calls.append("get_record")
        return self.records.get(record_id)

    def get_with_record(
        self, order_id: OrderId, record_id: str, *, snapshot: bool = False
    ) -> tuple[Order | None, IdempotencyRecord | None]:
        self.calls.append("get_snapshot" if snapshot else "get_with_record")
        if snapshot:
            with self._lock:
                return self.orders.get(order_id), self.records.get(record_id)
        record = self.records.get(record_id)
        self.between_reads()
        return self.orders.get(order_id), record

    def list_by_customer(
        self,
        customer_id: CustomerId,
        ids: IdRange,
        *,
        newest_first: bool,
        limit: int,
        consistent: bool,
    ) -> Sequence[Found[OrderSummary, OrderId]]:
        self.calls.append("list_by_customer")
        assert limit > 0
        hidden: set[OrderId] = set() if consistent else self.unindexed
        found = [
            replace(order, reason=None)  # which is only in the list of a status
            for order in self._within(ids, newest_first=newest_first)
            if order.customer_id == customer_id and order.order_id not in hidden
        ]
        return [Found(order.order_id, order) for order in found[:limit]]

    def list_by_status(
        self, status: OrderStatus, ids: IdRange, *, newest_first: bool, limit: int
    ) -> Sequence[Found[OrderSummary, OrderId]]:
        self.calls.append("list_by_status")
        assert limit > 0
        found = self._within(ids, newest_first=newest_first)
        return [Found(one.order_id, one) for one in found if one.status is status][:limit]

    def each_by_status(self, status: OrderStatus, ids: IdRange) -> Iterator[OrderSummary]:
        self.calls.append("each_by_status")
        for order in self._within(ids, newest_first=False):
            if order.status is status:
                yield order

    def get_with_events(
        self, order_id: OrderId, *, after_version: int, limit: int
    ) -> tuple[Order | None, Sequence[Found[OrderEvent, int]]]:
        self.calls.append("get_with_events")
        assert limit > 0
        found: list[Found[OrderEvent, int]] = [
            Found(version, event)
            for (about, version), event in sorted(self.events.items())
            if about == order_id and version > after_version
        ]
        return self.orders.get(order_id), found[:limit]

    def list_events(
        self, after: str, since: datetime, until: datetime, limit: int
    ) -> Sequence[Found[OrderEvent, str]]:
        self.calls.append("list_events")
        assert limit > 0
        found: list[Found[OrderEvent, str]] = [
            Found(_position(event), event)
            for event in sorted(self.events.values(), key=_position)
            if since <= event.recorded_at < until and _position(event) > after
        ]
        return found[:limit]

    def each_created(self, since: datetime, until: datetime) -> Iterator[OrderId]:
        self.calls.append("each_created")
        for (order_id, version), event in self.events.items():
            if version == FIRST_VERSION and since <= event.recorded_at < until:
                yield order_id

    def _about_to_write(self, call: str) -> None:
        self.calls.append(call)
        self.before_write()

    def _refuse_live_record(self, record: IdempotencyRecord | None, now: datetime) -> None:
        """The condition is in whole seconds, as the table's is."""
        second = timestamps.to_milliseconds(now) // 1000
        found = self.records.get(record.record_id) if record else None
        if found and found.expires_at > second:
            raise KeyInUse(found)

    def _write(self, order: Order, event: OrderEvent, record: IdempotencyRecord | None) -> None:
        self.orders[order.order_id] = order
        self.events[event.order_id, event.version] = event
        if record:
            self.records[record.record_id] = record

    def _within(self, ids: IdRange, *, newest_first: bool) -> list[OrderSummary]:
        bounds = ids.bounds()
        if bounds is None:
            return []
        first, last = bounds
        keys = sorted((key for key in self.orders if first <= key <= last), reverse=newest_first)
        return [summary_of(self.orders[key]) for key in keys]


class InMemoryReports:
    """`ReportRepository` on a dictionary."""

    def __init__(self) -> None:
        self.reports: dict[date, DailyReport] = {}

    def put(self, report: DailyReport) -> None:
        self.reports[report.day] = report

    def get(self, day: date) -> DailyReport | None:
        return self.reports.get(day)


class FakePublisher:
    """Keeps what it is given, but the events of the orders in `unavailable` and `refused`."""

    def __init__(self) -> None:
        self.published: list[OrderEvent] = []
        self.unavailable: set[OrderId] = set()
        self.refused: set[OrderId] = set()

    def publish(self, events: Sequence[OrderEvent]) -> Unsent:
        unavailable = {i for i, event in enumerate(events) if event.order_id in self.unavailable}
        refused = {i for i, event in enumerate(events) if event.order_id in self.refused}
        unsent = unavailable | refused
        self.published += [event for i, event in enumerate(events) if i not in unsent]
        return Unsent(unavailable, refused)


class FakePayments:
    """Approves every token, unless `refusal` is set: then it raises that."""

    def __init__(self) -> None:
        self.live: dict[OrderId, str] = {}
        self.charged: list[OrderId] = []
        self.refunded: list[OrderId] = []
        self.refusal: Exception | None = None
        self._closed: set[OrderId] = set()

    def charge(self, order: Order, token: str) -> str:
        assert token
        if order.order_id in self.live:
            return self.live[order.order_id]
        if order.order_id in self._closed:
            raise PaymentDeclined
        if self.refusal:
            raise self.refusal
        self.charged.append(order.order_id)
        self.live[order.order_id] = f"ch_{order.order_id}"
        return self.live[order.order_id]

    def void(self, order_id: OrderId) -> bool:
        self._closed.add(order_id)
        if self.live.pop(order_id, None) is None:
            return False
        self.refunded.append(order_id)
        return True


class FakeInventory:
    """Has everything, unless `is_empty` is set."""

    def __init__(self) -> None:
        self.live: set[OrderId] = set()
        self.reserved: list[OrderId] = []
        self.is_empty = False
        self._released: set[OrderId] = set()

    def reserve(self, order: Order) -> None:
        if order.order_id in self.live:
            return
        if self.is_empty or order.order_id in self._released:
            raise OutOfStock
        self.reserved.append(order.order_id)
        self.live.add(order.order_id)

    def release(self, order_id: OrderId) -> None:
        self._released.add(order_id)
        self.live.discard(order_id)


def summary_of(order: Order) -> OrderSummary:
    return OrderSummary(
        **{field.name: getattr(order, field.name) for field in fields(OrderSummary)}
    )


def _position(event: OrderEvent) -> str:
    """An event's place in the feed, in the form that cursors take."""
    return f"{timestamps.to_text(event.recorded_at)}#{event.order_id}#{event.version:010d}"
