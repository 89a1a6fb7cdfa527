"""Timelines that are not complete, or say too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from proof.checks.violations import Kind
from proof.tests.histories.breaking import body_with, broken, forget, replace_call
from proof.tests.histories.world import CUS_1, CUS_2, World

if TYPE_CHECKING:
    from proof.tests.histories.world import World


@broken(Kind.TIMELINE_WRONG)
def a_timeline_of_what_never_was(world: World) -> None:
    order = world.update(world.create(), "PAID")
    world.timeline(order)
    forget(world, order, from_version=2)
    world.calls[1:2] = []
    world.calls[1] = msgspec.structs.replace(world.calls[1], id=2)


@broken(Kind.TIMELINE_WRONG)
def a_timeline_that_names_another_member_of_staff(world: World) -> None:
    call = world.timeline(world.update(world.create(), "PAID"))
    first, last = msgspec.json.decode(call.text)["items"]
    replace_call(world, call, text=body_with(call, items=[first, last | {"actorId": "bob"}]))


@broken(Kind.STAFF_MEMBER_SHOWN)
def a_member_of_staff_shown_to_a_customer(world: World) -> None:
    order = world.update(world.create(), "PAID")
    replace_call(world, world.timeline(order), caller=CUS_1)


@broken(Kind.FOREIGN_ORDER_SHOWN)
def a_timeline_shown_to_somebody_else(world: World) -> None:
    world.timeline(world.create(), caller=CUS_2)


@broken(Kind.TIMELINE_BROKEN)
def a_timeline_that_repeats(world: World) -> None:
    call = world.timeline(world.create())
    items = msgspec.json.decode(call.text)["items"]
    replace_call(world, call, text=body_with(call, items=items * 2))


@broken(Kind.TIMELINE_BROKEN)
def a_timeline_with_a_gap(world: World) -> None:
    order = world.update(world.update(world.create(), "PAID"), "SHIPPED")
    world.timeline(order, [1, 3])


@broken(Kind.TIMELINE_BROKEN)
def a_timeline_without_its_beginning(world: World) -> None:
    world.timeline(world.update(world.create(), "PAID"), [2])


@broken(Kind.TIMELINE_BROKEN)
def a_timeline_with_a_gap_between_two_pages(world: World) -> None:
    order = world.update(world.update(world.create(), "PAID"), "SHIPPED")
    world.timeline(order, [1], "t-1", walk="t", query={"limit": "1"})
    world.timeline(order, [3], walk="t", query={"limit": "1", "cursor": "t-1"})


@broken(Kind.PAGE_SIZE_WRONG)
def a_timeline_without_an_entry(world: World) -> None:
    world.timeline(world.create(), [])


@broken(Kind.PAGE_SIZE_WRONG)
def a_short_page_of_a_timeline_that_goes_on(world: World) -> None:
    order = world.update(world.create(), "PAID")
    world.timeline(order, [1], "t-1", walk="t", query={"limit": "2"})
