"""What the route's tests can't show of a create: its calls, and ids and keys in use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from examples import (
    CUSTOMER_42,
    SOMEBODY_ELSE,
    STAFF,
    event_of,
    new_order,
    placed_order,
    rendered,
)
from fakes import NOON, FakeClock, FakeIds, InMemoryOrders
from orders.application.create_order import CreateOrder
from orders.application.errors import IdempotencyKeyReused, KeyInUse, TryAgain
from orders.application.idempotency import IdempotencyKey
from orders.domain.actor import CUSTOMER, Actor

if TYPE_CHECKING:
    from orders.application.caller import Caller
    from orders.application.idempotency import Outcome
    from orders.domain.order import NewOrder
    from orders.domain.order_id import OrderId

KEY = IdempotencyKey("cus_42#key", "request 1")
REUSED_KEY = IdempotencyKey("cus_42#key", "request 2")


class Shop:
    """The use case over fakes."""

    def __init__(self) -> None:
        self.orders = InMemoryOrders()
        self.clock = FakeClock()
        self.create = CreateOrder(self.orders, self.clock, FakeIds())

    def place(
        self,
        key: IdempotencyKey | None = KEY,
        caller: Caller = CUSTOMER_42,
        request: NewOrder | None = None,
    ) -> Outcome:
        return self.create(caller, request or new_order(), key, rendered)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_a_new_order_is_one_write_and_nothing_else(shop: Shop) -> None:
    for key in (None, KEY):
        shop.orders.calls.clear()
        outcome = shop.place(key)
        assert outcome.order in shop.orders.orders.values()
        assert not outcome.replayed
        assert shop.orders.calls == ["add"]


def test_an_order_is_created_now_and_by_its_caller(shop: Shop) -> None:
    for caller, actor in ((CUSTOMER_42, CUSTOMER), (STAFF, Actor("staff", "ann"))):
        order = shop.place(None, caller).order
        assert order
        assert order.created_at == NOON
        event = shop.orders.events[order.order_id, 1]
        assert (event.type, event.recorded_at, event.actor) == ("ORDER_CREATED", NOON, actor)


@pytest.mark.parametrize("key", [None, KEY])
def test_an_id_that_is_taken_is_drawn_again(shop: Shop, key: IdempotencyKey | None) -> None:
    """The response, its record and the event are those of the order that was written."""
    taken = placed_order()
    shop.orders.add(taken, event_of(taken), None, NOON)

    class Colliding(FakeIds):
        """Draws the id of another order twice."""

        def __init__(self) -> None:
            self.drawn = [taken.order_id, taken.order_id]

        def order_id(self, created_at: datetime) -> OrderId:
            return self.drawn.pop() if self.drawn else super().order_id(created_at)

    shop.create = CreateOrder(shop.orders, shop.clock, Colliding())
    outcome = shop.place(key)
    assert outcome.order
    assert outcome.order.order_id != taken.order_id
    assert shop.orders.orders == {o.order_id: o for o in (taken, outcome.order)}
    assert list(shop.orders.events.values()) == [event_of(taken), event_of(outcome.order)]
    assert outcome.response == rendered(outcome.order)
    assert [r.response for r in shop.orders.records.values()] == ([outcome.response] if key else [])


def test_ids_that_are_always_taken_are_given_up_for_now(shop: Shop) -> None:
    taken = placed_order()
    shop.orders.add(taken, event_of(taken), None, NOON)

    class Stuck(FakeIds):
        def order_id(self, _: datetime) -> OrderId:
            return taken.order_id

    with pytest.raises(TryAgain):
        CreateOrder(shop.orders, shop.clock, Stuck())(CUSTOMER_42, new_order(), None, rendered)
    assert shop.orders.orders == {taken.order_id: taken}


def test_a_retry_with_the_same_key_returns_the_first_response(shop: Shop) -> None:
    first = shop.place()
    shop.orders.calls.clear()
    second = shop.place()
    assert (second.response, second.replayed, second.order) == (first.response, True, None)
    assert shop.orders.calls == ["add"]


def test_a_key_can_be_used_again_after_24_hours_while_its_record_still_exists(shop: Shop) -> None:
    shop.place()
    shop.clock.advance(hours=24)  # the record stays to the end of its second
    assert shop.place().replayed
    shop.clock.advance(seconds=1)
    again = shop.place(REUSED_KEY)
    assert not again.replayed
    assert shop.orders.records[KEY.record_id].response == again.response
    assert len(shop.orders.orders) == 2


def test_replay_and_reuse_are_decided_before_the_permission(shop: Shop) -> None:
    first = shop.place(caller=STAFF)
    replay = shop.place(caller=SOMEBODY_ELSE)
    assert (replay.response, replay.replayed) == (first.response, True)
    with pytest.raises(IdempotencyKeyReused):
        shop.place(REUSED_KEY, SOMEBODY_ELSE)


def test_the_loser_of_a_race_for_a_key_gets_the_winners_response(shop: Shop) -> None:
    shop.orders.before_next_write(shop.place)
    outcome = shop.place()
    assert outcome.replayed
    assert outcome.response == shop.orders.records[KEY.record_id].response
    assert len(shop.orders.orders) == 1


def test_a_record_that_expires_between_write_and_read_is_overwritten(shop: Shop) -> None:
    shop.place()
    expires_at = shop.orders.records[KEY.record_id].expires_at

    class PassingTime(FakeClock):
        """A quarter of a second goes by between any two looks at the clock."""

        def now(self) -> datetime:
            self.advance(milliseconds=250)
            return self.time

    just_before = datetime.fromtimestamp(expires_at, UTC) - timedelta(milliseconds=600)
    create = CreateOrder(shop.orders, PassingTime(just_before), FakeIds())
    shop.orders.calls.clear()
    assert not create(CUSTOMER_42, new_order(), KEY, rendered).replayed
    assert shop.orders.calls == ["add", "add"]


def test_a_key_in_use_whose_record_has_always_expired_is_given_up_for_now(shop: Shop) -> None:
    attempts: list[tuple[object, ...]] = []

    class Haunted(InMemoryOrders):
        def add(self, *written: object) -> None:
            attempts.append(written)
            raise KeyInUse(KEY.remember(rendered(placed_order()), NOON - timedelta(days=2)))

    create = CreateOrder(Haunted(), shop.clock, FakeIds())
    with pytest.raises(TryAgain):
        create(CUSTOMER_42, new_order(), KEY, rendered)
    assert attempts == attempts[:1] * 3, "ids and times are fixed once per request"
