"""The feed shows each event once, in order, none that it should not show yet, and skips none.

Whoever polls it from cursor to cursor gets all that ever committed, though others commit
meanwhile. A skip is shown by the pages around it: from the one that holds the event before it (or
begins the feed) to the one that holds the event behind it (or ends the feed), each going on where
the one before it stopped. So no place in the feed may ever be passed by a poller before an event
that belongs there is in it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from proof.checks.events import expected_events, is_one_of
from proof.checks.evidence import Operation, Outcome
from proof.checks.violations import Kind, Violation
from proof.checks.walks import runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from proof.checks.evidence import Evidence, Told
    from proof.history import Json

_DEFAULT_LIMIT: Final = "100"
_CLOCKS: Final = 0.5
"""Seconds by which two clocks of one machine may part in a run."""


class Place(NamedTuple):
    """Where an event stands in the feed."""

    recorded_at: str
    order_id: str
    version: int

    @classmethod
    def of(cls, event: Json) -> Place:
        return cls(event["time"], event["subject"], event["data"]["version"])


class Expected(NamedTuple):
    """What committed, by ids and by places, and as the queue got it, by ids."""

    events: Mapping[str, list[Json]]
    places: Sequence[tuple[Place, Json]]
    sent: Mapping[str, bytes]


def check_feed(evidence: Evidence) -> Iterator[Violation]:
    events = expected_events(evidence)
    places = sorted(
        ((Place.of(event), event) for same in events.values() for event in same[:1]),
        key=lambda each: each[0],
    )
    sent = {
        str(event.get("id")): msgspec.json.encode(event) for event in evidence.history.published
    }
    expected = Expected(events, places, sent)
    for walk in _walks(evidence):
        for page in walk:
            yield from _page(evidence, expected, page)
        order_faults = list(_order(walk))
        yield from order_faults
        if not order_faults:
            skips = [skip for run in runs(walk) for skip in _skips(evidence, expected, run)]
            shortest = min(skips, key=lambda skip: len(skip.calls), default=None)
            if shortest:
                yield shortest


def reached_the_end(evidence: Evidence, page: Told) -> bool:
    """Whether the page says that nothing is behind its cursor, when all that committed is old."""
    settled = evidence.history.settled
    return (
        settled is not None
        and page.call.start >= settled + evidence.history.feed_delay
        and not _items(page)
        and (page.body or {})["nextCursor"] == page.call.query.get("cursor")
    )


def _walks(evidence: Evidence) -> Iterator[list[Told]]:
    """The answered pages of each walk, in their order."""
    walks: defaultdict[str | None, list[Told]] = defaultdict(list)
    for told in evidence.told:
        if told.operation == Operation.FEED and told.outcome is Outcome.DONE:
            walks[told.call.walk].append(told)
    for pages in walks.values():
        yield sorted(pages, key=lambda page: page.id)


def _items(page: Told) -> list[Json]:
    items: list[Json] = (page.body or {})["items"]
    return items


def _page(evidence: Evidence, expected: Expected, page: Told) -> Iterator[Violation]:
    limit = int(page.call.query.get("limit", _DEFAULT_LIMIT))
    if len(_items(page)) > limit:
        detail = f"a page of {len(_items(page))} events where {limit} were asked for"
        yield Violation(Kind.PAGE_SIZE_WRONG, detail, None, (page.id,))
    ended = evidence.history.began + page.call.end + _CLOCKS
    for event in _items(page):
        name = event["id"]
        for kind, what in _faults(expected, event, page):
            yield Violation(kind, f"event {name} {what}", event["subject"], (page.id,))
        age = ended - datetime.fromisoformat(event["time"]).timestamp()
        if age < evidence.history.feed_delay:
            detail = f"event {name} was shown at an age of {age:.3f} s at most"
            yield Violation(Kind.FEED_TOO_EARLY, detail, event["subject"], (page.id,))


def _faults(expected: Expected, event: Json, page: Told) -> Iterator[tuple[Kind, str]]:
    name = event["id"]
    if not _belongs(event, page):
        yield Kind.FEED_MISFIT, "is not what was asked for"
    if name not in expected.events:
        yield Kind.FEED_PHANTOM, "is shown, and tells of what never committed"
    elif not is_one_of(event, expected.events[name]):
        yield Kind.FEED_DIFFERS, f"is not shown as it committed: {event}"
    elif expected.sent.get(name, b"") not in {b"", msgspec.json.encode(event)}:
        yield Kind.EVENT_CHANGED, "is shown in other words than it was sent"


def _belongs(event: Json, page: Told) -> bool:
    query = page.call.query
    since, until = query.get("recordedFrom", ""), query.get("recordedTo", "~")
    return query.get("type") in {None, event["type"]} and since <= event["time"] < until


def _order(walk: Sequence[Told]) -> Iterator[Violation]:
    """The first event that comes again, and the first that comes too early."""
    shown = [(Place.of(event), page.id) for page in walk for event in _items(page)]
    seen: dict[Place, int] = {}
    for place, page in shown:
        if place in seen:
            detail = f"event {place.order_id}/{place.version} comes twice in one walk"
            calls = tuple(dict.fromkeys((seen[place], page)))
            yield Violation(Kind.FEED_REPEATS, detail, place.order_id, calls)
            break
        seen[place] = page
    for (one, its_page), (other, other_page) in pairwise(shown):
        if other < one:
            detail = f"event {other.order_id}/{other.version} comes after one recorded later"
            calls = tuple(dict.fromkeys((its_page, other_page)))
            yield Violation(Kind.FEED_UNSORTED, detail, other.order_id, calls)
            break


class _Shown(NamedTuple):
    """A place that a run of pages shows, and on which of them, by its position in the run."""

    place: Place
    page: int


def _skips(evidence: Evidence, expected: Expected, run: Sequence[Told]) -> Iterator[Violation]:
    shown = [
        _Shown(Place.of(event), index) for index, page in enumerate(run) for event in _items(page)
    ]
    begins = "cursor" not in run[0].call.query
    end = next((i for i, page in enumerate(run) if reached_the_end(evidence, page)), None)
    if not shown and not (begins and end is not None):
        return
    low = 0 if begins else bisect_left(expected.places, shown[0].place, key=lambda each: each[0])
    high = len(expected.places)
    if end is None:
        high = bisect_right(expected.places, shown[-1].place, key=lambda each: each[0])
    places = [each.place for each in shown]
    present = set(places)
    for place, event in expected.places[low:high]:
        if place in present or not _belongs(event, run[0]):
            continue
        behind = bisect_left(places, place)
        first = shown[behind - 1].page if behind else 0
        last = shown[behind].page if behind < len(shown) else end or 0
        calls = tuple(page.id for page in run[first : last + 1])
        detail = f"event {event['id']} is not in the feed, which goes on behind it"
        yield Violation(Kind.FEED_SKIPS, detail, event["subject"], calls)
