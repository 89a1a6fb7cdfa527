"""Answers and messages that should not be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proof.checks.violations import Kind
from proof.faults import Fault
from proof.tests.histories.breaking import broken, changed, replace_call
from proof.tests.histories.world import CUS_1, TOO_MANY, UNAVAILABLE, World, problem_json

if TYPE_CHECKING:
    from proof.history import Call
    from proof.tests.histories.breaking import Broken


@broken
def a_leftover_dead_letter() -> Broken:
    letter = {"queue": "order-events-dlq", "body": "{}"}
    return changed(World().history(), dead_letters=[letter], reports=[]), {Kind.DEAD_LETTER}


@broken
def an_internal_error() -> Broken:
    world = World()
    world.call("GET", "/orders/x", 500, problem_json(500, "internal-error"))
    return changed(world.history(), reports=[]), {Kind.INTERNAL_ERROR}


@broken
def a_status_that_is_not_in_the_contract() -> Broken:
    world = World()
    world.call("GET", "/orders/x", 409, problem_json(409, "illegal-transition"))
    return changed(world.history(), reports=[]), {Kind.RESPONSE_UNEXPECTED, Kind.REFUSED_WRONGLY}


@broken
def an_response_of_another_form() -> Broken:
    world = World()
    call = world.get(world.create())
    replace_call(world, call, text='{"orderId":"1"}')
    return world.history(), {Kind.RESPONSE_UNEXPECTED}


@broken
def an_response_that_is_no_json() -> Broken:
    world = World()
    call = world.get(world.create())
    replace_call(world, call, text="<html>")
    return world.history(), {Kind.RESPONSE_UNEXPECTED}


@broken
def a_refusal_that_a_well_formed_request_can_not_get() -> Broken:
    world = World()
    world.create(answered=False)
    world.refuse(world.calls[-1], 400, "malformed-request")
    return world.history(), {Kind.RESPONSE_UNEXPECTED}


@broken
def a_customer_who_may_not_create_for_itself() -> Broken:
    world = World()
    world.create(answered=False)
    world.refuse(world.calls[-1], 403, "forbidden")
    return world.history(), {Kind.REFUSED_WRONGLY}


@broken
def a_cursor_of_a_walk_that_was_refused() -> Broken:
    world = World()
    text = problem_json(400, "invalid-cursor")
    world.call("GET", "/customers/cus_1/orders", 400, text, caller=CUS_1, query={"cursor": "w-1"})
    return changed(world.history(), reports=[]), {Kind.RESPONSE_UNEXPECTED}


@broken
def a_token_that_was_refused() -> Broken:
    world = World()
    world.call("GET", "/orders/x", 401, '{"message": "Unauthorized"}')
    return changed(world.history(), reports=[]), {Kind.RESPONSE_UNEXPECTED}


@broken
def an_response_missing_when_all_is_settled() -> Broken:
    world = World()
    world.settle_down()
    world.call("GET", "/orders/x", None, "")
    return changed(world.history(), reports=[]), {Kind.FAILED_WITHOUT_FAULT}


@broken
def a_503_when_all_is_settled() -> Broken:
    world = World()
    world.settle_down()
    world.call("GET", "/orders/x", 503, problem_json(503, "try-again"))
    return changed(world.history(), reports=[]), {Kind.FAILED_WITHOUT_FAULT}


@broken
def a_function_that_fails_though_it_was_not_killed() -> Broken:
    return _failed(502, '{"message": "gone"}', Kind.FAILED_WITHOUT_FAULT)


@broken
def a_function_that_fails_when_another_was_killed() -> Broken:
    world = World()
    call = _get(world, 502, '{"message": "gone"}')
    world.strike(call, Fault.KILLED_BEFORE, "update-order")
    return changed(world.history(), reports=[]), {Kind.FAILED_WITHOUT_FAULT}


@broken
def a_function_that_fails_long_after_it_was_killed() -> Broken:
    world = World()
    world.strike(world.get(world.create()), Fault.KILLED_BEFORE, "get-order")
    world.now += 10
    _get(world, 502, '{"message": "gone"}')
    return world.history(), {Kind.FAILED_WITHOUT_FAULT}


@broken
def a_function_that_fails_when_its_call_was_throttled() -> Broken:
    world = World()
    call = _get(world, 502, '{"message": "gone"}')
    world.strike(call, Fault.THROTTLED, "get-order")
    return changed(world.history(), reports=[]), {Kind.FAILED_WITHOUT_FAULT}


@broken
def a_gateway_that_gave_up_waiting() -> Broken:
    return _failed(504, '{"message": "Endpoint request timed out"}', Kind.RESPONSE_UNEXPECTED)


@broken
def a_gateway_that_failed() -> Broken:
    return _failed(500, '{"message": "Internal Server Error"}', Kind.RESPONSE_UNEXPECTED)


@broken
def a_503_of_the_gateway_by_itself() -> Broken:
    return _failed(503, UNAVAILABLE, Kind.FAILED_WITHOUT_FAULT)


@broken
def a_503_of_another_form() -> Broken:
    return _failed(503, "<html>", Kind.RESPONSE_UNEXPECTED)


@broken
def a_503_when_another_client_was_struck() -> Broken:
    world = World()
    world.strike(_get(world, 503, UNAVAILABLE), Fault.SERVER_ERROR, "c2")
    return changed(world.history(), reports=[]), {Kind.FAILED_WITHOUT_FAULT}


@broken
def a_429_when_nothing_was_throttled() -> Broken:
    world = World()
    world.strike(_get(world, 429, TOO_MANY), Fault.SERVER_ERROR)
    return changed(world.history(), reports=[]), {Kind.FAILED_WITHOUT_FAULT}


@broken
def a_429_after_the_throttling() -> Broken:
    world = World()
    world.strike(world.get(world.create()), Fault.THROTTLED)
    _get(world, 429, TOO_MANY)
    return world.history(), {Kind.FAILED_WITHOUT_FAULT}


def _get(world: World, status: int, text: str) -> Call:
    return world.call("GET", "/orders/x", status, text)


def _failed(status: int, text: str, kind: Kind) -> Broken:
    world = World()
    _get(world, status, text)
    return changed(world.history(), reports=[]), {kind}
