"""A timeline's responses show each version once, in order, as it was, and to nobody else.

That none is behind its order is decided with all other reads: see `linearizability`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proof.checks.events import events_of
from proof.checks.evidence import Life, Operation, Outcome
from proof.checks.pages import limit_of
from proof.checks.violations import Kind, Violation
from proof.history import STAFF
from proof.oracle import PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proof.checks.evidence import Evidence, Told
    from proof.history import Json


def check_timelines(evidence: Evidence) -> Iterator[Violation]:
    before: dict[tuple[str, str | None, str], Told] = {}
    for told in evidence.told:
        if told.operation != Operation.TIMELINE or told.outcome is not Outcome.DONE:
            continue
        body, walk = told.body or {}, (told.subject, told.call.walk)
        life = evidence.lives.get(told.subject) or Life(told.subject)
        yield from _contents(told, body, life)
        yield from _secrecy(told, body, life)
        yield from _size(told, body)
        yield from _order(told, body, before.get((*walk, told.call.query.get("cursor", ""))))
        if body["nextCursor"]:
            before[*walk, body["nextCursor"]] = told


def _contents(told: Told, body: Json, life: Life) -> Iterator[Violation]:
    entries = _entries(life)
    for entry in body["items"]:
        shown = {"actorId": None} | entry
        known = entries.get(entry["version"], [])
        if told.call.caller != STAFF:
            known = [each | {"actorId": shown["actorId"]} for each in known]
        if shown not in known:
            detail = (
                f"a timeline shows version {entry['version']} of {life.order_id} as it never was"
            )
            yield Violation(Kind.TIMELINE_WRONG, detail, life.order_id, (told.id,))
            return


def _secrecy(told: Told, body: Json, life: Life) -> Iterator[Violation]:
    caller = told.call.caller
    if caller == STAFF:
        return
    if life.images and life.first["customerId"] != caller:
        detail = f"{caller} was shown the timeline of {life.order_id}, which is somebody else's"
        yield Violation(Kind.FOREIGN_ORDER_SHOWN, detail, life.order_id, (told.id,))
    if any("actorId" in entry for entry in body["items"]):
        detail = f"{caller} was shown who of staff changed {life.order_id}"
        yield Violation(Kind.STAFF_MEMBER_SHOWN, detail, life.order_id, (told.id,))


def _size(told: Told, body: Json) -> Iterator[Violation]:
    limit, found = limit_of(told, PAGE_SIZE), len(body["items"])
    if found == 0 or found > limit or (body["nextCursor"] and found < limit):
        detail = f"a page of a timeline has {found} entries where {limit} were asked for"
        yield Violation(Kind.PAGE_SIZE_WRONG, detail, told.subject, (told.id,))


def _order(told: Told, body: Json, page_before: Told | None) -> Iterator[Violation]:
    """Versions follow each other without a gap, from the first, or from the page before."""
    versions = [entry["version"] for entry in body["items"]]
    if not versions:
        return
    first = versions[0]
    calls: tuple[int, ...] = (told.id,)
    if "cursor" not in told.call.query:
        first = 1
    elif page_before and versions == list(range(first, first + len(versions))):
        first = (page_before.body or {})["items"][-1]["version"] + 1
        calls = page_before.id, told.id
    if versions != list(range(first, first + len(versions))):
        detail = f"a timeline of {told.subject} shows versions {versions}, not from {first} on"
        yield Violation(Kind.TIMELINE_BROKEN, detail, told.subject, calls)


def _entries(life: Life) -> dict[int, list[Json]]:
    """What its timeline can show, by version: one each, in a life as it should be."""
    entries: dict[int, list[Json]] = {}
    for image, event in zip(life.images, events_of(life), strict=True):
        row = life.event(image)
        entry = {
            "version": image["version"],
            "status": image["status"],
            "previousStatus": event["data"].get("previousStatus"),
            "actor": row.get("actor"),
            "reason": image.get("reason"),
            "changedAt": image["updatedAt"],
            "actorId": row.get("staffId"),
        }
        entries.setdefault(image["version"], []).append(entry)
    return entries
