"""Responses and messages that should not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from proof.checks.violations import Kind
from proof.faults import Fault
from proof.tests.histories.breaking import broken, replace_call
from proof.tests.histories.world import CUS_1, TOO_MANY, UNAVAILABLE, problem_json

if TYPE_CHECKING:
    from proof.tests.histories.world import World


class Response(NamedTuple):
    """To a GET, while the fault strikes its client or the function that is named."""

    kind: Kind
    status: int | None
    text: str
    fault: Fault | None = None
    struck: str | None = None
    when_settled: bool = False


UNEXPECTED: Final = Kind.RESPONSE_UNEXPECTED
UNEXPLAINED: Final = Kind.FAILED_WITHOUT_FAULT
TRY_AGAIN: Final = problem_json(503, "try-again")
GONE: Final = '{"message": "gone"}'
WRONG: Final = {
    "an_internal_error": Response(Kind.INTERNAL_ERROR, 500, problem_json(500, "internal-error")),
    "a_token_refused": Response(UNEXPECTED, 401, '{"message": "Unauthorized"}'),
    "no_response_when_all_is_settled": Response(UNEXPLAINED, None, "", when_settled=True),
    "a_503_when_all_is_settled": Response(UNEXPLAINED, 503, TRY_AGAIN, when_settled=True),
    "a_function_that_fails_unkilled": Response(UNEXPLAINED, 502, GONE),
    "a_function_that_fails_when_another_is_killed": Response(
        UNEXPLAINED, 502, GONE, Fault.KILLED_BEFORE, "update-order"
    ),
    "a_function_that_fails_when_its_call_is_throttled": Response(
        UNEXPLAINED, 502, GONE, Fault.THROTTLED, "get-order"
    ),
    "a_gateway_that_gave_up": Response(UNEXPECTED, 504, '{"message": "Timed out"}'),
    "a_gateway_that_failed": Response(UNEXPECTED, 500, '{"message": "Internal"}'),
    "a_503_of_another_form": Response(UNEXPECTED, 503, "<html>"),
    "a_503_of_the_gateway_by_itself": Response(UNEXPLAINED, 503, UNAVAILABLE),
    "a_503_when_another_client_is_struck": Response(
        UNEXPLAINED, 503, UNAVAILABLE, Fault.SERVER_ERROR, "c2"
    ),
    "a_429_when_nothing_is_throttled": Response(UNEXPLAINED, 429, TOO_MANY, Fault.SERVER_ERROR),
}


def _register(name: str, wrong: Response) -> None:
    @broken(wrong.kind, name=name)
    def response(world: World) -> None:
        if wrong.when_settled:
            world.settle_down()
        call = world.call("GET", "/orders/x", wrong.status, wrong.text)
        if wrong.fault:
            world.strike(call, wrong.fault, wrong.struck)


for _name, _wrong in WRONG.items():
    _register(_name, _wrong)


@broken(UNEXPLAINED)
def a_function_that_fails_long_after_it_was_killed(world: World) -> None:
    world.strike(world.get(world.create()), Fault.KILLED_BEFORE, "get-order")
    world.now += 10
    world.call("GET", "/orders/x", 502, GONE)


@broken(UNEXPLAINED)
def a_429_after_the_throttling(world: World) -> None:
    world.strike(world.get(world.create()), Fault.THROTTLED)
    world.call("GET", "/orders/x", 429, TOO_MANY)


@broken(UNEXPECTED, Kind.REFUSED_WRONGLY)
def a_status_that_is_not_in_the_contract(world: World) -> None:
    world.call("GET", "/orders/x", 409, problem_json(409, "illegal-transition"))


@broken(UNEXPECTED)
def a_response_of_another_form(world: World) -> None:
    replace_call(world, world.get(world.create()), text='{"orderId":"1"}')


@broken(UNEXPECTED)
def a_response_that_is_not_json(world: World) -> None:
    replace_call(world, world.get(world.create()), text="<html>")


@broken(UNEXPECTED)
def a_refusal_that_a_well_formed_request_can_not_get(world: World) -> None:
    world.create(lost=True)
    world.refuse(world.calls[-1], 400, "malformed-request")


@broken(Kind.REFUSED_WRONGLY)
def a_customer_who_may_not_create_for_themselves(world: World) -> None:
    world.create(lost=True)
    world.refuse(world.calls[-1], 403, "forbidden")


@broken(UNEXPECTED)
def a_cursor_of_a_walk_that_was_refused(world: World) -> None:
    text = problem_json(400, "invalid-cursor")
    world.call("GET", "/customers/cus_1/orders", 400, text, caller=CUS_1, query={"cursor": "w-1"})


@broken(Kind.DEAD_LETTER)
def a_leftover_dead_letter(world: World) -> None:
    world.dead_letters.append({"queue": "order-events-dlq", "body": "{}"})
