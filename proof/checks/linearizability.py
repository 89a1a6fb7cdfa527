"""Reads of an order show what it was at some moment between request and response.

An order's versions are totally ordered, so a history of reads and writes is linearizable exactly
if a point can be chosen in each one's interval such that the points stand in the order
w1 ≤ reads of 1 ≤ w2 ≤ reads of 2 …, where w1, w2 … are the writes. (Several reads of one version
may stand in any order.) Such points exist if and only if no later member of this order ended
before an earlier one started:

- If b comes after a and end(b) < start(a), then no points p(a) ≤ p(b) exist.
- If there is no such pair, let p(x) be the latest start among x and all that stand before x's
  version or write. These points never fall along the order, none is before its own start, and
  none is after its own end, since no earlier member started after that.

So one sweep with the latest start so far decides it, and finds a pair that can't be, where there
is one. It needs no search, which checking a register in general does.

A write's interval begins where the first call began that can have made it, and has no end: the
fresh response to such a call is a read of its version, and says when it had happened at the latest.
What the platform wrote by itself has neither. Every read is of one row: this is per order, and
says nothing of two orders together. The rows that a consistent list reads are the customer's, not
the order's own; a transaction writes both at once. (The emulators apply a transaction at once. AWS
promises that to a reader of one row, but of a query only that each row is committed.)
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, NamedTuple

from proof.checks.sightings import Sighting
from proof.checks.violations import Kind, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proof.checks.evidence import Evidence, Life
    from proof.checks.sightings import Sightings


class Version(NamedTuple):
    """A version's write, as far as it is known when it began, and its reads."""

    write: Sighting | None
    reads: Sequence[Sighting]


def contradiction(versions: Sequence[Version]) -> tuple[Sighting, Sighting] | None:
    """Two that can't be: the first has to come first, and started after the second ended."""
    latest = Sighting(-inf, inf, -1)
    for write, reads in versions:
        if write:
            if write.end < latest.start:
                return latest, write
            latest = max(latest, write)
        if reads:
            earliest = min(reads, key=lambda read: read.end)
            if earliest.end < latest.start:
                return latest, earliest
            latest = max(latest, *reads)
    return None


def check_linearizability(evidence: Evidence, sightings: Sightings) -> Iterator[Violation]:
    settled = evidence.history.settled
    for life in evidence.lives.values():
        seen = sightings.get(life.order_id, {})
        yield from _contradicted(evidence, life, seen)
        if settled is not None:
            yield from _stale_last_read(life, seen, settled)


def _contradicted(
    evidence: Evidence, life: Life, seen: dict[int, list[Sighting]]
) -> Iterator[Violation]:
    versions = [Version(None, seen.get(0, []))]
    numbers = []
    for image in life.images:
        number = image["version"]
        if number in numbers:
            continue
        numbers.append(number)
        made = evidence.makers(life, image)
        first = min(made, key=lambda told: told.call.start, default=None)
        write = Sighting(first.call.start, inf, first.id) if first else None
        versions.append(Version(write, seen.get(number, [])))
    found = contradiction(versions)
    if found is None:
        return
    earlier, later = found
    of = dict.fromkeys(seen.get(0, []), 0)
    of |= {sighting: number for number in numbers for sighting in seen.get(number, [])}
    number = of[later]
    pair = later.call, earlier.call
    if earlier in of:
        detail = (
            f"version {of[earlier]} of {life.order_id} was read from {earlier.start:.3f} on,"
            f" though {number} had been read by {later.end:.3f}"
        )
        yield Violation(Kind.STALE_READ, detail, life.order_id, pair)
    else:
        detail = (
            f"version {number} of {life.order_id} was read by {later.end:.3f}, before it, or one"
            f" before it, was asked for at {earlier.start:.3f}"
        )
        yield Violation(Kind.FUTURE_READ, detail, life.order_id, pair)


def _stale_last_read(
    life: Life, seen: dict[int, list[Sighting]], settled: float
) -> Iterator[Violation]:
    last = life.last["version"]
    for version, reads in seen.items():
        for read in reads:
            if read.start >= settled and version < last:
                detail = f"{life.order_id} was read at {version} when it rested at {last}"
                yield Violation(Kind.STALE_LAST_READ, detail, life.order_id, (read.call,))
                return
