"""Reading one order, its timeline, the feed and the lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import CUS_42, CUSTOMER_42, SOMEBODY_ELSE, STAFF, event_of, placed_order
from fakes import NOON, FakeClock, InMemoryOrders
from orders.application.errors import Forbidden, OrderNotFound
from orders.application.get_order import GetOrder
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

    from orders.application.caller import Caller
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
        request = replace(request, ids=request.remaining_after(page.next_position))


def test_a_page_reads_one_more_than_it_shows_to_know_whether_the_list_goes_on() -> None:
    fake, order = InMemoryOrders(), placed_order()
    fake.orders[order.order_id] = order
    repository = Mock(wraps=fake)
    GetOrderTimeline(repository)(STAFF, order.order_id, after_version=0, limit=7)
    ListOrdersByStatus(repository)(STAFF, PENDING, page_request(8))
    ListCustomerOrders(repository)(STAFF, CUS_42, page_request(9), status=None, consistent=False)
    assert [call.kwargs["limit"] for call in repository.method_calls] == [8, 9, 10]


class TestGet:
    def test_an_order_is_seen_by_its_customer_and_by_staff(self) -> None:
        repository = orders_of([PENDING])
        (order,) = repository.orders.values()
        for caller in (CUSTOMER_42, STAFF):
            assert GetOrder(repository)(caller, order.order_id) is order
        assert repository.calls == ["get", "get"]

    def test_an_order_of_somebody_else_or_of_nobody_is_not_found(self) -> None:
        repository = orders_of([PENDING])
        (order_id,) = repository.orders
        for caller, wanted in ((SOMEBODY_ELSE, order_id), (STAFF, placed_order().order_id)):
            with pytest.raises(OrderNotFound):
                GetOrder(repository)(caller, wanted)


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


class TestTimeline:
    @pytest.mark.parametrize("count", range(7))
    def test_a_walk_reads_every_event_once_oldest_first(self, count: int) -> None:
        repository, events = events_of(count)
        (order_id,) = repository.orders
        timeline = GetOrderTimeline(repository)
        met: list[OrderEvent] = []
        after: int | None = 0
        while after is not None:
            page = timeline(CUSTOMER_42, order_id, after_version=after, limit=2)
            met += page.items
            assert len(met) <= len(events)
            after = page.next_position
        assert met == events
        assert len(repository.calls) == max(1, (count + 1) // 2)

    def test_the_timeline_of_somebody_else_or_of_nobody_is_not_found(self) -> None:
        repository, (event,) = events_of(1)
        for caller, order_id in (
            (SOMEBODY_ELSE, event.order_id),
            (STAFF, placed_order().order_id),
        ):
            with pytest.raises(OrderNotFound):
                GetOrderTimeline(repository)(caller, order_id, after_version=0, limit=20)


class Feed:
    """The use case over fakes, an hour later, and a poller of it."""

    def __init__(self, repository: InMemoryOrders) -> None:
        self.orders = repository
        self.clock = FakeClock(NOON + timedelta(hours=1))
        self.read = ListEvents(repository, self.clock, FEED_DELAY)
        self.position = ""

    def page(
        self, limit: int = 100, event_type: str | None = None, **bounds: datetime
    ) -> list[OrderEvent]:
        """What is new to the poller."""
        request = FeedRequest(
            after=self.position,
            since=bounds.get("since", EPOCH),
            until=bounds.get("until", NOON + timedelta(days=1)),
            type=event_type,
            limit=limit,
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
    @pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
    def test_a_poller_reads_every_event_once_in_order(self, limit: int) -> None:
        repository, events = events_of(7)
        feed = Feed(repository)
        met = [event for _ in range(9) for event in feed.page(limit)]
        assert met == events

    def test_the_position_stays_at_the_end_until_there_are_more_events(self) -> None:
        repository, events = events_of(2)
        feed = Feed(repository)
        assert feed.page() == events
        end = feed.position
        assert (feed.page(), feed.position) == ([], end)
        later = replace(events[1], version=3)
        repository.events[later.order_id, 3] = later
        assert feed.page() == [later]

    def test_an_empty_feed_has_a_position(self) -> None:
        feed = Feed(InMemoryOrders())
        assert (feed.page(), feed.position) == ([], "")

    def test_an_event_is_shown_only_after_the_delay(self) -> None:
        repository, (event,) = events_of(1)
        feed = Feed(repository)
        feed.clock.time = event.recorded_at + FEED_DELAY
        assert feed.page() == [], "what is recorded in the same millisecond may still come"
        feed.clock.advance(milliseconds=1)
        assert feed.page() == [event]

    def test_bounds_include_the_first_instant_and_exclude_the_last(self) -> None:
        repository, events = events_of(5)
        second = timedelta(seconds=1)
        since, until = NOON + 2 * second, NOON + 4 * second
        assert Feed(repository).page(since=since, until=until) == events[1:3]
        assert Feed(repository).page(since=until, until=since) == []

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

    def test_only_staff_read_it(self) -> None:
        request = FeedRequest(after="", since=EPOCH, until=NOON, type=None, limit=1)
        feed = Feed(InMemoryOrders())
        with pytest.raises(Forbidden):
            feed.read(CUSTOMER_42, request)
        assert feed.orders.calls == []


class TestCustomersList:
    def read(
        self,
        repository: InMemoryOrders,
        request: PageRequest,
        status: OrderStatus | None = None,
        *,
        caller: Caller = CUSTOMER_42,
        consistent: bool = False,
    ) -> Page[OrderSummary, OrderId]:
        read = ListCustomerOrders(repository)
        return read(caller, CUS_42, request, status=status, consistent=consistent)

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

    def test_an_unfiltered_page_is_one_read(self) -> None:
        repository = orders_of([PENDING] * 5)
        assert len(self.read(repository, page_request(3)).items) == 3
        assert repository.calls == ["list_by_customer"]

    def test_a_consistent_list_shows_an_order_that_was_just_created(self) -> None:
        repository = orders_of([PENDING, PENDING])
        repository.unindexed = {max(repository.orders)}
        for status in (None, PENDING):
            assert len(self.read(repository, page_request(), status).items) == 1
            consistent = self.read(repository, page_request(), status, consistent=True)
            assert len(consistent.items) == 2

    def test_the_customer_and_staff_see_the_customers_orders_and_no_others(self) -> None:
        repository = orders_of([PENDING])
        other = placed_order(customer_id=SOMEBODY_ELSE.id)
        repository.orders[other.order_id] = other
        for caller in (CUSTOMER_42, STAFF):
            assert len(self.read(repository, page_request(), caller=caller).items) == 1
        with pytest.raises(Forbidden):
            self.read(repository, page_request(), caller=SOMEBODY_ELSE)

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

    def test_only_staff_read_it(self) -> None:
        with pytest.raises(Forbidden):
            ListOrdersByStatus(InMemoryOrders())(CUSTOMER_42, PENDING, page_request())
