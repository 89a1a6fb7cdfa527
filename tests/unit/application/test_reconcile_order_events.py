from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from damaged_rows import UNREADABLE, DamagedOrders
from examples import placed_order
from fakes import NOON, FakeClock, FakePublisher, InMemoryOrders
from interleaving import Stepwise, each_interleaving
from orders.adapters.dynamodb import rows
from orders.adapters.sqs import event_body
from orders.application.reconcile_order_events import (
    MARGIN,
    WINDOW,
    MissingEntry,
    ReconcileOrderEvents,
)
from orders.domain.actor import Actor
from orders.domain.errors import MalformedRow, TryAgain
from orders.domain.order_id import OrderId
from orders.domain.status import OrderStatus
from stream_records import change_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from orders.domain.changes import OrderChange

PENDING, PAID, SHIPPED, CANCELED = OrderStatus
ANN = Actor("staff", "ann")
INSTANT, DAY = timedelta(milliseconds=1), timedelta(days=1)
LIVES = [(), (PAID,), (CANCELED,), (PAID, SHIPPED), (PAID, CANCELED)]


def found(reconcile: ReconcileOrderEvents) -> list[OrderId]:
    """What seems to lack an entry."""
    return [order_id for lacking in reconcile.find() for order_id in lacking]


def run(reconcile: ReconcileOrderEvents) -> list[tuple[OrderId, int, bool]]:
    """What a whole run finds missing, and whether it restores it."""
    return [
        (order_id, *entry)
        for lacking in reconcile.find()
        for order_id in lacking
        for entry in reconcile.restore(order_id)
    ]


class Shop:
    """Orders with their timelines and what the stream said of them."""

    def __init__(self) -> None:
        self.orders = InMemoryOrders()
        self.publisher = FakePublisher()
        self.clock = FakeClock()
        self.reconcile = ReconcileOrderEvents(self.orders, self.publisher, self.clock)

    def place(self, *moves: OrderStatus, changed: datetime | None = None) -> list[OrderChange]:
        """An order's changes, the last of them at that time; all are in the timeline."""
        last = changed or NOON - timedelta(hours=1)
        order = placed_order(last if not moves else last - timedelta(days=30))
        changes = [change_of(order)]
        for status in moves:
            after = order.changed_to(status, by=ANN, at=last, reason=f"to {status}")
            changes.append(change_of(after, order))
            order = after
        self.orders.orders[order.order_id] = order
        for change in changes:
            self.orders.append_to_timeline(change)
        return changes

    def lose(self, *changes: OrderChange) -> None:
        for change in changes:
            del self.orders.timeline[change.order_id, change.version]

    def entry(self, change: OrderChange) -> object:
        return self.orders.timeline.get((change.order_id, change.version))

    def run(self) -> list[tuple[OrderId, int, bool]]:
        return run(self.reconcile)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_complete_timelines_are_left_alone(shop: Shop) -> None:
    for moves in LIVES:
        shop.place(*moves)
    before = dict(shop.orders.timeline)
    assert found(shop.reconcile) == []
    assert shop.run() == []
    assert shop.orders.timeline == before
    assert shop.publisher.published == []


@pytest.mark.parametrize("moves", LIVES)
def test_the_last_change_is_restored_whole_and_its_event_published_again(
    shop: Shop, moves: tuple[OrderStatus, ...]
) -> None:
    last = shop.place(*moves)[-1]
    shop.lose(last)
    assert shop.run() == [(last.order_id, last.version, True)]
    assert shop.entry(last) == last
    assert [event_body(change) for change in shop.publisher.published] == [event_body(last)]


@pytest.mark.parametrize("moves", LIVES[1:])
def test_of_a_lost_creation_the_event_is_known_and_the_actor_is_not(
    shop: Shop, moves: tuple[OrderStatus, ...]
) -> None:
    first, *_ = shop.place(*moves)
    shop.lose(first)
    assert shop.run() == [(first.order_id, 1, False)]
    assert shop.entry(first) is None
    assert [event_body(change) for change in shop.publisher.published] == [event_body(first)]


@pytest.mark.parametrize("last", [SHIPPED, CANCELED])
def test_what_lay_between_is_reported_and_nothing_is_made_up(shop: Shop, last: OrderStatus) -> None:
    _, paid, _ = shop.place(PAID, last)
    shop.lose(paid)
    assert shop.run() == [(paid.order_id, 2, False)]
    assert shop.entry(paid) is None
    assert shop.publisher.published == []


def test_every_missing_version_of_an_order_is_told(shop: Shop) -> None:
    changes = shop.place(PAID, SHIPPED)
    shop.lose(*changes)
    order_id = changes[0].order_id
    assert shop.run() == [(order_id, 1, False), (order_id, 2, False), (order_id, 3, True)]
    assert shop.entry(changes[2]) == changes[2]


def test_a_second_run_restores_nothing_twice(shop: Shop) -> None:
    changes = shop.place(PAID)
    shop.lose(changes[1])
    assert len(shop.run()) == 1
    assert shop.run() == []
    assert len(shop.publisher.published) == 1


@pytest.mark.parametrize(
    ("ago", "missing"),
    [
        (MARGIN - INSTANT, 0),
        (MARGIN, 1),
        (MARGIN + WINDOW, 1),
        (MARGIN + WINDOW + INSTANT, 0),
    ],
)
def test_changes_of_the_last_two_days_are_looked_at_once_their_entry_must_be_there(
    shop: Shop, ago: timedelta, missing: int
) -> None:
    shop.lose(shop.place(PAID, changed=NOON - ago)[-1])
    assert len(found(shop.reconcile)) == missing
    assert len(shop.run()) == missing


@pytest.mark.parametrize(
    "first_run", [timedelta(), INSTANT, MARGIN - INSTANT, MARGIN, DAY / 2, DAY - INSTANT]
)
def test_every_change_is_looked_at_twice_and_once_after_the_readers_have_given_it_up(
    shop: Shop, first_run: timedelta
) -> None:
    lost = shop.place(changed=NOON)[0]
    shop.lose(lost)
    ages = []
    for age in (first_run + n * DAY for n in range(5)):
        shop.clock.time = NOON + age
        if found(shop.reconcile):
            ages.append(age)
    assert len(ages) >= 2
    assert ages[-1] >= DAY + MARGIN


def test_the_age_of_the_order_does_not_matter(shop: Shop) -> None:
    old = placed_order(NOON - timedelta(days=400))
    shipped = replace(
        old.changed_to(PAID, by=ANN, at=NOON - timedelta(days=399)),
        status=SHIPPED,
        version=3,
        updated_at=NOON - timedelta(days=1),
    )
    shop.orders.orders[old.order_id] = shipped
    assert [version for _, version, _ in shop.run()] == [1, 2, 3]


def test_an_order_that_changed_since_it_was_found_is_left_to_the_next_run(shop: Shop) -> None:
    placed = shop.place()[0]
    shop.lose(placed)
    lacking = found(shop.reconcile)
    assert lacking == [placed.order_id]
    order = shop.orders.orders[placed.order_id]
    shop.orders.orders[order.order_id] = order.changed_to(PAID, by=ANN, at=NOON)
    assert [list(shop.reconcile.restore(order_id)) for order_id in lacking] == [[]]
    assert shop.publisher.published == []


def test_an_entry_that_came_since_it_was_missed_is_not_told(shop: Shop) -> None:
    placed = shop.place()[0]
    shop.lose(placed)
    lacking = found(shop.reconcile)
    assert lacking == [placed.order_id]
    shop.orders.append_to_timeline(placed)
    assert [list(shop.reconcile.restore(order_id)) for order_id in lacking] == [[]]


def test_the_streams_own_entry_wins(shop: Shop) -> None:
    placed = shop.place()[0]
    shop.lose(placed)
    own = replace(placed, reason="as the stream says")

    def overtake() -> None:
        shop.orders.timeline.setdefault((own.order_id, own.version), own)

    shop.orders.before_write = overtake
    assert len(shop.run()) == 1
    assert shop.entry(placed) == own


def test_an_order_that_is_gone_is_passed_over(shop: Shop) -> None:
    placed = shop.place()[0]
    del shop.orders.orders[placed.order_id]
    assert list(shop.reconcile.restore(placed.order_id)) == []


def test_without_the_queue_no_entry_is_written_so_that_the_next_run_publishes(shop: Shop) -> None:
    placed = shop.place()[0]
    shop.lose(placed)
    shop.publisher.unavailable = {placed.order_id}
    with pytest.raises(TryAgain):
        shop.run()
    assert shop.entry(placed) is None
    shop.publisher.unavailable = set()
    assert len(shop.run()) == 1
    assert shop.publisher.published == [placed]


def test_an_entry_that_could_not_be_written_is_published_again(shop: Shop) -> None:
    placed = shop.place()[0]
    shop.lose(placed)

    def fail() -> None:
        shop.orders.before_write = lambda: None
        raise TryAgain

    shop.orders.before_write = fail
    with pytest.raises(TryAgain):
        shop.run()
    assert len(shop.run()) == 1
    assert shop.publisher.published == [placed, placed]


def test_an_event_that_the_queue_never_takes_keeps_no_entry_away_but_is_not_told_restored(
    shop: Shop,
) -> None:
    placed = shop.place()[0]
    shop.lose(placed)
    shop.publisher.refused = {placed.order_id}
    assert shop.run() == [(placed.order_id, 1, False)]
    assert shop.entry(placed) == placed
    assert shop.run() == []


@pytest.mark.parametrize(
    "damage",
    [
        {"version": 2},
        {"version": 4},
        {"version": 0},
        {"version": "1"},
        {"status": SHIPPED},
        {"order_id": OrderId("no id")},
    ],
)
def test_an_order_that_no_way_leads_to_is_unreadable(shop: Shop, damage: dict[str, object]) -> None:
    order = replace(placed_order(NOON - timedelta(hours=1)), updated_at=NOON - timedelta(hours=1))
    order = replace(order, **damage)  # type: ignore[arg-type]  # it is damaged
    shop.orders.orders[order.order_id] = order
    with pytest.raises(MalformedRow) as refused:
        list(shop.reconcile.restore(order.order_id))
    assert order.order_id in str(refused.value)
    assert shop.orders.timeline == {}


@pytest.mark.parametrize("moves", [(), (PAID,)])
@pytest.mark.parametrize("damage", UNREADABLE, ids=repr)
def test_of_a_row_that_the_streams_readers_refuse_nothing_is_restored(
    shop: Shop, damage: rows.Row, moves: tuple[OrderStatus, ...]
) -> None:
    lost = shop.place(*moves)
    shop.lose(*lost)
    order_id = lost[0].order_id
    orders = DamagedOrders()
    orders.orders, orders.damage = shop.orders.orders, {order_id: damage}
    with pytest.raises(MalformedRow):
        rows.change_from(rows.detail_row(orders.orders[order_id]) | damage, None)
    with pytest.raises(MalformedRow) as refused:
        run(replace(shop.reconcile, orders=orders))
    assert orders.timeline == {}
    assert shop.publisher.published == []
    assert "sEcReT" not in str(refused.value)


@pytest.mark.parametrize("version", [None, 0, 4, 1000])
def test_an_order_whose_version_cannot_be_is_looked_into(shop: Shop, version: int | None) -> None:
    class Damaged(InMemoryOrders):
        def each_changed(self, *_: object) -> Iterator[tuple[OrderId, int | None] | None]:
            yield order_id, version

    order_id = shop.place()[0].order_id
    damaged = Damaged()
    damaged.timeline = shop.orders.timeline
    assert found(replace(shop.reconcile, orders=damaged)) == [order_id]


def test_an_order_that_is_met_twice_is_looked_at_once(shop: Shop) -> None:
    """It moved on while the index was read."""

    class Moving(InMemoryOrders):
        def each_changed(self, *_: object) -> Iterator[tuple[OrderId, int | None] | None]:
            yield from [(placed.order_id, 1), (placed.order_id, 2)]

    placed = shop.place()[0]
    assert found(replace(shop.reconcile, orders=Moving())) == [placed.order_id]


def test_the_caller_gets_its_turn_after_each_step_of_the_search(shop: Shop) -> None:
    class Sparse(InMemoryOrders):
        def each_changed(self, *_: object) -> Iterator[tuple[OrderId, int | None] | None]:
            for step in (None, (some.order_id, 1), None, (other.order_id, 1), None):
                self.calls.append("step")
                yield step

    some, other = shop.place()[0], shop.place()[0]
    sparse = Sparse()
    steps = [
        (list(few), len(sparse.calls)) for few in replace(shop.reconcile, orders=sparse).find()
    ]
    assert steps == [
        *(([], calls) for calls in (1, 2, 3, 4, 5)),
        ([some.order_id, other.order_id], 6),
    ]
    assert sparse.calls[5:] == ["get_recorded"]


def test_many_orders_are_looked_at_in_few_calls(shop: Shop) -> None:
    for _ in range(70):
        shop.place(PAID, SHIPPED)
    lost = [shop.place(PAID)[1] for _ in range(40)]
    shop.lose(*lost)
    shop.orders.calls.clear()
    assert {entry[:2] for entry in shop.run()} == {(one.order_id, 2) for one in lost}
    assert shop.orders.calls.count("get_recorded") == 4


def test_two_runs_at_once_and_the_stream_write_each_entry_once() -> None:
    shops: list[tuple[Shop, OrderChange]] = []

    def actors() -> list[Callable[[], object]]:
        shop = Shop()
        lost = shop.place(PAID)[1]
        shop.lose(lost)
        shops.append((shop, lost))
        orders = Stepwise(shop.orders)
        reconcile = replace(shop.reconcile, orders=orders)
        return [
            lambda: run(reconcile),
            lambda: run(reconcile),
            lambda: orders.append_to_timeline(lost),
        ]

    for errors in each_interleaving(actors):
        assert errors == [None, None, None]
        shop, lost = shops[-1]
        assert shop.entry(lost) == lost
        assert {event_body(one) for one in shop.publisher.published} <= {event_body(lost)}
    assert len(shops) > 10


def test_what_is_missing_is_named() -> None:
    assert MissingEntry(version=2, is_restored=True) == (2, True)
