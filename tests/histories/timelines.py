"""Timelines that are not complete, or say too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from histories.breaking import (
    answered,
    audit_of,
    broken,
    forget,
    remove,
    replace_call,
    rewrite,
)
from histories.world import CUS_1, CUS_2, PLATFORM, World
from orders.adapters.dynamodb import rows
from orders.domain.status import OrderStatus
from prove.checks.violations import Kind

if TYPE_CHECKING:
    from histories.breaking import (
        Broken,
    )


@broken
def a_missing_timeline_entry() -> Broken:
    world = World()
    remove(world, audit_of(world.update(world.create(), "PAID"), 1))
    return world.history(), {Kind.TIMELINE_ENTRY_MISSING}


@broken
def a_timeline_entry_of_what_never_was() -> Broken:
    world = World()
    order = world.create()
    paid = order.changed_to(OrderStatus.PAID, by=PLATFORM, at=world.instant)
    world.put(rows.timeline_row(rows.change_from(rows.detail_row(paid), rows.detail_row(order))))
    return world.history(), {Kind.TIMELINE_ENTRY_PHANTOM}


@broken
def a_timeline_entry_with_another_status() -> Broken:
    world = World()
    order = world.update(world.create(), "PAID")
    rewrite(world, audit_of(order, 2), status="CANCELED")
    return world.history(), {Kind.TIMELINE_ENTRY_DIFFERS}


@broken
def a_timeline_entry_written_twice() -> Broken:
    world = World()
    order = world.create()
    entry = world.table[audit_of(order, 1)]
    world.put(entry | {"changedAt": "2027-01-01T00:00:00.000Z"})
    world.put(entry)
    return world.history(), {Kind.TIMELINE_ENTRY_REWRITTEN}


@broken
def a_timeline_answer_of_what_never_was() -> Broken:
    world = World()
    order = world.update(world.create(), "PAID")
    world.timeline(order)
    forget(world, order, from_version=2)
    world.calls[1:2] = []
    world.calls[1] = msgspec.structs.replace(world.calls[1], id=2)
    return world.history(), {Kind.TIMELINE_ANSWER_WRONG}


@broken
def a_member_of_staff_shown_to_a_customer() -> Broken:
    world = World()
    order = world.update(world.create(), "PAID")
    replace_call(world, world.timeline(order), caller=CUS_1)
    return world.history(), {Kind.STAFF_MEMBER_SHOWN}


@broken
def a_timeline_shown_to_somebody_else() -> Broken:
    world = World()
    world.timeline(world.create(), caller=CUS_2)
    return world.history(), {Kind.FOREIGN_ORDER_SHOWN}


@broken
def a_timeline_answer_that_repeats() -> Broken:
    world = World()
    call = world.timeline(world.create())
    items = msgspec.json.decode(call.text)["items"]
    replace_call(world, call, text=answered(call, items=items * 2))
    return world.history(), {Kind.TIMELINE_ANSWER_WRONG}


@broken
def a_last_timeline_that_is_not_complete() -> Broken:
    world = World()
    order = world.update(world.create(), "PAID")
    world.settle_down()
    world.timeline(order, [2])
    return world.history(), {Kind.TIMELINE_ANSWER_INCOMPLETE}


@broken
def a_timeline_entry_that_was_shown_and_vanished() -> Broken:
    world = World()
    order = world.update(world.create(), "PAID")
    world.timeline(order)
    world.timeline(order, [1])
    return world.history(), {Kind.TIMELINE_ENTRY_VANISHED}
