"""A walk through a list repeats nothing, skips nothing that was there, and keeps to its order.

A skip is shown by the pages around it: from the one that holds the order's neighbour on one side
(or begins the list) to the one that holds the other (or ends it), each going on where the one
before it stopped.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from proof.checks.evidence import Operation, Outcome
from proof.checks.violations import Kind, Violation
from proof.oracle import instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proof.checks.evidence import Evidence, Life, Told
    from proof.checks.sightings import Sighting, Sightings
    from proof.history import Json

_DEFAULT_LIMIT: Final = "20"
_FINER: Final = re.compile(r"\.\d{3}0*[1-9]")
"""A fraction of a second that milliseconds can't tell."""


class Stay(NamedTuple):
    """An order in a status, or there at all: surely so from `known` until `until`.

    The calls say so; one that is None is not needed. `rests`: it did not leave any more.
    """

    known: float
    known_by: int | None
    until: float
    until_by: int | None
    rests: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """One list, as its query describes it."""

    operation: str
    customer_id: str
    status: str | None
    newest_first: bool
    consistent: bool
    created_from: str
    created_to: str

    @classmethod
    def of(cls, told: Told) -> Listing:
        query = told.call.query
        return cls(
            told.operation,
            told.subject,
            query.get("status"),
            query.get("sort", "-createdAt") == "-createdAt",
            query.get("consistent") == "true",
            _millisecond(query["createdFrom"]) if "createdFrom" in query else "",
            _millisecond(query["createdTo"]) if "createdTo" in query else "~",
        )

    @property
    def is_filtered(self) -> bool:
        """Pages of a customer's list by status may be short."""
        return self.operation == Operation.LIST_CUSTOMER and self.status is not None

    def takes(self, order: Json) -> bool:
        return (
            self.customer_id in {"", order["customerId"]}
            and self.created_from <= order["createdAt"] < self.created_to
        )


def check_walks(evidence: Evidence, sightings: Sightings) -> Iterator[Violation]:
    orders = _Orders(evidence, sightings)
    for walk in _walks(evidence):
        listing = Listing.of(walk[0])
        for page in walk:
            yield from _page(listing, page)
        order_faults = list(_order(listing, walk))
        yield from order_faults
        if not order_faults:
            skips = _skips(orders, listing, walk)
            shortest = min(skips, key=lambda skip: len(skip.calls), default=None)
            if shortest:
                yield shortest


def _walks(evidence: Evidence) -> Iterator[list[Told]]:
    """The answered pages of each walk; a page outside of a walk is one by itself."""
    walks: defaultdict[str, list[Told]] = defaultdict(list)
    for told in evidence.told:
        if (
            told.operation in {Operation.LIST_CUSTOMER, Operation.LIST_STATUS}
            and told.outcome is Outcome.DONE
        ):
            walks[f"walk {told.call.walk}" if told.call.walk else f"call {told.id}"].append(told)
    for pages in walks.values():
        yield sorted(pages, key=lambda page: page.id)


def _items(page: Told) -> list[Json]:
    items: list[Json] = (page.body or {})["items"]
    return items


def _page(listing: Listing, page: Told) -> Iterator[Violation]:
    items, goes_on = _items(page), (page.body or {})["nextCursor"] is not None
    for item in items:
        if not listing.takes(item) or listing.status not in {None, item["status"]}:
            detail = f"{item['orderId']} ({item['status']}) is not of this list"
            yield Violation(Kind.WALK_MISFIT, detail, item["orderId"], (page.id,))
    limit = int(page.call.query.get("limit", _DEFAULT_LIMIT))
    is_promised = "cursor" in page.call.query and listing.status is None
    if (
        len(items) > limit
        or (goes_on and len(items) < limit and not listing.is_filtered)
        or (is_promised and not items)
    ):
        detail = f"a page of {len(items)} where {limit} were asked for; it goes on: {goes_on}"
        yield Violation(Kind.PAGE_SIZE_WRONG, detail, None, (page.id,))


def _order(listing: Listing, walk: Sequence[Told]) -> Iterator[Violation]:
    """The first order that comes again, and the first that comes too early."""
    items = [(item["orderId"], page.id) for page in walk for item in _items(page)]
    seen: dict[str, int] = {}
    for order_id, page in items:
        if order_id in seen:
            detail = f"{order_id} comes twice in one walk"
            yield Violation(Kind.WALK_REPEATS, detail, order_id, _distinct(seen[order_id], page))
            break
        seen[order_id] = page
    for (one, its_page), (other, other_page) in pairwise(items):
        if one != other and (one < other) == listing.newest_first:
            detail = f"{other} comes after {one}"
            pages = _distinct(its_page, other_page)
            yield Violation(Kind.WALK_UNSORTED, detail, other, pages)
            break


def _skips(orders: _Orders, listing: Listing, walk: Sequence[Told]) -> Iterator[Violation]:
    starts, ends = walk[0].call.start, max(page.call.end for page in walk)
    at_rest = orders.evidence.is_last(walk[0])
    stays = orders.stays[listing.status]
    # A consistent list shows whatever was there when its page was asked for.
    is_strict = listing.consistent and listing.status is None
    for run in runs(walk):
        stretch = _Stretch(listing, run)
        for order_id in stretch.missing(orders.ids_of(listing)):
            stay = stays.get(order_id)
            if stay is None or not (stay.rests if at_rest else stay.known < ends < stay.until):
                continue
            if not listing.takes(orders.evidence.lives[order_id].first):
                continue
            pages = stretch.around(order_id)
            known_before = pages[-1].call.start if is_strict else starts
            if at_rest or stay.known < known_before:
                calls = () if at_rest else (stay.known_by, stay.until_by)
                detail = f"{order_id} was there all the time and is not in the walk"
                showing = _distinct(*(page.id for page in pages), *calls)
                yield Violation(Kind.WALK_SKIPS, detail, order_id, showing)


def runs(walk: Sequence[Told]) -> Iterator[list[Told]]:
    """Pages that each go on where the one before it stopped."""
    run = [walk[0]]
    for before, page in pairwise(walk):
        if page.call.query.get("cursor") != (before.body or {})["nextCursor"]:
            yield run
            run = []
        run.append(page)
    yield run


class _Stretch:
    """What a run of pages covers, oldest first."""

    def __init__(self, listing: Listing, run: list[Told]) -> None:
        begins = "cursor" not in run[0].call.query
        ends = (run[-1].body or {})["nextCursor"] is None
        found = [
            (item["orderId"], index) for index, page in enumerate(run) for item in _items(page)
        ]
        if listing.newest_first:
            found.reverse()
        self._run = run
        self._ids = [order_id for order_id, _ in found]
        self._pages = [index for _, index in found]
        self._edges = (len(run) - 1, 0) if listing.newest_first else (0, len(run) - 1)
        self._open = (ends, begins) if listing.newest_first else (begins, ends)

    def missing(self, ids: Sequence[str]) -> Iterator[str]:
        """Those of the sorted ids that lie in what is covered, and are not shown."""
        is_open_below, is_open_above = self._open
        if not self._ids and not (is_open_below and is_open_above):
            return
        low = 0 if is_open_below else bisect_left(ids, self._ids[0])
        high = len(ids) if is_open_above else bisect_right(ids, self._ids[-1])
        shown = set(self._ids)
        for order_id in ids[low:high]:
            if order_id not in shown:
                yield order_id

    def around(self, order_id: str) -> list[Told]:
        """The pages between which, or on which, the order should be."""
        place = bisect_left(self._ids, order_id)
        below = self._pages[place - 1] if place else self._edges[0]
        above = self._pages[place] if place < len(self._ids) else self._edges[1]
        return self._run[min(below, above) : max(below, above) + 1]


class _Orders:
    """Every order that walks can meet, and what is sure of its stays."""

    def __init__(self, evidence: Evidence, sightings: Sightings) -> None:
        self.evidence = evidence
        self.stays: defaultdict[str | None, dict[str, Stay]] = defaultdict(dict)
        """By status (None: there at all) and order."""
        self._ids = sorted(evidence.lives)
        self._of_customer: defaultdict[str, list[str]] = defaultdict(list)
        for order_id in self._ids:
            life = evidence.lives[order_id]
            self._of_customer[life.first["customerId"]].append(order_id)
            self._add_stays(life, sightings.get(order_id, {}))

    def ids_of(self, listing: Listing) -> list[str]:
        return self._of_customer[listing.customer_id] if listing.customer_id else self._ids

    def _add_stays(self, life: Life, seen: dict[int, list[Sighting]]) -> None:
        versions = {image["version"]: image for image in life.images}
        first_seen = {
            version: min(reads, key=lambda read: read.end)
            for version, reads in seen.items()
            if version
        }
        if first_seen:
            first = min(first_seen.values(), key=lambda read: read.end)
            self.stays[None][life.order_id] = Stay(first.end, first.call, inf, None, rests=True)
        else:
            self.stays[None][life.order_id] = Stay(inf, None, inf, None, rests=True)
        for version, image in versions.items():
            if life.version_of(image["status"]) != version:
                continue
            read = first_seen.get(version)
            known, known_by = (read.end, read.call) if read else (inf, None)
            until, until_by = inf, None
            following = versions.get(version + 1)
            if following:
                made = self.evidence.makers(life, following)
                call = min(made, key=lambda told: told.call.start, default=None)
                until, until_by = (call.call.start, call.id) if call else (-inf, None)
            rests = image is life.last
            stay = Stay(known, known_by, until, until_by, rests=rests)
            self.stays[image["status"]][life.order_id] = stay


def _distinct(*calls: int | None) -> tuple[int, ...]:
    return tuple(dict.fromkeys(call for call in calls if call is not None))


def _millisecond(text: str) -> str:
    """A bound as `createdAt` is written; a finer one is rounded up."""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    finer = _FINER.search(text)
    return instant(moment + timedelta(milliseconds=1) if finer else moment)
