"""Each timeline has every version once, and no answer shows another."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from prove.checks.evidence import Life, Operation, Outcome
from prove.checks.violations import Kind, Violation
from prove.history import STAFF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prove.checks.evidence import Evidence, Told
    from prove.history import Json


def check_timelines(evidence: Evidence) -> Iterator[Violation]:
    for life in (*evidence.lives.values(), *evidence.strays):
        yield from _rows(life)
    for told in evidence.told:
        if told.operation is Operation.TIMELINE and told.outcome is Outcome.DONE and told.body:
            life = evidence.lives.get(told.subject) or Life(told.subject)
            yield from _answer(told, told.body, life, is_last=evidence.is_last(told))
            yield from _secrecy(told, told.body, life)
    yield from _vanished(evidence)


def _rows(life: Life) -> Iterator[Violation]:
    expected = _entries(life)
    for version in expected.keys() - life.timeline.keys():
        detail = f"order {life.order_id} has no timeline entry for version {version}"
        yield Violation(Kind.TIMELINE_ENTRY_MISSING, detail, life.order_id)
    for version, row in life.timeline.items():
        if version not in expected:
            detail = f"order {life.order_id} has a timeline entry for {version}, which never was"
            yield Violation(Kind.TIMELINE_ENTRY_PHANTOM, detail, life.order_id)
        elif wrong := [name for name, value in expected[version].items() if row.get(name) != value]:
            detail = f"{life.order_id}'s timeline is wrong on {', '.join(wrong)} of {version}"
            yield Violation(Kind.TIMELINE_ENTRY_DIFFERS, detail, life.order_id)
    for version, writes in Counter(life.timeline_writes).items():
        if writes > 1:
            detail = f"{life.order_id}'s timeline entry for {version} was written {writes} times"
            yield Violation(Kind.TIMELINE_ENTRY_REWRITTEN, detail, life.order_id)


def _answer(told: Told, body: Json, life: Life, *, is_last: bool) -> Iterator[Violation]:
    """What holds for each answer, also while the timeline lags behind."""
    expected = _entries(life)
    versions = [entry["version"] for entry in body["items"]]
    for entry in body["items"]:
        known = expected.get(entry["version"], {"version": None})
        wrong = [name for name in entry.keys() & known.keys() if entry[name] != known[name]]
        if wrong:
            detail = f"a timeline answer is wrong on {', '.join(sorted(wrong))}"
            yield Violation(Kind.TIMELINE_ANSWER_WRONG, detail, life.order_id, (told.id,))
            return
    if versions != sorted(set(versions)):
        detail = f"a timeline answer lists versions {versions}"
        yield Violation(Kind.TIMELINE_ANSWER_WRONG, detail, life.order_id, (told.id,))
    elif is_last and "cursor" not in told.call.query:
        whole = sorted(expected)
        complete = versions == whole[: len(versions)] and bool(body["nextCursor"]) == (
            len(versions) < len(whole)
        )
        if not complete:
            detail = f"the last timeline answer has versions {versions} of {whole}"
            yield Violation(Kind.TIMELINE_ANSWER_INCOMPLETE, detail, life.order_id, (told.id,))


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


def _vanished(evidence: Evidence) -> Iterator[Violation]:
    """An entry that an answer showed is in every whole answer to a later call."""
    answers: defaultdict[str, list[Told]] = defaultdict(list)
    for told in evidence.told:
        if told.operation is Operation.TIMELINE and told.outcome is Outcome.DONE:
            answers[told.subject].append(told)
    for order_id, calls in answers.items():
        shown: dict[int, Told] = {}
        for told in sorted(calls, key=lambda each: each.call.end):
            for entry in (told.body or {})["items"]:
                shown.setdefault(entry["version"], told)
        for told in calls:
            body = told.body or {}
            if body["nextCursor"] or "cursor" in told.call.query:
                continue
            versions = {entry["version"] for entry in body["items"]}
            for version, before in shown.items():
                if before.call.end < told.call.start and version not in versions:
                    detail = f"the timeline entry for {version} was shown, and then was not"
                    pair = before.id, told.id
                    yield Violation(Kind.TIMELINE_ENTRY_VANISHED, detail, order_id, pair)
                    break


def _entries(life: Life) -> dict[int, Json]:
    """What the timeline has to be, by version; of one that was made twice, the first stays."""
    entries: dict[int, Json] = {}
    previous = None
    for image in life.images:
        entry = {
            "version": image["version"],
            "status": image["status"],
            "previousStatus": previous,
            "actor": image.get("actor"),
            "staffId": image.get("staffId"),
            "reason": image.get("reason"),
            "changedAt": image["updatedAt"],
        }
        entries.setdefault(image["version"], entry)
        previous = image["status"]
    return entries
