"""Orders that are not there, or that should not be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.adapters.dynamodb import rows
from proof.checks.violations import Kind
from proof.tests.histories.breaking import broken, event_row_of, forget, replace_call
from proof.tests.histories.world import World

if TYPE_CHECKING:
    from proof.tests.histories.breaking import Broken


@broken
def a_lost_order() -> Broken:
    world = World()
    world.create()
    forget(world, world.create())
    return world.history(), {Kind.ORDER_LOST, Kind.MONEY_MISSING}


@broken
def a_doubled_order() -> Broken:
    world = World()
    world.create(key="k", request="r")
    twin = World(now=9)
    twin_order = twin.create(request="r")
    world.write(twin_order, rows.event_from(twin.table[event_row_of(twin_order, 1)]))
    return world.history(), {Kind.ORDER_DOUBLED, Kind.MONEY_SURPLUS, Kind.KEY_WITHOUT_RECORD}


@broken
def more_orders_than_a_request_without_a_key_was_sent() -> Broken:
    world = World()
    world.create(request="r", answered=False)
    world.create(request="r")
    world.create(request="r")
    world.calls.pop()
    return world.history(), {Kind.ORDER_DOUBLED, Kind.MONEY_SURPLUS}


@broken
def one_order_for_two_accepted_requests_without_a_key() -> Broken:
    world = World()
    world.create()
    call = world.calls[-1]
    world.call("POST", "/orders", 201, call.text, body=call.body, headers=call.headers)
    replace_call(world, world.calls[-1], caller=call.caller)
    return world.history(), {Kind.MONEY_MISSING}


@broken
def an_order_lost_of_a_request_that_was_sent_twice() -> Broken:
    world = World()
    world.create(request="r")
    forget(world, world.create(request="r"))
    return world.history(), {Kind.ORDER_LOST, Kind.MONEY_MISSING}


@broken
def two_orders_of_a_request_sent_again_under_its_key() -> Broken:
    world = World()
    world.create(key="k", request="r", answered=False)
    world.create(key="k", request="r", answered=False)
    return world.history(), {Kind.ORDER_DOUBLED, Kind.MONEY_SURPLUS, Kind.KEY_WITHOUT_RECORD}


@broken
def a_phantom_order() -> Broken:
    world = World()
    world.create()
    world.create()
    world.calls.pop()
    return world.history(), {Kind.ORDER_PHANTOM, Kind.MONEY_SURPLUS}


@broken
def an_order_of_a_refused_request() -> Broken:
    world = World()
    world.create()
    call = world.calls.pop()
    world.refuse(call, 422, "validation-failed")
    return world.history(), {
        Kind.ORDER_OF_REFUSED_REQUEST,
        Kind.MONEY_SURPLUS,
        Kind.RESPONSE_UNEXPECTED,
    }


@broken
def an_order_of_other_items() -> Broken:
    world = World()
    world.create(answered=False)
    call = world.calls[-1]
    body = call.body or {}
    replace_call(world, call, body=body | {"items": [body["items"][0] | {"quantity": 2}]})
    return world.history(), {Kind.ORDER_NOT_AS_ASKED, Kind.MONEY_SURPLUS}
