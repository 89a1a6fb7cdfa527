"""The feed shows each event once, in order, none that it should not show yet, and skips none.

Whoever polls it from cursor to cursor gets all that ever committed, though others commit
meanwhile. So a poller may never pass a place in the feed before an event that belongs there is in
it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from proof import oracle
from proof.checks.events import expected_events, is_one_of
from proof.checks.evidence import Operation
from proof.checks.pages import (
    Shown,
    Stretch,
    disorder,
    items_of,
    limit_of,
    runs,
    shortest,
    walks_of,
)
from proof.checks.violations import Kind, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from proof.checks.evidence import Evidence, Told
    from proof.history import Json

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
    places: Mapping[Place, Json]
    """In their order."""
    sent: Mapping[str, bytes]


def check_feed(evidence: Evidence) -> Iterator[Violation]:
    events = expected_events(evidence)
    places = {Place.of(event): event for same in events.values() for event in same[:1]}
    sent = {
        str(event.get("id")): msgspec.json.encode(event) for event in evidence.history.published
    }
    expected = Expected(events, {place: places[place] for place in sorted(places)}, sent)
    for walk in walks_of(evidence, Operation.FEED):
        for page in walk:
            yield from _page(evidence, expected, page)
        shown = [
            Shown(Place.of(event), event["subject"], page.id)
            for page in walk
            for event in items_of(page)
        ]
        faults = list(disorder(shown, Kind.FEED_REPEATS, Kind.FEED_UNSORTED))
        yield from faults or shortest(
            skip for run in runs(walk) for skip in _skips(evidence, expected, run)
        )


def reached_the_end(evidence: Evidence, page: Told) -> bool:
    """Whether the page says that nothing is behind its cursor, when all that committed is old."""
    settled = evidence.history.settled
    return (
        settled is not None
        and page.call.start >= settled + evidence.history.feed_delay
        and not items_of(page)
        and (page.body or {})["nextCursor"] == page.call.query.get("cursor")
    )


def _page(evidence: Evidence, expected: Expected, page: Told) -> Iterator[Violation]:
    limit = limit_of(page, oracle.FEED_PAGE_SIZE)
    if len(items_of(page)) > limit:
        detail = f"a page of {len(items_of(page))} events where {limit} were asked for"
        yield Violation(Kind.PAGE_SIZE_WRONG, detail, None, (page.id,))
    ended = evidence.history.began + page.call.end + _CLOCKS
    for event in items_of(page):
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
        yield Kind.EVENT_CHANGED, "is shown with other bytes than it was sent"


def _belongs(event: Json, page: Told) -> bool:
    query = page.call.query
    since, until = query.get("recordedFrom", ""), query.get("recordedTo", "~")
    return query.get("type") in {None, event["type"]} and since <= event["time"] < until


def _skips(evidence: Evidence, expected: Expected, run: Sequence[Told]) -> Iterator[Violation]:
    shown = [(Place.of(event), index) for index, page in enumerate(run) for event in items_of(page)]
    begins = 0 if "cursor" not in run[0].call.query else None
    end = next((i for i, page in enumerate(run) if reached_the_end(evidence, page)), None)
    stretch = Stretch(run, shown, begins, end)
    for place in stretch.missing(list(expected.places)):
        event = expected.places[place]
        if _belongs(event, run[0]):
            calls = tuple(page.id for page in stretch.around(place))
            detail = f"event {event['id']} is not in the feed, which goes on behind it"
            yield Violation(Kind.FEED_SKIPS, detail, event["subject"], calls)
