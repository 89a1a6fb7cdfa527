"""The checker finds nothing in a run that kept every promise, and names what another one broke."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from proof.checker import check
from proof.checks.violations import Kind
from proof.tests.histories import (
    creates,
    events,
    feed,
    keys,
    lives,
    payments,
    reads,
    reports,
    responses,
    rows,
    timelines,
    updates,
    walks,
)
from proof.tests.histories.breaking import BROKEN, changed
from proof.tests.histories.whole import busy_world

if TYPE_CHECKING:
    from collections.abc import Collection

    from proof.history import History

TOPICS: Final = (
    responses,
    creates,
    events,
    feed,
    keys,
    lives,
    payments,
    reads,
    reports,
    rows,
    timelines,
    updates,
    walks,
)
"""They register their histories when they are imported."""


def kinds(history: History) -> set[Kind]:
    return {violation.kind for violation in check(history)}


def only(history: History, calls: Collection[int]) -> History:
    """The same aftermath, of these calls alone."""
    return changed(history, calls=[call for call in history.calls if call.id in calls])


def test_nothing_is_wrong_where_every_promise_was_kept() -> None:
    assert check(busy_world().history()) == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_history_is_named(name: str) -> None:
    history, expected = BROKEN[name]()
    assert kinds(history) == expected


def test_every_kind_of_violation_is_found_in_a_broken_history() -> None:
    named = {kind for make in BROKEN.values() for kind in make()[1]}
    assert named == set(Kind)
    print(f"\nChecker: {len(BROKEN)} broken histories, {len(Kind)} kinds of violation")


@pytest.mark.parametrize("name", BROKEN)
def test_the_calls_of_a_violation_show_it_alone_and_each_is_needed(name: str) -> None:
    history, _ = BROKEN[name]()
    for violation in check(history):
        assert violation.kind in kinds(only(history, violation.calls))
        for call in violation.calls:
            fewer = [each for each in violation.calls if each != call]
            assert violation.kind not in kinds(only(history, fewer))
