"""Domain objects to rows and back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert

from examples import event_of, placed_order
from fakes import summary_of
from orders.adapters.dynamodb import keys, rows
from orders.adapters.dynamodb.reports import report_from, report_row
from orders.adapters.dynamodb.stream import recorded_event
from orders.application.errors import MalformedRow, NewerRow
from orders.application.idempotency import IdempotencyRecord, StoredResponse
from orders.domain.actor import CUSTOMER, UNKNOWN, Actor
from orders.domain.customer_id import CustomerId
from orders.domain.daily_report import DailyReport
from orders.domain.events import OrderEvent
from orders.domain.order import Order, OrderItem, OrderSummary
from orders.domain.order_id import OrderId, created_at, make_order_id
from orders.domain.status import TRANSITIONS, OrderStatus
from orders.domain.timestamps import from_milliseconds, to_text
from orders.http.bodies import NewOrderBody
from proof import oracle
from proof.oracle import smallest_order
from servers import table_definition
from stream_records import stream_record

Reader = Callable[[rows.Row], object]

instants = st.integers(0, 253_402_300_799_999).map(from_milliseconds)
order_ids = st.builds(make_order_id, instants, st.binary(min_size=3, max_size=3))
texts = st.text(max_size=20)
some_text = st.none() | texts
numbers = st.integers(0, 10**15)
statuses = st.sampled_from([*OrderStatus, "TELEPORTED"])
FIELDS_OF: dict[str, st.SearchStrategy[Any]] = {
    "Actor": st.builds(Actor, texts, some_text),
    "CustomerId": st.text("azAZ09._-|:@+", min_size=1, max_size=128).map(CustomerId),
    "Mapping[str, str]": st.dictionaries(texts, texts, max_size=3),
    "OrderId": order_ids,
    "bool": st.booleans(),
    "datetime": instants,
    "int": numbers,
    "str": texts,
}
"""By their annotation: a field that is added is stored and read here at once."""


def any_value(annotation: str) -> st.SearchStrategy[Any]:
    if annotation.endswith(" | None"):
        return st.none() | any_value(annotation.removesuffix(" | None"))
    assert annotation in FIELDS_OF, f"Say in FIELDS_OF what a {annotation!r} can be."
    return FIELDS_OF[annotation]


def built(kind: type[Any], **known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Instances of a dataclass, with any value in every field."""
    others = (field for field in fields(kind) if field.name not in known)
    return st.builds(kind, **known, **{field.name: any_value(str(field.type)) for field in others})


FIELDS_OF["tuple[OrderItem, ...]"] = st.lists(built(OrderItem), max_size=3).map(tuple)
orders: st.SearchStrategy[Order] = built(Order, status=statuses)
events: st.SearchStrategy[OrderEvent] = built(
    OrderEvent,
    status=statuses,
    previous_status=st.none() | statuses.map(str),
    version=st.integers(1, 9_999_999_999),
)
responses = texts.map(StoredResponse)
records = st.builds(
    IdempotencyRecord, st.text(min_size=1), texts, responses, st.integers(0, 10**11)
)
reports = st.builds(
    DailyReport,
    day=st.dates(),
    generated_at=instants,
    orders=st.dictionaries(texts, st.dictionaries(statuses, st.integers(1))),
    revenue=st.dictionaries(texts, numbers),
    cancellation_reasons=st.dictionaries(st.text(min_size=1), st.integers(1)),
    left_out=st.integers(0),
)

PROJECTED = table_definition()["GlobalSecondaryIndexes"][0]["Projection"]["NonKeyAttributes"]

ORDER = replace(
    placed_order(payment_token="tok_approve"),
    reason="because",
    charge_id="ch_1",
)
EVENT = event_of(replace(ORDER, status=OrderStatus.PAID, version=2), ORDER)
REPORT = DailyReport(
    day=date(2026, 11, 23),
    generated_at=datetime(2026, 11, 24, 0, 15, tzinfo=UTC),
    orders={"USD": {OrderStatus.PAID: 2}},
    revenue={"USD": 11994},
    cancellation_reasons={"expired": 1},
    left_out=0,
)
RECORD = IdempotencyRecord("cus_42#ab", "cd", StoredResponse("the first response"), 1_795_521_601)


def check(row: rows.Row) -> None:
    """A row that DynamoDB stores unchanged: no floats, no null."""
    assert row["schemaVersion"] == 1
    assert row["pk"]
    assert row["sk"]
    assert None not in row.values()

    def plain(value: object) -> bool:
        match value:
            case dict():
                return all(type(key) is str and plain(found) for key, found in value.items())
            case list():
                return all(map(plain, value))
        return type(value) in {str, int, bool}

    assert plain(row)


class TestRoundTrips:
    @given(orders)
    def test_an_order(self, order: Order) -> None:
        row = rows.detail_row(order)
        check(row)
        assert rows.order_from(row) == order

    @given(orders)
    def test_a_summary_from_either_row(self, order: Order) -> None:
        """Only the status index has the reason, for the daily report."""
        detail, customer = rows.detail_row(order), rows.customer_row(order)
        for row in (detail, customer):
            check(row)
            assert rows.order_id_of(row) == order.order_id
        assert rows.summary_from(detail) == summary_of(order)
        assert rows.summary_from(customer) == replace(summary_of(order), reason=None)

    @given(events)
    def test_an_event(self, event: OrderEvent) -> None:
        row = rows.event_row(event)
        check(row)
        assert rows.event_from(row) == event

    @given(events)
    def test_an_event_from_the_index(self, event: OrderEvent) -> None:
        """It does not say which member of staff it was, for the feed must not tell."""
        row = rows.event_row(event)
        shown = {name: row[name] for name in row if name in {"pk", "sk", *PROJECTED}}
        assert rows.event_from(shown) == replace(event, actor=UNKNOWN)

    @given(records)
    def test_an_idempotency_record(self, record: IdempotencyRecord) -> None:
        row = rows.idempotency_row(record)
        check(row)
        assert rows.idempotency_record_from(row) == record

    @given(reports)
    def test_a_report(self, report: DailyReport) -> None:
        row = report_row(report)
        check(row)
        assert report_from(row) == report


class TestARow:
    """Names and places in the table are a promise to every other release."""

    def test_of_an_order_has_each_field_that_was_sent_under_its_own_name(self) -> None:
        sent = {name: field.sent[-1] for name, field in oracle.ORDER.items() if field.sent}
        item = {name: field.sent[0] for name, field in oracle.ITEM.items()}
        body = smallest_order("cus_42") | sent | {"items": [item]}
        order, _ = convert(body, NewOrderBody).to_domain().placed(ORDER.order_id, by=CUSTOMER)
        row = rows.detail_row(order)
        assert {name: row.get(name) for name in body} == body

    def test_of_an_order_is_its_detail_in_the_queue_of_its_status(self) -> None:
        time = "2026-11-23T12:00:00.123Z"
        written = {
            "pk": f"ORDER#{ORDER.order_id}",
            "sk": "DETAIL",
            "gsi1pk": f"STATUS#PENDING#{keys.shard_of(ORDER.order_id)}",
            "gsi1sk": f"{time}#{ORDER.order_id}",
            "schemaVersion": 1,
            "orderId": ORDER.order_id,
            "customerId": "cus_42",
            "status": "PENDING",
            "amount": 5997,
            "currency": "USD",
            "version": 1,
            "createdAt": time,
            "updatedAt": time,
            "metadata": {"channel": "web"},
            "reason": "because",
            "paymentToken": "tok_approve",
            "paysByToken": True,
            "chargeId": "ch_1",
        }
        row = rows.detail_row(ORDER)
        assert {name: row[name] for name in written} == written
        item = {"sku": "MUG-01", "name": "Mug", "quantity": 3, "unitAmount": 1999}
        assert {name: row["items"][0][name] for name in item} == item

    def test_of_a_customers_order_is_its_summary_without_the_reason(self) -> None:
        row = rows.customer_row(ORDER)
        assert (row["pk"], row["sk"]) == ("CUSTOMER#cus_42", f"ORDER#{ORDER.order_id}")
        assert row["gsi1pk"] == "CUST_ORDERS#cus_42"
        assert row["gsi1sk"] == f"2026-11-23T12:00:00.123Z#{ORDER.order_id}"
        summary = {re.sub("_(.)", lambda c: c[1].upper(), one.name) for one in fields(OrderSummary)}
        placed = {"pk", "sk", "gsi1pk", "gsi1sk", "schemaVersion", "createdAt"}
        assert row.keys() == placed | summary - {"reason"}

    def test_of_an_event_is_all_of_it_in_the_feed(self) -> None:
        time = "2026-11-23T12:00:00.123Z"
        assert rows.event_row(EVENT) == {
            "pk": f"ORDER#{ORDER.order_id}",
            "sk": "EVENT#0000000002",
            "gsi1pk": f"EVENTS#{keys.shard_of(ORDER.order_id)}",
            "gsi1sk": f"{time}#{ORDER.order_id}#0000000002",
            "schemaVersion": 1,
            "type": "ORDER_PAID",
            "orderId": ORDER.order_id,
            "version": 2,
            "status": "PAID",
            "previousStatus": "PENDING",
            "recordedAt": time,
            "customerId": "cus_42",
            "amount": 5997,
            "currency": "USD",
            "reason": "because",
            "actor": "staff",
            "staffId": "ann",
        }

    def test_of_an_event_sorts_by_version_and_in_the_feed_by_time(self) -> None:
        sorts = [rows.event_row(replace(EVENT, version=n))["sk"] for n in (1, 2, 10, 9**10)]
        assert sorts == sorted(sorts)
        times = [EVENT.recorded_at + timedelta(milliseconds=n) for n in (0, 1, 2000, 10**9)]
        feed = [rows.event_row(replace(EVENT, recorded_at=at))["gsi1sk"] for at in times]
        assert feed == sorted(feed)

    def test_of_a_record_has_the_tables_time_to_live(self) -> None:
        row = rows.idempotency_row(RECORD)
        assert (row["pk"], row["sk"]) == ("IDEMPOTENCY#cus_42#ab", "RECORD")
        assert row["purgeAt"] == 1_795_521_601

    def test_of_a_report_is_found_by_its_day(self) -> None:
        row = report_row(REPORT)
        assert (row["pk"], row["sk"]) == ("REPORT#DAILY", "2026-11-23")

    @given(orders, st.sampled_from([(a, b) for a in TRANSITIONS for b in TRANSITIONS[a]]), instants)
    def test_changes_only_in_attributes_that_an_update_writes(
        self, order: Order, transition: tuple[OrderStatus, OrderStatus], at: datetime
    ) -> None:
        """Otherwise a change would leave part of the row behind."""
        before = replace(order, status=transition[0])
        after, _ = before.changed_to(transition[1], by=UNKNOWN, at=at, reason="?", charge_id="?")
        for make, changing in (
            (rows.detail_row, rows.changing_in_detail),
            (rows.customer_row, rows.changing_in_summary),
        ):
            old, new = make(before), make(after)
            differing = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
            assert differing <= changing(after).keys()


class TestKeys:
    @given(order_ids)
    def test_a_shard_is_one_of_eight(self, order_id: OrderId) -> None:
        assert keys.shard_of(order_id) in range(8)

    def test_the_shard_of_an_id_never_changes(self) -> None:
        assert keys.shard_of(OrderId("01a205b3-d000-7000-8000-000000000000")) == 7

    def test_orders_spread_over_all_shards(self) -> None:
        ids = [make_order_id(from_milliseconds(n), n.to_bytes(3)) for n in range(800)]
        counts = [sum(keys.shard_of(found) == shard for found in ids) for shard in range(8)]
        assert min(counts) > 50

    @given(order_ids, order_ids)
    def test_the_index_sorts_as_ids_do(self, some: OrderId, other: OrderId) -> None:
        assert (keys.by_time(some) < keys.by_time(other)) == (some < other)
        assert keys.by_time(some).startswith(to_text(created_at(some)))


def from_stream(row: rows.Row) -> object:
    present = {name: value for name, value in row.items() if value is not None}
    return recorded_event(stream_record("INSERT", None, present))


IN_SUMMARY = {"orderId", "customerId", "status", "amount", "currency", "version", "updatedAt"}
IN_EVENT = (IN_SUMMARY | {"recordedAt", "type"}) - {"updatedAt"}
READERS: dict[str, tuple[Reader, rows.Row, set[str]]] = {
    "order": (rows.order_from, rows.detail_row(ORDER), IN_SUMMARY | {"items", "metadata"}),
    "summary": (rows.summary_from, rows.customer_row(ORDER), IN_SUMMARY),
    "event": (rows.event_from, rows.event_row(EVENT), IN_EVENT),
    "event in the stream": (from_stream, rows.event_row(EVENT), IN_EVENT),
    "record": (
        rows.idempotency_record_from,
        rows.idempotency_row(RECORD),
        {"fingerprint", "response", "purgeAt"},
    ),
    "report": (
        report_from,
        report_row(REPORT),
        {"generatedAt", "orders", "revenue", "cancellationReasons", "leftOut"},
    ),
}
"""Each with a row, and with what the first release wrote into every one. Old rows have nothing that
was added since: it must have a default."""
EACH_READER = pytest.mark.parametrize("reader", READERS)
NONSENSE: list[rows.Row] = [
    {"amount": "5997"},
    {"amount": 59.97},
    {"amount": True},
    {"currency": None},
    {"currency": 840},
    {"customerId": 42},
    {"customerId": None},
    {"actor": 1},
    {"staffId": 1},
    {"reason": 1},
    {"reason": b"secret"},
    {"version": "1"},
    {"version": 1.0},
    {"status": 1},
    {"status": ["secret"]},
    {"previousStatus": ["secret"]},
    {"updatedAt": 5},
    {"updatedAt": "secret"},
    {"recordedAt": "secret"},
    {"orderId": 1},
    {"orderId": "x"},
    {"orderId": "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"},
    {"items": 5},
    {"items": ["secret"]},
    {"orders": {"USD": ["secret"]}},
    {"schemaVersion": "secret"},
]
"""Wrong types, and the id of another order."""


class TestReading:
    @EACH_READER
    def test_needs_what_the_first_release_wrote_and_nothing_else(self, reader: str) -> None:
        read, row, needed = READERS[reader]
        first_release = {name: row[name] for name in row if name in needed | {"pk", "sk"}}
        read(first_release)
        for missing in needed:
            with pytest.raises(MalformedRow, match=f"no '{missing}'"):
                read({name: value for name, value in row.items() if name != missing})

    @EACH_READER
    def test_refuses_a_value_that_makes_no_sense_without_quoting_it(self, reader: str) -> None:
        read, row, _ = READERS[reader]
        for change in NONSENSE:
            (name,) = change
            if name not in row:
                continue
            with pytest.raises(MalformedRow) as refused:
                read(row | change)
            assert str(row["pk"]).replace(ORDER.customer_id, "*") in str(refused.value)
            assert not re.search("secret|cus_42", str(refused.value))

    @pytest.mark.parametrize(
        ("reader", "place"),
        [("event", "EVENT#0000000001"), ("order", "ORDER#1"), ("report", "2026-02-30")],
    )
    def test_refuses_a_row_in_another_rows_place(self, reader: str, place: str) -> None:
        read, row, _ = READERS[reader]
        with pytest.raises(MalformedRow):
            read(row | {"sk": place})

    @pytest.mark.parametrize(
        ("reader", "lacks", "named"),
        [
            ("summary", "status", f"CUSTOMER#* ORDER#{ORDER.order_id} can't be read: no 'status'"),
            ("record", "fingerprint", "IDEMPOTENCY#*#ab RECORD can't be read: no 'fingerprint'"),
        ],
    )
    def test_names_an_unreadable_row_without_its_customer(
        self, reader: str, lacks: str, named: str
    ) -> None:
        read, row, _ = READERS[reader]
        with pytest.raises(MalformedRow) as refused:
            read({name: value for name, value in row.items() if name != lacks})
        assert str(refused.value).endswith(named)

    @EACH_READER
    def test_tells_a_row_of_a_later_release_from_a_damaged_one(self, reader: str) -> None:
        """Before anything else in it: the rest may have another form."""
        read, row, needed = READERS[reader]
        with pytest.raises(NewerRow, match="is of a later release"):
            read(row | {"schemaVersion": 2} | {name: ["secret"] for name in needed})
        read(row | {"soon": "an attribute that only a later release knows"})

    def test_finds_no_order_id_in_a_row_that_names_no_order(self) -> None:
        assert rows.order_id_of({"pk": "CUSTOMER#cus_42", "sk": "ORDER#1"}) is None
