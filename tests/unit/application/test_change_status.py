"""What the routes' tests can't show of a change: its calls, and what happens in races."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from examples import CUSTOMER_42, SOMEBODY_ELSE, STAFF, event_of, placed_order, rendered
from fakes import FakeClock, InMemoryOrders
from orders.application.change_status import ChangeStatus, StatusChange
from orders.application.errors import (
    OrderNotFound,
    TryAgain,
    VersionMismatch,
)
from orders.application.idempotency import IdempotencyKey
from orders.domain.errors import IllegalTransition
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.application.caller import Caller
    from orders.application.idempotency import Outcome
    from orders.domain.errors import OrderError
    from orders.domain.order import Order

PENDING, PAID = OrderStatus.PENDING, OrderStatus.PAID
SHIPPED, CANCELED = OrderStatus.SHIPPED, OrderStatus.CANCELED
KEY = IdempotencyKey("ann#key", "request 1")
KEYS = pytest.mark.parametrize("key", [None, KEY], ids=["no key", "a key"])


class Desk:
    """One order at a status, and the use case over fakes."""

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
    def now(self) -> Order:
        return self.orders.orders[self.order.order_id]


@KEYS
@pytest.mark.parametrize(("caller", "status"), [(STAFF, PAID), (CUSTOMER_42, CANCELED)])
def test_a_change_is_one_read_and_one_write(
    key: IdempotencyKey | None, caller: Caller, status: OrderStatus
) -> None:
    desk = Desk()
    desk.clock.advance(hours=1)
    outcome = desk.change(status, caller=caller, key=key, reason="why", expects=lambda _: True)
    assert outcome.order == desk.now
    assert (desk.now.status, desk.now.version, desk.now.reason) == (status, 2, "why")
    assert desk.now.updated_at == desk.clock.now()
    assert list(desk.orders.events.values()) == [event_of(desk.now, desk.order, caller.actor)]
    assert outcome.response == rendered(desk.now)
    assert desk.orders.calls == ["get_with_record" if key else "get", "update"]


@KEYS
def test_a_change_to_the_current_status_is_a_no_op(key: IdempotencyKey | None) -> None:
    desk = Desk(PAID)
    outcome = desk.change(PAID, key=key, reason="another")
    assert outcome.response == rendered(desk.order)
    assert (outcome.order, outcome.replayed) == (None, False)
    assert desk.now is desk.order
    assert desk.orders.calls == (["get_with_record", "remember"] if key else ["get"])


def test_an_order_of_somebody_else_is_not_found() -> None:
    with pytest.raises(OrderNotFound):
        Desk().change(CANCELED, caller=SOMEBODY_ELSE)


def test_a_replay_precedes_every_error() -> None:
    desk = Desk()
    first = desk.change(PAID, key=KEY)
    desk.change(SHIPPED)
    desk.orders.calls.clear()
    second = desk.change(PAID, key=KEY, caller=SOMEBODY_ELSE, expects=lambda _: False)
    assert (second.response, second.replayed, second.order) == (first.response, True, None)
    assert desk.orders.calls == ["get_with_record"]


@pytest.mark.parametrize(
    ("winner", "loser", "named_version", "error"),
    [
        (CANCELED, PAID, None, IllegalTransition),
        (PAID, PAID, None, None),
        (PAID, CANCELED, None, None),
        (PAID, CANCELED, 1, VersionMismatch),
    ],
)
@KEYS
def test_the_loser_of_a_race_is_decided_anew(
    winner: OrderStatus,
    loser: OrderStatus,
    named_version: int | None,
    error: type[OrderError] | None,
    key: IdempotencyKey | None,
) -> None:
    desk = Desk()
    desk.orders.before_next_write(lambda: desk.change(winner))
    expects = None if named_version is None else lambda version: version == named_version
    if error:
        with pytest.raises(error):
            desk.change(loser, key=key, expects=expects)
    else:
        assert (desk.change(loser, key=key).order is None) == (winner is loser)
    assert desk.now.status is (winner if error else loser)


@pytest.mark.parametrize("current", [PENDING, PAID], ids=["change", "no-op"])
def test_the_loser_of_a_race_for_a_key_gets_the_winners_response(current: OrderStatus) -> None:
    desk = Desk(current)
    won: list[Outcome] = []
    desk.orders.before_next_write(lambda: won.append(desk.change(PAID, key=KEY)))
    outcome = desk.change(PAID, key=KEY)
    assert [won[0].replayed, outcome.replayed] == [False, True]
    assert outcome.response == won[0].response == desk.orders.records[KEY.record_id].response


@pytest.mark.parametrize(
    ("target", "caller", "expects"),
    [(PAID, STAFF, lambda version: version == 1), (CANCELED, CUSTOMER_42, None)],
)
def test_a_request_sent_twice_is_not_refused_for_its_own_effect(
    target: OrderStatus, caller: Caller, expects: Callable[[int], bool] | None
) -> None:
    """Order and record are no snapshot: the twin's write may show in only one of them."""
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


def test_a_request_with_a_key_is_refused_only_after_a_snapshot_confirms_it() -> None:
    desk = Desk(SHIPPED)
    for key, reads in ((KEY, ["get_with_record", "get_snapshot"]), (None, ["get"])):
        desk.orders.calls.clear()
        with pytest.raises(IllegalTransition):
            desk.change(PAID, key=key)
        assert desk.orders.calls == reads


def test_an_order_that_changes_before_every_write_is_given_up_for_now() -> None:
    """No order changes oftener than there are statuses; one whose version grows stands for it."""
    desk = Desk()

    def disturb() -> None:
        desk.orders.orders[desk.now.order_id] = replace(desk.now, version=desk.now.version + 1)

    desk.orders.before_write = disturb
    with pytest.raises(TryAgain):
        desk.change(PAID)
    assert desk.orders.calls.count("update") == len(OrderStatus) + 1
