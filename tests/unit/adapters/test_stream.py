"""What the stream's reader makes of its records."""

from __future__ import annotations

import copy
import math
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from damaged_rows import UNREADABLE
from examples import changed_order, event_of, placed_order
from fakes import NOON
from orders.adapters.dynamodb import keys, rows
from orders.adapters.dynamodb.stream import recorded_event
from orders.application.errors import MalformedRow, NewerRow
from orders.domain.status import OrderStatus
from stream_records import recorded, stream_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders.adapters.dynamodb.rows import Row
    from orders.adapters.dynamodb.stream import StreamRecord
    from orders.domain.events import OrderEvent

PLACED = placed_order(payment_token="tok_approve")
CANCELED = changed_order(PLACED, OrderStatus.CANCELED, reason="no stock \uffff")
CREATION, CANCELLATION = event_of(PLACED), event_of(CANCELED, PLACED)
EVENT_ROW = rows.event_row(CANCELLATION)


class TestWhatItTells:
    @pytest.mark.parametrize("event", [CREATION, CANCELLATION], ids=["created", "canceled"])
    def test_of_an_event_row_is_the_event(self, event: OrderEvent) -> None:
        assert recorded_event(recorded(event)) == event

    def test_of_an_event_of_a_later_release_is_the_event_as_it_is(self) -> None:
        teleported = replace(CANCELLATION, type="ORDER_TELEPORTED", status="TELEPORTED")
        assert recorded_event(recorded(teleported)) == teleported

    @pytest.mark.parametrize(
        "more",
        [{"S": "DHL"}, {"N": "1.5"}, {"N": "1E+40"}, {"BOOL": True}, {"NULL": True}, {"B": "AA=="},
         {"L": [{"S": "a"}]}, {"M": {"a": {"N": "1"}}}, {"SS": ["a"]}, {"NS": ["1.5"]},
         {"BS": ["AA=="]}],
        ids=str,
    )  # fmt: skip
    def test_of_an_attribute_that_it_does_not_know_is_nothing(self, more: dict[str, Any]) -> None:
        record = recorded(CANCELLATION)
        record["dynamodb"]["NewImage"]["carrier"] = more
        assert recorded_event(record) == CANCELLATION

    @pytest.mark.parametrize(
        "row",
        [
            rows.detail_row(PLACED),
            rows.customer_row(PLACED),
            keys.charge(PLACED.order_id) | {"state": "CHARGED"},
            keys.reservation(PLACED.order_id) | {"state": "RESERVED"},
            keys.idempotency_record("cus_42#00") | {"status": 201},
            keys.daily_report(NOON.date()),
        ],
        ids=lambda row: str(row["sk"]),
    )
    @pytest.mark.parametrize("kind", ["INSERT", "MODIFY", "REMOVE"])
    def test_of_another_row_is_nothing(self, row: Row, kind: str) -> None:
        old, new = kind != "INSERT", kind != "REMOVE"
        record = stream_record(kind, row if old else None, row if new else None)
        assert recorded_event(record) is None

    @pytest.mark.parametrize("kind", ["MODIFY", "REMOVE"])
    def test_of_an_event_row_that_is_not_new_is_nothing(self, kind: str) -> None:
        """A person was erased from it, or it was restored: the event was told before."""
        new = EVENT_ROW if kind == "MODIFY" else None
        assert recorded_event(stream_record(kind, EVENT_ROW, new)) is None


TEXTS = ("type", "orderId", "status", "customerId", "currency")
READ_TEXTS = ("recordedAt",)
NUMBERS = ("amount", "version")
NEITHER = [{"NULL": True}, {"M": {}}, {}, "text", None]


def faults() -> Iterator[tuple[str, object]]:
    """Attributes, and what may not stand in their place."""
    for name in TEXTS:
        yield from ((name, value) for value in [*NEITHER, {"N": "1"}, {"N": "1.5"}])
    for name in READ_TEXTS:
        yield from ((name, value) for value in [*NEITHER, {"N": "1"}, {"S": ""}, {"S": "?"}])
        yield name, {"S": "0001-01-01T00:00:00+23:59"}
    for name in NUMBERS:
        yield from (
            (name, value)
            for value in [*NEITHER, {"N": "1.5"}, {"N": "x"}, {"N": math.inf}, {"S": "1"}]
        )
    for name in ("reason", "staffId", "actor", "previousStatus"):
        yield from ((name, value) for value in [*NEITHER, {"N": "1"}, {"N": "1.5"}])
    yield "schemaVersion", {"S": "1"}


class TestMalformedRecords:
    @pytest.mark.parametrize("name", [*TEXTS, *READ_TEXTS, *NUMBERS])
    def test_an_attribute_that_is_missing(self, name: str) -> None:
        record = recorded(CANCELLATION)
        del record["dynamodb"]["NewImage"][name]
        with pytest.raises(MalformedRow):
            recorded_event(record)

    @pytest.mark.parametrize(("name", "value"), list(faults()))
    def test_an_attribute_of_another_kind(self, name: str, value: object) -> None:
        record = recorded(CANCELLATION)
        record["dynamodb"]["NewImage"][name] = value
        with pytest.raises(MalformedRow):
            recorded_event(record)

    @pytest.mark.parametrize(
        "damage", [one for one in UNREADABLE if one.keys() & EVENT_ROW.keys()], ids=repr
    )
    def test_a_row_of_wrong_types_is_not_quoted(self, damage: Row) -> None:
        row = {name: value for name, value in (EVENT_ROW | damage).items() if value is not None}
        record = stream_record("INSERT", None, row)
        with pytest.raises(MalformedRow) as error:
            recorded_event(record)
        assert f"ORDER#{PLACED.order_id} EVENT#0000000002" in str(error.value)
        assert "cus_42" not in str(error.value)

    @pytest.mark.parametrize("path", ["dynamodb", "eventName"])
    def test_a_record_without_its_parts(self, path: str) -> None:
        record = recorded(CANCELLATION)
        del record[path]
        with pytest.raises(MalformedRow):
            recorded_event(record)

    @pytest.mark.parametrize("path", ["Keys", "NewImage"])
    def test_a_record_without_its_image(self, path: str) -> None:
        record = recorded(CANCELLATION)
        del record["dynamodb"][path]
        with pytest.raises(MalformedRow):
            recorded_event(record)

    def test_a_row_in_a_form_of_a_later_release(self) -> None:
        with pytest.raises(NewerRow):
            recorded_event(stream_record("INSERT", None, EVENT_ROW | {"schemaVersion": 2}))


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


VALID: StreamRecord = recorded(CANCELLATION)


class TestAnyRecord:
    @given(record=JUNK)
    def test_junk_is_nothing_or_malformed(self, record: Any) -> None:  # noqa: ANN401 - it is junk
        with suppress(MalformedRow):
            assert recorded_event(record) is None

    @given(path=st.sampled_from(paths(VALID)), junk=JUNK)
    def test_a_record_with_junk_in_it_is_a_sound_event_nothing_or_malformed(
        self, path: tuple[str, ...], junk: object
    ) -> None:
        record = copy.deepcopy(VALID)
        place: Any = record
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = junk
        try:
            event = recorded_event(record)
        except MalformedRow:
            return
        if event is not None:
            assert type(event.version) is type(event.amount) is int
            texts = (event.type, event.order_id, event.customer_id, event.currency)
            assert all(type(text) is str for text in (*texts, event.actor.name))
            optional = (event.reason, event.previous_status, event.actor.staff_id)
            assert all(isinstance(text, str | None) for text in optional)
