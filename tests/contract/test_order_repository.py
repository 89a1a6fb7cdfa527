"""What every `OrderRepository` and `ReportRepository` does, the fakes as well as the adapters."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from examples import CUS_42, MUGS, changed_order, event_of, placed_order
from fakes import NOON, FakeIds, summary_of
from orders.application.errors import IdTaken, KeyInUse, StaleOrder
from orders.application.idempotency import IdempotencyRecord, StoredResponse
from orders.domain import timestamps
from orders.domain.customer_id import CustomerId
from orders.domain.daily_report import DailyReport
from orders.domain.money import MAX_AMOUNT, MAX_UNIT_AMOUNT
from orders.domain.order_id import IdRange
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
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
RECORD_ID, ANOTHER_ID, A_THIRD_ID = ("cus_42#" + digits * 32 for digits in ("0f", "1e", "2d"))
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


GOLD = replace(MUGS, quantity=MAX_AMOUNT // MAX_UNIT_AMOUNT, unit_amount=MAX_UNIT_AMOUNT)
ANY_CHARACTER = "Tasse à café ☕ 杯子 \U0001f37a \x00 \ufffe\uffff"
ORDERS = {
    "an order": placed_order(),
    "paid by token": placed_order(payment_token="tok_approve"),
    "no metadata": placed_order(metadata={}),
    "the most metadata": placed_order(metadata={f"key {i}": "é" * 500 for i in range(20)}),
    "the most items": placed_order(
        items=tuple(
            replace(MUGS, sku=f"SKU-{i}", name="n" * 200, unit_amount=i) for i in range(100)
        )
    ),
    "the largest amount": placed_order(items=(GOLD,)),
    "an amount of nothing": placed_order(items=(replace(MUGS, unit_amount=0),)),
    "any character": placed_order(
        items=(replace(MUGS, name=ANY_CHARACTER),),
        metadata={"ключ": "значение", "\uffff": "\ufffe", "empty": ""},
        customer_id=CustomerId("auth0|a:b@c+d.e_f-"),
    ),
    "the first millisecond": placed_order(timestamps.EPOCH),
}


class TestOrders:
    @pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS.keys())
    def test_an_order_is_read_as_it_was_written(
        self, orders: OrderRepository, order: Order
    ) -> None:
        assert orders.get(order.order_id) is None
        added(orders, order)
        assert orders.get(order.order_id) == order

    def test_an_order_is_read_as_it_was_last_changed(self, orders: OrderRepository) -> None:
        """What a change leaves out is gone: the token, then the reason."""
        placed = placed_order(payment_token="tok_approve")
        paid = changed_order(placed, PAID, at=LATER, charge_id="ch_1")
        canceled = moved(paid, CANCELED, reason=f"changed their mind: {ANY_CHARACTER}")
        without_reason = replace(canceled, version=4, reason=None)
        added(orders, placed)
        for before, after in pairwise((placed, paid, canceled, without_reason)):
            update(orders, before, after)
            assert orders.get(placed.order_id) == after

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


KEYS = pytest.mark.parametrize("new", [None, record()], ids=["no key", "a key"])
SNAPSHOT = pytest.mark.parametrize("snapshot", [False, True], ids=["two reads", "snapshot"])


class TestIdempotencyRecords:
    @SNAPSHOT
    def test_a_record_is_written_with_its_order_or_change(
        self, orders: OrderRepository, *, snapshot: bool
    ) -> None:
        order, created, changed = (
            placed_order(),
            record(ANY_CHARACTER),
            record(record_id=ANOTHER_ID),
        )
        paid = moved(order, PAID)
        add(orders, order, created)
        assert orders.get_record(RECORD_ID) == created
        read = partial(orders.get_with_record, order.order_id, snapshot=snapshot)
        assert read(RECORD_ID) == (order, created)
        assert read(ANOTHER_ID) == (order, None)
        update(orders, order, paid, changed)
        assert read(ANOTHER_ID) == (paid, changed)

    @SNAPSHOT
    def test_a_record_can_be_written_alone(
        self, orders: OrderRepository, *, snapshot: bool
    ) -> None:
        nobodys = placed_order().order_id
        assert orders.get_record(RECORD_ID) is None
        assert orders.get_with_record(nobodys, RECORD_ID, snapshot=snapshot) == (None, None)
        orders.remember(record(), NOON)
        assert orders.get_record(RECORD_ID) == record()
        assert orders.get_with_record(nobodys, RECORD_ID, snapshot=snapshot) == (None, record())

    def test_a_live_record_prevents_every_write(self, orders: OrderRepository) -> None:
        """Of the order and its event, too."""
        order, second = placed_order(), placed_order()
        add(orders, order, record("first"))
        for attempt in (
            partial(add, orders, second, record("second")),
            partial(update, orders, order, moved(order, PAID), record("second")),
            partial(orders.remember, record("second"), NOON),
        ):
            with pytest.raises(KeyInUse):
                attempt()
        assert orders.get_with_record(order.order_id, RECORD_ID) == (order, record("first"))
        assert orders.get(second.order_id) is None
        assert customers(orders, consistent=True) == [summary_of(order)]
        assert timeline(orders, order) == [event_of(order)]
        assert timeline(orders, second) == []
        assert len(feed(orders)) == 1

    def test_a_stale_order_is_told_from_a_used_key(self, orders: OrderRepository) -> None:
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

    def test_a_record_counts_as_absent_from_its_expiry_on_and_is_overwritten(
        self, orders: OrderRepository
    ) -> None:
        expiry = NOON.replace(microsecond=0) + timedelta(days=1)
        old, fresh = record("old", expires_at=expiry), record(expires_at=expiry + timedelta(days=1))
        order, second = placed_order(), placed_order()
        for key in (RECORD_ID, ANOTHER_ID, A_THIRD_ID):
            orders.remember(old._replace(record_id=key), NOON)
        added(orders, order)
        changes: list[Callable[[datetime], None]] = [
            partial(add, orders, second, fresh),
            partial(
                update, orders, order, moved(order, PAID), fresh._replace(record_id=ANOTHER_ID)
            ),
            partial(orders.remember, fresh._replace(record_id=A_THIRD_ID)),
        ]
        for change, key in zip(changes, (RECORD_ID, ANOTHER_ID, A_THIRD_ID), strict=True):
            with pytest.raises(KeyInUse):
                change(expiry - timedelta(milliseconds=1))
            assert orders.get_record(key) == old._replace(record_id=key)
            change(expiry)
            assert orders.get_record(key) == fresh._replace(record_id=key)
        assert orders.get(second.order_id) == second


class TestStaleWrites:
    """They change nothing, and leave neither an event nor a record."""

    @KEYS
    def test_an_update_needs_the_order_at_the_status_and_version_that_were_read(
        self, orders: OrderRepository, new: IdempotencyRecord | None
    ) -> None:
        order, missing = placed_order(), placed_order()
        added(orders, order)
        for wrong in (missing, replace(order, version=2), replace(order, status=PAID)):
            with pytest.raises(StaleOrder):
                update(orders, wrong, moved(wrong, CANCELED), new)
        assert orders.get(missing.order_id) is None
        assert orders.get(order.order_id) == order
        assert timeline(orders, order) == [event_of(order)]
        assert len(feed(orders)) == 1
        assert orders.get_record(RECORD_ID) is None

    @KEYS
    def test_an_order_never_overwrites_another(
        self, orders: OrderRepository, new: IdempotencyRecord | None
    ) -> None:
        order = placed_order()
        added(orders, order)
        with pytest.raises(IdTaken):
            add(orders, replace(order, amount=1), new)
        assert orders.get_with_record(order.order_id, RECORD_ID) == (order, None)
        assert timeline(orders, order) == [event_of(order)]

    def test_a_key_in_use_precedes_a_taken_id(self, orders: OrderRepository) -> None:
        """It is the same request sent twice: another id would not help."""
        order = placed_order()
        add(orders, order, record("first"))
        with pytest.raises(KeyInUse):
            add(orders, order, record("second"))


class TestEvents:
    """Each is written with its order or change, or neither is."""

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

    def test_an_unknown_order_has_none(self, orders: OrderRepository) -> None:
        found = orders.get_with_events(placed_order().order_id, after_version=0, limit=1)
        assert (found[0], list(found[1])) == (None, [])

    @pytest.mark.parametrize("limit", [1, 7, 100])
    def test_a_walk_through_the_feed_reads_every_event_once_in_order(
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

    def test_bounds_include_the_first_instant_and_exclude_the_last(
        self, orders: OrderRepository
    ) -> None:
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

    def test_each_created_finds_the_orders_created_within_the_bounds(
        self, orders: OrderRepository
    ) -> None:
        placed = [placed_order(NOON + timedelta(milliseconds=n)) for n in range(5)]
        added(orders, *placed)
        for order in placed:
            update(orders, order, changed_order(order, PAID, at=placed[2].created_at))
        since, until = placed[1].created_at, placed[3].created_at
        found = sorted(orders.each_created(since, until))
        assert found == [o.order_id for o in placed[1:3]]

    def test_lists_of_orders_contain_no_events(self, orders: OrderRepository) -> None:
        order = placed_order()
        add(orders, order)
        for consistent in (False, True):
            assert customers(orders, consistent=consistent) == [in_customers_list(order)]


class TestRaces:
    def test_of_many_writers_one_wins_and_every_list_agrees(self, orders: OrderRepository) -> None:
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

    def test_concurrent_creates_with_one_key_write_one_order(self, orders: OrderRepository) -> None:
        new = [placed_order() for _ in range(MANY)]

        outcome = outcomes([partial(add, orders, order, record(order.order_id)) for order in new])

        assert outcome.count(None) == 1
        assert outcome.count(KeyInUse) == MANY - 1
        winner = new[outcome.index(None)]
        assert orders.get_record(RECORD_ID) == record(winner.order_id)
        assert customers(orders, consistent=True, limit=100) == [summary_of(winner)]
        assert feed(orders) == [event_of(winner).to_cloud_event()]

    def test_concurrent_changes_with_one_key_write_one(self, orders: OrderRepository) -> None:
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

    def test_concurrent_records_of_one_key_write_one(self, orders: OrderRepository) -> None:
        outcome = outcomes([partial(orders.remember, record(f"{i}"), NOON) for i in range(MANY)])

        assert outcome.count(None) == 1
        assert outcome.count(KeyInUse) == MANY - 1
        assert orders.get_record(RECORD_ID) == record(f"{outcome.index(None)}")


Read = Callable[..., "list[OrderSummary]"]
"""A page of a list of cus_42's PENDING orders."""
READS: dict[str, Read] = {
    "customer": lambda orders, ids, **how: items(
        orders.list_by_customer(CUS_42, ids, consistent=False, **how)
    ),
    "customer, consistent": lambda orders, ids, **how: items(
        orders.list_by_customer(CUS_42, ids, consistent=True, **how)
    ),
    "status": lambda orders, ids, **how: items(orders.list_by_status(PENDING, ids, **how)),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
class TestLists:
    @pytest.mark.parametrize("newest_first", [True, False])
    def test_a_walk_skips_and_repeats_nothing_while_orders_are_placed(
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
            for newest_first, step in ((False, 1), (True, -1)):
                page = read(orders, EVERYTHING, newest_first=newest_first, limit=limit)
                assert page == summaries[::step][:limit]

    def test_a_range_includes_its_bounds_and_nothing_beyond(
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

    def test_other_customers_and_other_statuses_are_left_out(
        self, orders: OrderRepository, read: Read
    ) -> None:
        assert read(orders, EVERYTHING, newest_first=True, limit=10) == []
        mine, theirs = placed_order(), placed_order(customer_id=CustomerId("cus_4"))
        paid = moved(mine, PAID)
        added(orders, mine, theirs)
        update(orders, mine, paid)
        expected = theirs if read is READS["status"] else paid
        assert read(orders, EVERYTHING, newest_first=True, limit=10) == [summary_of(expected)]


class TestEachByStatus:
    def test_every_order_of_the_status_in_the_range_is_read_once(
        self, orders: OrderRepository
    ) -> None:
        placed = [placed_order(NOON + timedelta(seconds=n)) for n in range(30)]
        added(orders, *placed)
        update(orders, placed[3], moved(placed[3], PAID))
        ids = IdRange.all().after(placed[0].order_id).before(placed[29].order_id)

        found = sorted(order.order_id for order in orders.each_by_status(PENDING, ids))

        assert found == [o.order_id for o in placed[1:29] if o is not placed[3]]

    def test_orders_that_change_while_they_are_read_disturb_nothing(
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
    def test_a_report_is_read_as_it_was_last_written(self, reports: ReportRepository) -> None:
        full = DailyReport(
            day=date(2026, 11, 23),
            generated_at=NOON,
            orders={"USD": {PENDING: 1, PAID: 2}, "JPY": {CANCELED: 1}},
            revenue={"USD": 2**53 + 1},
            cancellation_reasons={"out-of-stock": 1, "\U0001f937" * 500: 2},
            left_out=3,
        )
        empty = replace(full, generated_at=LATER, orders={}, revenue={}, cancellation_reasons={})
        assert reports.get(full.day) is None
        for report in (full, empty):
            reports.put(report)
            assert reports.get(full.day) == report
        assert reports.get(full.day + timedelta(days=1)) is None
