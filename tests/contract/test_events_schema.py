"""Every event that the platform can publish follows the schema of its type."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from orders.adapters.dynamodb.stream import recorded_event
from orders.adapters.sqs import event_body
from orders.domain import timestamps
from orders.domain.actor import CUSTOMER
from orders.domain.customer_id import CUSTOMER_ID_PATTERN, CustomerId, forgotten_customer
from orders.domain.events import (
    CUSTOMER_FORGOTTEN,
    EVENT_TYPES,
    ORDER_CREATED,
    OrderEvent,
    type_of_change,
)
from orders.domain.money import MAX_AMOUNT, MINOR_UNIT_DIGITS
from orders.domain.order_id import make_order_id
from orders.domain.status import TRANSITIONS, OrderStatus
from orders.http.bodies import MAX_REASON
from stream_records import recorded

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas" / "events"
MAX_EVENT_BYTES = 4 * 1024 - 1

Transition = tuple[OrderStatus | None, OrderStatus]


def _transitions() -> dict[Transition, int]:
    """Every transition, with the first version that it can lead to; None is before the first."""
    found: dict[Transition, int] = {(None, OrderStatus.PENDING): 1}
    ways = list(found)
    for before, status in ways:
        for after in TRANSITIONS[status]:
            if (status, after) not in found:
                found[status, after] = found[before, status] + 1
                ways.append((status, after))
    return found


VERSIONS = _transitions()

instants = st.integers(0, 253_402_300_799_999).map(timestamps.from_milliseconds)
reasons = st.text(st.characters(exclude_categories=["Cs"]), max_size=MAX_REASON)


def forgetting(event: OrderEvent) -> OrderEvent:
    """The event of an order whose customer is forgotten after this one."""
    return replace(
        event,
        type=CUSTOMER_FORGOTTEN,
        version=event.version + 1,
        previous_status=None,
        reason=None,
        customer_id=forgotten_customer(event.order_id),
    )


@st.composite
def events(draw: st.DrawFn) -> OrderEvent:
    (before, after), version = draw(st.sampled_from(list(VERSIONS.items())))
    created_at = draw(instants)
    event = OrderEvent(
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
    return draw(st.sampled_from([event, event.anonymized(), forgetting(event)]))


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


def published(event: OrderEvent) -> dict[str, Any]:
    """As a consumer reads it, from the queue or in the feed."""
    message: dict[str, Any] = json.loads(event_body(event))
    in_the_feed: object = event.to_cloud_event()
    assert message == in_the_feed
    return message


def test_every_event_type_has_a_schema() -> None:
    assert {path.stem for path in SCHEMAS.iterdir()} == set(EVENT_TYPES)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_a_schema_is_valid_and_requires_what_consumers_rely_on(event_type: str) -> None:
    schema = schema_of(event_type)
    Draft202012Validator.check_schema(schema)
    assert set(schema["required"]) >= {"id", "source", "type", "subject", "time", "data"}
    data = {"orderId", "customerId", "status", "amount", "currency", "version"}
    changes_status = event_type not in {ORDER_CREATED, CUSTOMER_FORGOTTEN}
    previous = {"previousStatus"} if changes_status else set()
    assert set(schema["properties"]["data"]["required"]) >= data | previous


@given(events())
def test_every_event_follows_its_schema_and_has_nothing_beyond_it(event: OrderEvent) -> None:
    """What no schema describes is not promised, and might be what nobody should see."""
    message = published(event)
    validator_of(message["type"]).validate(message)
    described = schema_of(message["type"])["properties"]
    assert message.keys() <= described.keys()
    assert message["data"].keys() <= described["data"]["properties"].keys()
    assert len(event_body(event).encode()) <= MAX_EVENT_BYTES


@given(events())
def test_an_event_is_published_as_its_row_was_written(event: OrderEvent) -> None:
    """Through the row, the stream and the publisher: the same bytes."""
    streamed = recorded_event(recorded(event))
    assert streamed is not None
    assert event_body(streamed) == event_body(event)


def test_an_event_type_of_a_later_release_is_published_unchanged() -> None:
    """Its consumers know it, though this release does not."""
    teleported = replace(
        LARGEST, type="ORDER_TELEPORTED", status="TELEPORTED", previous_status="SHIPPED"
    )
    streamed = recorded_event(recorded(teleported))
    assert streamed == teleported
    message = published(streamed)
    assert message["type"] == "ORDER_TELEPORTED"
    assert message["data"] == published(LARGEST)["data"] | {
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
    event = published(largest)
    validator_of(LARGEST.type).validate(event)
    assert event["data"]["reason"] == character * MAX_REASON


@pytest.mark.parametrize(("transition", "version"), VERSIONS.items())
def test_an_event_follows_the_schema_of_no_other_type(transition: Transition, version: int) -> None:
    before, status = transition
    own = type_of_change(status) if before else ORDER_CREATED
    event = replace(LARGEST, type=own, status=status, previous_status=before, version=version)
    for one, type_ in ((event, own), (forgetting(event), CUSTOMER_FORGOTTEN)):
        message = published(one)
        assert [name for name in EVENT_TYPES if validator_of(name).is_valid(message)] == [type_]


def test_a_consumer_may_find_members_that_it_does_not_know() -> None:
    event = published(LARGEST)
    event["traceparent"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    event["data"]["carrier"] = "DHL"
    validator_of(LARGEST.type).validate(event)
