from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from damaged_rows import UNREADABLE
from examples import event_of, placed_order
from fakes import summary_of
from orders.adapters.dynamodb import keys, rows
from orders.adapters.dynamodb.reports import report_from, report_row
from orders.application.errors import MalformedRow, NewerRow
from orders.application.idempotency import IdempotencyRecord, StoredResponse
from orders.domain.actor import UNKNOWN, Actor
from orders.domain.customer_id import CustomerId
from orders.domain.daily_report import DailyReport
from orders.domain.events import OrderEvent
from orders.domain.order import Order, OrderItem
from orders.domain.order_id import OrderId, created_at, make_order_id
from orders.domain.status import OrderStatus
from orders.domain.timestamps import from_milliseconds, to_text
from servers import table_definition

Reader = Callable[[rows.Row], object]

instants = st.integers(0, 253_402_300_799_999).map(from_milliseconds)
order_ids = st.builds(make_order_id, instants, st.binary(min_size=3, max_size=3))
texts = st.text(max_size=20)
some_text = st.none() | texts
statuses = st.sampled_from([*OrderStatus, "TELEPORTED"])
actors = st.builds(Actor, texts, some_text)
customer_ids = st.text("azAZ09._-|:@+", min_size=1, max_size=128).map(CustomerId)
amounts = st.integers(0, 10**15)
versions = st.integers(1, 9_999_999_999)

orders = st.builds(
    Order,
    order_id=order_ids,
    customer_id=customer_ids,
    status=statuses,
    amount=amounts,
    currency=st.sampled_from(["USD", "JPY", "BHD"]),
    version=versions,
    updated_at=instants,
    items=st.lists(
        st.builds(OrderItem, texts, texts, st.integers(1, 1_000_000), amounts), max_size=3
    ).map(tuple),
    metadata=st.dictionaries(texts, texts, max_size=3),
    reason=some_text,
    payment_token=some_text,
    pays_by_token=st.booleans(),
    charge_id=some_text,
)
events = st.builds(
    OrderEvent,
    type=texts,
    order_id=order_ids,
    version=versions,
    status=statuses,
    previous_status=st.none() | statuses.map(str),
    recorded_at=instants,
    customer_id=customer_ids,
    amount=amounts,
    currency=st.sampled_from(["USD", "JPY", "BHD"]),
    reason=some_text,
    actor=actors,
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
    revenue=st.dictionaries(texts, amounts),
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
    """What DynamoDB stores without a change: no floats, no empty values of its own."""
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
        """The reason is in the index of statuses alone, for the daily report."""
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
        """Who of staff it was is not there: the feed does not tell."""
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
    def test_of_an_order_is_its_detail_in_the_queue_of_its_status(self) -> None:
        shard = keys.shard_of(ORDER.order_id)
        time = "2026-11-23T12:00:00.123Z"
        assert rows.detail_row(ORDER) == {
            "pk": f"ORDER#{ORDER.order_id}",
            "sk": "DETAIL",
            "gsi1pk": f"STATUS#PENDING#{shard}",
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
            "items": [{"sku": "MUG-01", "name": "Mug", "quantity": 3, "unitAmount": 1999}],
            "metadata": {"channel": "web"},
            "reason": "because",
            "paymentToken": "tok_approve",
            "paysByToken": True,
            "chargeId": "ch_1",
        }

    def test_of_a_customers_order_is_its_summary_and_no_more(self) -> None:
        row = rows.customer_row(ORDER)
        assert (row["pk"], row["sk"]) == ("CUSTOMER#cus_42", f"ORDER#{ORDER.order_id}")
        assert row["gsi1pk"] == "CUST_ORDERS#cus_42"
        assert row["gsi1sk"] == f"2026-11-23T12:00:00.123Z#{ORDER.order_id}"
        assert set(row) == {
            *("pk", "sk", "gsi1pk", "gsi1sk", "schemaVersion", "orderId", "customerId"),
            *("status", "amount", "currency", "version", "createdAt", "updatedAt"),
        }

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

    @given(orders, orders)
    def test_changes_only_where_an_update_writes(self, before: Order, after: Order) -> None:
        """Else a change of status would leave a part of the row behind."""
        fixed = {name: getattr(before, name) for name in ("order_id", "customer_id", "amount")}
        fixed |= {name: getattr(before, name) for name in ("currency", "items", "metadata")}
        after = replace(after, **fixed, pays_by_token=before.pays_by_token)
        for make, changing in (
            (rows.detail_row, rows.changing_in_detail),
            (rows.customer_row, rows.changing_in_summary),
        ):
            old, new = make(before), make(after)
            differing = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
            assert differing <= set(changing(after))


class TestKeys:
    @given(order_ids)
    def test_a_shard_is_one_of_eight_and_stays_the_same(self, order_id: OrderId) -> None:
        assert keys.shard_of(order_id) in range(8)
        assert keys.shard_of(order_id) == keys.shard_of(order_id)

    def test_the_shard_of_an_id_is_stable_over_releases(self) -> None:
        assert keys.shard_of(OrderId("01a205b3-d000-7000-8000-000000000000")) == 7

    def test_every_shard_gets_its_part(self) -> None:
        ids = [make_order_id(from_milliseconds(n), n.to_bytes(3)) for n in range(800)]
        counts = [sum(keys.shard_of(found) == shard for found in ids) for shard in range(8)]
        assert min(counts) > 50

    @given(order_ids, order_ids)
    def test_the_index_sorts_as_ids_do(self, some: OrderId, other: OrderId) -> None:
        assert (keys.by_time(some) < keys.by_time(other)) == (some < other)
        assert keys.by_time(some).startswith(to_text(created_at(some)))


GOOD: list[tuple[Reader, rows.Row, set[str]]] = [
    (
        rows.order_from,
        rows.detail_row(ORDER),
        {"orderId", "customerId", "status", "amount", "currency", "version", "updatedAt"}
        | {"items", "metadata", "pk"},
    ),
    (
        rows.summary_from,
        rows.customer_row(ORDER),
        {"orderId", "customerId", "status", "amount", "currency", "version", "updatedAt"},
    ),
    (
        rows.event_from,
        rows.event_row(EVENT),
        {"orderId", "customerId", "status", "amount", "currency", "version", "recordedAt", "type"}
        | {"pk"},
    ),
    (
        rows.idempotency_record_from,
        rows.idempotency_row(RECORD),
        {"pk", "fingerprint", "response", "purgeAt"},
    ),
    (
        report_from,
        report_row(REPORT),
        {"sk", "generatedAt", "orders", "revenue", "cancellationReasons", "leftOut"},
    ),
]


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(("read", "row", "needed"), GOOD)
    def test_is_a_row_that_lacks_what_is_needed(
        self,
        read: Reader,
        row: rows.Row,
        needed: set[str],
    ) -> None:
        read(row)
        for missing in needed:
            with pytest.raises(MalformedRow, match=f"no '{missing}'|Error"):
                read({name: value for name, value in row.items() if name != missing})

    @pytest.mark.parametrize(
        ("read", "row", "change"),
        [
            (GOOD[0][0], GOOD[0][1], {"status": ["secret"]}),
            (GOOD[0][0], GOOD[0][1], {"updatedAt": "secret"}),
            (GOOD[0][0], GOOD[0][1], {"updatedAt": 5}),
            (GOOD[0][0], GOOD[0][1], {"items": ["secret"]}),
            (GOOD[0][0], GOOD[0][1], {"items": 5}),
            (GOOD[1][0], GOOD[1][1], {"status": ["secret"]}),
            *(
                (read, row, damage)
                for read, row, _ in (GOOD[0], GOOD[2])
                for damage in UNREADABLE
                if damage.keys() & row.keys()
            ),
            (GOOD[2][0], GOOD[2][1], {"version": 1.0}),
            (GOOD[2][0], GOOD[2][1], {"orderId": 1}),
            (GOOD[2][0], GOOD[2][1], {"customerId": None}),
            (GOOD[2][0], GOOD[2][1], {"recordedAt": "secret"}),
            (GOOD[2][0], GOOD[2][1], {"previousStatus": ["secret"]}),
            (GOOD[2][0], GOOD[2][1], {"reason": b"secret"}),
            (GOOD[2][0], GOOD[2][1], {"sk": "EVENT#0000000001"}),
            (GOOD[4][0], GOOD[4][1], {"sk": "secret"}),
            (GOOD[4][0], GOOD[4][1], {"orders": {"USD": ["secret"]}}),
            *((read, row, {"schemaVersion": "secret"}) for read, row, _ in GOOD),
        ],
    )
    def test_is_a_row_with_a_value_that_makes_no_sense(
        self,
        read: Reader,
        row: rows.Row,
        change: rows.Row,
    ) -> None:
        with pytest.raises(MalformedRow) as refused:
            read(row | change)
        assert str(row["pk"]).replace(ORDER.customer_id, "*") in str(refused.value)
        assert "sk" in change or "secret" not in str(refused.value)

    @pytest.mark.parametrize(
        ("good", "lacks", "named"),
        [
            (GOOD[1], "status", f"CUSTOMER#* ORDER#{ORDER.order_id} can't be read: no 'status'"),
            (GOOD[3], "response", "IDEMPOTENCY#*#ab RECORD can't be read: no 'response'"),
        ],
    )
    def test_is_named_without_its_customer(
        self, good: tuple[Reader, rows.Row, set[str]], lacks: str, named: str
    ) -> None:
        read, row, _ = good
        with pytest.raises(MalformedRow) as refused:
            read({name: value for name, value in row.items() if name != lacks})
        assert str(refused.value).endswith(named)
        assert "cus_42" not in str(refused.value)


@pytest.mark.parametrize(("read", "row"), [(read, row) for read, row, _ in GOOD])
def test_a_row_of_a_later_release_is_told_from_a_damaged_one(read: Reader, row: rows.Row) -> None:
    """Before anything else of it is looked at: what it holds may be in another form."""
    with pytest.raises(NewerRow, match="is of a later release"):
        read(row | {"schemaVersion": 2, "status": ["secret"], "amount": None})
    read(row | {"soon": "an attribute that only a later release knows"})


def test_the_order_of_a_row_that_names_none_is_none() -> None:
    assert rows.order_id_of({"pk": "CUSTOMER#cus_42", "sk": "ORDER#1"}) is None


def test_every_field_of_an_order_is_covered_by_the_round_trip() -> None:
    """A field that is added later and not stored fails here, not in production."""
    assert {field.name for field in fields(Order)} == {
        *("order_id", "customer_id", "status", "amount", "currency", "version", "updated_at"),
        *("items", "metadata", "reason", "payment_token", "pays_by_token"),
        "charge_id",
    }
