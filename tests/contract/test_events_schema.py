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

from orders.adapters.dynamodb.stream import recorded_event
from orders.adapters.sqs import event_body
from orders.domain import timestamps
from orders.domain.actor import CUSTOMER
from orders.domain.customer_id import CUSTOMER_ID_PATTERN, CustomerId
from orders.domain.events import EVENT_TYPES, ORDER_CREATED, OrderEvent, type_of_change
from orders.domain.money import MAX_AMOUNT, MINOR_UNIT_DIGITS
from orders.domain.order_id import make_order_id
from orders.domain.status import TRANSITIONS, OrderStatus
from orders.http.bodies import MAX_REASON
from stream_records import recorded

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas" / "events"
MAX_EVENT_BYTES = 4 * 1024 - 1

Move = tuple[OrderStatus | None, OrderStatus]


def _moves() -> dict[Move, int]:
    """Every move there is, with the first version that it can lead to."""
    found: dict[Move, int] = {(None, OrderStatus.PENDING): 1}
    moves = list(found)
    for before, status in moves:
        for after in TRANSITIONS[status]:
            if (status, after) not in found:
                found[status, after] = found[before, status] + 1
                moves.append((status, after))
    return found


VERSIONS = _moves()

instants = st.integers(0, 253_402_300_799_999).map(timestamps.from_milliseconds)
reasons = st.text(st.characters(exclude_categories=["Cs"]), max_size=MAX_REASON)


@st.composite
def events(draw: st.DrawFn) -> OrderEvent:
    (before, after), version = draw(st.sampled_from(list(VERSIONS.items())))
    created_at = draw(instants)
    return OrderEvent(
        type=ORDER_CREATED if before is None else type_of_change(after),
        order_id=make_order_id(created_at, draw(st.binary(min_size=3, max_size=3))),
        version=version,
        status=after,
        previous_status=before,
        actor=CUSTOMER,
        reason=None if before is None else draw(st.none() | reasons),
        recorded_at=draw(instants),
        customer_id=CustomerId(draw(st.from_regex(CUSTOMER_ID_PATTERN, fullmatch=True))),
        amount=draw(st.integers(0, MAX_AMOUNT)),
        currency=draw(st.sampled_from(sorted(MINOR_UNIT_DIGITS))),
    )


LARGEST = OrderEvent(
    type="ORDER_CANCELED",
    order_id=make_order_id(datetime(9999, 12, 31, tzinfo=UTC), b"\xff" * 3),
    version=3,
    status=OrderStatus.CANCELED,
    previous_status=OrderStatus.PENDING,
    actor=CUSTOMER,
    reason="r" * MAX_REASON,
    recorded_at=datetime(9999, 12, 31, tzinfo=UTC),
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


def sent(event: OrderEvent) -> dict[str, Any]:
    """As a consumer reads it, from the queue or in the feed."""
    message: dict[str, Any] = json.loads(event_body(event))
    told: object = event.to_cloud_event()
    assert message == told
    return message


def without(event: dict[str, Any], *path: str) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(event))
    *parents, last = path
    inner = copy
    for name in parents:
        inner = inner[name]
    del inner[last]
    return copy


def test_there_is_a_schema_for_every_type_and_no_other() -> None:
    assert {path.stem for path in SCHEMAS.iterdir()} == set(EVENT_TYPES)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_the_schema_is_one(event_type: str) -> None:
    Draft202012Validator.check_schema(schema_of(event_type))


@given(events())
def test_every_event_follows_the_schema_of_its_type(event: OrderEvent) -> None:
    message = sent(event)
    validator_of(message["type"]).validate(message)
    assert message["id"] == f"{event.order_id}/{event.version}"
    assert len(event_body(event).encode()) <= MAX_EVENT_BYTES


@given(events())
def test_an_event_whose_row_was_written_is_sent_as_it_was_decided(event: OrderEvent) -> None:
    """Through the row, the stream and the publisher: the same bytes."""
    told = recorded_event(recorded(event))
    assert told is not None
    assert event_body(told) == event_body(event)


def test_an_event_of_an_unknown_type_passes_the_publisher_untouched() -> None:
    """A later release's: its consumers know it, though this release does not."""
    teleported = replace(
        LARGEST, type="ORDER_TELEPORTED", status="TELEPORTED", previous_status="SHIPPED"
    )
    told = recorded_event(recorded(teleported))
    assert told == teleported
    message = sent(told)
    assert message["type"] == "ORDER_TELEPORTED"
    assert message["data"] == sent(LARGEST)["data"] | {
        "status": "TELEPORTED",
        "previousStatus": "SHIPPED",
    }


@pytest.mark.parametrize(
    "character",
    ["\x01", "\x7f", '"', "\\", "\U0001f9c9", "\U0010ffff", "\ufffe", "\uffff"],
    ids=ascii,
)
def test_the_largest_event_stays_below_4_kib(character: str) -> None:
    largest = replace(LARGEST, reason=character * MAX_REASON)

    assert len(event_body(largest).encode()) <= MAX_EVENT_BYTES
    event = sent(largest)
    validator_of("ORDER_CANCELED").validate(event)
    assert event["data"]["reason"] == character * MAX_REASON


@given(events())
def test_an_event_says_nothing_beyond_its_schema(event: OrderEvent) -> None:
    """What is not described is not promised, and might be what nobody should see."""
    message = sent(event)
    described = schema_of(message["type"])["properties"]
    assert message.keys() <= described.keys()
    assert message["data"].keys() <= described["data"]["properties"].keys()


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


@pytest.mark.parametrize(("move", "version"), VERSIONS.items())
def test_an_event_follows_no_other_types_schema(move: Move, version: int) -> None:
    before, status = move
    event_type = type_of_change(status) if before else ORDER_CREATED
    others = set(EVENT_TYPES) - {event_type}
    event = sent(
        replace(
            LARGEST,
            type=event_type,
            status=status,
            previous_status=before,
            version=version,
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
