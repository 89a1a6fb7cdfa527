"""Charges and reservations that are too many, missing, or left over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proof.checks.violations import Kind
from proof.tests.histories.breaking import broken, forget, rewrite
from proof.tests.histories.world import World

if TYPE_CHECKING:
    from proof.tests.histories.breaking import Broken


@broken
def a_double_charge() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    world.charge(order, "CHARGED")
    world.charge(order, "REFUNDED")
    world.settle(order)
    return world.history(), {Kind.CHARGED_TWICE}


@broken
def a_double_reservation() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    world.reserve(order, "RESERVED")
    world.reserve(order, "RELEASED")
    world.settle(order)
    return world.history(), {Kind.RESERVED_TWICE}


@broken
def an_order_paid_by_token_without_a_charge() -> Broken:
    world = World()
    world.charge(world.settle(world.create(token="tok_approve")), "REFUNDED")
    return world.history(), {Kind.PAID_WITHOUT_CHARGE}


@broken
def an_order_paid_by_token_without_a_reservation() -> Broken:
    world = World()
    world.reserve(world.settle(world.create(token="tok_approve")), "RELEASED")
    return world.history(), {Kind.PAID_WITHOUT_RESERVATION}


@broken
def a_live_charge_on_a_canceled_order() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    world.charge(order, "CHARGED")
    world.update(order, "CANCELED")
    return world.history(), {Kind.LIVE_CHARGE}


@broken
def a_live_reservation_on_an_order_that_staff_paid() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    world.reserve(order, "RESERVED")
    world.update(order, "PAID")
    return world.history(), {Kind.LIVE_RESERVATION}


@broken
def a_charge_for_an_order_that_never_was() -> Broken:
    world = World()
    order = world.create(token="tok_approve", answered=False)
    forget(world, order)
    world.charge(order, "CHARGED")
    return world.history(), {Kind.PAYMENT_PHANTOM}


@broken
def a_charge_that_nobody_asked_for() -> Broken:
    world = World()
    world.charge(world.create(), "VOIDED")
    return world.history(), {Kind.PAYMENT_PHANTOM}


@broken
def a_charge_of_another_amount() -> Broken:
    world = World()
    order = world.settle(world.create(token="tok_approve"))
    rewrite(world, (f"ORDER#{order.order_id}", "CHARGE"), amount=1)
    return world.history(), {Kind.CHARGE_DIFFERS}


@broken
def a_reservation_of_other_items() -> Broken:
    world = World()
    order = world.settle(world.create(token="tok_approve"))
    rewrite(world, (f"ORDER#{order.order_id}", "RESERVATION"), items=[])
    return world.history(), {Kind.RESERVATION_DIFFERS}


@broken
def a_declined_token_that_paid() -> Broken:
    world = World()
    order = world.create(token="tok_decline")
    world.orders[order.order_id] = replace(order, payment_token="tok_approve")
    world.settle(order)
    return world.history(), {Kind.SETTLED_WRONGLY}


@broken
def an_order_that_was_never_settled() -> Broken:
    world = World()
    world.create(token="tok_approve")
    return world.history(), {Kind.UNSETTLED}
