"""Orders that changed as they may not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from orders.domain.actor import Actor
from orders.domain.status import OrderStatus
from proof.checks.violations import Kind
from proof.tests.histories.breaking import (
    broken,
    customer_row_of,
    detail_of,
    event_row_of,
    rewrite,
)
from proof.tests.histories.world import CUS_1, World

if TYPE_CHECKING:
    from proof.tests.histories.world import World


@broken(Kind.VERSION_SKIPPED)
def a_skipped_version(world: World) -> None:
    order = world.create()
    by = Actor("staff", CUS_1)
    paid, event = order.changed_to(OrderStatus.PAID, by=by, at=world.instant, reason="r-skip")
    world.write(replace(paid, version=3), replace(event, version=3))
    world.patch(order, "PAID", None, "r-skip")


@broken(Kind.VERSION_REPEATED, Kind.EVENT_ROW_REWRITTEN, Kind.EVENT_CHANGED, Kind.BODIES_DIFFER)
def two_updates_of_one_version(world: World) -> None:
    order = world.create()
    world.update(order, "PAID")
    world.orders[order.order_id] = order
    world.update(order, "CANCELED")


@broken(Kind.ILLEGAL_TRANSITION)
def an_illegal_transition(world: World) -> None:
    order = world.create()
    by = Actor("staff", CUS_1)
    paid, event = order.changed_to(OrderStatus.PAID, by=by, at=world.instant, reason="r-ship")
    shipped = replace(event, type="ORDER_SHIPPED", status=OrderStatus.SHIPPED)
    world.write(replace(paid, status=OrderStatus.SHIPPED), shipped)
    world.patch(order, "SHIPPED", None, "r-ship")


@broken(Kind.ORDER_ALTERED, Kind.MONEY_MISSING)
def an_order_whose_amount_changed(world: World) -> None:
    order = world.create()
    paid = world.update(order, "PAID", lost=True)
    for at in (detail_of(order), customer_row_of(order), event_row_of(order, 2)):
        rewrite(world, at, amount=1)
    world.orders[order.order_id] = replace(paid, amount=1)
    world.published[-1]["data"]["amount"] = 1


@broken(Kind.ORDER_REMOVED)
def a_removed_order(world: World) -> None:
    order = world.create(lost=True)
    for at in (detail_of(order), customer_row_of(order)):
        row = world.table.pop(at)
        world.commits.append(
            msgspec.structs.replace(world.commits[0], pk=at[0], sk=at[1], old=row, new=None)
        )
    del world.orders[order.order_id]
