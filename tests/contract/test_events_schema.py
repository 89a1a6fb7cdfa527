"""Every event that the platform can send keeps the promise of its schema."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError

from orders.adapters.sqs import event_body
from orders.domain import timestamps
from orders.domain.actor import CUSTOMER
from orders.domain.changes import EVENT_TYPES, OrderChange
from orders.domain.money import MAX_AMOUNT, MINOR_UNIT_DIGITS
from orders.domain.order import CustomerId
from orders.domain.order_id import make_order_id
from orders.domain.status import TRANSITIONS, OrderStatus
from orders.http.bodies import MAX_REASON
from orders.http.caller import CUSTOMER_ID_PATTERN

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas" / "events"
MAX_EVENT_BYTES = 4 * 1024 - 1

VERSIONS = {
    (None, OrderStatus.PENDING): 1,
    (OrderStatus.PENDING, OrderStatus.PAID): 2,
    (OrderStatus.PENDING, OrderStatus.CANCELED): 2,
    (OrderStatus.PAID, OrderStatus.SHIPPED): 3,
    (OrderStatus.PAID, OrderStatus.CANCELED): 3,
}
"""Every move there is, and the version that it leads to."""

instants = st.integers(0, 253_402_300_799_999).map(timestamps.from_milliseconds)
reasons = st.text(st.characters(exclude_categories=["Cs"]), max_size=MAX_REASON)


@st.composite
def changes(draw: st.DrawFn) -> OrderChange:
    (before, after), version = draw(st.sampled_from(list(VERSIONS.items())))
    created_at = draw(instants)
    return OrderChange(
        order_id=make_order_id(created_at, draw(st.binary(min_size=3, max_size=3))),
        version=version,
        status=after,
        previous_status=before,
        actor=CUSTOMER,
        reason=None if before is None else draw(st.none() | reasons),
        changed_at=draw(instants),
        customer_id=CustomerId(draw(st.from_regex(CUSTOMER_ID_PATTERN, fullmatch=True))),
        amount=draw(st.integers(0, MAX_AMOUNT)),
        currency=draw(st.sampled_from(sorted(MINOR_UNIT_DIGITS))),
    )


LARGEST = OrderChange(
    order_id=make_order_id(datetime(9999, 12, 31, tzinfo=UTC), b"\xff" * 3),
    version=3,
    status=OrderStatus.CANCELED,
    previous_status=OrderStatus.PENDING,
    actor=CUSTOMER,
    reason="r" * MAX_REASON,
    changed_at=datetime(9999, 12, 31, tzinfo=UTC),
    customer_id=CustomerId("c" * 128),
    amount=MAX_AMOUNT,
    currency="USD",
)


def schema_of(event_type: str) -> dict[str, Any]:
    text = (SCHEMAS / f"{event_type}.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def validator_of(event_type: str) -> Draft202012Validator:
    schema = schema_of(event_type)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def sent(change: OrderChange) -> dict[str, Any]:
    """As a consumer reads it."""
    event: dict[str, Any] = json.loads(event_body(change))
    return event


def without(event: dict[str, Any], *path: str) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(event))
    *parents, last = path
    inner = copy
    for name in parents:
        inner = inner[name]
    del inner[last]
    return copy


def test_there_is_a_schema_for_every_type_and_no_other() -> None:
    assert {path.stem for path in SCHEMAS.iterdir()} == set(EVENT_TYPES.values())


@pytest.mark.parametrize("event_type", EVENT_TYPES.values())
def test_the_schema_is_one(event_type: str) -> None:
    Draft202012Validator.check_schema(schema_of(event_type))


def test_the_moves_tried_here_are_all_that_there_are() -> None:
    moves = {(before, after) for before, reached in TRANSITIONS.items() for after in reached}
    assert {move for move in VERSIONS if move[0] is not None} == moves


@given(changes())
def test_every_event_follows_the_schema_of_its_type(change: OrderChange) -> None:
    event = sent(change)
    validator_of(event["type"]).validate(event)
    assert event["id"] == f"{change.order_id}/{change.version}"
    assert len(event_body(change).encode()) <= MAX_EVENT_BYTES


@pytest.mark.parametrize(
    "character",
    ["\x01", "\x7f", '"', "\\", "\U0001f9c9", "\U0010ffff", "\ufffe", "\uffff"],
    ids=ascii,
)
def test_the_largest_event_stays_below_4_kib(character: str) -> None:
    change = replace(LARGEST, reason=character * MAX_REASON)

    assert len(event_body(change).encode()) <= MAX_EVENT_BYTES
    event = sent(change)
    validator_of("ORDER_CANCELED").validate(event)
    assert event["data"]["reason"] == character * MAX_REASON


@given(changes())
def test_an_event_says_nothing_beyond_its_schema(change: OrderChange) -> None:
    """What is not described is not promised, and might be what nobody should see."""
    event = sent(change)
    described = schema_of(event["type"])["properties"]
    assert event.keys() <= described.keys()
    assert event["data"].keys() <= described["data"]["properties"].keys()


@pytest.mark.parametrize("name", ["id", "source", "type", "subject", "time", "data"])
def test_an_event_without_a_member_breaks_the_schema(name: str) -> None:
    with pytest.raises(ValidationError):
        validator_of("ORDER_CANCELED").validate(without(sent(LARGEST), name))


@pytest.mark.parametrize(
    "name",
    ["orderId", "customerId", "status", "previousStatus", "amount", "currency", "version"],
)
def test_data_without_a_member_breaks_the_schema(name: str) -> None:
    with pytest.raises(ValidationError):
        validator_of("ORDER_CANCELED").validate(without(sent(LARGEST), "data", name))


@pytest.mark.parametrize("event_type", EVENT_TYPES.values())
def test_an_event_follows_no_other_types_schema(event_type: str) -> None:
    others = set(EVENT_TYPES.values()) - {event_type}
    status = next(status for status, name in EVENT_TYPES.items() if name == event_type)
    before = {OrderStatus.PENDING: None, OrderStatus.SHIPPED: OrderStatus.PAID}
    event = sent(
        replace(
            LARGEST,
            status=status,
            previous_status=before.get(status, OrderStatus.PENDING),
            version=1 if status is OrderStatus.PENDING else 3,
            reason=None,
        )
    )
    validator_of(event_type).validate(event)
    assert not any(validator_of(other).is_valid(event) for other in others)


def test_a_consumer_may_meet_new_members() -> None:
    event = sent(LARGEST)
    event["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    event["data"]["carrier"] = "DHL"
    validator_of("ORDER_CANCELED").validate(event)
