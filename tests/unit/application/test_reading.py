"""Get, timeline, lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import CUS_42, CUSTOMER_42, SOMEBODY_ELSE, STAFF, placed_order
from fakes import NOON, InMemoryOrders
from orders.application.get_order import GetOrder
from orders.application.get_order_timeline import GetOrderTimeline
from orders.application.list_customer_orders import FILTERED_READ_SIZE, ListCustomerOrders
from orders.application.list_orders_by_status import ListOrdersByStatus
from orders.application.paging import PageRequest
from orders.domain.actor import CUSTOMER
from orders.domain.changes import TimelineEntry
from orders.domain.errors import Forbidden, OrderNotFound
from orders.domain.order_id import IdRange
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orders.application.caller import Caller
    from orders.application.paging import Page
    from orders.domain.order import Order, OrderSummary
    from orders.domain.order_id import OrderId

PENDING, PAID, SHIPPED, CANCELED = OrderStatus


def orders_of(statuses: Sequence[OrderStatus]) -> InMemoryOrders:
    """Orders of one customer, one a second, in these statuses, oldest first."""
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


class Measured(InMemoryOrders):
    """Keeps how much each list was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: list[int] = []

    def list_by_customer(self, *arguments: Any, limit: int, **more: Any) -> Sequence[OrderSummary]:  # noqa: ANN401 - as the original
        self.limits.append(limit)
        return super().list_by_customer(*arguments, limit=limit, **more)

    def list_by_status(self, *arguments: Any, limit: int, **more: Any) -> Sequence[OrderSummary]:  # noqa: ANN401 - as the original
        self.limits.append(limit)
        return super().list_by_status(*arguments, limit=limit, **more)

    def get_with_timeline(
        self, order_id: OrderId, *, after_version: int, limit: int
    ) -> tuple[Order | None, Sequence[TimelineEntry]]:
        self.limits.append(limit)
        return super().get_with_timeline(order_id, after_version=after_version, limit=limit)


def test_a_page_reads_one_more_than_it_shows_to_know_whether_the_list_goes_on() -> None:
    repository, order = Measured(), placed_order()
    repository.orders[order.order_id] = order
    GetOrderTimeline(repository)(STAFF, order.order_id, after_version=0, limit=7)
    ListOrdersByStatus(repository)(STAFF, PENDING, page_request(8))
    ListCustomerOrders(repository)(STAFF, CUS_42, page_request(9), status=None, consistent=False)
    assert repository.limits == [8, 9, 10]


class TestGet:
    def test_an_order_is_seen_by_its_customer_and_by_staff(self) -> None:
        repository = orders_of([PENDING])
        (order,) = repository.orders.values()
        for caller in (CUSTOMER_42, STAFF):
            assert GetOrder(repository)(caller, order.order_id) is order
        assert repository.calls == ["get", "get"]

    def test_an_order_of_somebody_else_is_not_there(self) -> None:
        repository = orders_of([PENDING])
        with pytest.raises(OrderNotFound):
            GetOrder(repository)(SOMEBODY_ELSE, next(iter(repository.orders)))

    def test_an_order_that_is_not_there_is_not_found(self) -> None:
        with pytest.raises(OrderNotFound):
            GetOrder(InMemoryOrders())(STAFF, placed_order().order_id)


class TestTimeline:
    def entries(self, count: int) -> tuple[InMemoryOrders, list[TimelineEntry]]:
        repository = orders_of([PAID])
        (order_id,) = repository.orders
        entries = [
            TimelineEntry(
                order_id=order_id,
                version=version,
                status=PAID,
                previous_status=None,
                actor=CUSTOMER,
                reason=None,
                changed_at=NOON,
            )
            for version in range(1, count + 1)
        ]
        for entry in reversed(entries):
            repository.append_to_timeline(entry)
        repository.calls.clear()
        return repository, entries

    @pytest.mark.parametrize("count", range(7))
    def test_a_walk_meets_every_entry_once_oldest_first(self, count: int) -> None:
        repository, entries = self.entries(count)
        (order_id,) = repository.orders
        timeline = GetOrderTimeline(repository)
        met: list[TimelineEntry] = []
        after: int | None = 0
        while after is not None:
            page = timeline(CUSTOMER_42, order_id, after_version=after, limit=2)
            met += page.items
            assert len(met) <= len(entries)
            after = page.next_position
        assert met == entries
        assert len(repository.calls) == max(1, (count + 1) // 2)

    def test_the_timeline_of_somebody_else_is_not_there(self) -> None:
        repository, entries = self.entries(1)
        for caller, order_id in (
            (SOMEBODY_ELSE, entries[0].order_id),
            (STAFF, placed_order().order_id),
        ):
            with pytest.raises(OrderNotFound):
                GetOrderTimeline(repository)(caller, order_id, after_version=0, limit=20)


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
    def test_a_walk_meets_every_order_once_in_order(
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

    def test_an_order_just_made_is_in_the_consistent_list(self) -> None:
        repository = orders_of([PENDING, PENDING])
        repository.unindexed = {max(repository.orders)}
        for status in (None, PENDING):
            assert len(self.read(repository, page_request(), status).items) == 1
            consistent = self.read(repository, page_request(), status, consistent=True)
            assert len(consistent.items) == 2

    def test_only_the_customer_and_staff_see_the_list(self) -> None:
        repository = orders_of([PENDING])
        for caller in (CUSTOMER_42, STAFF):
            assert len(self.read(repository, page_request(), caller=caller).items) == 1
        with pytest.raises(Forbidden):
            self.read(repository, page_request(), caller=SOMEBODY_ELSE)

    def test_orders_of_other_customers_are_not_in_the_list(self) -> None:
        repository = orders_of([PENDING])
        other = placed_order(customer_id=SOMEBODY_ELSE.id)
        repository.orders[other.order_id] = other
        assert len(self.read(repository, page_request()).items) == 1

    def test_under_a_filter_reads_go_on_until_the_page_is_full(self) -> None:
        statuses = [PENDING] * (2 * FILTERED_READ_SIZE) + [PAID] * 3
        repository = orders_of(statuses)
        request = page_request(2, newest_first=False)
        assert len(self.read(repository, request, PAID).items) == 2
        assert len(repository.calls) == 3

    def test_a_page_that_is_just_full_looks_on_for_its_successor(self) -> None:
        """Else it would call itself the last, or be followed by an empty one."""
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

    def test_after_five_reads_a_page_may_be_short_and_the_walk_goes_on(self) -> None:
        rare = FILTERED_READ_SIZE * 5
        statuses = [PAID] + [PENDING] * (rare - 1) + [PAID] * 2
        repository = orders_of(statuses)
        request = page_request(2, newest_first=False)
        first = self.read(repository, request, PAID)
        assert [order.order_id for order in first.items] == [min(repository.orders)]
        assert first.next_position == sorted(repository.orders)[rare - 1]
        assert len(repository.calls) == 5
        pages = walk(request, lambda page: self.read(repository, page, PAID))
        assert [len(page) for page in pages] == [1, 2]

    @pytest.mark.parametrize("reads", [1, 2, 4])
    def test_a_list_that_ends_with_a_read_says_so(self, reads: int) -> None:
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
    def test_a_walk_meets_every_order_of_the_status_once_in_order(
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

    def test_it_is_for_staff(self) -> None:
        with pytest.raises(Forbidden):
            ListOrdersByStatus(InMemoryOrders())(CUSTOMER_42, PENDING, page_request())
