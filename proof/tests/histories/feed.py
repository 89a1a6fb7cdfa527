"""Feeds that skip, repeat, run ahead, or say something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from proof.checks.violations import Kind
from proof.tests.histories.breaking import body_with, broken, replace_call
from proof.tests.histories.world import FEED_DELAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proof.history import Json
    from proof.tests.histories.world import World


def events_of(world: World, orders: int) -> list[Json]:
    """What the feed shows of so many new orders."""
    for _ in range(orders):
        world.create()
    return world.fed({})


def _register(name: str, kind: Kind, orders: int, shown: Sequence[int]) -> None:
    """A feed that shows these of the orders' events."""

    @broken(kind, name=f"a_feed_that_{name}")
    def feed(world: World) -> None:
        events = events_of(world, orders)
        world.settle_down()
        world.feed("f", events=[events[number] for number in shown])


_register("skips_on_a_page", Kind.FEED_SKIPS, 4, (0, 2, 3))
_register("skips_between_two_pages", Kind.FEED_SKIPS, 4, (0, 1, 3))
_register("begins_too_late", Kind.FEED_SKIPS, 3, (1, 2))
_register("ends_too_early", Kind.FEED_SKIPS, 3, (0, 1))
_register("shows_nothing_at_the_end", Kind.FEED_SKIPS, 1, ())
_register("repeats", Kind.FEED_REPEATS, 3, (0, 1, 1, 2))
_register("is_not_sorted", Kind.FEED_UNSORTED, 3, (0, 2, 1))


@broken(Kind.FEED_SKIPS)
def a_feed_that_skips_what_was_recorded_behind_its_cursor(world: World) -> None:
    """A poller passed the place, and then the event of a slow write came to be there."""
    a, _, c = events_of(world, 3)
    calls = world.feed("f", events=[a, c], limit=1)
    world.create()
    world.now += FEED_DELAY
    text = body_with(calls[-1], items=world.fed({})[-1:], nextCursor="f-9")
    world.call("GET", "/events", 200, text, query=calls[-1].query, walk="f")


@broken(Kind.FEED_SKIPS)
def a_feed_of_a_type_that_skips_behind_an_empty_page(world: World) -> None:
    for _ in range(3):
        world.update(world.create(), "PAID")
    a, _, c = world.fed({"type": "ORDER_PAID"})
    asked = {"type": "ORDER_PAID", "limit": "1"}
    world.now += FEED_DELAY
    for number, items in enumerate([[a], [], [c]]):
        text = msgspec.json.encode({"items": items, "nextCursor": f"f-{number}"}).decode()
        world.call("GET", "/events", 200, text, query=asked, walk="f")
        asked = asked | {"cursor": f"f-{number}"}


@broken(Kind.FEED_SKIPS)
def a_window_of_the_feed_that_skips(world: World) -> None:
    _, b, c, d, e = events_of(world, 5)
    world.feed("f", events=[c, d], recordedFrom=b["time"], recordedTo=e["time"])


@broken(Kind.FEED_MISFIT)
def a_feed_of_a_type_with_another_type(world: World) -> None:
    world.feed("f", events=events_of(world, 1), type="ORDER_PAID")


@broken(Kind.FEED_MISFIT)
def a_window_of_the_feed_with_its_end(world: World) -> None:
    a, b = events_of(world, 2)
    world.feed("f", events=[a, b], recordedTo=b["time"])


@broken(Kind.FEED_PHANTOM)
def a_feed_with_an_event_that_never_was(world: World) -> None:
    (event,) = events_of(world, 1)
    later = {"id": f"{event['subject']}/2", "data": event["data"] | {"version": 2}}
    world.feed("f", events=[event, event | later])


@broken(Kind.FEED_DIFFERS)
def a_feed_that_shows_another_amount(world: World) -> None:
    (event,) = events_of(world, 1)
    world.feed("f", events=[event | {"data": event["data"] | {"amount": 1}}])


@broken(Kind.EVENT_CHANGED)
def a_feed_in_other_words_than_the_queue(world: World) -> None:
    (event,) = events_of(world, 1)
    world.feed("f", events=[dict(reversed(event.items()))])


@broken(Kind.FEED_TOO_EARLY)
def a_feed_that_shows_an_event_too_early(world: World) -> None:
    world.create()
    call, *_ = world.feed("f")
    replace_call(world, call, start=3.0, end=4.0)


@broken(Kind.FUTURE_READ)
def a_feed_that_shows_a_change_before_it_was_asked_for(world: World) -> None:
    world.update(world.create(), "PAID")
    call, *_ = world.feed("f")
    replace_call(world, world.calls[1], start=call.end + 1, end=call.end + 2)


@broken(Kind.PAGE_SIZE_WRONG)
def a_page_of_the_feed_that_is_too_large(world: World) -> None:
    events_of(world, 3)
    call, *_ = world.feed("f", limit=3)
    replace_call(world, call, query=call.query | {"limit": "2"})


@broken(Kind.RESPONSE_UNEXPECTED)
def a_feed_that_says_it_is_over(world: World) -> None:
    world.create()
    *_, call = world.feed("f")
    replace_call(world, call, text=body_with(call, nextCursor=None))
