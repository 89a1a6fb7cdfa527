"""Each order passes through its statuses as the transition table has them, version by version."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from proof import oracle
from proof.checks.violations import Kind, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proof.checks.evidence import Evidence, Life

_FIXED: Final = [name for name, field in oracle.ORDER.items() if not field.changes]


def check_lives(evidence: Evidence) -> Iterator[Violation]:
    for life in evidence.lives.values():
        yield from _versions(life)
        yield from _statuses(life)
        yield from _facts(life)


def _versions(life: Life) -> Iterator[Violation]:
    versions = [image["version"] for image in life.images]
    told = f"order {life.order_id} went through versions {versions}"
    if len(set(versions)) < len(versions):
        yield Violation(Kind.VERSION_REPEATED, told, life.order_id)
    if set(versions) != set(range(1, max(versions) + 1)) or versions != sorted(versions):
        yield Violation(Kind.VERSION_SKIPPED, told, life.order_id)


def _statuses(life: Life) -> Iterator[Violation]:
    statuses = [image["status"] for image in life.images]
    legal = all(after in oracle.TRANSITIONS[before] for before, after in pairwise(statuses))
    if statuses[0] != oracle.FIRST_STATUS or not legal:
        told = f"order {life.order_id} went {' → '.join(statuses)}"
        yield Violation(Kind.ILLEGAL_TRANSITION, told, life.order_id)


def _facts(life: Life) -> Iterator[Violation]:
    if life.removed:
        detail = f"order {life.order_id} was deleted"
        yield Violation(Kind.ORDER_REMOVED, detail, life.order_id)
    for before, after in pairwise(life.images):
        altered = [name for name in _FIXED if before.get(name) != after.get(name)]
        if altered or after["updatedAt"] < before["updatedAt"]:
            what = ", ".join(altered) or "updatedAt, which ran back"
            detail = f"order {life.order_id} was altered at {after['version']}: {what}"
            yield Violation(Kind.ORDER_ALTERED, detail, life.order_id)
