"""Responses that show what an order was not at that time, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from orders.domain.status import OrderStatus
from proof.checks.violations import Kind
from proof.tests.histories.breaking import broken, replace_call
from proof.tests.histories.world import CUS_1, CUS_2, PLATFORM, World, illegal, problem_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.domain.order import Order
    from proof.tests.histories.world import World


SEEN: Final[dict[str, Callable[[World, Order], object]]] = {
    "read": lambda world, order: world.get(order),
    "list": lambda world, order: world.walk("w", orders=[order], consistent="true"),
    "timeline": lambda world, order: world.timeline(order, range(1, order.version + 1)),
}
"""Ways to see an order at one version."""


def _register_times(name: str, see: Callable[[World, Order], object]) -> None:
    @broken(Kind.STALE_READ, name=f"a_{name}_of_an_earlier_version")
    def stale(world: World) -> None:
        order = world.create()
        world.update(order, "PAID")
        see(world, order)

    @broken(Kind.STALE_LAST_READ, name=f"a_{name}_of_an_earlier_version_when_all_is_settled")
    def stale_last(world: World) -> None:
        order = world.create(token="tok_approve")
        world.settle(order)
        world.settle_down()
        see(world, order)

    @broken(Kind.FUTURE_READ, name=f"a_{name}_of_a_version_that_was_asked_for_later")
    def early(world: World) -> None:
        paid = world.update(world.create(), "PAID")
        update = world.calls[-1]
        see(world, paid)
        replace_call(world, world.calls[-1], start=update.start - 0.5, end=update.start - 0.2)


def _register_contents(name: str, see: Callable[[World, Order], object]) -> None:
    @broken(Kind.READ_OF_NOTHING, name=f"a_{name}_of_a_version_that_never_was")
    def phantom(world: World) -> None:
        paid, _ = world.create().changed_to(OrderStatus.PAID, by=PLATFORM, at=world.instant)
        see(world, paid)

    @broken(Kind.BODY_NOT_COMMITTED, name=f"a_{name}_with_another_amount")
    def altered(world: World) -> None:
        see(world, replace(world.create(lost=True), amount=1))

    @broken(Kind.FOREIGN_ORDER_SHOWN, name=f"a_{name}_of_somebody_elses_order")
    def foreign(world: World) -> None:
        see(world, world.create())
        replace_call(world, world.calls[-1], caller=CUS_2)


for _name, _see in SEEN.items():
    _register_times(_name, _see)
for _name in ("read", "list"):
    _register_contents(_name, SEEN[_name])


@broken(Kind.STALE_READ)
def a_stale_read_of_what_only_a_read_had_shown(world: World) -> None:
    order = world.create(token="tok_approve")
    paid = world.settle(order)
    world.get(paid)
    world.get(order, caller=CUS_1)


@broken(Kind.STALE_READ)
def an_order_that_was_not_found_after_it_was_returned(world: World) -> None:
    order = world.create()
    world.call("GET", f"/orders/{order.order_id}", 404, problem_json(404, "order-not-found"))


@broken(Kind.STALE_READ)
def a_conflict_with_a_status_that_had_passed(world: World) -> None:
    order = world.create()
    paid = world.update(order, "PAID")
    world.update(order, "SHIPPED")
    call = world.patch(order, "PENDING", None, "r")
    world.refuse(call, 409, "illegal-transition", **illegal(paid))


@broken(Kind.STALE_READ)
def an_order_that_is_behind_its_timeline(world: World) -> None:
    order = world.create(token="tok_approve")
    world.settle(order)
    world.timeline(order)
    world.get(order)


@broken(Kind.BODIES_DIFFER)
def two_bodies_of_one_version(world: World) -> None:
    call = world.get(world.create())
    replace_call(world, call, text=call.text.replace('":', '": '))


@broken(Kind.ETAG_WRONG)
def an_etag_of_another_version(world: World) -> None:
    world.get(world.create(), headers={"etag": '"2"'})


@broken(Kind.LOCATION_WRONG)
def an_order_made_without_a_location(world: World) -> None:
    order = world.create()
    replace_call(world, world.calls[-1], headers={"etag": f'"{order.version}"'})


@broken(Kind.LOCATION_WRONG)
def an_order_made_at_the_location_of_another(world: World) -> None:
    location = world.response(world.create(), 201).headers["Location"]
    world.create()
    call = world.calls[-1]
    replace_call(world, call, headers=call.headers | {"location": location})


@broken(Kind.BODY_NOT_COMMITTED)
def a_response_about_another_order(world: World) -> None:
    call = world.get(world.create())
    replace_call(world, call, path=f"/orders/{world.create().order_id}")


@broken(Kind.READ_OF_NOTHING)
def a_412_with_a_version_that_never_was(world: World) -> None:
    call = world.patch(world.create(), "PAID", None, "r", if_match='"1"')
    world.refuse(call, 412, "precondition-failed", detail="The order is at version 2.")
