"""Each function has every right that it needs, and no other.

All calls of a session's tests are recorded, and these tests come last. Alone they have the calls of
the marked traffic, which makes every function do what it can do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from system.rights import granted, used_by_lambda, without

if TYPE_CHECKING:
    from collections.abc import Iterable

    from system.deployment import Deployment
    from system.marked_traffic import MarkedTraffic
    from system.recorded_calls import Call
    from system.rights import Right


@pytest.fixture(scope="module")
def rights(deployment: Deployment) -> list[Right]:
    return granted(deployment)


@pytest.fixture(scope="module")
def by_lambda(deployment: Deployment) -> set[Right]:
    return used_by_lambda(deployment)


@pytest.fixture(scope="module")
def calls(
    deployment: Deployment, traffic: MarkedTraffic, rights: list[Right], by_lambda: set[Right]
) -> list[Call]:
    """Those of the whole session."""
    assert traffic.request_ids
    calls = deployment.calls.since(0)
    themselves = used(calls, rights)
    print(
        f"\nRights: {len(rights)} of {len(deployment.functions)} functions, {len(themselves)} used"
        f" by themselves, {len(by_lambda - themselves)} by Lambda alone"
    )
    return calls


def called(calls: Iterable[Call], rights: list[Right]) -> set[Right]:
    """What was called for, as the right that covers it where there is one."""
    return {
        next((right for right in rights if right.covers(need)), need)
        for call in calls
        for need in call.needs
    }


def used(calls: Iterable[Call], rights: list[Right]) -> set[Right]:
    return called((call for call in calls if not call.denied), rights)


def test_functions_call_nothing_that_their_roles_do_not_allow(
    calls: list[Call], rights: list[Right]
) -> None:
    missing = called(calls, rights) - set(rights)
    assert not missing, f"allow these in infra/: {[*map(str, missing)]}"


def test_roles_allow_nothing_that_neither_the_function_nor_lambda_for_it_uses(
    calls: list[Call], rights: list[Right], by_lambda: set[Right]
) -> None:
    unused = set(rights) - used(calls, rights) - by_lambda
    assert not unused, f"remove these in infra/, or let a test use them: {[*map(str, unused)]}"


def test_a_function_is_denied_what_it_has_no_right_to_and_fails(
    deployment: Deployment, traffic: MarkedTraffic, calls: list[Call], rights: list[Right]
) -> None:
    with deployment.held_queue():
        for right in sorted(used(calls, rights)):
            attempts = traffic.exercise(right.function)
            before = len(deployment.calls)
            with without(deployment, right):
                failed = [attempt() for attempt in attempts]
            needs = [call.needs for call in deployment.calls.since(before) if call.denied]
            assert any(failed), f"{right} is not missed"
            assert needs, f"{right} is not enforced"
            others = [one for one in needs if not any(map(right.covers, one))]
            assert not others, f"without {right}, it is denied something else"
