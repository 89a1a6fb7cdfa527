"""Events that are missing, in their rows or in the queue, or say what never happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from orders.adapters.dynamodb import rows
from orders.domain.status import OrderStatus
from proof.checks.violations import Kind
from proof.tests.histories.breaking import broken, event_row_of, forget, remove, rewrite
from proof.tests.histories.world import PLATFORM, World

if TYPE_CHECKING:
    from proof.tests.histories.world import World


@broken(Kind.EVENT_ROW_MISSING)
def an_order_without_its_event_row(world: World) -> None:
    remove(world, event_row_of(world.update(world.create(), "PAID"), 1))


@broken(Kind.EVENT_ROW_MISSING)
def a_change_without_its_event_row(world: World) -> None:
    remove(world, event_row_of(world.settle(world.create(token="tok_approve")), 2))


@broken(Kind.EVENT_ROW_PHANTOM)
def an_event_row_of_what_never_was(world: World) -> None:
    _, event = world.create().changed_to(OrderStatus.PAID, by=PLATFORM, at=world.instant)
    world.put(rows.event_row(event))


@broken(Kind.EVENT_ROW_PHANTOM)
def an_event_row_of_an_order_that_never_was(world: World) -> None:
    order = world.create(lost=True)
    row = world.table[event_row_of(order, 1)]
    forget(world, order)
    world.put(row)


@broken(Kind.EVENT_ROW_REWRITTEN, Kind.EVENT_ROW_DIFFERS)
def an_event_row_that_was_changed(world: World) -> None:
    row = world.table[event_row_of(world.create(), 1)]
    world.put(row | {"reason": "another"})
    world.put(row)


@broken(Kind.EVENT_ROW_REWRITTEN)
def an_event_row_that_was_removed(world: World) -> None:
    at = event_row_of(world.create(), 1)
    last = world.commits[-1]
    world.commits.append(msgspec.structs.replace(last, old=world.table.pop(at), new=None))


@broken(Kind.EVENT_ROW_APART)
def an_event_row_that_was_written_after_its_order(world: World) -> None:
    world.create()
    event = world.commits.pop()
    world.create()
    world.commits.append(event)


@broken(Kind.EVENT_ROW_APART)
def an_event_row_that_was_written_before_its_order(world: World) -> None:
    order = world.create()
    world.update(order, "PAID")
    event = world.commits.pop()
    world.commits.insert(3, event)
    world.create()
    world.commits[4:] = [*world.commits[-3:], *world.commits[4:-3]]


@broken(Kind.EVENT_MISSING)
def a_missing_event(world: World) -> None:
    world.update(world.create(), "PAID")
    world.published.pop()


@broken(Kind.EVENT_PHANTOM)
def a_phantom_event(world: World) -> None:
    order = world.create()
    world.update(order, "PAID", lost=True)
    event = world.published[-1]
    forget(world, order, from_version=2)
    world.published.append(event)


@broken(Kind.EVENT_CHANGED)
def an_event_that_was_sent_again_in_other_words(world: World) -> None:
    world.create()
    event = world.published[0]
    world.published.append(event | {"data": dict(reversed(event["data"].items()))})


def _register_row(name: str, version: int, **changes: object) -> None:
    @broken(Kind.EVENT_ROW_DIFFERS, name=f"an_event_row_with_{name}")
    def row(world: World) -> None:
        order = world.update(world.create(), "PAID")
        rewrite(world, event_row_of(order, version), **changes)


_register_row("another_status", 2, status="CANCELED")
_register_row("a_status_before_the_first", 1, previousStatus="PENDING")
_register_row("no_member_of_staff", 2, staffId=None)


def _register_event(name: str, amount: float) -> None:
    @broken(Kind.EVENT_DIFFERS, name=f"an_event_with_{name}")
    def event(world: World) -> None:
        world.create()
        world.published[0]["data"]["amount"] = amount


_register_event("another_amount", 1)
_register_event("an_amount_that_is_not_an_integer", 5997.0)
