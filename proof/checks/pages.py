"""What walks have in common, through lists and through the feed: their pages, and what these cover.

A skip is shown by the pages around it: from the one that holds the neighbor on one side (or the
beginning) to the one that holds the neighbor on the other (or the end), each going on where the one
before it stopped.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from proof.checks.evidence import Outcome
from proof.checks.violations import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proof.checks.evidence import Evidence, Told
    from proof.checks.violations import Kind
    from proof.history import Json


def walks_of(evidence: Evidence, *operations: str) -> Iterator[list[Told]]:
    """The pages of each walk, in their order; a page outside of a walk is one by itself."""
    walks: defaultdict[str, list[Told]] = defaultdict(list)
    for told in evidence.told:
        if told.operation in operations and told.outcome is Outcome.DONE:
            walks[f"walk {told.call.walk}" if told.call.walk else f"call {told.id}"].append(told)
    for pages in walks.values():
        yield sorted(pages, key=lambda page: page.id)


def items_of(page: Told) -> list[Json]:
    items: list[Json] = (page.body or {})["items"]
    return items


def limit_of(page: Told, default: int) -> int:
    return int(page.call.query.get("limit", default))


def runs(walk: Sequence[Told]) -> Iterator[list[Told]]:
    """Pages that each go on where the one before it stopped."""
    run = [walk[0]]
    for before, page in pairwise(walk):
        if page.call.query.get("cursor") != (before.body or {})["nextCursor"]:
            yield run
            run = []
        run.append(page)
    yield run


class Shown(NamedTuple):
    """A place in a list, the order that is shown there, and the page that shows it."""

    place: Any
    order_id: str
    page: int


def disorder(
    shown: Sequence[Shown], repeats: Kind, is_unsorted: Kind, *, newest_first: bool = False
) -> Iterator[Violation]:
    """The first place that comes again, and the first that comes too early."""
    seen: dict[Any, Shown] = {}
    for one in shown:
        if before := seen.get(one.place):
            detail = f"{one.place} comes twice in one walk"
            yield Violation(repeats, detail, one.order_id, distinct(before.page, one.page))
            break
        seen[one.place] = one
    for one, other in pairwise(shown):
        if one.place != other.place and (one.place < other.place) == newest_first:
            detail = f"{other.place} comes after {one.place}"
            yield Violation(is_unsorted, detail, other.order_id, distinct(one.page, other.page))
            break


class Stretch(NamedTuple):
    """What a run of pages covers; places are sorted, and pages named by their position in it."""

    run: Sequence[Told]
    shown: Sequence[tuple[Any, int]]
    """Places, and the page of each."""
    lowest: int | None
    """The page that shows that nothing is below; None where none does."""
    highest: int | None

    def missing(self, places: Sequence[Any]) -> Iterator[Any]:
        """Those of the places that lie in what is covered, and are not shown."""
        if not self.shown and None in {self.lowest, self.highest}:
            return
        low = 0 if self.lowest is not None else bisect_left(places, self.shown[0][0])
        high = len(places)
        if self.highest is None:
            high = bisect_right(places, self.shown[-1][0])
        shown = {place for place, _ in self.shown}
        yield from (place for place in places[low:high] if place not in shown)

    def around(self, place: Any) -> list[Told]:  # noqa: ANN401 - whatever sorts the list
        """The pages between which, or on which, the place should be shown."""
        index = bisect_left(self.shown, place, key=lambda each: each[0])
        below = self.shown[index - 1][1] if index else self.lowest
        above = self.shown[index][1] if index < len(self.shown) else self.highest
        first, last = sorted((below or 0, above or 0))
        return list(self.run[first : last + 1])


def shortest(skips: Iterable[Violation]) -> Iterator[Violation]:
    """The one that the fewest calls show, if there is one."""
    yield from sorted(skips, key=lambda skip: len(skip.calls))[:1]


def distinct(*calls: int | None) -> tuple[int, ...]:
    return tuple(dict.fromkeys(call for call in calls if call is not None))
