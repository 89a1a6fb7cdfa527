"""Changes that got lost, that nobody asked for, or that were refused for no reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.domain.actor import Actor
from orders.domain.status import OrderStatus
from proof import oracle
from proof.checks.violations import Kind
from proof.history import STAFF
from proof.tests.histories.breaking import broken, forget, remove, replace_call
from proof.tests.histories.world import (
    CUS_1,
    CUS_2,
    PLATFORM,
    STAFF_ID,
    World,
    illegal,
    problem_json,
)

if TYPE_CHECKING:
    from proof.history import Json
    from proof.tests.histories.world import World


@broken(Kind.UPDATE_LOST)
def a_lost_update(world: World) -> None:
    order = world.create()
    world.update(order, "PAID")
    forget(world, order, from_version=2)


@broken(Kind.BODY_NOT_COMMITTED, Kind.FUTURE_READ)
def an_update_that_another_one_overwrote(world: World) -> None:
    order = world.create()
    world.update(order, "PAID")
    forget(world, order, from_version=2)
    world.update(order, "PAID", lost=True)


@broken(Kind.CHANGE_PHANTOM)
def a_change_that_nobody_asked_for(world: World) -> None:
    world.update(world.create(), "PAID")
    world.calls.pop()


@broken(Kind.CHANGE_PHANTOM)
def a_change_that_the_platform_never_makes(world: World) -> None:
    order = world.create()
    world.write(*order.changed_to(OrderStatus.PAID, by=PLATFORM, at=world.instant))


@broken(Kind.CHANGE_PHANTOM)
def an_order_that_expired_too_early(world: World) -> None:
    order = world.create()
    by = Actor.system("expire-stale-orders")
    world.write(*order.changed_to(OrderStatus.CANCELED, by=by, at=world.instant, reason="expired"))


@broken(Kind.CHANGE_DOUBLED, Kind.CHANGE_NOT_AS_ASKED)
def one_request_that_changed_twice(world: World) -> None:
    order = world.create()
    paid = world.update(order, "PAID", lost=True)
    by = Actor("staff", STAFF_ID)
    world.write(*paid.changed_to(OrderStatus.SHIPPED, by=by, at=world.instant, reason=paid.reason))


@broken(Kind.CHANGE_OF_REFUSED_REQUEST)
def a_change_of_a_refused_request(world: World) -> None:
    world.update(world.create(), "PAID", if_match='"1"')
    call = world.calls.pop()
    world.refuse(call, 412, "precondition-failed", detail="The order is at version 2.")


@broken(Kind.CHANGE_NOT_AS_ASKED)
def a_change_to_another_status(world: World) -> None:
    world.update(world.create(), "PAID", lost=True)
    call = world.calls[-1]
    replace_call(world, call, body=(call.body or {}) | {"status": "CANCELED"})


@broken(Kind.CHANGE_FORBIDDEN)
def a_customer_who_paid_by_patch(world: World) -> None:
    world.update(world.create(), "PAID", caller=CUS_1)


@broken(Kind.CHANGE_FORBIDDEN)
def a_customer_who_canceled_for_another(world: World) -> None:
    world.update(world.create(), "CANCELED", caller=CUS_2, lost=True)


@broken(Kind.IF_MATCH_IGNORED)
def an_update_from_a_version_that_if_match_does_not_name(world: World) -> None:
    world.update(world.create(), "PAID", if_match='W/"1", "2"')


@broken(Kind.IF_MATCH_IGNORED)
def a_no_op_at_a_version_that_if_match_does_not_name(world: World) -> None:
    paid = world.update(world.create(), "PAID")
    world.patch(paid, "PAID", world.response(paid, 200), "no-op", if_match='"1"')


@broken(Kind.IF_MATCH_IGNORED)
def a_no_op_on_a_new_order_that_if_match_does_not_name(world: World) -> None:
    order = world.create()
    world.patch(order, "PENDING", world.response(order, 200), "no-op", if_match='"2"')


@broken(Kind.IF_MATCH_IGNORED)
def a_change_whose_if_match_names_what_it_made(world: World) -> None:
    world.update(world.create(), "PAID", if_match='"2"', key="k")


@broken(Kind.REFUSED_WRONGLY)
def a_key_refused_as_reused_that_only_a_refused_request_had(world: World) -> None:
    paid = world.update(world.create(), "PAID")
    call = world.patch(paid, "PENDING", None, "first", key="k")
    world.calls.pop()
    world.refuse(call, 409, "illegal-transition", **illegal(paid))
    call = world.patch(paid, "SHIPPED", None, "second", key="k")
    world.calls.pop()
    world.refuse(call, 422, "idempotency-key-reused")


@broken(Kind.REFUSED_WRONGLY)
def a_key_refused_as_reused_before_its_other_request_was_sent(world: World) -> None:
    paid = world.update(world.create(), "PAID")
    call = world.patch(paid, "PENDING", None, "first", key="k")
    world.calls.pop()
    world.refuse(call, 422, "idempotency-key-reused")
    world.update(paid, "SHIPPED", key="k")


@broken(Kind.REFUSED_WRONGLY)
def a_key_refused_as_reused_that_is_new(world: World) -> None:
    forget(world, world.create(key="k"))
    remove(world, next(at for at in world.table if at[1] == "RECORD"))
    world.refuse(world.calls.pop(), 422, "idempotency-key-reused")


@broken(Kind.CHANGE_NOT_AS_ASKED)
def an_update_that_returns_another_status(world: World) -> None:
    order = world.create()
    world.patch(order, "PAID", world.response(order, 200))


@broken(Kind.CHANGE_PHANTOM)
def a_change_by_a_part_of_the_platform_that_changes_nothing(world: World) -> None:
    by = Actor.system("daily-report")
    world.write(*world.create().changed_to(OrderStatus.PAID, by=by, at=world.instant))


def _register_refusal(name: str, sent: Json, status: int, problem: str, **members: object) -> None:
    """Of a change of a new order."""

    @broken(Kind.REFUSED_WRONGLY, name=name)
    def refused(world: World) -> None:
        call = world.patch(world.create(), response=None, **sent)
        world.refuse(call, status, problem, **members)


_register_refusal(
    "a_409_though_the_move_is_allowed",
    {"status": "PAID"},
    409,
    "illegal-transition",
    currentStatus="PENDING",
    allowedTransitions=list(oracle.TRANSITIONS["PENDING"]),
)
_register_refusal(
    "a_412_though_the_version_was_named",
    {"status": "PAID", "if_match": '"1"'},
    412,
    "precondition-failed",
    detail="The order is at version 1.",
)
_register_refusal(
    "a_403_though_customers_may_do_that",
    {"status": "CANCELED", "caller": CUS_1},
    403,
    "forbidden",
)


def _register_list(path: str, caller: str) -> None:
    @broken(Kind.REFUSED_WRONGLY, name=f"{caller}_refused_{path}")
    def refused(world: World) -> None:
        world.call("GET", path, 403, problem_json(403, "forbidden"), caller=caller)


_register_list("/customers/cus_1/orders", CUS_1)
_register_list("/orders", STAFF)
_register_list("/events", STAFF)
