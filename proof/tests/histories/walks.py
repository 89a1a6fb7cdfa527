"""Walks that repeat, skip, or lose their way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proof.checks.violations import Kind
from proof.tests.histories.breaking import answered, broken, replace_call
from proof.tests.histories.world import World

if TYPE_CHECKING:
    from orders.domain.order import Order
    from proof.tests.histories.breaking import Broken


def orders_of(world: World, number: int) -> list[Order]:
    """Newest first."""
    return [world.create() for _ in range(number)][::-1]


@broken
def a_walk_that_repeats() -> Broken:
    world = World()
    a, b, c = orders_of(world, 3)
    world.walk("w", orders=[a, b, b, c])
    return world.history(), {Kind.WALK_REPEATS}


@broken
def a_walk_that_is_not_sorted() -> Broken:
    world = World()
    a, b, c = orders_of(world, 3)
    world.walk("w", orders=[a, c, b])
    return world.history(), {Kind.WALK_UNSORTED}


@broken
def a_walk_that_skips_between_two_pages() -> Broken:
    world = World()
    a, b, _, d, e, f, g = orders_of(world, 7)
    world.walk("w", orders=[a, b, d, e, f, g])
    return world.history(), {Kind.WALK_SKIPS}


@broken
def a_walk_that_skips_on_a_page() -> Broken:
    world = World()
    a, b, c, _, e, f = orders_of(world, 6)
    world.walk("w", orders=[a, b, c, e, f])
    return world.history(), {Kind.WALK_SKIPS}


@broken
def a_walk_that_ends_too_early() -> Broken:
    world = World()
    *orders, _ = orders_of(world, 5)
    world.walk("w", orders=orders)
    return world.history(), {Kind.WALK_SKIPS}


@broken
def a_walk_oldest_first_that_begins_too_late() -> Broken:
    world = World()
    *orders, _ = orders_of(world, 5)
    world.walk("w", orders=orders[::-1], sort="createdAt")
    return world.history(), {Kind.WALK_SKIPS}


@broken
def a_walk_through_a_status_that_skips() -> Broken:
    world = World()
    a, b, c = orders_of(world, 3)
    for order in (a, b, c):
        world.update(order, "PAID")
    world.walk(
        "w", "/orders", orders=[world.orders[a.order_id], world.orders[c.order_id]], status="PAID"
    )
    world.update(b, "SHIPPED")
    return world.history(), {Kind.WALK_SKIPS}


@broken
def a_consistent_walk_that_skips_what_was_made_meanwhile() -> Broken:
    world = World()
    first, second = world.create(), world.create()
    query = {"consistent": "true", "sort": "createdAt"}
    pages = world.walk("w", orders=[first, second], limit=1, **query)
    world.create()
    replace_call(world, pages[1], start=world.now, end=world.now + 1)
    return world.history(), {Kind.WALK_SKIPS}


@broken
def a_last_walk_that_skips_what_nobody_ever_saw() -> Broken:
    world = World()
    world.create(answered=False)
    world.settle_down()
    world.walk("w", orders=[])
    return world.history(), {Kind.WALK_SKIPS}


@broken
def a_list_with_an_order_of_another_status() -> Broken:
    world = World()
    world.walk("w", orders=[world.create()], status="PAID")
    return world.history(), {Kind.WALK_MISFIT}


@broken
def a_list_with_an_order_out_of_bounds() -> Broken:
    world = World()
    world.walk("w", orders=[world.create()], createdFrom="2026-11-23T12:00:00.1230001Z")
    return world.history(), {Kind.WALK_MISFIT}


@broken
def a_short_page_that_goes_on() -> Broken:
    world = World()
    first, *_ = orders_of(world, 3)
    call, *_ = world.walk("w", orders=[first])
    replace_call(world, call, text=answered(call, nextCursor="x"))
    return world.history(), {Kind.PAGE_SIZE_WRONG}


@broken
def a_promised_page_that_is_empty() -> Broken:
    world = World()
    (call,) = world.walk("w", orders=orders_of(world, 2))
    replace_call(world, call, text=answered(call, nextCursor="x"))
    query = call.query | {"cursor": "x"}
    world.call("GET", call.path, 200, '{"items":[],"nextCursor":null}', query=query, walk="w")
    return world.history(), {Kind.PAGE_SIZE_WRONG}
