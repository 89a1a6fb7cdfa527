"""A walk through a list repeats nothing, skips nothing that was there, and keeps to its order."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from proof.checks.evidence import Operation
from proof.checks.pages import (
    Shown,
    Stretch,
    disorder,
    distinct,
    items_of,
    limit_of,
    runs,
    shortest,
    walks_of,
)
from proof.checks.violations import Kind, Violation
from proof.oracle import PAGE_SIZE, instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proof.checks.evidence import Evidence, Life, Told
    from proof.checks.sightings import Sighting, Sightings
    from proof.history import Json

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
    for walk in walks_of(evidence, Operation.LIST_CUSTOMER, Operation.LIST_STATUS):
        listing = Listing.of(walk[0])
        for page in walk:
            yield from _page(listing, page)
        shown = [
            Shown(item["orderId"], item["orderId"], page.id)
            for page in walk
            for item in items_of(page)
        ]
        faults = list(
            disorder(
                shown, Kind.WALK_REPEATS, Kind.WALK_UNSORTED, newest_first=listing.newest_first
            )
        )
        yield from faults or shortest(_skips(orders, listing, walk))


def _page(listing: Listing, page: Told) -> Iterator[Violation]:
    items, goes_on = items_of(page), (page.body or {})["nextCursor"] is not None
    for item in items:
        if not listing.takes(item) or listing.status not in {None, item["status"]}:
            detail = f"{item['orderId']} ({item['status']}) is not of this list"
            yield Violation(Kind.WALK_MISFIT, detail, item["orderId"], (page.id,))
    limit = limit_of(page, PAGE_SIZE)
    is_promised = "cursor" in page.call.query and listing.status is None
    if (
        len(items) > limit
        or (goes_on and len(items) < limit and not listing.is_filtered)
        or (is_promised and not items)
    ):
        detail = f"a page of {len(items)} where {limit} were asked for; it goes on: {goes_on}"
        yield Violation(Kind.PAGE_SIZE_WRONG, detail, None, (page.id,))


def _skips(orders: _Orders, listing: Listing, walk: Sequence[Told]) -> Iterator[Violation]:
    starts, ends = walk[0].call.start, max(page.call.end for page in walk)
    at_rest = orders.evidence.is_last(walk[0])
    stays = orders.stays[listing.status]
    # A consistent list shows whatever was there when its page was asked for.
    is_strict = listing.consistent and listing.status is None
    for run in runs(walk):
        stretch = _stretch(listing, run)
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
                showing = distinct(*(page.id for page in pages), *calls)
                yield Violation(Kind.WALK_SKIPS, detail, order_id, showing)


def _stretch(listing: Listing, run: Sequence[Told]) -> Stretch:
    shown = [(item["orderId"], index) for index, page in enumerate(run) for item in items_of(page)]
    first = 0 if "cursor" not in run[0].call.query else None
    last = len(run) - 1 if (run[-1].body or {})["nextCursor"] is None else None
    if listing.newest_first:
        return Stretch(run, shown[::-1], last, first)
    return Stretch(run, shown, first, last)


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


def _millisecond(text: str) -> str:
    """A bound as `createdAt` is written; a finer one is rounded up."""
    moment = datetime.fromisoformat(text).astimezone(UTC)
    finer = _FINER.search(text)
    return instant(moment + timedelta(milliseconds=1) if finer else moment)
