"""Responses that show what an order was not at that time, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orders.domain.status import OrderStatus
from proof.checks.violations import Kind
from proof.tests.histories.breaking import broken, replace_call
from proof.tests.histories.world import CUS_1, CUS_2, PLATFORM, World, illegal, problem_json

if TYPE_CHECKING:
    from proof.tests.histories.world import World


@broken(Kind.STALE_READ)
def a_stale_read(world: World) -> None:
    order = world.create()
    world.update(order, "PAID")
    world.get(order)


@broken(Kind.STALE_READ)
def a_stale_read_of_what_only_a_read_had_shown(world: World) -> None:
    order = world.create(token="tok_approve")
    paid = world.settle(order)
    world.get(paid)
    world.get(order, caller=CUS_1)


@broken(Kind.STALE_READ)
def an_order_that_was_not_found_though_it_was_answered(world: World) -> None:
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
def a_stale_row_in_a_consistent_list(world: World) -> None:
    order = world.create()
    world.update(order, "PAID")
    world.walk("w", orders=[order], consistent="true")


@broken(Kind.STALE_READ)
def a_timeline_that_is_behind_its_order(world: World) -> None:
    order = world.create()
    world.update(order, "PAID")
    world.timeline(order, [1])


@broken(Kind.STALE_READ)
def an_order_that_is_behind_its_timeline(world: World) -> None:
    order = world.create(token="tok_approve")
    world.settle(order)
    world.timeline(order)
    world.get(order)


@broken(Kind.FUTURE_READ)
def a_timeline_from_the_future(world: World) -> None:
    order = world.create()
    world.update(order, "PAID")
    update = world.calls[-1]
    early = world.timeline(order)
    replace_call(world, early, start=update.start - 0.5, end=update.start - 0.2)


@broken(Kind.STALE_LAST_READ)
def a_timeline_that_is_behind_when_all_is_settled(world: World) -> None:
    order = world.create(token="tok_approve")
    world.settle(order)
    world.settle_down()
    world.timeline(order, [1])


@broken(Kind.FUTURE_READ)
def a_read_from_the_future(world: World) -> None:
    order = world.create()
    world.update(order, "PAID")
    update = world.calls[-1]
    early = world.get(world.orders[order.order_id])
    replace_call(world, early, start=update.start - 0.5, end=update.start - 0.2)


@broken(Kind.STALE_LAST_READ)
def a_stale_last_read(world: World) -> None:
    order = world.create(token="tok_approve")
    world.settle(order)
    world.settle_down()
    world.get(order)


@broken(Kind.READ_OF_NOTHING)
def a_read_of_what_never_committed(world: World) -> None:
    order = world.create()
    paid, _ = order.changed_to(OrderStatus.PAID, by=PLATFORM, at=world.instant)
    world.get(paid)


@broken(Kind.BODY_NOT_COMMITTED)
def a_body_that_is_not_what_committed(world: World) -> None:
    world.get(replace(world.create(answered=False), currency="EUR"))


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


@broken(Kind.FOREIGN_ORDER_SHOWN)
def an_order_shown_to_somebody_else(world: World) -> None:
    world.get(world.create(), caller=CUS_2)


@broken(Kind.STALE_LAST_READ)
def a_list_that_is_behind_when_all_is_settled(world: World) -> None:
    order = world.create(token="tok_approve")
    world.settle(order)
    world.settle_down()
    world.walk("w", orders=[order])


@broken(Kind.READ_OF_NOTHING)
def a_list_with_a_version_that_never_was(world: World) -> None:
    order = world.create()
    paid, _ = order.changed_to(OrderStatus.PAID, by=PLATFORM, at=world.instant)
    world.walk("w", orders=[paid])


@broken(Kind.BODY_NOT_COMMITTED)
def a_list_with_another_amount(world: World) -> None:
    world.walk("w", orders=[replace(world.create(), amount=1)])


@broken(Kind.FOREIGN_ORDER_SHOWN)
def a_list_with_an_order_of_somebody_else(world: World) -> None:
    world.walk("w", orders=[world.create()])
    replace_call(world, world.calls[-1], caller=CUS_2)


@broken(Kind.BODY_NOT_COMMITTED)
def an_response_about_another_order(world: World) -> None:
    call = world.get(world.create())
    replace_call(world, call, path=f"/orders/{world.create().order_id}")


@broken(Kind.READ_OF_NOTHING)
def a_412_with_a_version_that_never_was(world: World) -> None:
    call = world.patch(world.create(), "PAID", None, "r", if_match='"1"')
    world.refuse(call, 412, "precondition-failed", detail="The order is at version 2.")
