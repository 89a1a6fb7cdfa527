"""Replays of an operator that left events out, or said something else in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proof import oracle
from proof.checks.violations import Kind
from proof.tests.histories.breaking import broken, event_row_of
from proof.tests.histories.world import FEED_DELAY

if TYPE_CHECKING:
    from orders.domain.order import Order
    from proof.tests.histories.world import World


def three_orders(world: World) -> list[Order]:
    orders = [world.create() for _ in range(3)]
    world.now += FEED_DELAY
    return orders


def range_of(world: World, orders: list[Order]) -> list[str]:
    """The arguments of a replay of all of them."""
    since, until = oracle.instant(orders[0].created_at), oracle.instant(world.instant)
    return ["replay", "--since", since, "--until", until]


def position_of(world: World, order: Order) -> str:
    position: str = world.table[event_row_of(order, 1)]["gsi1sk"]
    return position


@broken(Kind.REPLAY_SKIPS)
def a_replay_that_ends_too_early(world: World) -> None:
    orders = three_orders(world)
    world.replayed += world.published[:2]
    world.operate(*range_of(world, orders), position=position_of(world, orders[1]))


@broken(Kind.REPLAY_SKIPS)
def a_replay_of_an_order_that_sends_nothing(world: World) -> None:
    order = three_orders(world)[0]
    world.operate("replay", "--order", order.order_id)


@broken(Kind.REPLAY_SKIPS)
def an_interrupted_replay_whose_position_is_too_late(world: World) -> None:
    orders = three_orders(world)
    world.replayed += world.published[:1]
    world.operate(*range_of(world, orders), code=1, position=position_of(world, orders[1]))


@broken(Kind.REPLAY_SKIPS)
def a_replay_that_goes_on_too_late(world: World) -> None:
    orders = three_orders(world)
    first, last = position_of(world, orders[0]), position_of(world, orders[2])
    world.replayed += [world.published[0], world.published[2]]
    world.operate(*range_of(world, orders), code=1, position=first)
    world.operate(*range_of(world, orders), "--after", first, position=last)


@broken(Kind.REPLAY_SKIPS)
def a_replay_of_a_type_that_leaves_some_out(world: World) -> None:
    orders = three_orders(world)
    world.update(orders[1], "PAID")
    world.now += FEED_DELAY
    world.operate(*range_of(world, orders), "--type", "ORDER_PAID", position="")


@broken(Kind.EVENT_MISSING)
def an_event_that_only_an_operator_sent(world: World) -> None:
    orders = three_orders(world)
    world.replayed.append(world.published.pop())
    world.operate("replay", "--order", orders[2].order_id)


@broken(Kind.EVENT_CHANGED)
def a_replay_in_other_words(world: World) -> None:
    world.create()
    event = world.published[0]
    world.replayed.append(event | {"data": dict(reversed(event["data"].items()))})


@broken(Kind.EVENT_PHANTOM)
def a_replay_of_what_never_was(world: World) -> None:
    world.create()
    event = world.published[0]
    world.replayed.append(event | {"id": f"{event['subject']}/9"})
