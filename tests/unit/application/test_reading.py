"""What the routes' tests can't show of the lists: how much they read, and walks under a filter."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import CUS_42, CUSTOMER_42, STAFF, event_of, placed_order
from fakes import NOON, FakeClock, InMemoryOrders
from orders.application.get_order_timeline import GetOrderTimeline
from orders.application.list_customer_orders import FILTERED_READ_SIZE, ListCustomerOrders
from orders.application.list_events import FeedRequest, ListEvents
from orders.application.list_orders_by_status import ListOrdersByStatus
from orders.application.paging import Found, PageRequest
from orders.domain.order_id import IdRange
from orders.domain.status import OrderStatus
from orders.domain.timestamps import EPOCH
from proof.oracle import FEED_DELAY, FILTERED_READS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from orders.application.paging import Page
    from orders.domain.events import OrderEvent
    from orders.domain.order import OrderSummary
    from orders.domain.order_id import OrderId

PENDING, PAID = OrderStatus.PENDING, OrderStatus.PAID


def orders_of(statuses: Sequence[OrderStatus]) -> InMemoryOrders:
    """Orders of cus_42, one a second, at these statuses, oldest first."""
    repository = InMemoryOrders()
    for index, status in enumerate(statuses):
        order = replace(placed_order(NOON + timedelta(seconds=index)), status=status)
        repository.orders[order.order_id] = order
    return repository


def page_request(limit: int = 20, *, newest_first: bool = True) -> PageRequest:
    return PageRequest(limit=limit, ids=IdRange.all(), newest_first=newest_first)


def walk(
    request: PageRequest, read: Callable[[PageRequest], Page[OrderSummary, OrderId]]
) -> list[list[OrderId]]:
    """The pages of a list, each as ids, up to the one that says it is the last."""
    pages = []
    while True:
        page = read(request)
        pages.append([order.order_id for order in page.items])
        if page.next_position is None:
            return pages
        assert len(pages) < 100, "the walk goes on for ever"
        request = request._replace(ids=request.remaining_after(page.next_position))


def test_a_page_reads_one_more_than_it_shows_to_know_whether_the_list_goes_on() -> None:
    fake, order = InMemoryOrders(), placed_order()
    fake.orders[order.order_id] = order
    repository = Mock(wraps=fake)
    GetOrderTimeline(repository)(STAFF, order.order_id, after_version=0, limit=7)
    ListOrdersByStatus(repository)(STAFF, PENDING, page_request(8))
    ListCustomerOrders(repository)(STAFF, CUS_42, page_request(9), status=None, consistent=False)
    assert [call.kwargs["limit"] for call in repository.method_calls] == [8, 9, 10]


def events_of(count: int) -> tuple[InMemoryOrders, list[OrderEvent]]:
    """An order with as many events, one a second."""
    repository = orders_of([PAID])
    (order,) = repository.orders.values()
    events = [
        replace(event_of(order), version=version, recorded_at=NOON + timedelta(seconds=version))
        for version in range(1, count + 1)
    ]
    for event in reversed(events):
        repository.events[event.order_id, event.version] = event
    return repository, events


class Feed:
    """The use case over fakes, an hour later, and a poller of it."""

    def __init__(self, repository: InMemoryOrders) -> None:
        self.orders = repository
        self.clock = FakeClock(NOON + timedelta(hours=1))
        self.read = ListEvents(repository, self.clock, FEED_DELAY)
        self.position = ""

    def page(self, limit: int = 100, event_type: str | None = None) -> list[OrderEvent]:
        """What is new to the poller."""
        until = NOON + timedelta(days=1)
        request = FeedRequest(
            after=self.position, since=EPOCH, until=until, type=event_type, limit=limit
        )
        page = self.read(STAFF, request)
        assert page.next_position is not None, "there is always a place to go on from"
        self.position = page.next_position
        return list(page.items)


class Unreadable(InMemoryOrders):
    """Events of these versions stand in the feed, and can't be read."""

    versions: frozenset[int] = frozenset()

    def list_events(
        self, after: str, since: datetime, until: datetime, limit: int
    ) -> Sequence[Found[OrderEvent, str]]:
        found = super().list_events(after, since, until, limit)
        return [
            one if one.item and one.item.version not in self.versions else Found(one.position, None)
            for one in found
        ]


class TestFeed:
    def test_an_event_is_shown_only_after_the_delay(self) -> None:
        repository, (event,) = events_of(1)
        feed = Feed(repository)
        feed.clock.time = event.recorded_at + FEED_DELAY
        assert feed.page() == [], "what is recorded in the same millisecond may still come"
        feed.clock.advance(milliseconds=1)
        assert feed.page() == [event]

    def test_a_filter_reads_on_until_the_page_is_full(self) -> None:
        repository, events = events_of(8)
        for version in (4, 7):
            paid = replace(events[version - 1], type="ORDER_PAID")
            repository.events[paid.order_id, version] = paid
        feed = Feed(repository)
        assert [event.version for event in feed.page(2, "ORDER_PAID")] == [4, 7]
        assert repository.calls == ["list_events"] * 4

    def test_under_a_filter_a_page_ends_after_five_reads_and_the_walk_goes_on(self) -> None:
        repository, events = events_of(12)
        paid = replace(events[10], type="ORDER_PAID")
        repository.events[paid.order_id, 11] = paid
        feed = Feed(repository)
        assert feed.page(2, "ORDER_PAID") == []
        assert repository.calls == ["list_events"] * FILTERED_READS
        assert feed.page(2, "ORDER_PAID") == [paid]

    def test_unreadable_events_are_skipped_and_the_position_moves_past_them(self) -> None:
        repository, events = Unreadable(), events_of(5)[1]
        repository.events = {(event.order_id, event.version): event for event in events}
        repository.versions = frozenset({1, 3, 5})
        feed = Feed(repository)
        assert feed.page(1) == [events[1]]
        assert feed.page(1) == [events[3]]
        assert feed.page(1) == []
        repository.calls.clear()
        assert feed.page(1) == []
        assert repository.calls == ["list_events"], "the last one is not read again"


class TestCustomersList:
    def read(
        self,
        repository: InMemoryOrders,
        request: PageRequest,
        status: OrderStatus | None = None,
        *,
        consistent: bool = False,
    ) -> Page[OrderSummary, OrderId]:
        read = ListCustomerOrders(repository)
        return read(CUSTOMER_42, CUS_42, request, status=status, consistent=consistent)

    @pytest.mark.parametrize("status", [None, PENDING])
    def test_a_consistent_list_shows_an_order_that_was_just_created(
        self, status: OrderStatus | None
    ) -> None:
        repository = orders_of([PENDING, PENDING])
        repository.unindexed = {max(repository.orders)}
        for consistent, count in ((False, 1), (True, 2)):
            page = self.read(repository, page_request(), status, consistent=consistent)
            assert len(page.items) == count

    @given(
        statuses=st.lists(st.sampled_from(OrderStatus), max_size=12),
        limit=st.integers(1, 5),
        status=st.sampled_from([None, *OrderStatus]),
        newest=st.booleans(),
    )
    def test_a_walk_reads_every_order_once_in_order(
        self, statuses: list[OrderStatus], limit: int, status: OrderStatus | None, *, newest: bool
    ) -> None:
        repository = orders_of(statuses)
        request = page_request(limit, newest_first=newest)
        pages = walk(request, lambda page: self.read(repository, page, status))
        expected = [
            key for key, order in repository.orders.items() if status in {None, order.status}
        ]
        assert [key for page in pages for key in page] == sorted(expected, reverse=newest)
        assert all(len(page) == limit for page in pages[:-1])
        assert pages[-1] or pages == [[]], "the last page is empty only where the list is"

    def test_under_a_filter_reads_go_on_until_the_page_is_full(self) -> None:
        statuses = [PENDING] * (2 * FILTERED_READ_SIZE) + [PAID] * 3
        repository = orders_of(statuses)
        request = page_request(2, newest_first=False)
        assert len(self.read(repository, request, PAID).items) == 2
        assert len(repository.calls) == 3

    def test_a_page_that_is_exactly_full_reads_on_to_know_whether_it_is_the_last(self) -> None:
        statuses = [PAID] * 2 + [PENDING] * FILTERED_READ_SIZE
        for more in ([PAID], []):
            repository = orders_of(statuses + more)
            request = page_request(2, newest_first=False)
            pages = walk(request, partial(self.read, repository, status=PAID))
            assert [len(page) for page in pages] == [2] + [1] * len(more)

    def test_a_page_that_is_full_at_once_is_one_read(self) -> None:
        repository = orders_of([PAID] * (FILTERED_READ_SIZE + 1))
        page = self.read(repository, page_request(2), PAID)
        assert len(page.items) == 2
        assert len(repository.calls) == 1

    def test_under_a_filter_a_page_ends_after_five_reads_and_the_walk_goes_on(self) -> None:
        rare = FILTERED_READ_SIZE * FILTERED_READS
        statuses = [PAID] + [PENDING] * (rare - 1) + [PAID] * 2
        repository = orders_of(statuses)
        request = page_request(2, newest_first=False)
        first = self.read(repository, request, PAID)
        assert [order.order_id for order in first.items] == [min(repository.orders)]
        assert first.next_position == sorted(repository.orders)[rare - 1]
        assert len(repository.calls) == FILTERED_READS
        pages = walk(request, lambda page: self.read(repository, page, PAID))
        assert [len(page) for page in pages] == [1, 2]

    @pytest.mark.parametrize("reads", [1, 2, 4])
    def test_a_list_that_ends_with_a_full_read_has_no_next_position(self, reads: int) -> None:
        repository = orders_of([PENDING] * FILTERED_READ_SIZE * reads)
        assert self.read(repository, page_request(), PAID).next_position is None
        assert len(repository.calls) == reads + 1


class TestQueueOfAStatus:
    @given(
        statuses=st.lists(st.sampled_from(OrderStatus), max_size=12),
        limit=st.integers(1, 5),
        status=st.sampled_from(OrderStatus),
        newest=st.booleans(),
    )
    def test_a_walk_reads_every_order_of_the_status_once_in_order(
        self, statuses: list[OrderStatus], limit: int, status: OrderStatus, *, newest: bool
    ) -> None:
        repository = orders_of(statuses)
        request = page_request(limit, newest_first=newest)
        read = ListOrdersByStatus(repository)
        pages = walk(request, lambda page: read(STAFF, status, page))
        expected = [key for key, order in repository.orders.items() if order.status is status]
        assert [key for page in pages for key in page] == sorted(expected, reverse=newest)
        assert all(len(page) == limit for page in pages[:-1])
        assert pages[-1] or pages == [[]]
        assert len(repository.calls) == len(pages)
