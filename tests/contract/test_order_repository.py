"""What every `OrderRepository` and `ReportRepository` does, the fakes as well as the table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from threading import Barrier
from typing import TYPE_CHECKING, Protocol

import pytest

from examples import CUS_42, MUGS, changed_order, event_of, placed_order
from fakes import NOON, FakeIds, summary_of
from orders.application.errors import IdTaken, KeyInUse, StaleOrder
from orders.application.idempotency import IdempotencyRecord, StoredResponse
from orders.domain import timestamps
from orders.domain.customer_id import CustomerId
from orders.domain.daily_report import DailyReport
from orders.domain.money import MAX_AMOUNT, MAX_UNIT_AMOUNT
from orders.domain.order import OrderItem
from orders.domain.order_id import IdRange
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from orders.application.paging import Found
    from orders.application.ports import OrderRepository, ReportRepository
    from orders.domain.events import CloudEvent, OrderEvent
    from orders.domain.order import Order, OrderSummary
    from orders.domain.order_id import OrderId

PENDING, PAID = OrderStatus.PENDING, OrderStatus.PAID
SHIPPED, CANCELED = OrderStatus.SHIPPED, OrderStatus.CANCELED
EVERYTHING = IdRange.all()
LATER = NOON + timedelta(minutes=1)
FOREVER = NOON + timedelta(days=365)
RECORD_ID = "cus_42#" + "0f" * 32
MANY = 32


def record(
    response: str = "the first",
    *,
    record_id: str = RECORD_ID,
    expires_at: datetime = NOON + timedelta(days=1),
) -> IdempotencyRecord:
    return IdempotencyRecord(
        record_id, "fingerprint", StoredResponse(response), int(expires_at.timestamp())
    )


def moved(order: Order, status: OrderStatus, reason: str | None = None) -> Order:
    return changed_order(order, status, at=LATER, reason=reason)


def add(
    orders: OrderRepository,
    order: Order,
    new: IdempotencyRecord | None = None,
    now: datetime = NOON,
) -> None:
    orders.add(order, event_of(order), new, now)


def update(
    orders: OrderRepository,
    before: Order,
    after: Order,
    new: IdempotencyRecord | None = None,
    now: datetime = NOON,
) -> None:
    orders.update(before, after, event_of(after, before), new, now)


def added(orders: OrderRepository, *new: Order) -> None:
    for order in new:
        add(orders, order)


def timeline(orders: OrderRepository, order: Order) -> list[OrderEvent | None]:
    _, found = orders.get_with_events(order.order_id, after_version=0, limit=10)
    return [one.item for one in found]


def feed(orders: OrderRepository) -> list[CloudEvent]:
    """All events, page by page, as consumers see them."""
    events: list[CloudEvent] = []
    position = ""
    while page := orders.list_events(position, timestamps.EPOCH, FOREVER, 7):
        events += [found.item.to_cloud_event() for found in page if found.item]
        position = page[-1].position
    return events


def customers(orders: OrderRepository, *, consistent: bool, limit: int = 10) -> list[OrderSummary]:
    found = orders.list_by_customer(
        CUS_42, EVERYTHING, newest_first=True, limit=limit, consistent=consistent
    )
    return items(found)


def items(found: Sequence[Found[OrderSummary, OrderId]]) -> list[OrderSummary]:
    assert [one.position for one in found] == [one.item.order_id for one in found if one.item]
    return [one.item for one in found if one.item]


def in_customers_list(order: Order) -> OrderSummary:
    """Without the reason, which is for the daily report alone."""
    return replace(summary_of(order), reason=None)


def outcomes(attempts: Sequence[Callable[[], None]]) -> list[type[Exception] | None]:
    """What each attempt raised, all of them made at once."""
    start = Barrier(len(attempts))

    def outcome(attempt: Callable[[], None]) -> type[Exception] | None:
        start.wait()
        try:
            attempt()
        except (IdTaken, KeyInUse, StaleOrder) as error:
            return type(error)
        return None

    with ThreadPoolExecutor(len(attempts)) as pool:
        return list(pool.map(outcome, attempts))


class TestWhatIsWrittenIsRead:
    @pytest.mark.parametrize(
        "order",
        [
            pytest.param(placed_order(), id="an order"),
            pytest.param(placed_order(payment_token="tok_approve"), id="paid by token"),
            pytest.param(placed_order(metadata={}), id="no metadata"),
            pytest.param(
                placed_order(metadata={f"key {i}": "é" * 500 for i in range(20)}),
                id="all the metadata there may be",
            ),
            pytest.param(
                placed_order(
                    items=tuple(OrderItem(f"SKU-{i}", "n" * 200, 1, i) for i in range(100))
                ),
                id="100 items",
            ),
            pytest.param(
                placed_order(
                    items=(
                        OrderItem("GOLD", "Gold", MAX_AMOUNT // MAX_UNIT_AMOUNT, MAX_UNIT_AMOUNT),
                    ),
                ),
                id="the largest amount",
            ),
            pytest.param(
                placed_order(items=(replace(MUGS, unit_amount=0),)), id="an amount of nothing"
            ),
            pytest.param(
                placed_order(
                    items=(
                        replace(MUGS, name="Tasse à café ☕ 杯子 \U0001f37a \x00 \ufffe\uffff"),
                    ),
                    metadata={"ключ": "значение", "\uffff": "\ufffe", "empty": ""},
                ),
                id="any character",
            ),
            pytest.param(placed_order(customer_id=CustomerId("auth0|a:b@c+d.e_f-")), id="its id"),
            pytest.param(placed_order(timestamps.EPOCH), id="the first millisecond"),
        ],
    )
    def test_an_order_comes_back_as_it_was(self, orders: OrderRepository, order: Order) -> None:
        added(orders, order)

        assert orders.get(order.order_id) == order

    def test_an_order_comes_back_as_it_was_changed(self, orders: OrderRepository) -> None:
        placed = placed_order(payment_token="tok_approve")
        paid = changed_order(placed, PAID, at=LATER, charge_id="ch_1")
        canceled = moved(paid, CANCELED, reason="changed their mind: \ufffe\uffff \U0001f937")

        added(orders, placed)
        update(orders, placed, paid)
        assert orders.get(placed.order_id) == paid
        assert paid.payment_token is None

        update(orders, paid, canceled)
        assert orders.get(placed.order_id) == canceled

    def test_what_a_change_leaves_out_is_gone(self, orders: OrderRepository) -> None:
        placed = placed_order(payment_token="tok_approve")
        canceled = moved(placed, CANCELED, reason="by staff")
        by_customer = replace(canceled, version=3, reason=None)

        added(orders, placed)
        update(orders, placed, canceled)
        update(orders, canceled, by_customer)

        assert orders.get(placed.order_id) == by_customer

    def test_an_order_that_was_never_written_is_none(self, orders: OrderRepository) -> None:
        assert orders.get(placed_order().order_id) is None

    def test_lists_show_an_order_as_it_is_now(self, orders: OrderRepository) -> None:
        placed = placed_order()
        paid = moved(placed, PAID)
        added(orders, placed)
        update(orders, placed, paid)

        for consistent in (False, True):
            assert customers(orders, consistent=consistent) == [in_customers_list(paid)]
        for status, expected in ((PENDING, []), (PAID, [summary_of(paid)])):
            found = orders.list_by_status(status, EVERYTHING, newest_first=True, limit=10)
            assert items(found) == expected
            assert list(orders.each_by_status(status, EVERYTHING)) == expected


SNAPSHOT = pytest.mark.parametrize("snapshot", [False, True], ids=["two reads", "snapshot"])


class TestIdempotencyRecords:
    @SNAPSHOT
    def test_a_record_rides_with_a_new_order(
        self, orders: OrderRepository, *, snapshot: bool
    ) -> None:
        order, first = placed_order(), record('{"a": "\uffff"}')
        add(orders, order, first, NOON)

        assert orders.get_record(RECORD_ID) == first
        assert orders.get_with_record(order.order_id, RECORD_ID, snapshot=snapshot) == (
            order,
            first,
        )

    @SNAPSHOT
    def test_a_record_rides_with_a_change(self, orders: OrderRepository, *, snapshot: bool) -> None:
        order, first = placed_order(), record()
        paid = moved(order, PAID)
        added(orders, order)
        update(orders, order, paid, first, NOON)

        assert orders.get_with_record(order.order_id, RECORD_ID, snapshot=snapshot) == (paid, first)

    def test_a_record_can_be_written_alone(self, orders: OrderRepository) -> None:
        first = record()
        orders.remember(first, NOON)

        assert orders.get_record(RECORD_ID) == first
        with pytest.raises(KeyInUse):
            orders.remember(record("again"), NOON)
        assert orders.get_record(RECORD_ID) == first

    @SNAPSHOT
    def test_what_is_not_there_is_none(self, orders: OrderRepository, *, snapshot: bool) -> None:
        order = placed_order()
        assert orders.get_record(RECORD_ID) is None
        assert orders.get_with_record(order.order_id, RECORD_ID, snapshot=snapshot) == (None, None)

        added(orders, order)
        assert orders.get_with_record(order.order_id, RECORD_ID, snapshot=snapshot) == (order, None)

        orders.remember(record(), NOON)
        other = placed_order().order_id
        assert orders.get_with_record(other, RECORD_ID, snapshot=snapshot) == (None, record())

    def test_a_live_record_keeps_a_second_order_from_being_written(
        self, orders: OrderRepository
    ) -> None:
        second = placed_order()
        add(orders, placed_order(), record("first"), NOON)

        with pytest.raises(KeyInUse):
            add(orders, second, record("second"), NOON)

        assert orders.get(second.order_id) is None
        assert len(customers(orders, consistent=True)) == 1
        assert orders.get_record(RECORD_ID) == record("first")

    def test_a_live_record_keeps_a_change_from_being_written(self, orders: OrderRepository) -> None:
        order = placed_order()
        add(orders, order, record("first"), NOON)

        with pytest.raises(KeyInUse):
            update(orders, order, moved(order, PAID), record("second"), NOON)

        assert orders.get_with_record(order.order_id, RECORD_ID) == (
            order,
            record("first"),
        )

    def test_an_order_that_moved_is_told_from_a_key_that_was_used(
        self, orders: OrderRepository
    ) -> None:
        order = placed_order()
        paid = moved(order, PAID)
        added(orders, order)
        update(orders, order, paid)

        with pytest.raises(StaleOrder):
            update(orders, order, moved(order, CANCELED), record(), NOON)
        assert orders.get_with_record(order.order_id, RECORD_ID) == (paid, None)

        orders.remember(record(), NOON)
        with pytest.raises(KeyInUse):
            update(orders, order, moved(order, CANCELED), record(), NOON)

    def test_an_expired_record_counts_as_absent_and_is_overwritten(
        self, orders: OrderRepository
    ) -> None:
        expiry = NOON.replace(microsecond=0) + timedelta(days=1)
        at_expiry = record("later", expires_at=expiry + timedelta(days=1))
        just_before = expiry - timedelta(milliseconds=1)
        order, second = placed_order(), placed_order()
        add(orders, order, record("first", expires_at=expiry), NOON)

        with pytest.raises(KeyInUse):
            add(orders, second, at_expiry, just_before)
        with pytest.raises(KeyInUse):
            update(orders, order, moved(order, PAID), at_expiry, just_before)
        with pytest.raises(KeyInUse):
            orders.remember(at_expiry, just_before)
        assert orders.get_record(RECORD_ID) == record("first", expires_at=expiry)

        add(orders, second, at_expiry, expiry)
        assert orders.get_with_record(second.order_id, RECORD_ID) == (
            second,
            at_expiry,
        )

    @pytest.mark.parametrize("write", ["update", "remember"])
    def test_a_change_overwrites_an_expired_record_too(
        self, orders: OrderRepository, write: str
    ) -> None:
        order, now = placed_order(), NOON + timedelta(days=2)
        fresh = record("fresh", expires_at=now + timedelta(days=1))
        add(orders, order, record("stale"), NOON)

        if write == "update":
            update(orders, order, moved(order, PAID), fresh, now)
        else:
            orders.remember(fresh, now)

        assert orders.get_record(RECORD_ID) == fresh


class TestStaleWrites:
    def test_an_order_that_is_not_there_is_stale(self, orders: OrderRepository) -> None:
        order = placed_order()
        with pytest.raises(StaleOrder):
            update(orders, order, moved(order, PAID))
        assert orders.get(order.order_id) is None

    def test_the_version_must_be_the_one_that_was_read(self, orders: OrderRepository) -> None:
        order = placed_order()
        added(orders, order)
        wrong = replace(order, version=2)
        with pytest.raises(StaleOrder):
            update(orders, wrong, moved(wrong, PAID))
        assert orders.get(order.order_id) == order

    def test_the_status_must_be_the_one_that_was_read(self, orders: OrderRepository) -> None:
        order = placed_order()
        added(orders, order)
        wrong = replace(order, status=PAID)
        with pytest.raises(StaleOrder):
            update(orders, wrong, moved(wrong, SHIPPED))
        assert orders.get(order.order_id) == order

    def test_an_order_is_not_written_over_another(self, orders: OrderRepository) -> None:
        order = placed_order()
        added(orders, order)
        for new in (None, record()):
            with pytest.raises(IdTaken):
                add(orders, replace(order, amount=1), new)
        assert orders.get(order.order_id) == order
        assert orders.get_record(RECORD_ID) is None

    def test_a_key_that_is_in_use_is_told_before_an_id_that_is_taken(
        self, orders: OrderRepository
    ) -> None:
        """The request is the same one, sent twice; another id would not help."""
        order = placed_order()
        add(orders, order, record("first"))
        with pytest.raises(KeyInUse):
            add(orders, order, record("second"))


class TestEvents:
    """An order and its event are written together, or neither is."""

    def test_the_timeline_and_the_feed_have_every_event_with_the_change(
        self, orders: OrderRepository
    ) -> None:
        placed = placed_order(payment_token="tok_approve")
        paid = moved(placed, PAID, reason="by transfer \uffff")
        shipped = changed_order(paid, SHIPPED, at=LATER + timedelta(seconds=1))
        expected = [event_of(placed)]
        add(orders, placed)
        assert timeline(orders, placed) == expected
        for before, after, new in ((placed, paid, record()), (paid, shipped, None)):
            update(orders, before, after, new)
            expected.append(event_of(after, before))
            assert timeline(orders, placed) == expected
            assert feed(orders) == [event.to_cloud_event() for event in expected]

    @pytest.mark.parametrize("new", [None, record("second")], ids=["no key", "a key"])
    def test_a_change_that_is_refused_leaves_no_event(
        self, orders: OrderRepository, new: IdempotencyRecord | None
    ) -> None:
        order = placed_order()
        add(orders, order)
        wrong = replace(order, version=4)
        with pytest.raises(StaleOrder):
            update(orders, wrong, moved(wrong, CANCELED), new)
        with pytest.raises(IdTaken):
            add(orders, replace(order, amount=1), new)
        assert timeline(orders, order) == [event_of(order)]
        assert len(feed(orders)) == 1
        assert orders.get_record(RECORD_ID) is None

    def test_a_key_in_use_leaves_no_event(self, orders: OrderRepository) -> None:
        order, second = placed_order(), placed_order()
        add(orders, order, record("first"))
        for refused in (
            partial(add, orders, second, record()),
            partial(update, orders, order, moved(order, PAID), record()),
        ):
            with pytest.raises(KeyInUse):
                refused()
        assert timeline(orders, order) == [event_of(order)]
        assert timeline(orders, second) == []
        assert len(feed(orders)) == 1

    def test_the_timeline_goes_on_after_a_version(self, orders: OrderRepository) -> None:
        order = placed_order()
        add(orders, order)
        for status in (PAID, SHIPPED):
            after = moved(order, status)
            update(orders, order, after)
            order = after
        add(orders, placed_order())

        def read(after_version: int, limit: int) -> list[int]:
            found, events = orders.get_with_events(
                order.order_id, after_version=after_version, limit=limit
            )
            assert found == order
            assert [one.position for one in events] == [
                one.item.version for one in events if one.item
            ]
            return [one.position for one in events]

        assert read(0, 10) == read(0, 3) == [1, 2, 3]
        assert read(0, 2) == [1, 2]
        assert read(1, 1) == [2]
        assert read(2, 10) == [3]
        assert read(3, 10) == []

    def test_an_order_that_is_not_there_has_none(self, orders: OrderRepository) -> None:
        found = orders.get_with_events(placed_order().order_id, after_version=0, limit=1)
        assert (found[0], list(found[1])) == (None, [])

    @pytest.mark.parametrize("limit", [1, 7, 100])
    def test_a_walk_through_the_feed_meets_every_event_once_in_order(
        self, orders: OrderRepository, limit: int
    ) -> None:
        """Several orders share a millisecond; half of them are canceled in another."""
        expected = []
        for number in range(24):
            order = placed_order(NOON + timedelta(milliseconds=number // 3))
            add(orders, order)
            expected.append(event_of(order))
            if number % 2:
                canceled = changed_order(order, CANCELED, at=LATER)
                update(orders, order, canceled)
                expected.append(event_of(canceled, order))
        expected.sort(key=lambda event: (event.recorded_at, event.order_id))
        met: list[str] = []
        position = ""
        while page := orders.list_events(position, timestamps.EPOCH, FOREVER, limit):
            assert len(page) == limit or len(met) + len(page) == len(expected)
            met += [found.item.event_id for found in page if found.item]
            assert len(met) <= len(expected)
            position = page[-1].position
        assert met == [event.event_id for event in expected]

    def test_bounds_hold_the_first_instant_and_not_the_last(self, orders: OrderRepository) -> None:
        placed = [placed_order(NOON + timedelta(milliseconds=n)) for n in range(5)]
        added(orders, *placed)
        since, until = placed[1].created_at, placed[3].created_at

        def found(after: str, since: datetime, until: datetime) -> list[OrderId]:
            events = orders.list_events(after, since, until, 10)
            return [one.item.order_id for one in events if one.item]

        assert found("", since, until) == [o.order_id for o in placed[1:3]]
        assert found("", until, since) == found("", since, since) == []
        position = orders.list_events("", since, until, 1)[0].position
        assert found(position, timestamps.EPOCH, FOREVER) == [o.order_id for o in placed[2:]]

    def test_the_feed_tells_which_orders_were_created_when(self, orders: OrderRepository) -> None:
        placed = [placed_order(NOON + timedelta(milliseconds=n)) for n in range(5)]
        added(orders, *placed)
        for order in placed:
            update(orders, order, changed_order(order, PAID, at=placed[2].created_at))
        since, until = placed[1].created_at, placed[3].created_at
        found = sorted(orders.each_created(since, until))
        assert found == [o.order_id for o in placed[1:3]]

    def test_events_are_no_part_of_a_list_of_orders(self, orders: OrderRepository) -> None:
        order = placed_order()
        add(orders, order)
        for consistent in (False, True):
            assert customers(orders, consistent=consistent) == [in_customers_list(order)]


class TestRaces:
    def test_of_two_writers_one_wins(self, orders: OrderRepository) -> None:
        order = placed_order()
        added(orders, order)
        targets = [moved(order, PAID), moved(order, CANCELED, "no")]

        outcome = outcomes([partial(update, orders, order, after) for after in targets])

        assert sorted(map(str, outcome)) == sorted(map(str, [None, StaleOrder]))
        assert orders.get(order.order_id) == targets[outcome.index(None)]

    def test_of_many_writers_one_wins_and_all_rows_agree(self, orders: OrderRepository) -> None:
        order = placed_order()
        added(orders, order)
        targets = [moved(order, (PAID, CANCELED)[i % 2], f"{i}") for i in range(MANY)]

        outcome = outcomes([partial(update, orders, order, after) for after in targets])

        assert outcome.count(None) == 1
        assert outcome.count(StaleOrder) == MANY - 1
        winner = targets[outcome.index(None)]
        assert orders.get(order.order_id) == winner
        for consistent in (False, True):
            assert customers(orders, consistent=consistent) == [in_customers_list(winner)]
        for status in OrderStatus:
            found = orders.list_by_status(status, EVERYTHING, newest_first=True, limit=10)
            assert items(found) == ([summary_of(winner)] if status is winner.status else [])
        assert timeline(orders, order) == [event_of(order), event_of(winner, order)]
        assert len(feed(orders)) == 2

    def test_one_key_makes_one_order(self, orders: OrderRepository) -> None:
        new = [placed_order() for _ in range(MANY)]

        outcome = outcomes([partial(add, orders, order, record(order.order_id)) for order in new])

        assert outcome.count(None) == 1
        assert outcome.count(KeyInUse) == MANY - 1
        winner = new[outcome.index(None)]
        assert orders.get_record(RECORD_ID) == record(winner.order_id)
        assert customers(orders, consistent=True, limit=100) == [summary_of(winner)]
        assert feed(orders) == [event_of(winner).to_cloud_event()]

    def test_one_key_makes_one_change(self, orders: OrderRepository) -> None:
        order = placed_order()
        added(orders, order)
        paid = moved(order, PAID)

        outcome = outcomes(
            [partial(update, orders, order, paid, record(f"{i}")) for i in range(MANY)]
        )

        assert outcome.count(None) == 1
        assert set(outcome) <= {None, KeyInUse, StaleOrder}
        winner = record(f"{outcome.index(None)}")
        assert orders.get_with_record(order.order_id, RECORD_ID) == (paid, winner)

    def test_one_key_is_remembered_once(self, orders: OrderRepository) -> None:
        outcome = outcomes([partial(orders.remember, record(f"{i}"), NOON) for i in range(MANY)])

        assert outcome.count(None) == 1
        assert outcome.count(KeyInUse) == MANY - 1
        assert orders.get_record(RECORD_ID) == record(f"{outcome.index(None)}")


class Read(Protocol):
    """A page of one list: that of cus_42, or of the orders that are PENDING."""

    def __call__(
        self, orders: OrderRepository, ids: IdRange, *, newest_first: bool, limit: int
    ) -> list[OrderSummary]: ...


def by_customer(
    orders: OrderRepository, ids: IdRange, *, newest_first: bool, limit: int
) -> list[OrderSummary]:
    return items(
        orders.list_by_customer(
            CUS_42, ids, newest_first=newest_first, limit=limit, consistent=False
        )
    )


def by_customer_consistently(
    orders: OrderRepository, ids: IdRange, *, newest_first: bool, limit: int
) -> list[OrderSummary]:
    return items(
        orders.list_by_customer(
            CUS_42, ids, newest_first=newest_first, limit=limit, consistent=True
        )
    )


def by_status(
    orders: OrderRepository, ids: IdRange, *, newest_first: bool, limit: int
) -> list[OrderSummary]:
    return items(orders.list_by_status(PENDING, ids, newest_first=newest_first, limit=limit))


@pytest.mark.parametrize("read", [by_customer, by_customer_consistently, by_status])
class TestLists:
    @pytest.mark.parametrize("newest_first", [True, False])
    def test_a_walk_repeats_nothing_and_skips_nothing_while_orders_come_in(
        self,
        orders: OrderRepository,
        read: Read,
        *,
        newest_first: bool,
    ) -> None:
        """Several orders share a millisecond; new ones come in before and behind the walk."""
        ids = FakeIds()
        times = [NOON + timedelta(milliseconds=n // 3) for n in range(40)]
        placed = [replace(placed_order(), order_id=ids.order_id(at)) for at in times]
        added(orders, *placed)

        seen: list[OrderId] = []
        remaining = EVERYTHING
        while page := read(orders, remaining, newest_first=newest_first, limit=7):
            found = [order.order_id for order in page]
            assert len(found) <= 7
            assert not set(found) & set(seen)
            seen += found
            last = found[-1]
            remaining = remaining.before(last) if newest_first else remaining.after(last)
            for at in (NOON - timedelta(days=1), times[20], NOON + timedelta(days=1)):
                if len(seen) < len(placed):
                    added(orders, replace(placed_order(), order_id=ids.order_id(at)))

        assert seen == sorted(seen, reverse=newest_first)
        assert {order.order_id for order in placed} <= set(seen)

    def test_a_page_is_full_unless_the_list_ends(self, orders: OrderRepository, read: Read) -> None:
        placed = [placed_order(NOON + timedelta(seconds=n)) for n in range(5)]
        added(orders, *placed)
        summaries = [summary_of(order) for order in placed]

        for limit in range(1, 7):
            assert (
                list(read(orders, EVERYTHING, newest_first=False, limit=limit)) == summaries[:limit]
            )
            assert (
                list(read(orders, EVERYTHING, newest_first=True, limit=limit))
                == summaries[::-1][:limit]
            )

    def test_a_range_holds_its_bounds_and_nothing_beyond(
        self, orders: OrderRepository, read: Read
    ) -> None:
        placed = [placed_order(NOON + timedelta(milliseconds=n)) for n in range(5)]
        added(orders, *placed)
        millisecond = timestamps.to_milliseconds(NOON)
        keys = [order.order_id for order in placed]

        def found(ids: IdRange) -> list[OrderId]:
            return [order.order_id for order in read(orders, ids, newest_first=False, limit=10)]

        assert found(EVERYTHING.created_from(millisecond + 2)) == keys[2:]
        assert found(EVERYTHING.created_before(millisecond + 2)) == keys[:2]
        assert found(EVERYTHING.after(keys[1]).before(keys[4])) == keys[2:4]
        assert found(EVERYTHING.after(keys[1]).before(keys[2])) == []

    def test_a_list_of_nothing_is_empty(self, orders: OrderRepository, read: Read) -> None:
        assert list(read(orders, EVERYTHING, newest_first=True, limit=10)) == []

    def test_others_are_left_out(self, orders: OrderRepository, read: Read) -> None:
        mine, theirs = placed_order(), placed_order(customer_id=CustomerId("cus_4"))
        paid = moved(mine, PAID)
        added(orders, mine, theirs)
        update(orders, mine, paid)

        expected = [theirs] if read is by_status else [paid]
        assert list(read(orders, EVERYTHING, newest_first=True, limit=10)) == [
            summary_of(o) for o in expected
        ]


class TestEachByStatus:
    def test_all_orders_of_the_status_in_the_range_come_once(self, orders: OrderRepository) -> None:
        placed = [placed_order(NOON + timedelta(seconds=n)) for n in range(30)]
        added(orders, *placed)
        update(orders, placed[3], moved(placed[3], PAID))
        ids = IdRange.all().after(placed[0].order_id).before(placed[29].order_id)

        found = sorted(order.order_id for order in orders.each_by_status(PENDING, ids))

        assert found == [o.order_id for o in placed[1:29] if o is not placed[3]]

    def test_orders_that_leave_while_they_are_read_disturb_nothing(
        self, orders: OrderRepository
    ) -> None:
        placed = [placed_order(NOON + timedelta(seconds=n)) for n in range(20)]
        added(orders, *placed)

        met = set()
        for summary in orders.each_by_status(PENDING, EVERYTHING):
            met.add(summary.order_id)
            order = orders.get(summary.order_id)
            assert order
            update(orders, order, moved(order, CANCELED))

        assert met == {order.order_id for order in placed}
        assert list(orders.each_by_status(PENDING, EVERYTHING)) == []

    def test_an_empty_range_has_none(self, orders: OrderRepository) -> None:
        order = placed_order()
        added(orders, order)
        nothing = EVERYTHING.after(order.order_id).before(order.order_id)
        assert list(orders.each_by_status(PENDING, nothing)) == []


class TestReports:
    DAY = date(2026, 11, 23)

    def report(self, **changes: object) -> DailyReport:
        report = DailyReport(
            day=self.DAY,
            generated_at=NOON,
            orders={"USD": {PENDING: 1, PAID: 2}, "JPY": {CANCELED: 1}},
            revenue={"USD": 2**53 + 1},
            cancellation_reasons={"out-of-stock": 1, "\U0001f937" * 500: 2},
            left_out=3,
        )
        return replace(report, **changes)  # type: ignore[arg-type]  # fields of DailyReport

    def test_a_report_comes_back_as_it_was(self, reports: ReportRepository) -> None:
        reports.put(self.report())
        assert reports.get(self.DAY) == self.report()

    def test_a_day_without_orders_has_an_empty_report(self, reports: ReportRepository) -> None:
        empty = self.report(orders={}, revenue={}, cancellation_reasons={})
        reports.put(empty)
        assert reports.get(self.DAY) == empty

    def test_a_rerun_overwrites(self, reports: ReportRepository) -> None:
        reports.put(self.report())
        reports.put(self.report(orders={}, generated_at=LATER))
        assert reports.get(self.DAY) == self.report(orders={}, generated_at=LATER)

    def test_another_day_has_none(self, reports: ReportRepository) -> None:
        reports.put(self.report())
        assert reports.get(self.DAY + timedelta(days=1)) is None
