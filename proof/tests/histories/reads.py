"""Responses that show what an order was not at that time, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orders.domain.status import OrderStatus
from proof.checks.violations import Kind
from proof.tests.histories.breaking import broken, replace_call
from proof.tests.histories.world import CUS_1, CUS_2, PLATFORM, World, illegal, problem_json

if TYPE_CHECKING:
    from proof.tests.histories.breaking import Broken


@broken
def a_stale_read() -> Broken:
    world = World()
    order = world.create()
    world.update(order, "PAID")
    world.get(order)
    return world.history(), {Kind.STALE_READ}


@broken
def a_stale_read_of_what_only_a_read_had_shown() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    paid = world.settle(order)
    world.get(paid)
    world.get(order, caller=CUS_1)
    return world.history(), {Kind.STALE_READ}


@broken
def an_order_that_was_not_found_though_it_was_answered() -> Broken:
    world = World()
    order = world.create()
    world.call("GET", f"/orders/{order.order_id}", 404, problem_json(404, "order-not-found"))
    return world.history(), {Kind.STALE_READ}


@broken
def a_conflict_with_a_status_that_had_passed() -> Broken:
    world = World()
    order = world.create()
    paid = world.update(order, "PAID")
    world.update(order, "SHIPPED")
    call = world.patch(order, "PENDING", None, "r")
    world.refuse(call, 409, "illegal-transition", **illegal(paid))
    return world.history(), {Kind.STALE_READ}


@broken
def a_stale_row_in_a_consistent_list() -> Broken:
    world = World()
    order = world.create()
    world.update(order, "PAID")
    world.walk("w", orders=[order], consistent="true")
    return world.history(), {Kind.STALE_READ}


@broken
def a_timeline_that_is_behind_its_order() -> Broken:
    world = World()
    order = world.create()
    world.update(order, "PAID")
    world.timeline(order, [1])
    return world.history(), {Kind.STALE_READ}


@broken
def an_order_that_is_behind_its_timeline() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    world.settle(order)
    world.timeline(order)
    world.get(order)
    return world.history(), {Kind.STALE_READ}


@broken
def a_timeline_from_the_future() -> Broken:
    world = World()
    order = world.create()
    world.update(order, "PAID")
    update = world.calls[-1]
    early = world.timeline(order)
    replace_call(world, early, start=update.start - 0.5, end=update.start - 0.2)
    return world.history(), {Kind.FUTURE_READ}


@broken
def a_timeline_that_is_behind_when_all_is_settled() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    world.settle(order)
    world.settle_down()
    world.timeline(order, [1])
    return world.history(), {Kind.STALE_LAST_READ}


@broken
def a_read_from_the_future() -> Broken:
    world = World()
    order = world.create()
    world.update(order, "PAID")
    update = world.calls[-1]
    early = world.get(world.orders[order.order_id])
    replace_call(world, early, start=update.start - 0.5, end=update.start - 0.2)
    return world.history(), {Kind.FUTURE_READ}


@broken
def a_stale_last_read() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    world.settle(order)
    world.settle_down()
    world.get(order)
    return world.history(), {Kind.STALE_LAST_READ}


@broken
def a_read_of_what_never_committed() -> Broken:
    world = World()
    order = world.create()
    paid, _ = order.changed_to(OrderStatus.PAID, by=PLATFORM, at=world.instant)
    world.get(paid)
    return world.history(), {Kind.READ_OF_NOTHING}


@broken
def a_body_that_is_not_what_committed() -> Broken:
    world = World()
    world.get(replace(world.create(answered=False), currency="EUR"))
    return world.history(), {Kind.BODY_NOT_COMMITTED}


@broken
def two_bodies_of_one_version() -> Broken:
    world = World()
    call = world.get(world.create())
    replace_call(world, call, text=call.text.replace('":', '": '))
    return world.history(), {Kind.BODIES_DIFFER}


@broken
def an_etag_of_another_version() -> Broken:
    world = World()
    world.get(world.create(), headers={"etag": '"2"'})
    return world.history(), {Kind.ETAG_WRONG}


@broken
def an_order_made_without_a_location() -> Broken:
    world = World()
    order = world.create()
    replace_call(world, world.calls[-1], headers={"etag": f'"{order.version}"'})
    return world.history(), {Kind.LOCATION_WRONG}


@broken
def an_order_made_at_the_location_of_another() -> Broken:
    world = World()
    location = world.response(world.create(), 201).headers["Location"]
    world.create()
    call = world.calls[-1]
    replace_call(world, call, headers=call.headers | {"location": location})
    return world.history(), {Kind.LOCATION_WRONG}


@broken
def an_order_shown_to_somebody_else() -> Broken:
    world = World()
    world.get(world.create(), caller=CUS_2)
    return world.history(), {Kind.FOREIGN_ORDER_SHOWN}


@broken
def a_list_that_is_behind_when_all_is_settled() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    world.settle(order)
    world.settle_down()
    world.walk("w", orders=[order])
    return world.history(), {Kind.STALE_LAST_READ}


@broken
def a_list_with_a_version_that_never_was() -> Broken:
    world = World()
    order = world.create()
    paid, _ = order.changed_to(OrderStatus.PAID, by=PLATFORM, at=world.instant)
    world.walk("w", orders=[paid])
    return world.history(), {Kind.READ_OF_NOTHING}


@broken
def a_list_with_another_amount() -> Broken:
    world = World()
    world.walk("w", orders=[replace(world.create(), amount=1)])
    return world.history(), {Kind.BODY_NOT_COMMITTED}


@broken
def a_list_with_an_order_of_somebody_else() -> Broken:
    world = World()
    world.walk("w", orders=[world.create()])
    replace_call(world, world.calls[-1], caller=CUS_2)
    return world.history(), {Kind.FOREIGN_ORDER_SHOWN}


@broken
def an_response_about_another_order() -> Broken:
    world = World()
    call = world.get(world.create())
    replace_call(world, call, path=f"/orders/{world.create().order_id}")
    return world.history(), {Kind.BODY_NOT_COMMITTED}


@broken
def a_412_with_a_version_that_never_was() -> Broken:
    world = World()
    call = world.patch(world.create(), "PAID", None, "r", if_match='"1"')
    world.refuse(call, 412, "precondition-failed", detail="The order is at version 2.")
    return world.history(), {Kind.READ_OF_NOTHING}
