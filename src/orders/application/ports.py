"""What the use cases need of the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import date, datetime

    from orders.application.idempotency import IdempotencyRecord
    from orders.application.paging import Found
    from orders.domain.customer_id import CustomerId
    from orders.domain.daily_report import DailyReport
    from orders.domain.events import OrderEvent
    from orders.domain.order import Order, OrderSummary
    from orders.domain.order_id import IdRange, OrderId
    from orders.domain.status import OrderStatus


class Clock(Protocol):
    """The time of day, UTC, to the millisecond."""

    def now(self) -> datetime: ...


class IdGenerator(Protocol):
    """Order ids that are never given twice."""

    def order_id(self, created_at: datetime) -> OrderId: ...


class OrderRepository(Protocol):
    """Orders with their events and idempotency records.

    Every write is one transaction. Any method may raise `TryAgain`: the store was throttled,
    contended or out of reach for longer than a request can wait.
    """

    def add(
        self, order: Order, event: OrderEvent, record: IdempotencyRecord | None, now: datetime
    ) -> None:
        """Write a new order with its event, and the record with it.

        Raises:
            KeyInUse, IdTaken: nothing was written.
        """

    def update(
        self,
        before: Order,
        after: Order,
        event: OrderEvent,
        record: IdempotencyRecord | None,
        now: datetime,
    ) -> None:
        """Write `after` and its event if the order still is at status and version of `before`.

        Raises:
            StaleOrder: it is not; nothing was written.
            KeyInUse: nothing was written.
        """

    def remember(self, record: IdempotencyRecord, now: datetime) -> None:
        """Write the record alone, for a request that changed nothing.

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
    ) -> Sequence[Found[OrderSummary, OrderId]]:
        """At most `limit` of the customer's orders in the range; fewer only where it ends."""

    def list_by_status(
        self, status: OrderStatus, ids: IdRange, *, newest_first: bool, limit: int
    ) -> Sequence[Found[OrderSummary, OrderId]]:
        """At most `limit` orders of the status in the range; fewer only where it ends."""

    def each_by_status(self, status: OrderStatus, ids: IdRange) -> Iterator[OrderSummary]:
        """All orders of the status in the range that can be read, in no order, as consumed."""

    def get_with_events(
        self, order_id: OrderId, *, after_version: int, limit: int
    ) -> tuple[Order | None, Sequence[Found[OrderEvent, int]]]:
        """The order, and at most `limit` of its events later than the version, oldest first."""

    def list_events(
        self, after: str, since: datetime, until: datetime, limit: int
    ) -> Sequence[Found[OrderEvent, str]]:
        """At most `limit` events of all orders in the order in which they were recorded.

        From the instant `since` (included) to `until` (not included), and behind the position
        `after` where that is not empty; fewer than `limit` only where they end.
        """

    def each_created(self, since: datetime, until: datetime) -> Iterator[OrderId]:
        """All orders created from `since` (included) to `until` (not included), in no order."""


class ReportRepository(Protocol):
    """The daily reports."""

    def put(self, report: DailyReport) -> None:
        """Write the report over the one of the same day."""

    def get(self, day: date) -> DailyReport | None: ...


class Unsent(NamedTuple):
    """Indices of events that were not sent, for now or because they never can be."""

    unavailable: Collection[int]
    refused: Collection[int]


class EventPublisher(Protocol):
    """The way out to the consumers of order events."""

    def publish(self, events: Sequence[OrderEvent]) -> Unsent:
        """Send the events, each under its own id however often it is sent."""


class PaymentGateway(Protocol):
    """Charges by order id: one order is charged at most once, however often it is called."""

    def charge(self, order: Order, token: str) -> str:
        """The charge's id.

        Raises:
            PaymentDeclined: for good, or because the order's payment was voided before.
            PaymentUnavailable: undecided; call again.
        """

    def void(self, order_id: OrderId) -> bool:
        """Refund the charge if there is one, and refuse any later one.

        Returns whether money went back by this call.
        """


class InventoryService(Protocol):
    """Reserves by order id: one order is reserved at most once, however often it is called."""

    def reserve(self, order: Order) -> None:
        """Raises OutOfStock, also where the order's reservation was released before."""

    def release(self, order_id: OrderId) -> None:
        """Return the stock if it was reserved, and refuse any later reservation."""
