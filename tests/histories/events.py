"""Events that are missing, or say what never happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from histories.breaking import broken, forget
from histories.world import World
from prove.checks.violations import Kind

if TYPE_CHECKING:
    from histories.breaking import Broken


@broken
def a_missing_event() -> Broken:
    world = World()
    world.update(world.create(), "PAID")
    world.published.pop()
    return world.history(), {Kind.EVENT_MISSING}


@broken
def a_phantom_event() -> Broken:
    world = World()
    order = world.create()
    world.update(order, "PAID", answered=False)
    event = world.published[-1]
    forget(world, order, from_version=2)
    world.published.append(event)
    return world.history(), {Kind.EVENT_PHANTOM}


@broken
def an_event_with_another_amount() -> Broken:
    world = World()
    world.create()
    world.published[0]["data"]["amount"] += 1
    return world.history(), {Kind.EVENT_DIFFERS}
