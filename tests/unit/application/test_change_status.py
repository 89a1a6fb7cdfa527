from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from examples import CUSTOMER_42, SOMEBODY_ELSE, STAFF, event_of, placed_order, rendered
from fakes import FakeClock, InMemoryOrders
from orders.application.change_status import ChangeStatus, StatusChange
from orders.application.errors import (
    Forbidden,
    IdempotencyKeyReused,
    OrderNotFound,
    TryAgain,
    VersionMismatch,
)
from orders.application.idempotency import IdempotencyKey
from orders.domain.actor import CUSTOMER
from orders.domain.errors import IllegalTransition, OrderError
from orders.domain.status import TRANSITIONS, OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.application.caller import Caller
    from orders.application.idempotency import Outcome
    from orders.domain.events import OrderEvent

PENDING, PAID = OrderStatus.PENDING, OrderStatus.PAID
SHIPPED, CANCELED = OrderStatus.SHIPPED, OrderStatus.CANCELED
KEY = IdempotencyKey("ann#key", "request 1")
REUSED_KEY = IdempotencyKey("ann#key", "request 2")
PAIRS = list(itertools.product(OrderStatus, OrderStatus))
KEYS = pytest.mark.parametrize("key", [None, KEY])


class Desk:
    """One order that stands somewhere, and the use case over fakes."""

    def __init__(self, status: OrderStatus = PENDING) -> None:
        self.orders = InMemoryOrders()
        self.clock = FakeClock()
        self.change_status = ChangeStatus(self.orders, self.clock)
        self.order = replace(placed_order(), status=status)
        self.orders.orders[self.order.order_id] = self.order

    def change(
        self,
        status: OrderStatus,
        *,
        caller: Caller = STAFF,
        key: IdempotencyKey | None = None,
        reason: str | None = None,
        expects: Callable[[int], bool] | None = None,
    ) -> Outcome:
        change = StatusChange(
            order_id=self.order.order_id, status=status, reason=reason, expects=expects
        )
        return self.change_status(caller, change, key, rendered)

    @property
    def status(self) -> str:
        return self.orders.orders[self.order.order_id].status

    @property
    def event(self) -> OrderEvent:
        """That of the change."""
        (event,) = self.orders.events.values()
        return event

    @property
    def version(self) -> int:
        return self.orders.orders[self.order.order_id].version


@KEYS
def test_a_change_is_one_read_and_one_write(key: IdempotencyKey | None) -> None:
    desk = Desk()
    desk.clock.advance(hours=1)
    outcome = desk.change(PAID, key=key, reason="by transfer")
    assert outcome.order == desk.orders.orders[desk.order.order_id]
    assert outcome.order is not None
    assert (outcome.order.status, outcome.order.version) == (PAID, 2)
    assert (outcome.order.reason, outcome.order.updated_at) == ("by transfer", desk.clock.now())
    assert desk.event == event_of(outcome.order, desk.order)
    assert outcome.response == rendered(outcome.order)
    assert desk.orders.calls == ["get_with_record" if key else "get", "update"]


@pytest.mark.parametrize(("current", "target"), PAIRS)
def test_staff_make_every_allowed_move_and_no_other(
    current: OrderStatus, target: OrderStatus
) -> None:
    desk = Desk(current)
    if target in TRANSITIONS[current]:
        assert desk.change(target).order
        assert (desk.status, desk.version) == (target, 2)
    elif current is target:
        assert desk.change(target).order is None
        assert desk.version == 1
    else:
        with pytest.raises(IllegalTransition):
            desk.change(target)
        assert (desk.status, desk.version) == (current, 1)


@pytest.mark.parametrize(("current", "target"), PAIRS)
def test_a_customer_cancels_a_pending_order_and_repeats_that_and_nothing_else(
    current: OrderStatus, target: OrderStatus
) -> None:
    desk = Desk(current)
    if (current, target) in {(PENDING, CANCELED), (CANCELED, CANCELED)}:
        desk.change(target, caller=CUSTOMER_42)
        assert desk.status is CANCELED
        assert [event.actor for event in desk.orders.events.values()] == (
            [CUSTOMER] if current is PENDING else []
        )
    else:
        with pytest.raises(Forbidden):
            desk.change(target, caller=CUSTOMER_42)
        assert desk.version == 1


@KEYS
def test_an_order_of_somebody_else_is_not_there(key: IdempotencyKey | None) -> None:
    with pytest.raises(OrderNotFound):
        Desk().change(CANCELED, caller=SOMEBODY_ELSE, key=key)


@KEYS
def test_an_order_that_is_not_there_is_not_found(key: IdempotencyKey | None) -> None:
    desk = Desk()
    desk.orders.orders.clear()
    with pytest.raises(OrderNotFound):
        desk.change(CANCELED, key=key)


@pytest.mark.parametrize(
    ("current", "target", "caller", "stale", "refusal"),
    [
        (SHIPPED, PENDING, SOMEBODY_ELSE, True, OrderNotFound),
        (SHIPPED, PENDING, CUSTOMER_42, True, Forbidden),
        (SHIPPED, PENDING, STAFF, True, VersionMismatch),
        (SHIPPED, SHIPPED, STAFF, True, VersionMismatch),
        (SHIPPED, PENDING, STAFF, False, IllegalTransition),
    ],
)
def test_of_several_faults_the_first_in_order_is_told(
    current: OrderStatus,
    target: OrderStatus,
    caller: Caller,
    *,
    stale: bool,
    refusal: type[OrderError],
) -> None:
    desk = Desk(current)
    with pytest.raises(refusal):
        desk.change(target, caller=caller, expects=lambda _: not stale)


def test_a_stale_version_is_told_with_the_current_one() -> None:
    with pytest.raises(VersionMismatch) as refused:
        Desk().change(PAID, expects=lambda version: version == 4)
    assert refused.value.detail == "The order is at version 1."


def test_a_version_that_the_caller_named_is_one_to_change() -> None:
    assert Desk().change(PAID, expects=lambda version: version == 1).order


@KEYS
def test_the_same_status_again_changes_nothing(key: IdempotencyKey | None) -> None:
    desk = Desk(PAID)
    outcome = desk.change(PAID, key=key, reason="another")
    assert outcome.response == rendered(desk.order)
    assert (outcome.order, outcome.replayed) == (None, False)
    assert desk.orders.orders[desk.order.order_id] is desk.order
    assert desk.orders.calls == (["get_with_record", "remember"] if key else ["get"])


def test_a_second_request_with_the_same_key_gets_the_first_response() -> None:
    desk = Desk()
    first = desk.change(PAID, key=KEY)
    desk.change(SHIPPED)
    desk.orders.calls.clear()
    second = desk.change(PAID, key=KEY)
    assert (second.response, second.replayed, second.order) == (first.response, True, None)
    assert desk.status is SHIPPED
    assert desk.orders.calls == ["get_with_record"]


def test_a_keyed_no_op_is_remembered_too() -> None:
    desk = Desk(PAID)
    first = desk.change(PAID, key=KEY)
    desk.change(SHIPPED)
    second = desk.change(PAID, key=KEY)
    assert (second.response, second.replayed) == (first.response, True)


def test_a_replay_comes_before_every_fault() -> None:
    desk = Desk()
    first = desk.change(PAID, key=KEY)
    replay = desk.change(PAID, key=KEY, caller=SOMEBODY_ELSE, expects=lambda _: False)
    assert (replay.response, replay.replayed) == (first.response, True)
    desk.orders.orders.clear()
    assert desk.change(PAID, key=KEY).replayed


def test_a_reused_key_comes_before_every_fault() -> None:
    desk = Desk()
    desk.change(PAID, key=KEY)
    with pytest.raises(IdempotencyKeyReused):
        desk.change(PENDING, key=REUSED_KEY, caller=SOMEBODY_ELSE, expects=lambda _: False)


def test_an_expired_key_is_free() -> None:
    desk = Desk()
    desk.change(PAID, key=KEY)
    desk.clock.advance(hours=24, seconds=1)
    assert not desk.change(SHIPPED, key=REUSED_KEY).replayed
    assert desk.status is SHIPPED


def test_a_refused_request_does_not_use_its_key_up() -> None:
    desk = Desk()
    for status, caller, expects in (
        (SHIPPED, STAFF, None),
        (PAID, CUSTOMER_42, None),
        (PAID, STAFF, lambda _: False),
        (PAID, SOMEBODY_ELSE, None),
    ):
        with pytest.raises(OrderError):
            desk.change(status, key=KEY, caller=caller, expects=expects)
    assert desk.orders.records == {}


@pytest.mark.parametrize(
    ("winner", "loser", "end"),
    [(CANCELED, PAID, IllegalTransition), (PAID, PAID, None), (PAID, CANCELED, None)],
)
@KEYS
def test_whoever_loses_a_race_decides_anew(
    winner: OrderStatus,
    loser: OrderStatus,
    end: type[OrderError] | None,
    key: IdempotencyKey | None,
) -> None:
    desk = Desk()

    def win() -> None:
        desk.orders.before_write = lambda: None
        desk.change(winner)

    desk.orders.before_write = win
    if end:
        with pytest.raises(end):
            desk.change(loser, key=key)
    else:
        assert (desk.change(loser, key=key).order is None) == (winner is loser)
    assert desk.status is (winner if end else loser)


def test_a_lost_race_makes_a_named_version_stale() -> None:
    desk = Desk()

    def win() -> None:
        desk.orders.before_write = lambda: None
        desk.change(PAID)

    desk.orders.before_write = win
    with pytest.raises(VersionMismatch):
        desk.change(CANCELED, expects=lambda version: version == 1)
    assert (desk.status, desk.version) == (PAID, 2)


@pytest.mark.parametrize("current", [PENDING, PAID])
def test_whoever_loses_the_race_for_a_key_gets_the_winners_response(current: OrderStatus) -> None:
    """As a change of status, and as a no-op."""
    desk = Desk(current)

    def win() -> None:
        desk.orders.before_write = lambda: None
        assert not desk.change(PAID, key=KEY).replayed

    desk.orders.before_write = win
    outcome = desk.change(PAID, key=KEY)
    assert outcome.replayed
    assert outcome.response == desk.orders.records[KEY.record_id].response


@pytest.mark.parametrize(
    ("target", "caller", "expects"),
    [(PAID, STAFF, lambda version: version == 1), (CANCELED, CUSTOMER_42, None)],
)
def test_a_request_sent_twice_is_not_refused_for_its_own_effect(
    target: OrderStatus, caller: Caller, expects: Callable[[int], bool] | None
) -> None:
    """The read of order and record is no snapshot: the twin's write may show in one of them."""
    desk = Desk()

    def commit_twin() -> None:
        desk.orders.between_reads = lambda: None
        assert not desk.change(target, key=KEY, caller=caller, expects=expects).replayed
        if target is PAID:
            desk.change(SHIPPED)

    desk.orders.between_reads = commit_twin
    outcome = desk.change(target, key=KEY, caller=caller, expects=expects)
    assert outcome.replayed
    assert outcome.response == desk.orders.records[KEY.record_id].response


def test_a_keyed_request_is_refused_once_a_snapshot_says_so_too() -> None:
    desk = Desk(SHIPPED)
    with pytest.raises(IllegalTransition):
        desk.change(PAID, key=KEY)
    assert desk.orders.calls == ["get_with_record", "get_snapshot"]
    desk.orders.calls.clear()
    with pytest.raises(IllegalTransition):
        desk.change(PAID)
    assert desk.orders.calls == ["get"]


def test_an_order_that_never_holds_still_is_tried_again_later() -> None:
    """No order moves so often; one whose version only grows stands for it."""
    desk = Desk()

    def disturb() -> None:
        order = desk.orders.orders[desk.order.order_id]
        desk.orders.orders[order.order_id] = replace(order, version=order.version + 1)

    desk.orders.before_write = disturb
    with pytest.raises(TryAgain):
        desk.change(PAID)
    assert desk.orders.calls.count("update") == 5
