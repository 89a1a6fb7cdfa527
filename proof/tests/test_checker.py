"""The checker finds nothing in a run that kept every promise, and names what another one broke."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from proof.checker import check
from proof.checks.violations import Kind
from proof.tests import histories
from proof.tests.histories.breaking import BROKEN, changed, history_of
from proof.tests.histories.whole import busy_world

if TYPE_CHECKING:
    from collections.abc import Collection

    from proof.history import History

for topic in pkgutil.iter_modules(histories.__path__):
    import_module(f"{histories.__name__}.{topic.name}")  # registers its histories


def kinds(history: History) -> set[Kind]:
    return {violation.kind for violation in check(history)}


def only(history: History, calls: Collection[int]) -> History:
    """The same aftermath, of these calls alone."""
    return changed(history, calls=[call for call in history.calls if call.id in calls])


def test_nothing_is_wrong_where_every_promise_was_kept() -> None:
    assert check(busy_world().history()) == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_history_is_named(name: str) -> None:
    _, expected = BROKEN[name]
    assert kinds(history_of(name)) == expected


def test_every_kind_of_violation_is_found_in_a_broken_history() -> None:
    named = {kind for _, expected in BROKEN.values() for kind in expected}
    assert named == set(Kind)
    print(f"\nChecker: {len(BROKEN)} broken histories, {len(Kind)} kinds of violation")


@pytest.mark.parametrize("name", BROKEN)
def test_the_calls_of_a_violation_show_it_alone_and_each_is_needed(name: str) -> None:
    history = history_of(name)
    for violation in check(history):
        assert violation.kind in kinds(only(history, violation.calls))
        for call in violation.calls:
            fewer = [each for each in violation.calls if each != call]
            assert violation.kind not in kinds(only(history, fewer))
