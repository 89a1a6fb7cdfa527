"""The functions behind the stream and the queue."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from damaged_rows import UNREADABLE, DamagedOrders
from examples import placed_order
from fakes import (
    NOON,
    FakeClock,
    FakeInventory,
    FakePayments,
    FakePublisher,
    InMemoryOrders,
)
from orders.adapters import sqs
from orders.adapters.dynamodb import rows
from orders.adapters.dynamodb.stream import OrderStream
from orders.adapters.sqs import (
    SqsEventPublisher,
    SqsFailedMessages,
    SqsFailureQueue,
    event_body,
)
from orders.application.expire_stale_orders import ExpireStaleOrders
from orders.application.reconcile_order_events import ReconcileOrderEvents
from orders.application.settle_payment import SettlePayment
from orders.domain.actor import CUSTOMER, Actor
from orders.domain.errors import MalformedRow, PaymentUnavailable, TryAgain
from orders.domain.status import OrderStatus
from orders.functions import (
    expire_stale_orders,
    publish_order_events,
    reconcile_order_events,
    record_audit_trail,
    settle_payments,
)
from orders.telemetry import background
from stream_records import (
    FakeFailedMessages,
    FakeFailureQueue,
    batch,
    change_of,
    changed,
    created,
    failures,
    message,
    reservation_record,
    sequence_number,
    stream_record,
    unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orders.domain.order import Order
    from orders.domain.order_id import OrderId

PENDING, PAID, SHIPPED, CANCELED = OrderStatus
NO_EVENTS = [
    *("{", "[]", "null", "{}", '"text"', "[" * 100_000, "9" * 5_000),
    *('{"subject": 1}', '{"subject": null}', '{"subject": "x"}'),
    '{"subject": ["01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"]}',
]


class Context(SimpleNamespace):
    """Lambda's, with as much time as is asked for."""

    aws_request_id = "5f2c6e1a"
    remaining = 60_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining


def paid(order: Order) -> Order:
    return order.changed_to(PAID, by=Actor("staff", "ann"), at=NOON, reason="by transfer")


def metric(written: str, name: str) -> float | None:
    """The metric's sum in the output; None if it was not written."""
    blobs = [json.loads(line) for line in written.splitlines() if '"_aws"' in line]
    values = [blob[name] for blob in blobs if name in blob]
    return sum(values) if values else None


def log_lines(written: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.splitlines() if '"_aws"' not in line]


class TestPublishOrderEvents:
    @pytest.fixture(autouse=True)
    def _set_up(self) -> None:
        self.publisher = FakePublisher()
        self.failure_queue = FakeFailureQueue()
        stream = OrderStream(self.failure_queue)
        self.handler = background(publish_order_events.consumer(stream, self.publisher))

    def handle(self, *records: dict[str, Any]) -> list[str]:
        return failures(self.handler(batch(*records), Context()))

    def test_every_change_of_status_is_published(self, output: Callable[[], str]) -> None:
        order = placed_order()
        assert self.handle(created(order), changed(order, paid(order))) == []
        assert self.publisher.published == [change_of(order), change_of(paid(order), order)]
        written = output()
        assert metric(written, "EventsPublished") == 2
        assert f"{order.order_id}/2" in written
        named = [line["order_id"] for line in log_lines(written) if "event_id" in line]
        assert named == [order.order_id, order.order_id]

    def test_what_is_no_change_of_status_is_passed_over(self) -> None:
        order = placed_order()
        removed = stream_record("REMOVE", rows.detail_row(order), None)
        others = [
            reservation_record(order),
            stream_record("INSERT", None, rows.customer_row(order)),
            stream_record("INSERT", None, rows.timeline_row(change_of(order))),
            changed(order, replace(order, reason="corrected")),
            removed,
        ]
        assert self.handle(*others) == []
        assert self.publisher.published == []
        assert self.failure_queue.records == []

    def test_an_event_that_could_not_be_sent_is_reported(self, output: Callable[[], str]) -> None:
        """The others are not: they are sent again, under their same ids, if at all."""
        orders = [placed_order() for _ in range(3)]
        records = [created(order) for order in orders]
        self.publisher.unavailable = {orders[1].order_id}
        assert self.handle(*records) == [sequence_number(records[1])]
        published = [change.order_id for change in self.publisher.published]
        assert published == [orders[0].order_id, orders[2].order_id]
        assert metric(output(), "EventsPublished") == 2

    def test_a_redelivery_is_published_under_the_same_id(self) -> None:
        record = created(placed_order())
        self.handle(record)
        self.handle(record)
        assert len({change.event_id for change in self.publisher.published}) == 1

    def test_a_record_that_cannot_be_read_is_set_aside_whole_and_blocks_nothing(
        self, output: Callable[[], str]
    ) -> None:
        poison, good = unreadable(placed_order()), placed_order()
        assert self.handle(poison, created(good)) == []
        assert self.failure_queue.records == [poison]
        assert [change.order_id for change in self.publisher.published] == [good.order_id]
        assert metric(output(), "RecordsSetAside") == 1

    def test_a_record_that_can_neither_be_read_nor_set_aside_is_reported(self) -> None:
        self.failure_queue.fault = sqs.Unavailable()
        poison, good = unreadable(placed_order()), placed_order()
        assert self.handle(poison, created(good)) == [sequence_number(poison)]
        assert [change.order_id for change in self.publisher.published] == [good.order_id]

    def test_an_event_that_the_queue_will_never_take_is_set_aside_and_blocks_nothing(
        self, output: Callable[[], str]
    ) -> None:
        orders = [placed_order() for _ in range(3)]
        records = [created(order) for order in orders]
        self.publisher.refused = {orders[1].order_id}
        assert self.handle(*records) == []
        assert self.failure_queue.records == [records[1]]
        assert metric(output(), "EventsPublished") == 2
        self.failure_queue.fault = sqs.Unavailable()
        assert self.handle(*records) == [sequence_number(records[1])]

    def test_an_empty_batch_is_no_failure(self) -> None:
        assert self.handle() == []


class Sqs:
    """SQS's client: fails the bodies that hold `refused`, or every call with `fault`."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.refused = "nothing"
        self.fault: Exception | None = None

    def send_message_batch(self, **call: Any) -> dict[str, Any]:  # noqa: ANN401 - as botocore's
        self.calls.append(call)
        if self.fault:
            raise self.fault
        entries = call["Entries"]
        failed = [entry for entry in entries if self.refused in entry["MessageBody"]]
        answer: dict[str, Any] = {
            "Successful": [{"Id": entry["Id"]} for entry in entries if entry not in failed]
        }
        if failed:
            answer["Failed"] = [
                {"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"}
                for entry in failed
            ]
        return answer

    def send_message(self, **call: Any) -> dict[str, Any]:  # noqa: ANN401 - as botocore's
        self.calls.append(call)
        if self.fault:
            raise self.fault
        return {"MessageId": "1"}

    def change_message_visibility(self, **call: Any) -> dict[str, Any]:  # noqa: ANN401 - as botocore's
        return self.send_message(**call)


FAULTS = pytest.mark.parametrize(
    "fault",
    [
        EndpointConnectionError(endpoint_url="http://127.0.0.1"),
        ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessageBatch"),
    ],
)


class TestPublishOrderEventsThroughSqs:
    @pytest.fixture(autouse=True)
    def _set_up(self) -> None:
        self.client = Sqs()
        stream = OrderStream(SqsFailureQueue(self.client, "failures"))
        publisher = SqsEventPublisher(self.client, "events")
        self.handler = background(publish_order_events.consumer(stream, publisher))

    def handle(self, *records: dict[str, Any]) -> list[str]:
        return failures(self.handler(batch(*records), Context()))

    def test_ten_events_go_in_a_call(self) -> None:
        assert self.handle(*[created(placed_order()) for _ in range(25)]) == []
        assert [len(call["Entries"]) for call in self.client.calls] == [10, 10, 5]

    def test_entries_that_failed_are_reported_and_no_others(self) -> None:
        orders = [placed_order() for _ in range(23)]
        records = [created(order) for order in orders]
        self.client.refused = orders[21].order_id
        assert self.handle(*records) == [sequence_number(records[21])]

    @FAULTS
    def test_a_queue_that_is_down_fails_the_whole_batch(self, fault: Exception) -> None:
        self.client.fault = fault
        records = [created(placed_order()) for _ in range(12)]
        assert self.handle(*records) == [sequence_number(record) for record in records]

    @FAULTS
    def test_a_failure_queue_that_is_down_keeps_the_record_in_the_stream(
        self, fault: Exception
    ) -> None:
        self.client.fault = fault
        poison = unreadable(placed_order())
        assert self.handle(poison) == [sequence_number(poison)]


class TestRecordAuditTrail:
    @pytest.fixture(autouse=True)
    def _set_up(self) -> None:
        self.orders = InMemoryOrders()
        self.failure_queue = FakeFailureQueue()
        stream = OrderStream(self.failure_queue)
        self.handler = background(record_audit_trail.consumer(stream, self.orders))

    def handle(self, *records: dict[str, Any]) -> list[str]:
        return failures(self.handler(batch(*records), Context()))

    def test_every_version_gets_one_entry(self) -> None:
        order = placed_order()
        assert self.handle(created(order), changed(order, paid(order))) == []
        entries = list(self.orders.timeline.values())
        assert [(entry.version, entry.status, entry.previous_status) for entry in entries] == [
            (1, PENDING, None),
            (2, PAID, PENDING),
        ]
        assert [entry.actor for entry in entries] == [CUSTOMER, Actor("staff", "ann")]
        assert [entry.reason for entry in entries] == [None, "by transfer"]
        assert [entry.changed_at for entry in entries] == [NOON, NOON]

    def test_a_redelivery_in_any_order_writes_nothing_twice(self) -> None:
        order = placed_order()
        records = [created(order), changed(order, paid(order))]
        self.handle(*records)
        before = dict(self.orders.timeline)
        self.handle(*reversed(records))
        assert self.orders.timeline == before

    def test_what_is_no_change_of_status_is_passed_over(self) -> None:
        order = placed_order()
        assert self.handle(reservation_record(order), changed(order, order)) == []
        assert self.orders.calls == []

    def test_an_entry_that_could_not_be_written_is_reported(
        self, output: Callable[[], str]
    ) -> None:
        records = [created(placed_order()) for _ in range(3)]
        attempts = iter([None, TryAgain(), None])

        def fail_second() -> None:
            if fault := next(attempts):
                raise fault

        self.orders.before_write = fail_second
        assert self.handle(*records) == [sequence_number(records[1])]
        assert len(self.orders.timeline) == 2
        (line,) = log_lines(output())
        second = records[1]["dynamodb"]["NewImage"]["orderId"]["S"]
        assert (line["cause"], line["order_id"]) == ("TryAgain", second)

    def test_a_store_that_is_down_fails_the_whole_batch(self) -> None:
        def fail() -> None:
            raise TryAgain

        self.orders.before_write = fail
        records = [created(placed_order()) for _ in range(3)]
        assert self.handle(*records) == [sequence_number(record) for record in records]

    def test_a_record_that_cannot_be_read_is_set_aside_whole_and_blocks_nothing(self) -> None:
        poison, good = unreadable(placed_order()), placed_order()
        assert self.handle(poison, created(good)) == []
        assert self.failure_queue.records == [poison]
        assert set(self.orders.timeline) == {(good.order_id, 1)}

    def test_a_record_that_can_neither_be_read_nor_set_aside_is_reported(self) -> None:
        self.failure_queue.fault = sqs.Unavailable()
        poison, good = unreadable(placed_order()), placed_order()
        assert self.handle(poison, created(good)) == [sequence_number(poison)]
        assert set(self.orders.timeline) == {(good.order_id, 1)}


class TestSettlePayments:
    @pytest.fixture(autouse=True)
    def _set_up(self) -> None:
        self.orders = InMemoryOrders()
        self.payments = FakePayments()
        self.inventory = FakeInventory()
        self.clock = FakeClock()
        self.failed = FakeFailedMessages()
        settle = SettlePayment(self.orders, self.payments, self.inventory, self.clock)
        self.handler = background(settle_payments.consumer(settle, lambda: self.failed))

    def handle(self, *records: dict[str, Any]) -> list[str]:
        return failures(self.handler(batch(*records), Context()))

    def order(self) -> Order:
        order = placed_order(payment_token="tok_approve")
        self.orders.orders[order.order_id] = order
        return order

    def pauses_after(self, receives: int) -> list[int]:
        self.payments.refusal, self.failed.pauses = PaymentUnavailable(), []
        event = change_of(self.order())
        for _ in range(200):
            record = message(event, receives=receives)
            assert self.handle(record) == [record["messageId"]]
        return self.failed.pauses

    def test_a_message_is_not_begun_where_there_is_no_time_to_end_it(self) -> None:
        order = self.order()
        record = message(change_of(order))
        answer = self.handler(batch(record), Context(remaining=14_999))
        assert failures(answer) == [record["messageId"]]
        assert self.orders.orders[order.order_id] == order
        assert len(self.failed.pauses) == 1
        assert failures(self.handler(batch(record), Context(remaining=15_000))) == []

    def test_an_order_with_a_token_is_paid(self, output: Callable[[], str]) -> None:
        order = self.order()
        assert self.handle(message(change_of(order))) == []
        assert self.orders.orders[order.order_id].status is PAID
        assert metric(output(), "PaymentPaid") == 1

    def test_a_redelivery_changes_nothing_and_counts_nothing(
        self, output: Callable[[], str]
    ) -> None:
        delivery = message(change_of(self.order()))
        self.handle(delivery)
        output()
        assert self.handle(delivery) == []
        assert len(self.payments.charged) == 1
        assert metric(output(), "PaymentPaid") is None

    def test_an_order_canceled_after_its_charge_is_refunded(
        self, output: Callable[[], str]
    ) -> None:
        order = self.order()
        self.handle(message(change_of(order)))
        current = self.orders.orders[order.order_id]
        canceled = current.changed_to(CANCELED, by=CUSTOMER, at=NOON)
        self.orders.orders[order.order_id] = canceled
        output()
        assert self.handle(message(change_of(canceled, current))) == []
        assert self.payments.live == {}
        assert metric(output(), "PaymentRefunded") == 1

    def test_an_event_of_a_type_of_the_future_does_no_harm(self) -> None:
        order = self.order()
        body = json.dumps({"type": "ORDER_DELIVERED", "subject": order.order_id, "data": {"x": 1}})
        assert self.handle(message(body)) == []
        assert self.orders.orders[order.order_id].status is PAID

    @pytest.mark.parametrize(
        "fault", [PaymentUnavailable(), TryAgain(), RuntimeError(), ZeroDivisionError()]
    )
    def test_what_may_succeed_later_comes_again_and_the_others_are_done(
        self, fault: Exception, output: Callable[[], str]
    ) -> None:
        self.payments.refusal = fault
        late, idle = message(change_of(self.order())), placed_order()
        self.orders.orders[idle.order_id] = idle
        assert self.handle(late, message(change_of(idle))) == [late["messageId"]]
        assert (len(self.failed.pauses), self.failed.buried) == (1, [])
        written = output()
        assert metric(written, "EventsRetried") == 1
        assert metric(written, "EventsDeadLettered") is None
        told = next(line for line in log_lines(written) if "cause" in line)
        assert told["message"] == "event not processed"
        assert told["cause"] == type(fault).__name__
        assert (told["receives"], told["pause_seconds"]) == (1, self.failed.pauses[0])

    def test_what_nobody_foresaw_is_logged_with_its_frames(self, output: Callable[[], str]) -> None:
        self.payments.refusal = RuntimeError("sEcReT")
        self.handle(message(change_of(self.order())))
        written = output()
        assert "sEcReT" not in written
        (failure,) = log_lines(written)[0]["failure"]
        assert failure["exception"] == "RuntimeError"
        assert failure["frames"][-1].endswith(" charge")
        self.payments.refusal = PaymentUnavailable()
        self.handle(message(change_of(self.order())))
        assert "frames" not in output(), "a gateway that is down is nothing to debug"

    @pytest.mark.parametrize(
        ("receives", "longest"),
        [(1, 10), (2, 20), (3, 40), (6, 320), (7, 640), (8, 900), (99, 900), (5_000, 900)],
    )
    def test_pauses_grow_up_to_a_quarter_of_an_hour_and_are_spread(
        self, receives: int, longest: int
    ) -> None:
        pauses = self.pauses_after(receives)
        assert set(pauses) <= set(range(longest // 2, longest + 1))
        assert len(set(pauses)) > min(4, longest // 3), "what failed together comes apart"

    def test_it_gives_up_after_a_hundred_receives_and_six_hours(
        self, output: Callable[[], str]
    ) -> None:
        self.payments.refusal = PaymentUnavailable("sEcReT")
        event = change_of(self.order())
        for hours, receives in ((5.99, 100), (5.99, 900), (48, 99)):
            self.clock.time = NOON + timedelta(hours=hours)
            assert self.handle(message(event, receives=receives)) != []
        assert self.failed.buried == []
        self.clock.time = NOON + timedelta(hours=6)
        output()
        assert self.handle(message(event, receives=100)) == []
        assert self.failed.buried == [(event_body(event), "ORDER_CREATED", "PaymentUnavailable")]
        written = output()
        assert metric(written, "EventsDeadLettered") == 1
        assert metric(written, "EventsRetried") is None

    def test_a_message_that_does_not_say_when_it_first_came_is_not_given_up(self) -> None:
        self.payments.refusal = PaymentUnavailable()
        record = message(change_of(self.order()), receives=900)
        del record["attributes"]["ApproximateFirstReceiveTimestamp"]
        assert self.handle(record) == [record["messageId"]]

    @pytest.mark.parametrize("body", NO_EVENTS)
    def test_a_message_that_is_no_event_of_ours_is_a_dead_letter_at_once(
        self, body: str, output: Callable[[], str]
    ) -> None:
        order = self.order()
        assert self.handle(message(body), message(change_of(order))) == []
        assert self.failed.buried == [(body, "ORDER_UNHEARD_OF", "NotAnEvent")]
        assert self.orders.orders[order.order_id].status is PAID
        assert metric(output(), "EventsDeadLettered") == 1

    def test_an_order_that_can_never_be_settled_makes_a_dead_letter_at_once(self) -> None:
        gone, robbed = placed_order(), replace(self.order(), payment_token=None)
        self.orders.orders[robbed.order_id] = robbed
        assert self.handle(message(change_of(gone)), message(change_of(robbed))) == []
        causes = [cause for _, _, cause in self.failed.buried]
        assert causes == [
            f"UnsettledOrder: an event names an order that is not there: {gone.order_id}",
            f"UnsettledOrder: a PENDING order lost its payment token: {robbed.order_id}",
        ]

    def test_an_order_that_cannot_be_read_makes_a_dead_letter_at_once(self) -> None:
        order = self.order()
        self.orders.get = raising(MalformedRow("not a readable order: no 'items'"))  # type: ignore[method-assign]  # a fault
        assert self.handle(message(change_of(order))) == []
        ((body, _, cause),) = self.failed.buried
        assert (body, cause) == (
            event_body(change_of(order)),
            "MalformedRow: not a readable order: no 'items'",
        )

    def test_a_row_of_a_later_release_waits_for_that_release(self) -> None:
        class RowOfALaterRelease(MalformedRow):
            pass

        record = message(change_of(self.order()))
        self.orders.get = raising(RowOfALaterRelease())  # type: ignore[method-assign]  # a fault
        assert self.handle(record) == [record["messageId"]]
        assert self.failed.buried == []

    def test_what_sqs_did_not_do_loses_no_message(self, output: Callable[[], str]) -> None:
        self.failed.is_down = True
        self.payments.refusal = PaymentUnavailable()
        records = [message("no event"), message(change_of(self.order()))]
        assert self.handle(*records) == [record["messageId"] for record in records]
        written = output()
        assert metric(written, "EventsRetried") == 2
        assert metric(written, "EventsDeadLettered") is None

    def test_a_line_about_one_message_does_not_name_the_order_of_another(
        self, output: Callable[[], str]
    ) -> None:
        order = self.order()
        self.handle(message(change_of(order)), message("no event"))
        named = [line.get("order_id") for line in log_lines(output())]
        assert named == [order.order_id, None]


def raising(error: Exception) -> Callable[..., Any]:
    """A call that fails."""

    def call(*_: object) -> Any:  # noqa: ANN401 - it never does
        raise error

    return call


class TestSettlePaymentsThroughSqs:
    @pytest.fixture(autouse=True)
    def _set_up(self) -> None:
        self.client = Sqs()
        self.failed = SqsFailedMessages(self.client, "events", "dead letters")

    def test_a_message_is_put_off_by_its_visibility(self) -> None:
        assert self.failed.put_off("receipt", 42)
        assert self.client.calls == [
            {"QueueUrl": "events", "ReceiptHandle": "receipt", "VisibilityTimeout": 42}
        ]

    def test_a_dead_letter_says_its_cause_and_keeps_body_and_type(self) -> None:
        assert self.failed.bury("{}", "ORDER_PAID", "x" * 300)
        assert self.failed.bury("", None, "NotAnEvent")
        first, second = self.client.calls
        assert first == {
            "QueueUrl": "dead letters",
            "MessageBody": "{}",
            "MessageAttributes": {
                "cause": {"DataType": "String", "StringValue": "x" * 256},
                "type": {"DataType": "String", "StringValue": "ORDER_PAID"},
            },
        }
        assert set(second["MessageAttributes"]) == {"cause"}

    @FAULTS
    def test_a_fault_of_sqs_is_told_and_logged_by_its_code(
        self, fault: Exception, output: Callable[[], str]
    ) -> None:
        self.client.fault = fault
        assert not self.failed.put_off("receipt", 42)
        assert not self.failed.bury("{}", None, "NotAnEvent")
        causes = {line["cause"] for line in log_lines(output())}
        assert causes <= {"EndpointConnectionError", "ServiceUnavailable"}


class TestExpireStaleOrders:
    def test_an_order_that_cannot_be_read_does_not_keep_the_others_from_expiring(
        self, output: Callable[[], str]
    ) -> None:
        class Damaged(InMemoryOrders):
            def get(self, order_id: OrderId) -> Order | None:
                if order_id == damaged.order_id:
                    raise MalformedRow
                return super().get(order_id)

        orders, clock = Damaged(), FakeClock()
        damaged, sound = placed_order(clock.now()), placed_order(clock.now())
        orders.orders = {order.order_id: order for order in (damaged, sound)}
        clock.advance(days=15)
        handler = background(expire_stale_orders.expirer(ExpireStaleOrders(orders, clock)))
        assert handler({}, Context()) == {"expired": 1}
        assert orders.orders[sound.order_id].status is CANCELED
        written = output()
        assert metric(written, "OrdersUnreadable") == 1
        named = [(line["level"], line.get("order_id")) for line in log_lines(written)]
        assert named == [
            ("ERROR", damaged.order_id),
            ("INFO", sound.order_id),
            ("INFO", None),
        ]

    def test_it_stops_while_there_is_time_to_finish_an_order(
        self, output: Callable[[], str]
    ) -> None:
        orders = InMemoryOrders()
        clock = FakeClock()
        for _ in range(3):
            order = placed_order(clock.now())
            orders.orders[order.order_id] = order
        clock.advance(days=15)
        handler = background(expire_stale_orders.expirer(ExpireStaleOrders(orders, clock)))
        context = Context()
        context.remaining = 20_000
        assert handler({}, context) == {"expired": 0}
        context.remaining = 20_001
        assert handler({}, context) == {"expired": 3}
        assert metric(output(), "OrdersExpired") == 3
        assert {order.status for order in orders.orders.values()} == {CANCELED}


class TestReconcileOrderEvents:
    @pytest.fixture(autouse=True)
    def _set_up(self) -> None:
        self.orders, self.publisher, self.clock = InMemoryOrders(), FakePublisher(), FakeClock()
        reconcile = ReconcileOrderEvents(self.orders, self.publisher, self.clock)
        self.handler = background(reconcile_order_events.reconciler(reconcile))

    def order(self, *moves: OrderStatus) -> Order:
        """An order of an hour ago, without a timeline."""
        order = placed_order(self.clock.now())
        for status in moves:
            order = order.changed_to(status, by=Actor("staff", "ann"), at=self.clock.now())
        self.orders.orders[order.order_id] = order
        return order

    def test_each_missing_entry_is_logged_and_counted(self, output: Callable[[], str]) -> None:
        order = self.order(PAID)
        self.clock.advance(hours=1)
        assert self.handler({}, Context()) == {"missing": 2, "restored": 1}
        assert set(self.orders.timeline) == {(order.order_id, 2)}
        written = output()
        assert metric(written, "MissingTimelineEntries") == 2
        *missing, last = log_lines(written)
        assert [
            (line["message"], line["order_id"], line["version"], line["restored"])
            for line in missing
        ] == [
            ("timeline entry missing", order.order_id, 1, False),
            ("timeline entry missing", order.order_id, 2, True),
        ]
        assert (last["missing"], last["restored"], last.get("order_id")) == (2, 1, None)

    def test_where_nothing_is_missing_nothing_is_counted(self, output: Callable[[], str]) -> None:
        self.orders.append_to_timeline(change_of(self.order()))
        self.clock.advance(hours=1)
        assert self.handler({}, Context()) == {"missing": 0, "restored": 0}
        assert metric(output(), "MissingTimelineEntries") is None

    def test_an_order_that_cannot_be_read_does_not_keep_the_others_from_being_looked_at(
        self, output: Callable[[], str]
    ) -> None:
        damaged, sound = self.order(), self.order()
        self.orders.orders[damaged.order_id] = replace(damaged, version=9)
        self.clock.advance(hours=1)
        assert self.handler({}, Context()) == {"missing": 1, "restored": 1}
        assert set(self.orders.timeline) == {(sound.order_id, 1)}
        written = output()
        assert metric(written, "OrdersUnreadable") == 1
        named = [(line["level"], line.get("order_id")) for line in log_lines(written)]
        assert named == [
            ("ERROR", damaged.order_id),
            ("WARNING", sound.order_id),
            ("INFO", None),
        ]

    @pytest.mark.parametrize("moves", [(), (PAID,)])
    @pytest.mark.parametrize("damage", UNREADABLE, ids=repr)
    def test_a_row_of_wrong_types_neither_stops_the_run_nor_is_quoted(
        self, damage: rows.Row, moves: tuple[OrderStatus, ...], output: Callable[[], str]
    ) -> None:
        orders = DamagedOrders()
        orders.orders = self.orders.orders
        damaged, sound = self.order(*moves), self.order()
        orders.damage = {damaged.order_id: damage}
        self.clock.advance(hours=1)
        reconcile = ReconcileOrderEvents(orders, self.publisher, self.clock)
        handler = background(reconcile_order_events.reconciler(reconcile))
        assert handler({}, Context()) == {"missing": 1, "restored": 1}
        assert set(orders.timeline) == {(sound.order_id, 1)}
        written = output()
        assert metric(written, "OrdersUnreadable") == 1
        assert "sEcReT" not in written

    def test_a_run_that_cannot_look_at_everything_fails_and_keeps_what_it_counted(
        self, output: Callable[[], str]
    ) -> None:
        for _ in range(3):
            self.order()
        self.clock.advance(hours=1)

        class Ending(Context):
            def get_remaining_time_in_millis(self) -> int:
                self.remaining -= 10_000
                return self.remaining

        with pytest.raises(reconcile_order_events.OutOfTime):
            self.handler({}, Ending(remaining=105_001))
        assert metric(output(), "MissingTimelineEntries") == len(self.orders.timeline) == 2
        with pytest.raises(reconcile_order_events.OutOfTime):
            self.handler({}, Context(remaining=45_000))
        assert self.handler({}, Context(remaining=45_001)) == {"missing": 1, "restored": 1}

    def test_a_search_that_finds_nothing_fails_in_time_too(self) -> None:
        class Endless(InMemoryOrders):
            def each_changed(self, *_: object) -> Iterator[None]:
                while context.remaining > 0:
                    context.remaining -= 1_000
                    yield None

        context = Context(remaining=900_000)
        reconcile = ReconcileOrderEvents(Endless(), self.publisher, self.clock)
        handler = background(reconcile_order_events.reconciler(reconcile))
        with pytest.raises(reconcile_order_events.OutOfTime):
            handler({}, context)
        assert context.remaining == 45_000

    def test_a_queue_that_is_down_fails_the_run(self) -> None:
        self.publisher.unavailable = {self.order().order_id}
        self.clock.advance(hours=1)
        with pytest.raises(TryAgain):
            self.handler({}, Context())
        assert self.orders.timeline == {}

    def test_an_event_that_is_too_large_for_the_queue_is_named_and_not_told_restored(
        self, output: Callable[[], str]
    ) -> None:
        order = self.order()
        self.orders.orders[order.order_id] = replace(order, reason="r" * 4096)
        self.clock.advance(hours=1)
        publisher = SqsEventPublisher(Sqs(), "events")
        reconcile = ReconcileOrderEvents(self.orders, publisher, self.clock)
        handler = background(reconcile_order_events.reconciler(reconcile))
        assert handler({}, Context()) == {"missing": 1, "restored": 0}
        assert set(self.orders.timeline) == {(order.order_id, 1)}
        refused, missing, _ = log_lines(output())
        assert (refused["level"], refused["message"]) == ("ERROR", "event refused")
        assert (refused["event_id"], refused["cause"]) == (f"{order.order_id}/1", "TooLarge")
        assert missing["restored"] is False

    def test_its_metric_is_the_one_that_the_alarm_watches(self, output: Callable[[], str]) -> None:
        self.order()
        self.clock.advance(hours=1)
        self.handler({}, Context())
        (blob,) = (json.loads(line) for line in output().splitlines() if '"_aws"' in line)
        (described,) = blob["_aws"]["CloudWatchMetrics"]
        assert described["Dimensions"] == [["service"]]
        assert {"Name": "MissingTimelineEntries", "Unit": "Count"} in described["Metrics"]
