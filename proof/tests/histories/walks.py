"""Walks that repeat, skip, or lose their way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proof.checks.violations import Kind
from proof.tests.histories.breaking import body_with, broken, replace_call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proof.tests.histories.world import World


def _register(
    name: str, kind: Kind, orders: int, shown: Sequence[int], sort: str = "-createdAt"
) -> None:
    """A walk that shows these of the orders, which are counted from the oldest."""

    @broken(kind, name=f"a_walk_that_{name}")
    def walk(world: World) -> None:
        made = [world.create() for _ in range(orders)]
        world.walk("w", orders=[made[number] for number in shown], sort=sort)


_register("repeats", Kind.WALK_REPEATS, 3, (2, 1, 1, 0))
_register("is_not_sorted", Kind.WALK_UNSORTED, 3, (2, 0, 1))
_register("skips_between_two_pages", Kind.WALK_SKIPS, 7, (6, 5, 3, 2, 1, 0))
_register("skips_on_a_page", Kind.WALK_SKIPS, 6, (5, 4, 3, 1, 0))
_register("ends_too_early", Kind.WALK_SKIPS, 5, (4, 3, 2, 1))
_register("begins_too_late_with_the_oldest", Kind.WALK_SKIPS, 5, (1, 2, 3, 4), "createdAt")


@broken(Kind.WALK_SKIPS)
def a_walk_through_a_status_that_skips(world: World) -> None:
    a, b, c = (world.update(world.create(), "PAID") for _ in range(3))
    world.walk("w", "/orders", orders=[c, a], status="PAID")
    world.update(b, "SHIPPED")


@broken(Kind.WALK_SKIPS)
def a_consistent_walk_that_skips_what_was_made_meanwhile(world: World) -> None:
    first, second = world.create(), world.create()
    query = {"consistent": "true", "sort": "createdAt"}
    pages = world.walk("w", orders=[first, second], limit=1, **query)
    world.create()
    replace_call(world, pages[1], start=world.now, end=world.now + 1)


@broken(Kind.WALK_SKIPS)
def a_last_walk_that_skips_what_nobody_ever_saw(world: World) -> None:
    world.create(lost=True)
    world.settle_down()
    world.walk("w", orders=[])


@broken(Kind.WALK_MISFIT)
def a_list_with_an_order_of_another_status(world: World) -> None:
    world.walk("w", orders=[world.create()], status="PAID")


@broken(Kind.WALK_MISFIT)
def a_list_with_an_order_out_of_bounds(world: World) -> None:
    world.walk("w", orders=[world.create()], createdFrom="2026-11-23T12:00:00.1230001Z")


@broken(Kind.PAGE_SIZE_WRONG)
def a_short_page_that_goes_on(world: World) -> None:
    call, *_ = world.walk("w", orders=[world.create()])
    replace_call(world, call, text=body_with(call, nextCursor="x"))


@broken(Kind.PAGE_SIZE_WRONG)
def a_promised_page_that_is_empty(world: World) -> None:
    second, first = world.create(), world.create()
    (call,) = world.walk("w", orders=[first, second])
    replace_call(world, call, text=body_with(call, nextCursor="x"))
    query = call.query | {"cursor": "x"}
    world.call("GET", call.path, 200, '{"items":[],"nextCursor":null}', query=query, walk="w")
