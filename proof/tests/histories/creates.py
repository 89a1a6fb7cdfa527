"""Orders that are not there, or that should not be."""

from __future__ import annotations

from orders.adapters.dynamodb import rows
from proof.checks.violations import Kind
from proof.tests.histories.breaking import broken, event_row_of, forget, replace_call
from proof.tests.histories.world import World


@broken(Kind.ORDER_LOST, Kind.MONEY_MISSING)
def a_lost_order(world: World) -> None:
    world.create()
    forget(world, world.create())


@broken(Kind.ORDER_DOUBLED, Kind.MONEY_SURPLUS, Kind.KEY_WITHOUT_RECORD)
def a_doubled_order(world: World) -> None:
    world.create(key="k", request="r")
    twin = World(now=9)
    twin_order = twin.create(request="r")
    world.write(twin_order, rows.event_from(twin.table[event_row_of(twin_order, 1)]))


@broken(Kind.ORDER_DOUBLED, Kind.MONEY_SURPLUS)
def more_orders_than_a_request_without_a_key_was_sent(world: World) -> None:
    world.create(request="r", lost=True)
    world.create(request="r")
    world.create(request="r")
    world.calls.pop()


@broken(Kind.MONEY_MISSING)
def one_order_for_two_accepted_requests_without_a_key(world: World) -> None:
    world.create()
    call = world.calls[-1]
    world.call("POST", "/orders", 201, call.text, body=call.body, headers=call.headers)
    replace_call(world, world.calls[-1], caller=call.caller)


@broken(Kind.ORDER_LOST, Kind.MONEY_MISSING)
def an_order_lost_of_a_request_that_was_sent_twice(world: World) -> None:
    world.create(request="r")
    forget(world, world.create(request="r"))


@broken(Kind.ORDER_DOUBLED, Kind.MONEY_SURPLUS, Kind.KEY_WITHOUT_RECORD)
def two_orders_of_a_request_sent_again_under_its_key(world: World) -> None:
    world.create(key="k", request="r", lost=True)
    world.create(key="k", request="r", lost=True)


@broken(Kind.ORDER_PHANTOM, Kind.MONEY_SURPLUS)
def a_phantom_order(world: World) -> None:
    world.create()
    world.create()
    world.calls.pop()


@broken(Kind.ORDER_OF_REFUSED_REQUEST, Kind.MONEY_SURPLUS, Kind.RESPONSE_UNEXPECTED)
def an_order_of_a_refused_request(world: World) -> None:
    world.create()
    call = world.calls.pop()
    world.refuse(call, 422, "validation-failed")


@broken(Kind.ORDER_NOT_AS_ASKED, Kind.MONEY_SURPLUS)
def an_order_of_other_items(world: World) -> None:
    world.create(lost=True)
    call = world.calls[-1]
    body = call.body or {}
    replace_call(world, call, body=body | {"items": [body["items"][0] | {"quantity": 2}]})
