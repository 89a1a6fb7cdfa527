"""What the use cases need of the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from orders.application.idempotency import IdempotencyRecord
    from orders.domain.changes import OrderChange, TimelineEntry
    from orders.domain.daily_report import DailyReport
    from orders.domain.order import CustomerId, Order, OrderSummary
    from orders.domain.order_id import IdRange, OrderId
    from orders.domain.status import OrderStatus


class Clock(Protocol):
    """The time of day, UTC, to the millisecond."""

    def now(self) -> datetime: ...


class IdGenerator(Protocol):
    """Order ids that are never given twice."""

    def order_id(self, created_at: datetime) -> OrderId: ...


class OrderVersion(NamedTuple):
    """One version of an order."""

    order_id: OrderId
    version: int


class OrderRepository(Protocol):
    """Orders with their idempotency records and timelines.

    Every write is one transaction. Any method may raise `TryAgain`: the store was throttled,
    contended or out of reach for longer than a request can wait.
    """

    def add(self, order: Order, record: IdempotencyRecord | None, now: datetime) -> None:
        """Write a new order, and the record with it.

        Raises:
            KeyInUse: nothing was written.
        """

    def update(
        self, before: Order, after: Order, record: IdempotencyRecord | None, now: datetime
    ) -> None:
        """Write `after` if the order still is at the status and version of `before`.

        Raises:
            StaleOrder: it is not; nothing was written.
            KeyInUse: nothing was written.
        """

    def remember(self, record: IdempotencyRecord, now: datetime) -> None:
        """Write the record alone, for an answer that changed nothing.

        Raises:
            KeyInUse: nothing was written.
        """

    def get(self, order_id: OrderId) -> Order | None:
        """The order as last committed."""

    def get_record(self, record_id: str) -> IdempotencyRecord | None:
        """The record as last committed, expired or not."""

    def get_with_record(
        self, order_id: OrderId, record_id: str, *, snapshot: bool = False
    ) -> tuple[Order | None, IdempotencyRecord | None]:
        """Each as last committed, in one call; with `snapshot` both as of one instant.

        Without it a write of both may show in the one and not yet in the other.
        """

    def list_by_customer(
        self,
        customer_id: CustomerId,
        ids: IdRange,
        *,
        newest_first: bool,
        limit: int,
        consistent: bool,
    ) -> Sequence[OrderSummary]:
        """At most `limit` of the customer's orders in the range; fewer only where it ends."""

    def list_by_status(
        self, status: OrderStatus, ids: IdRange, *, newest_first: bool, limit: int
    ) -> Sequence[OrderSummary]:
        """At most `limit` orders of the status in the range; fewer only where it ends."""

    def each_by_status(self, status: OrderStatus, ids: IdRange) -> Iterator[OrderSummary]:
        """All orders of the status in the range, in no order, read as they are consumed."""

    def each_changed(
        self, since: datetime, until: datetime
    ) -> Iterator[tuple[OrderId, int | None] | None]:
        """Orders that last changed from `since` to `until`, both included, and their versions.

        In no order, read as they are consumed; one that changes meanwhile may come twice, or not.
        The version is None where it can't be read. Where the store is searched without finding
        one, None comes now and then in place of an order, so that the caller can stop.
        """

    def get_reasons(self, order_ids: Collection[OrderId]) -> Mapping[OrderId, str | None]:
        """Why each order last changed."""

    def get_with_timeline(
        self, order_id: OrderId, *, after_version: int, limit: int
    ) -> tuple[Order | None, Sequence[TimelineEntry]]:
        """The order, and at most `limit` entries later than the version, oldest first."""

    def get_recorded(self, versions: Collection[OrderVersion]) -> Collection[OrderVersion]:
        """Those of at most 100 different versions whose timeline entry is there."""

    def append_to_timeline(self, entry: TimelineEntry) -> None:
        """Write the entry, once: a repetition changes nothing."""


class ReportRepository(Protocol):
    """The daily reports."""

    def put(self, report: DailyReport) -> None:
        """Write the report over the one of the same day."""

    def get(self, day: date) -> DailyReport | None: ...


class Unsent(NamedTuple):
    """Indices of changes whose events were not sent, for now or because they never can be."""

    unavailable: Collection[int]
    refused: Collection[int]


class EventPublisher(Protocol):
    """The way out to whoever consumes order events."""

    def publish(self, changes: Sequence[OrderChange]) -> Unsent:
        """Send one event per change."""


class PaymentGateway(Protocol):
    """Charges by order id: one order is charged at most once, however often it is asked."""

    def charge(self, order: Order, token: str) -> str:
        """The charge's id.

        Raises:
            PaymentDeclined: for good, or because the order's payment was voided before.
            PaymentUnavailable: undecided; ask again.
        """

    def void(self, order_id: OrderId) -> bool:
        """Refund the charge if there is one, and refuse any later one.

        Whether money went back by this call.
        """


class InventoryService(Protocol):
    """Reserves by order id: one order is reserved at most once, however often it is asked."""

    def reserve(self, order: Order) -> None:
        """Raises OutOfStock, also where the order's reservation was released before."""

    def release(self, order_id: OrderId) -> None:
        """Return the stock if it was reserved, and refuse any later reservation."""
