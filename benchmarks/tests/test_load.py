"""What `make load` counts, and what it fails for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.load.counting import CREATE, UPDATE, Left, Response, faults
from benchmarks.load.report import lines, values, verdicts
from benchmarks.load.run import BURST, BUSY, LIGHT, Outcome

if TYPE_CHECKING:
    from benchmarks.load.run import Profile

ROUTE = "GET /orders/{orderId}"


def response(route: str, status: int, **of: Any) -> Response:  # noqa: ANN401 - its fields
    return Response(route=route, status=status, **of)


RESPONSES = [
    response(CREATE, 201, key="1", order_id="a", version=1),
    response(UPDATE, 200, key="2", order_id="a", version=2),
    response(CREATE, 201, key="3", order_id="b", version=1, paid_by_platform=True),
    response(ROUTE, 200),
]
"""Order `a` was changed by its client; `b` was paid by the platform."""

EVENTS = ["a/1", "a/2", "b/1", "b/2"]
LEFT = Left({"a": 2, "b": 2}, ["a", "b"], EVENTS, EVENTS, dead_letters=0)
STRANGER = Left(
    LEFT.orders | {"c": 1}, ["a", "b", "c"], [*EVENTS, "c/1"], [*EVENTS, "c/1"], dead_letters=0
)
UNCHANGED = Left(
    {"a": 1, "b": 2}, ["a", "b"], ["a/1", "b/1", "b/2"], ["a/1", "b/1", "b/2"], dead_letters=0
)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (LEFT._replace(orders={"b": 2}), "order a was created, and is not in the table"),
        (UNCHANGED, "order a has version 1 in the table, 2 by its responses"),
        (LEFT._replace(listed=["b"]), "a customer's list has no a"),
        (LEFT._replace(listed=["a", "b", "b"]), "a customer's list has b, 2 times"),
        (LEFT._replace(timeline=EVENTS[1:]), "a timeline has no a/1"),
        (LEFT._replace(timeline=[*EVENTS, "a/2"]), "a timeline has a/2, 2 times"),
        (LEFT._replace(timeline=[*EVENTS, "a/3"]), "a timeline has a/3, which never was"),
        (LEFT._replace(published=EVENTS[:-1]), "the queue got no b/2"),
        (LEFT._replace(published=[*EVENTS, "c/1"]), "the queue got c/1, which never was"),
        (LEFT._replace(dead_letters=2), "2 dead letters"),
        (STRANGER, "the table has 1 orders that nobody was told of, 0 may be"),
        (
            LEFT._replace(orders={"a": 2, "b": 1}, timeline=EVENTS[:-1], published=EVENTS[:-1]),
            "order b has version 1 in the table, 2 by its responses",
        ),
    ],
)
def test_what_is_lost_or_doubled_is_a_fault(left: Left, said: str) -> None:
    assert said in faults(RESPONSES, left)


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ([], LEFT),
        ([], LEFT._replace(published=[*EVENTS, "a/1"])),
        ([response(CREATE, 503, key="1")], LEFT),
        *(([response(CREATE, status, key="4")], LEFT) for status in (0, 502, 503, 504)),
        *(([response(CREATE, status, key="4")], STRANGER) for status in (0, 502, 503, 504)),
    ],
)
def test_what_may_have_happened_is_no_fault(more: list[Response], left: Left) -> None:
    assert faults([*more, *RESPONSES], left) == []


def test_an_update_without_a_response_may_have_been_carried_out_or_not() -> None:
    unanswered = response(UPDATE, 503, key="2", order_id="a")
    responses = [one if one.route != UPDATE else unanswered for one in RESPONSES]

    assert faults(responses, LEFT) == faults(responses, UNCHANGED) == []


@pytest.mark.parametrize("more", [response(CREATE, 503, key="1"), response(CREATE, 422, key="4")])
def test_a_create_whose_end_is_known_explains_no_further_order(more: Response) -> None:
    assert faults([more, *RESPONSES], STRANGER) != []


NOTHING = Left({}, [], [], [], dead_letters=0)


def outcome(
    profile: Profile = LIGHT, *more: Response, own_ms: float = 10, client_ms: int = 30,
    known: int = 100, left: Left = NOTHING,
) -> Outcome:  # fmt: skip
    """A hundred requests that succeeded, and some more."""
    times: dict[str, list[float]] = dict.fromkeys((ROUTE, "Aggregated"), [client_ms] * 3)
    responses = [*[response(ROUTE, 200)] * 100, *more]
    return Outcome(profile, responses, times, {ROUTE: [own_ms] * known}, left)


def test_a_load_in_which_all_holds_passes() -> None:
    outcomes = [outcome(profile) for profile in (LIGHT, BUSY, BURST)]

    assert verdicts(outcomes) == []
    assert values(outcomes)["light"] == {"own_p95_ms": 10, "failed": {}, "lost_or_doubled": 0}
    text = list(lines(outcomes))
    assert text.count(f"| {ROUTE} | 100 | 30 | 30 | 30 | 10 | 10 | 10 |") == 3
    assert text.count("| **all** | 100 | 30 | 30 | 30 | 10 | 10 | 10 |") == 3
    assert text[-1] == "- All of it held."


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            outcome(own_ms=50),
            "light: p95 of the functions' own time is 50.0 ms, not below 50 ms",
        ),
        (outcome(client_ms=300), f"light: p95 of {ROUTE} is 300 ms, not below 300 ms"),
        (outcome(known=90), "light: the functions' own time is known of 90 of 100 requests"),
        (outcome(BUSY, response(ROUTE, 503)), "busy: 1 requests failed with status 503"),
        (outcome(BUSY, response(ROUTE, 0)), "busy: 1 requests failed with no response"),
        (outcome(BURST, response(ROUTE, 500)), "burst: 1 requests failed with status 500"),
        (
            outcome(BURST, left=Left({"a": 1}, ["a"], [], [], 0)),
            "burst: a timeline has no a/1",
        ),
    ],
)
def test_what_must_not_be_fails_the_load_and_is_said(found: Outcome, said: str) -> None:
    assert said in verdicts([found])
    assert f"- {said}" in list(lines([found]))


@pytest.mark.parametrize(
    "found",
    [
        outcome(BUSY, own_ms=50, client_ms=300),
        outcome(BURST, response(ROUTE, 503), own_ms=50, client_ms=300),
    ],
)
def test_heavier_loads_may_be_slow_and_the_burst_may_turn_requests_away(found: Outcome) -> None:
    assert verdicts([found]) == []
