"""Answers and messages that should not be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from histories.breaking import broken, changed, replace_call
from histories.world import World, problem_json
from prove.checks.violations import Kind

if TYPE_CHECKING:
    from histories.breaking import Broken


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
    return changed(world.history(), reports=[]), {Kind.ANSWER_UNEXPECTED, Kind.REFUSED_WRONGLY}


@broken
def an_answer_of_another_form() -> Broken:
    world = World()
    call = world.get(world.create())
    replace_call(world, call, text='{"orderId":"1"}')
    return world.history(), {Kind.ANSWER_UNEXPECTED}


@broken
def an_answer_that_is_no_json() -> Broken:
    world = World()
    call = world.get(world.create())
    replace_call(world, call, text="<html>")
    return world.history(), {Kind.ANSWER_UNEXPECTED}
