"""One sweep over an order's versions decides what a search through all orders of events decides."""

from __future__ import annotations

from itertools import permutations
from math import inf
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from proof.checks.linearizability import Version, contradiction
from proof.checks.sightings import Sighting


class Event(NamedTuple):
    """A write of a version, or a read of one."""

    version: int
    is_write: bool
    start: float
    end: float


def is_possible(events: list[Event]) -> bool:
    """Whether the events can be put in an order that a register allows, by trying each."""
    return any(
        all(not later.end < earlier.start for earlier, later in _pairs(order))
        and _is_told_by_a_register(order)
        for order in permutations(events)
    )


def _pairs(order: tuple[Event, ...]) -> list[tuple[Event, Event]]:
    return [(one, other) for index, one in enumerate(order) for other in order[index + 1 :]]


def _is_told_by_a_register(order: tuple[Event, ...]) -> bool:
    current = 0
    for event in order:
        if event.is_write and event.version != current + 1:
            return False
        if event.is_write:
            current = event.version
        elif event.version != current:
            return False
    return True


def swept(events: list[Event], versions: int) -> bool:
    groups = []
    for version in range(versions + 1):
        here = [(call, event) for call, event in enumerate(events) if event.version == version]
        seen = [Sighting(event.start, event.end, call) for call, event in here]
        writes = [event.is_write for _, event in here]
        groups.append(
            Version(
                next((s for s, w in zip(seen, writes, strict=True) if w), None),
                [s for s, w in zip(seen, writes, strict=True) if not w],
            )
        )
    return contradiction(groups) is None


moments = st.integers(0, 6)
intervals = st.tuples(moments, moments).map(lambda pair: (float(min(pair)), float(max(pair))))
write_intervals = st.one_of(
    intervals, intervals.map(lambda pair: (pair[0], inf)), st.just((-inf, inf))
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Event], int]:
    """Up to three writes, each known, unknown from a time on, or the platform's; a few reads."""
    versions = draw(st.integers(0, 3))
    writes = [
        Event(number, True, *draw(write_intervals))  # noqa: FBT003 - it is a write
        for number in range(1, versions + 1)
    ]
    reads = [
        Event(draw(st.integers(0, versions)), False, *draw(intervals))  # noqa: FBT003 - a read
        for _ in range(draw(st.integers(0, 6 - versions)))
    ]
    return [*writes, *reads], versions


@settings(max_examples=1000, deadline=None)
@given(histories())
def test_the_sweep_decides_as_a_search_through_all_orders_does(
    history: tuple[list[Event], int],
) -> None:
    events, versions = history
    assert swept(events, versions) == is_possible(events)


@given(histories())
def test_the_pair_that_it_shows_can_not_be(history: tuple[list[Event], int]) -> None:
    events, versions = history
    groups = [
        Version(None, [Sighting(e.start, e.end, n) for n, e in enumerate(events) if e.version == v])
        for v in range(versions + 1)
    ]
    found = contradiction(groups)
    if found:
        first, second = found
        assert events[first.call].version < events[second.call].version
        assert second.end < first.start
