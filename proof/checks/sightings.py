"""Who saw which version of which order, and when."""

from __future__ import annotations

from collections import defaultdict
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from proof.checks.evidence import Operation, Outcome
from proof.history import STAFF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proof.checks.evidence import Evidence, Told
    from proof.history import Json


class Sighting(NamedTuple):
    """The version was the order's at some time from `start` to `end`.

    A `start` before all time says no more than that it had been so by `end`: a replay, an
    eventually consistent list (until the run has settled), the feed, and all but the last entry
    of a timeline show what was.
    """

    start: float
    end: float
    call: int


Sightings = dict[str, dict[int, list[Sighting]]]
"""By order and version; 0 is before it was made."""


def sightings_of(evidence: Evidence) -> Sightings:
    found: defaultdict[str, defaultdict[int, list[Sighting]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for told in evidence.told:
        for order_id, version, is_current in _seen(evidence, told):
            start = told.call.start if is_current else -inf
            found[order_id][version].append(Sighting(start, told.call.end, told.id))
    return {order_id: dict(versions) for order_id, versions in found.items()}


def _seen(evidence: Evidence, told: Told) -> Iterator[tuple[str, int, bool]]:
    """Order, version, and whether it was read as it is."""
    if told.outcome is Outcome.REFUSED:
        yield from _seen_in_refusal(evidence, told)
    if told.outcome is not Outcome.DONE:
        return
    body: Json = told.body or {}
    match told.operation:
        case Operation.CREATE | Operation.UPDATE | Operation.GET:
            yield body["orderId"], body["version"], not told.is_replay
        case Operation.LIST_CUSTOMER | Operation.LIST_STATUS:
            is_current = told.call.query.get("consistent") == "true" or evidence.is_last(told)
            for item in body["items"]:
                yield item["orderId"], item["version"], is_current
        case Operation.TIMELINE:
            is_whole = body["nextCursor"] is None
            for entry in body["items"]:
                is_current = is_whole and entry is body["items"][-1]
                yield told.subject, entry["version"], is_current
        case Operation.FEED:
            for event in body["items"]:
                yield event["subject"], event["data"]["version"], False


def _seen_in_refusal(evidence: Evidence, told: Told) -> Iterator[tuple[str, int, bool]]:
    life = evidence.lives.get(told.subject)
    if life is None:
        return
    version: int | None = None
    match told.problem:
        case "precondition-failed":
            version = told.current_version
        case "illegal-transition":
            version = life.version_of((told.body or {}).get("currentStatus", ""))
        case "order-not-found" if told.call.caller in {STAFF, life.first["customerId"]}:
            version = 0
    if version is not None:
        yield life.order_id, version, True
