"""Charges and reservations that are too many, missing, or left over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proof.checks.violations import Kind
from proof.tests.histories.breaking import broken, forget, rewrite

if TYPE_CHECKING:
    from proof.tests.histories.world import World


@broken(Kind.CHARGED_TWICE)
def a_double_charge(world: World) -> None:
    order = world.create(token="tok_approve")
    world.charge(order, "CHARGED")
    world.charge(order, "REFUNDED")
    world.settle(order)


@broken(Kind.RESERVED_TWICE)
def a_double_reservation(world: World) -> None:
    order = world.create(token="tok_approve")
    world.reserve(order, "RESERVED")
    world.reserve(order, "RELEASED")
    world.settle(order)


@broken(Kind.PAID_WITHOUT_CHARGE)
def an_order_paid_by_token_without_a_charge(world: World) -> None:
    world.charge(world.settle(world.create(token="tok_approve")), "REFUNDED")


@broken(Kind.PAID_WITHOUT_RESERVATION)
def an_order_paid_by_token_without_a_reservation(world: World) -> None:
    world.reserve(world.settle(world.create(token="tok_approve")), "RELEASED")


@broken(Kind.LIVE_CHARGE)
def a_live_charge_on_a_canceled_order(world: World) -> None:
    order = world.create(token="tok_approve")
    world.charge(order, "CHARGED")
    world.update(order, "CANCELED")


@broken(Kind.LIVE_RESERVATION)
def a_live_reservation_on_an_order_that_staff_paid(world: World) -> None:
    order = world.create(token="tok_approve")
    world.reserve(order, "RESERVED")
    world.update(order, "PAID")


@broken(Kind.PAYMENT_PHANTOM)
def a_charge_for_an_order_that_never_was(world: World) -> None:
    order = world.create(token="tok_approve", lost=True)
    forget(world, order)
    world.charge(order, "CHARGED")


@broken(Kind.PAYMENT_PHANTOM)
def a_charge_that_nobody_asked_for(world: World) -> None:
    world.charge(world.create(), "VOIDED")


@broken(Kind.CHARGE_DIFFERS)
def a_charge_of_another_amount(world: World) -> None:
    order = world.settle(world.create(token="tok_approve"))
    rewrite(world, (f"ORDER#{order.order_id}", "CHARGE"), amount=1)


@broken(Kind.RESERVATION_DIFFERS)
def a_reservation_of_other_items(world: World) -> None:
    order = world.settle(world.create(token="tok_approve"))
    rewrite(world, (f"ORDER#{order.order_id}", "RESERVATION"), items=[])


@broken(Kind.SETTLED_WRONGLY)
def a_declined_token_that_paid(world: World) -> None:
    order = world.create(token="tok_decline")
    world.orders[order.order_id] = replace(order, payment_token="tok_approve")
    world.settle(order)


@broken(Kind.UNSETTLED)
def an_order_that_was_never_settled(world: World) -> None:
    world.create(token="tok_approve")
