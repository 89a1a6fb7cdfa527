"""What `make load` notices when it counts."""

from __future__ import annotations

import dataclasses
from functools import partial

import msgspec
import pytest

from benchmarks.load.counting import Change, Left, counts, faults
from benchmarks.load.responses import CREATE, UPDATE, Response


def response(**of: object) -> Response:
    about = {"at": 0.0, "milliseconds": 1.0, "request_id": "r"} | of
    return msgspec.convert(about, Response)


RESPONSES = [
    response(route=CREATE, status=201, key="1", order_id="a", version=1),
    response(route=UPDATE, status=200, key="2", order_id="a", version=2),
    response(route=CREATE, status=201, key="3", order_id="b", version=1, paid_by_platform=True),
    response(route="GET /orders/{orderId}", status=200),
]
"""Order `a` was changed by its client; `b` was paid by the platform."""

CHANGES = [Change("a", 1), Change("a", 2), Change("b", 1), Change("b", 2)]
KEPT = Left(
    orders={"a": 2, "b": 2}, listed=["a", "b"], timeline=CHANGES, events=CHANGES, dead_letters=0
)


left = partial(dataclasses.replace, KEPT)


def with_order(order: str) -> Left:
    """One more, whole in itself."""
    return left(
        orders=KEPT.orders | {order: 1},
        listed=[*KEPT.listed, order],
        timeline=[*CHANGES, Change(order, 1)],
        events=[*CHANGES, Change(order, 1)],
    )


def without_change() -> Left:
    """The change of `a` is nowhere, but for its response."""
    changes = [change for change in CHANGES if change != Change("a", 2)]
    return left(orders={"a": 1, "b": 2}, timeline=changes, events=changes)


def test_what_agrees_is_no_fault() -> None:
    assert faults(RESPONSES, KEPT) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (left(orders={"b": 2}), "order a was answered, and is not in the table"),
        (without_change(), "order a has version 1 in the table, 2 by its responses"),
        (left(listed=["b"]), "a customer's list has no a"),
        (left(listed=["a", "b", "b"]), "a customer's list has b, 2 times"),
        (left(timeline=CHANGES[1:]), "a timeline has no a/1"),
        (left(timeline=[*CHANGES, CHANGES[1]]), "a timeline has a/2, 2 times"),
        (left(timeline=[*CHANGES, Change("a", 3)]), "a timeline has a/3, which never was"),
        (left(events=CHANGES[:-1]), "the queue got no b/2"),
        (left(events=[*CHANGES, Change("c", 1)]), "the queue got c/1, which never was"),
        (left(dead_letters=2), "2 dead letters"),
        (with_order("c"), "the table has 1 orders that nobody was told of, 0 may be"),
    ],
)
def test_what_is_lost_or_doubled_is_said(found: Left, said: str) -> None:
    assert said in faults(RESPONSES, found)


def test_a_payment_that_the_platform_did_not_make_is_a_fault() -> None:
    unpaid = left(orders={"a": 2, "b": 1}, timeline=CHANGES[:-1], events=CHANGES[:-1])
    assert faults(RESPONSES, unpaid) == ["order b has version 1 in the table, 2 by its responses"]


def test_an_event_may_be_sent_again() -> None:
    again = left(events=[*CHANGES, CHANGES[0]])
    assert faults(RESPONSES, again) == []
    assert counts(RESPONSES, again)["events sent again"] == 1


@pytest.mark.parametrize("status", [0, 502, 503, 504])
def test_a_creation_that_never_got_its_response_may_have_made_one_order(status: int) -> None:
    responses = [
        *RESPONSES,
        response(route=CREATE, status=status, key="4"),
        response(route=CREATE, status=503, key="4"),
    ]
    assert faults(responses, KEPT) == []
    assert faults(responses, with_order("c")) == []
    two = dataclasses.replace(with_order("c"), orders=KEPT.orders | {"c": 1, "d": 1})
    assert "the table has 2 orders that nobody was told of, 1 may be" in faults(responses, two)


def test_a_creation_that_was_answered_when_repeated_has_made_that_order_and_no_other() -> None:
    responses = [response(route=CREATE, status=503, key="1"), *RESPONSES]
    assert faults(responses, KEPT) == []
    assert faults(responses, with_order("c")) != []


def test_a_change_that_never_got_its_response_may_be_there_or_not() -> None:
    responses = [
        response(route=UPDATE, status=503, key="2", order_id="a"),
        *(one for one in RESPONSES if one.route != UPDATE),
    ]
    assert faults(responses, KEPT) == []
    assert faults(responses, without_change()) == []


def test_a_refused_creation_has_made_no_order() -> None:
    assert faults([*RESPONSES, response(route=CREATE, status=422, key="4")], with_order("c")) != []


def test_a_load_is_counted_without_the_orders_of_the_one_before() -> None:
    assert with_order("c").without(["c"]) == KEPT


def test_all_that_must_agree_is_counted() -> None:
    repeated = [response(route=CREATE, status=503, key="1"), *RESPONSES, RESPONSES[0]]
    assert counts(repeated, KEPT) == {
        "orders answered with 201": 2,
        "orders whose creation never got its response": 0,
        "orders in the table": 2,
        "orders in their customer's list": 2,
        "status changes answered with 200": 1,
        "status changes that never got their response": 0,
        "status changes by the platform itself": 1,
        "status changes in the table": 2,
        "events": 4,
        "events sent again": 0,
        "timeline entries": 4,
        "dead letters": 0,
    }
