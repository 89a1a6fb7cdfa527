"""Records of the table's stream, and the events in them."""

from __future__ import annotations

import copy
import math
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import changed_order, event_of, placed_order
from fakes import NOON
from orders.adapters.dynamodb import keys, rows
from orders.adapters.dynamodb.stream import recorded_event
from orders.application.errors import MalformedRow
from orders.domain.status import OrderStatus
from stream_records import recorded, stream_record

if TYPE_CHECKING:
    from orders.adapters.dynamodb.rows import Row
    from orders.adapters.dynamodb.stream import StreamRecord
    from orders.domain.events import OrderEvent

PLACED = placed_order(payment_token="tok_approve")
CANCELED = changed_order(PLACED, OrderStatus.CANCELED, reason="no stock \uffff")
CREATION, CANCELLATION = event_of(PLACED), event_of(CANCELED, PLACED)
EVENT_ROW = rows.event_row(CANCELLATION)


class TestRecords:
    @pytest.mark.parametrize("event", [CREATION, CANCELLATION], ids=["created", "canceled"])
    def test_of_an_event_row_give_the_event(self, event: OrderEvent) -> None:
        assert recorded_event(recorded(event)) == event

    def test_of_an_event_of_a_later_release_give_it_unchanged(self) -> None:
        teleported = replace(CANCELLATION, type="ORDER_TELEPORTED", status="TELEPORTED")
        assert recorded_event(recorded(teleported)) == teleported

    @pytest.mark.parametrize(
        "more",
        [{"S": "DHL"}, {"N": "1.5"}, {"N": "1E+40"}, {"BOOL": True}, {"NULL": True}, {"B": "AA=="},
         {"L": [{"S": "a"}]}, {"M": {"a": {"N": "1"}}}, {"SS": ["a"]}, {"NS": ["1.5"]},
         {"BS": ["AA=="]}],
        ids=str,
    )  # fmt: skip
    def test_may_have_unknown_attributes_of_any_type(self, more: dict[str, Any]) -> None:
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
    def test_of_any_other_row_give_nothing(self, row: Row, kind: str) -> None:
        old, new = kind != "INSERT", kind != "REMOVE"
        record = stream_record(kind, row if old else None, row if new else None)
        assert recorded_event(record) is None

    @pytest.mark.parametrize("kind", ["MODIFY", "REMOVE"])
    def test_of_an_event_row_that_is_not_new_give_nothing(self, kind: str) -> None:
        """A person was erased from it, or it was restored: the event was published before."""
        new = EVENT_ROW if kind == "MODIFY" else None
        assert recorded_event(stream_record(kind, EVENT_ROW, new)) is None


NEITHER = [{"NULL": True}, {"M": {}}, {}, "text", None]
NO_TEXT = [*NEITHER, {"N": "1"}, {"N": "1.5"}]
NO_INSTANT = [*NO_TEXT, {"S": ""}, {"S": "?"}, {"S": "0001-01-01T00:00:00+23:59"}]
NO_NUMBER = [*NEITHER, {"N": "1.5"}, {"N": "x"}, {"N": math.inf}, {"S": "1"}]
DAMAGES: dict[str, list[Any]] = {
    **dict.fromkeys(("type", "orderId", "status", "customerId", "currency"), NO_TEXT),
    **dict.fromkeys(("reason", "staffId", "actor", "previousStatus"), NO_TEXT),
    **dict.fromkeys(("amount", "version"), NO_NUMBER),
    "recordedAt": NO_INSTANT,
}


class TestMalformedRecords:
    @pytest.mark.parametrize("name", DAMAGES)
    def test_an_attribute_of_another_type(self, name: str) -> None:
        for value in DAMAGES[name]:
            record = recorded(CANCELLATION)
            record["dynamodb"]["NewImage"][name] = value
            with pytest.raises(MalformedRow):
                recorded_event(record)

    @pytest.mark.parametrize(
        "path", ["dynamodb", "eventName", "dynamodb Keys", "dynamodb NewImage"]
    )
    def test_a_record_without_one_of_its_parts(self, path: str) -> None:
        record = recorded(CANCELLATION)
        *parents, part = path.split()
        del (record[parents[0]] if parents else record)[part]
        with pytest.raises(MalformedRow):
            recorded_event(record)


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
    def test_a_record_with_junk_in_it_is_a_valid_event_nothing_or_malformed(
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
            assert recorded_event(recorded(event)) == event
