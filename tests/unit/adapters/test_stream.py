"""What the stream's readers make of its records."""

from __future__ import annotations

import copy
import math
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import placed_order
from fakes import NOON
from orders.adapters.dynamodb import keys, rows
from orders.adapters.dynamodb.stream import OrderStream, order_change
from orders.adapters.sqs import Unavailable
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.changes import OrderChange
from orders.domain.errors import MalformedRow
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders.adapters.dynamodb.rows import Row
    from orders.adapters.dynamodb.stream import StreamRecord
    from orders.domain.order import Order

PENDING, PAID, SHIPPED, CANCELED = OrderStatus
LATER = NOON + timedelta(minutes=1)
PLACED = placed_order(payment_token="tok_approve")
CANCELED_BY_STAFF = PLACED.changed_to(
    CANCELED, by=Actor("staff", "ann"), at=LATER, reason="no stock \uffff"
)


def attribute(value: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a row holds
    """In DynamoDB's JSON, as Lambda hands it over."""
    match value:
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case list():
            return {"L": [attribute(item) for item in value]}
        case dict():
            return {"M": image(value)}
        case _:
            return {"S": value}


def image(row: Row) -> dict[str, Any]:
    return {name: attribute(value) for name, value in row.items()}


def record_of(event: str, new: Row | None, old: Row | None) -> StreamRecord:
    row = new or old or {}
    images: dict[str, Any] = {
        "ApproximateCreationDateTime": 1_795_435_200,
        "Keys": image({"pk": row["pk"], "sk": row["sk"]}),
        "SequenceNumber": "111",
        "SizeBytes": 26,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    if new is not None:
        images["NewImage"] = image(new)
    if old is not None:
        images["OldImage"] = image(old)
    return {
        "eventID": "c81e728d9d4c2f636f067f89cc14862c",
        "eventName": event,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "ap-southeast-1",
        "dynamodb": images,
        "eventSourceARN": "arn:aws:dynamodb:ap-southeast-1:123456789012:table/orders_app/stream/1",
    }


def inserted(order: Order) -> StreamRecord:
    return record_of("INSERT", rows.detail_row(order), None)


def modified(before: Order, after: Order) -> StreamRecord:
    return record_of("MODIFY", rows.detail_row(after), rows.detail_row(before))


class TestChanges:
    def test_a_new_order_is_a_change_from_nothing(self) -> None:
        assert order_change(inserted(PLACED)) == OrderChange(
            order_id=PLACED.order_id,
            version=1,
            status=PENDING,
            previous_status=None,
            actor=CUSTOMER,
            reason=None,
            changed_at=NOON,
            customer_id=PLACED.customer_id,
            amount=5997,
            currency="USD",
        )

    def test_a_moved_order_is_a_change_from_the_status_before(self) -> None:
        assert order_change(modified(PLACED, CANCELED_BY_STAFF)) == OrderChange(
            order_id=PLACED.order_id,
            version=2,
            status=CANCELED,
            previous_status=PENDING,
            actor=Actor("staff", "ann"),
            reason="no stock \uffff",
            changed_at=LATER,
            customer_id=PLACED.customer_id,
            amount=5997,
            currency="USD",
        )

    def test_an_order_whose_status_stayed_is_none(self) -> None:
        touched = replace(PLACED, version=2, updated_at=LATER)
        assert order_change(modified(PLACED, touched)) is None

    def test_a_removed_order_is_none(self) -> None:
        assert order_change(record_of("REMOVE", None, rows.detail_row(PLACED))) is None

    @pytest.mark.parametrize(
        "row",
        [
            rows.customer_row(PLACED),
            keys.timeline_entry(PLACED.order_id, 1) | {"status": "PENDING"},
            keys.charge(PLACED.order_id) | {"state": "CHARGED"},
            keys.reservation(PLACED.order_id) | {"state": "RESERVED"},
            keys.idempotency_record("cus_42#00") | {"status": 201},
            keys.daily_report(NOON.date()),
        ],
        ids=lambda row: str(row["sk"]),
    )
    def test_another_row_is_none(self, row: Row) -> None:
        assert order_change(record_of("INSERT", row, None)) is None
        assert order_change(record_of("MODIFY", row, row)) is None
        assert order_change(record_of("REMOVE", None, row)) is None


TEXTS = ("orderId", "customerId", "currency", "actor")
READ_TEXTS = ("status", "updatedAt")
NUMBERS = ("amount", "version")
NEITHER = [{"NULL": True}, {"M": {}}, {}, "text", None]


def faults() -> Iterator[tuple[str, object]]:
    """Attributes, and what may not stand in their place."""
    for name in TEXTS:
        yield from ((name, value) for value in [*NEITHER, {"N": "1"}])
    for name in READ_TEXTS:
        yield from ((name, value) for value in [*NEITHER, {"N": "1"}, {"S": ""}, {"S": "?"}])
    for name in NUMBERS:
        yield from (
            (name, value)
            for value in [*NEITHER, {"N": "1.5"}, {"N": "x"}, {"N": math.inf}, {"S": "1"}]
        )


class TestMalformedRecords:
    @pytest.mark.parametrize("name", [*TEXTS, *READ_TEXTS, *NUMBERS])
    def test_an_attribute_that_is_missing(self, name: str) -> None:
        record = inserted(PLACED)
        del record["dynamodb"]["NewImage"][name]
        with pytest.raises(MalformedRow):
            order_change(record)

    @pytest.mark.parametrize(("name", "value"), list(faults()))
    def test_an_attribute_of_another_kind(self, name: str, value: object) -> None:
        record = inserted(PLACED)
        record["dynamodb"]["NewImage"][name] = value
        with pytest.raises(MalformedRow):
            order_change(record)

    @pytest.mark.parametrize("name", ["reason", "staffId"])
    @pytest.mark.parametrize("value", [*NEITHER, {"N": "1"}])
    def test_an_optional_attribute_that_is_no_text(self, name: str, value: object) -> None:
        record = modified(PLACED, CANCELED_BY_STAFF)
        record["dynamodb"]["NewImage"][name] = value
        with pytest.raises(MalformedRow):
            order_change(record)

    @pytest.mark.parametrize("path", ["dynamodb", "eventName"])
    def test_a_record_without_its_parts(self, path: str) -> None:
        record = inserted(PLACED)
        del record[path]
        with pytest.raises(MalformedRow):
            order_change(record)

    @pytest.mark.parametrize("path", ["Keys", "NewImage", "OldImage"])
    def test_a_record_without_its_images(self, path: str) -> None:
        record = modified(PLACED, CANCELED_BY_STAFF)
        del record["dynamodb"][path]
        with pytest.raises(MalformedRow):
            order_change(record)

    def test_a_change_from_a_status_that_there_is_not(self) -> None:
        record = modified(PLACED, CANCELED_BY_STAFF)
        record["dynamodb"]["OldImage"]["status"] = {"S": "LOST"}
        with pytest.raises(MalformedRow):
            order_change(record)

    def test_an_instant_that_no_calendar_has_in_utc(self) -> None:
        record = inserted(PLACED)
        record["dynamodb"]["NewImage"]["updatedAt"] = {"S": "0001-01-01T00:00:00+23:59"}
        with pytest.raises(MalformedRow):
            order_change(record)

    def test_the_fault_names_the_row(self) -> None:
        record = inserted(PLACED)
        record["dynamodb"]["NewImage"]["status"] = {"S": "LOST"}
        with pytest.raises(MalformedRow) as error:
            order_change(record)
        assert f"ORDER#{PLACED.order_id} DETAIL" in str(error.value)
        assert "LOST" not in str(error.value)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["S", "N", "M", "pk", "sk", "Keys", "NewImage", "status", "dynamodb"])
            | st.text(),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


def paths(value: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """To everything in the record that is inside a dictionary."""
    if not isinstance(value, dict):
        return []
    found = []
    for key, inner in value.items():
        found += [(*path, key), *paths(inner, (*path, key))]
    return found


VALID = modified(PLACED, CANCELED_BY_STAFF)


class TestAnyRecord:
    @given(record=JUNK)
    def test_junk_is_nothing_or_malformed(self, record: Any) -> None:  # noqa: ANN401 - it is junk
        with suppress(MalformedRow):
            assert order_change(record) is None

    @given(path=st.sampled_from(paths(VALID)), junk=JUNK)
    def test_a_record_with_junk_in_it_is_a_sound_change_nothing_or_malformed(
        self, path: tuple[str, ...], junk: object
    ) -> None:
        record = copy.deepcopy(VALID)
        place: Any = record
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = junk
        try:
            change = order_change(record)
        except MalformedRow:
            return
        if change is not None:
            assert isinstance(change.status, OrderStatus)
            assert type(change.version) is type(change.amount) is int
            texts = (change.order_id, change.customer_id, change.currency, change.actor.name)
            assert all(type(text) is str for text in texts)
            optional = (change.reason, change.actor.staff_id)
            assert all(type(text) in {str, type(None)} for text in optional)


class KeptRecords:
    """A failure queue."""

    def __init__(self) -> None:
        self.kept: list[tuple[StreamRecord, str]] = []

    def send(self, record: StreamRecord, cause: str) -> None:
        self.kept.append((record, cause))


class FullQueue:
    """A failure queue that takes nothing."""

    def send(self, *_: object) -> None:
        raise Unavailable


class TestOrderStream:
    def test_hands_on_what_it_can_read(self) -> None:
        unreadable = KeptRecords()
        change = OrderStream(unreadable).change(inserted(PLACED))
        assert change is not None
        assert change.order_id == PLACED.order_id
        assert unreadable.kept == []

    def test_sets_aside_whole_what_it_can_not(self) -> None:
        unreadable, record = KeptRecords(), inserted(PLACED)
        record["dynamodb"]["NewImage"]["version"] = {"S": "one"}

        assert OrderStream(unreadable).change(record) is None

        ((kept, cause),) = unreadable.kept
        assert kept is record
        assert cause.endswith("TypeError")

    def test_does_not_pass_over_a_record_that_the_queue_did_not_take(self) -> None:
        record = inserted(PLACED)
        del record["dynamodb"]["NewImage"]
        with pytest.raises(Unavailable):
            OrderStream(FullQueue()).change(record)
