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

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.domain.order import Order
    from proof.tests.histories.world import World


@broken(Kind.DETAIL_WITHOUT_CUSTOMER_ROW)
def a_detail_without_its_customer_row(world: World) -> None:
    remove(world, customer_row_of(world.create()))


@broken(Kind.CUSTOMER_ROW_WITHOUT_DETAIL)
def a_customer_row_without_its_detail(world: World) -> None:
    order = world.create(lost=True)
    row = world.table[customer_row_of(order)]
    forget(world, order)
    world.put(row)


@broken(Kind.ROWS_DISAGREE)
def a_customer_row_that_disagrees(world: World) -> None:
    order = world.update(world.create(), "PAID")
    rewrite(world, customer_row_of(order), version=1)


@broken(Kind.INDEX_WRONG)
def a_row_that_is_indexed_under_its_old_status(world: World) -> None:
    order = world.create()
    before = world.table[detail_of(order)]["gsi1pk"]
    world.update(order, "PAID")
    rewrite(world, detail_of(order), gsi1pk=before)


@broken(Kind.STREAM_DISAGREES)
def a_row_that_the_stream_does_not_know(world: World) -> None:
    order = world.create()
    at = customer_row_of(order)
    world.table[at] = world.table[at] | {"schemaVersion": 2}


@broken(Kind.INDEX_WRONG)
def an_event_in_another_place_of_the_feed(world: World) -> None:
    at = event_row_of(world.create(), 1)
    rewrite(world, at, gsi1sk=world.table[at]["gsi1sk"].replace("2026", "2027"))


def _register(
    name: str, kind: Kind, at: Callable[[Order], tuple[str, str]], **more: object
) -> None:
    """A row of an order that was paid by token, with more in it than belongs there."""

    @broken(kind, name=name)
    def row(world: World) -> None:
        order = world.settle(world.create(token="tok_approve"))
        rewrite(world, at(order), **more)


for _name, _at in {
    "an_order": detail_of,
    "an_order_of_a_customer": customer_row_of,
    "an_event": lambda order: event_row_of(order, 1),
}.items():
    _register(f"{_name}_that_expires", Kind.ROW_EXPIRES, _at, purgeAt=2_000_000_000)
    _register(f"{_name}_with_a_payment_token", Kind.TOKEN_KEPT, _at, paymentToken="tok_approve")
