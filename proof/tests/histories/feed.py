"""Feeds that skip, repeat, run ahead, or say something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from proof.checks.violations import Kind
from proof.tests.histories.breaking import answered, broken, changed, replace_call
from proof.tests.histories.world import FEED_DELAY, World, problem_json

if TYPE_CHECKING:
    from proof.tests.histories.breaking import Broken

Json = dict[str, Any]


def world_of(orders: int) -> tuple[World, list[Json]]:
    """So many orders, and what the feed shows of them."""
    world = World()
    for _ in range(orders):
        world.create()
    return world, world.fed({})


@broken
def a_feed_that_skips_on_a_page() -> Broken:
    world, (a, _, c, d) = world_of(4)
    world.feed("f", events=[a, c, d])
    return world.history(), {Kind.FEED_SKIPS}


@broken
def a_feed_that_skips_between_two_pages() -> Broken:
    world, (a, b, _, d) = world_of(4)
    world.feed("f", events=[a, b, d])
    return world.history(), {Kind.FEED_SKIPS}


@broken
def a_feed_that_skips_what_was_recorded_behind_its_cursor() -> Broken:
    """A poller passed the place, and then the event of a slow write came to be there."""
    world, (a, _, c) = world_of(3)
    calls = world.feed("f", events=[a, c], limit=1)
    world.create()
    world.now += FEED_DELAY
    text = answered(calls[-1], items=world.fed({})[-1:], nextCursor="f-9")
    world.call("GET", "/events", 200, text, query=calls[-1].query, walk="f")
    return world.history(), {Kind.FEED_SKIPS}


@broken
def a_feed_that_begins_too_late() -> Broken:
    world, (_, b, c) = world_of(3)
    world.feed("f", events=[b, c])
    return world.history(), {Kind.FEED_SKIPS}


@broken
def a_feed_that_ends_too_early() -> Broken:
    world, (a, b, _) = world_of(3)
    world.settle_down()
    world.feed("f", events=[a, b])
    return world.history(), {Kind.FEED_SKIPS}


@broken
def a_feed_that_shows_nothing_at_the_end() -> Broken:
    world, _ = world_of(1)
    world.settle_down()
    world.feed("f", events=[])
    return world.history(), {Kind.FEED_SKIPS}


@broken
def a_feed_of_a_type_that_skips_behind_an_empty_page() -> Broken:
    world = World()
    for _ in range(3):
        world.update(world.create(), "PAID")
    a, _, c = world.fed({"type": "ORDER_PAID"})
    asked = {"type": "ORDER_PAID", "limit": "1"}
    world.now += FEED_DELAY
    for number, items in enumerate([[a], [], [c]]):
        text = msgspec.json.encode({"items": items, "nextCursor": f"f-{number}"}).decode()
        world.call("GET", "/events", 200, text, query=asked, walk="f")
        asked = asked | {"cursor": f"f-{number}"}
    return world.history(), {Kind.FEED_SKIPS}


@broken
def a_window_of_the_feed_that_skips() -> Broken:
    world, (_, b, c, d, e) = world_of(5)
    world.feed("f", events=[c, d], recordedFrom=b["time"], recordedTo=e["time"])
    return world.history(), {Kind.FEED_SKIPS}


@broken
def a_feed_that_repeats() -> Broken:
    world, (a, b, c) = world_of(3)
    world.feed("f", events=[a, b, b, c])
    return world.history(), {Kind.FEED_REPEATS}


@broken
def a_feed_that_is_not_sorted() -> Broken:
    world, (a, b, c) = world_of(3)
    world.feed("f", events=[a, c, b])
    return world.history(), {Kind.FEED_UNSORTED}


@broken
def a_feed_of_a_type_with_another_type() -> Broken:
    world, events = world_of(1)
    world.feed("f", events=events, type="ORDER_PAID")
    return world.history(), {Kind.FEED_MISFIT}


@broken
def a_window_of_the_feed_with_its_end() -> Broken:
    world, (a, b) = world_of(2)
    world.feed("f", events=[a, b], recordedTo=b["time"])
    return world.history(), {Kind.FEED_MISFIT}


@broken
def a_feed_with_an_event_that_never_was() -> Broken:
    world, (event,) = world_of(1)
    later = {"id": f"{event['subject']}/2", "data": event["data"] | {"version": 2}}
    world.feed("f", events=[event, event | later])
    return world.history(), {Kind.FEED_PHANTOM}


@broken
def a_feed_that_shows_another_amount() -> Broken:
    world, (event,) = world_of(1)
    world.feed("f", events=[event | {"data": event["data"] | {"amount": 1}}])
    return world.history(), {Kind.FEED_DIFFERS}


@broken
def a_feed_in_other_words_than_the_queue() -> Broken:
    world, (event,) = world_of(1)
    world.feed("f", events=[dict(reversed(event.items()))])
    return world.history(), {Kind.EVENT_CHANGED}


@broken
def a_feed_that_shows_an_event_too_early() -> Broken:
    world, _ = world_of(1)
    call, *_ = world.feed("f")
    replace_call(world, call, start=3.0, end=4.0)
    return world.history(), {Kind.FEED_TOO_EARLY}


@broken
def a_feed_that_shows_a_change_before_it_was_asked_for() -> Broken:
    world = World()
    world.update(world.create(), "PAID")
    call, *_ = world.feed("f")
    update = world.calls[1]
    replace_call(world, update, start=call.end + 1, end=call.end + 2)
    return world.history(), {Kind.FUTURE_READ}


@broken
def a_page_of_the_feed_that_is_too_large() -> Broken:
    world, _ = world_of(3)
    call, *_ = world.feed("f", limit=3)
    replace_call(world, call, query=call.query | {"limit": "2"})
    return world.history(), {Kind.PAGE_SIZE_WRONG}


@broken
def a_feed_that_says_it_is_over() -> Broken:
    world, _ = world_of(1)
    *_, call = world.feed("f")
    replace_call(world, call, text=answered(call, nextCursor=None))
    return world.history(), {Kind.RESPONSE_UNEXPECTED}


@broken
def staff_refused_the_feed() -> Broken:
    world = World()
    world.call("GET", "/events", 403, problem_json(403, "forbidden"))
    return changed(world.history(), reports=[]), {Kind.REFUSED_WRONGLY}
