"""What the use cases need from outside."""

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
    """The current time, UTC, to the millisecond."""

    def now(self) -> datetime: ...


class IdGenerator(Protocol):
    """New order ids. A duplicate is possible, and `OrderRepository.add` raises IdTaken for it."""

    def order_id(self, created_at: datetime) -> OrderId: ...


class OrderRepository(Protocol):
    """Orders with their events and idempotency records.

    Every write is one transaction. Any method may raise `TryAgain`: the store was throttled,
    contended or unreachable for longer than a request can wait.
    """

    def add(
        self, order: Order, event: OrderEvent, record: IdempotencyRecord | None, now: datetime
    ) -> None:
        """Write a new order with its event and the record.

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
        """Write `after` and its event if the order still has the status and version of `before`.

        Raises:
            StaleOrder: it has not; nothing was written.
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

        Without it, a write of both may show in one and not yet in the other.
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
        """At most `limit` of the customer's orders in the range; fewer only at its end."""

    def list_by_status(
        self, status: OrderStatus, ids: IdRange, *, newest_first: bool, limit: int
    ) -> Sequence[Found[OrderSummary, OrderId]]:
        """At most `limit` orders in the status and range; fewer only at its end."""

    def each_by_status(self, status: OrderStatus, ids: IdRange) -> Iterator[OrderSummary]:
        """All readable orders in the status and range, in no particular order, read as consumed."""

    def get_with_events(
        self, order_id: OrderId, *, after_version: int, limit: int
    ) -> tuple[Order | None, Sequence[Found[OrderEvent, int]]]:
        """The order, and at most `limit` of its events later than the version, oldest first."""

    def list_events(
        self, after: str, since: datetime, until: datetime, limit: int
    ) -> Sequence[Found[OrderEvent, str]]:
        """At most `limit` events of all orders, in recording order.

        Recorded from `since` (included) to `until` (not included), after the position `after`
        unless that is empty; fewer than `limit` only at the end.
        """

    def each_created(self, since: datetime, until: datetime) -> Iterator[OrderId]:
        """All orders created from `since` (included) to `until` (not included), unordered."""


class ReportRepository(Protocol):
    """The daily reports."""

    def put(self, report: DailyReport) -> None:
        """Write the report, replacing the day's previous one."""

    def get(self, day: date) -> DailyReport | None: ...


class Unsent(NamedTuple):
    """Indices of unsent events: the `unavailable` ones can be sent later, the `refused` never."""

    unavailable: Collection[int]
    refused: Collection[int]


class EventPublisher(Protocol):
    """Sends order events to their consumers."""

    def publish(self, events: Sequence[OrderEvent]) -> Unsent:
        """Send the events. An event keeps its id however often it is sent."""


class PaymentGateway(Protocol):
    """Charges by order id: one order is charged at most once, however often it is called."""

    def charge(self, order: Order, token: str) -> str:
        """The charge's id.

        Raises:
            PaymentDeclined: for good, or because the order's payment was voided earlier.
            PaymentUnavailable: undecided; call again.
        """

    def void(self, order_id: OrderId) -> bool:
        """Refund the charge if there is one, and refuse any later one.

        Returns whether this call refunded money.
        """


class InventoryService(Protocol):
    """Reserves by order id: one order is reserved at most once, however often it is called."""

    def reserve(self, order: Order) -> None:
        """Raises OutOfStock, also if the order's reservation was released earlier."""

    def release(self, order_id: OrderId) -> None:
        """Return the stock if it was reserved, and refuse any later reservation."""
