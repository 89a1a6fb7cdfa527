"""Rows that disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proof.checks.violations import Kind
from proof.tests.histories.breaking import (
    broken,
    customer_row_of,
    detail_of,
    event_row_of,
    forget,
    remove,
    rewrite,
)
from proof.tests.histories.world import World

if TYPE_CHECKING:
    from proof.tests.histories.breaking import (
        Broken,
    )


@broken
def a_detail_without_its_customer_row() -> Broken:
    world = World()
    remove(world, customer_row_of(world.create()))
    return world.history(), {Kind.DETAIL_WITHOUT_CUSTOMER_ROW}


@broken
def a_customer_row_without_its_detail() -> Broken:
    world = World()
    order = world.create(answered=False)
    row = world.table[customer_row_of(order)]
    forget(world, order)
    world.put(row)
    return world.history(), {Kind.CUSTOMER_ROW_WITHOUT_DETAIL}


@broken
def a_customer_row_that_disagrees() -> Broken:
    world = World()
    order = world.update(world.create(), "PAID")
    rewrite(world, customer_row_of(order), version=1)
    return world.history(), {Kind.ROWS_DISAGREE}


@broken
def a_row_that_is_indexed_under_its_old_status() -> Broken:
    world = World()
    order = world.create()
    before = world.table[detail_of(order)]["gsi1pk"]
    world.update(order, "PAID")
    rewrite(world, detail_of(order), gsi1pk=before)
    return world.history(), {Kind.INDEX_WRONG}


@broken
def a_row_that_the_stream_does_not_know() -> Broken:
    world = World()
    order = world.create()
    at = customer_row_of(order)
    world.table[at] = world.table[at] | {"schemaVersion": 2}
    return world.history(), {Kind.STREAM_DISAGREES}


@broken
def a_payment_token_in_the_customers_row() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    rewrite(world, customer_row_of(order), paymentToken="tok_approve")
    world.settle(order)
    return world.history(), {Kind.TOKEN_KEPT}


@broken
def an_order_that_expires_from_the_table() -> Broken:
    world = World()
    rewrite(world, detail_of(world.create()), purgeAt=2_000_000_000)
    return world.history(), {Kind.ROW_EXPIRES}


@broken
def an_event_that_expires_from_the_table() -> Broken:
    world = World()
    rewrite(world, event_row_of(world.create(), 1), purgeAt=2_000_000_000)
    return world.history(), {Kind.ROW_EXPIRES}


@broken
def a_payment_token_in_an_event() -> Broken:
    world = World()
    order = world.create(token="tok_approve")
    rewrite(world, event_row_of(order, 1), paymentToken="tok_approve")
    world.settle(order)
    return world.history(), {Kind.TOKEN_KEPT}


@broken
def an_event_in_another_place_of_the_feed() -> Broken:
    world = World()
    at = event_row_of(world.create(), 1)
    rewrite(world, at, gsi1sk=world.table[at]["gsi1sk"].replace("2026", "2027"))
    return world.history(), {Kind.INDEX_WRONG}


@broken
def a_payment_token_that_stayed() -> Broken:
    world = World()
    order = world.settle(world.create(token="tok_approve"))
    rewrite(world, detail_of(order), paymentToken="tok_approve")
    return world.history(), {Kind.TOKEN_KEPT}
