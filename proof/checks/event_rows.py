"""Each version of an order has its event as a row: written with it, once, and never changed."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from proof.checks.events import events_of
from proof.checks.violations import Kind, Violation
from proof.oracle import EVENT_DATA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proof.checks.evidence import Evidence, Life
    from proof.history import Commit, Json

_IN_DATA: Final = (*EVENT_DATA, "previousStatus", "reason")


def check_event_rows(evidence: Evidence) -> Iterator[Violation]:
    for life in (*evidence.lives.values(), *evidence.strays):
        yield from _rows(life)
    yield from _apart(evidence)


def _rows(life: Life) -> Iterator[Violation]:
    for version in sorted(life.rewritten):
        detail = f"the event row of {life.order_id} at {version} was changed or removed"
        yield Violation(Kind.EVENT_ROW_REWRITTEN, detail, life.order_id)
    expected: dict[int, list[Json]] = {}
    for event in events_of(life):
        expected.setdefault(event["data"]["version"], []).append(event)
    for version in expected.keys() - life.events.keys():
        detail = f"version {version} of {life.order_id} has no event row"
        yield Violation(Kind.EVENT_ROW_MISSING, detail, life.order_id)
    for version, rows in life.events.items():
        if version not in expected:
            detail = f"there is an event row of {life.order_id} at {version}, which never was"
            yield Violation(Kind.EVENT_ROW_PHANTOM, detail, life.order_id)
            continue
        for event, row in zip_longest(expected[version][: len(rows)], rows):
            if wrong := _differences(event or expected[version][-1], row):
                detail = f"event row {version} of {life.order_id} is wrong on {', '.join(wrong)}"
                yield Violation(Kind.EVENT_ROW_DIFFERS, detail, life.order_id)
                break


def _differences(event: Json, row: Json) -> list[str]:
    wanted = {name: event["data"].get(name) for name in _IN_DATA}
    wanted |= {"type": event["type"], "recordedAt": event["time"]}
    wrong = [name for name, value in wanted.items() if row.get(name) != value]
    if ("staffId" in row) != (row.get("actor") == "staff"):
        wrong.append("staffId")
    return wrong


def _apart(evidence: Evidence) -> Iterator[Violation]:
    """What one transaction wrote stands together: nobody else's commit is between.

    So it is in the emulator's stream, which has one shard; AWS doesn't promise that of its own.
    """
    commits = evidence.history.commits
    open_since: dict[tuple[str, int], int] = {}
    for place, commit in enumerate(commits):
        version = _version(commit)
        if version is None:
            continue
        began = open_since.pop((commit.pk, version), None)
        if began is None:
            open_since[commit.pk, version] = place
            continue
        order_id = commit.pk.removeprefix("ORDER#")
        strangers = [one for one in commits[began:place] if order_id not in f"{one.pk} {one.sk}"]
        if strangers:
            detail = f"version {version} of {order_id} and its event were not written together"
            yield Violation(Kind.EVENT_ROW_APART, detail, order_id)


def _version(commit: Commit) -> int | None:
    """Of an order, or of its event, as it is first written."""
    if commit.new is None or not commit.pk.startswith("ORDER#"):
        return None
    if commit.sk.startswith("EVENT#"):
        return None if commit.old else int(commit.new["version"])
    if commit.sk == "DETAIL":
        before = (commit.old or {}).get("version")
        return None if before == commit.new["version"] else int(commit.new["version"])
    return None
