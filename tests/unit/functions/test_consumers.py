"""The functions behind the stream and the queue."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from examples import changed_order, event_of, placed_order
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
from orders.adapters.sqs import (
    SqsConsumedQueue,
    SqsDeadLetterQueue,
    SqsEventPublisher,
    event_body,
)
from orders.application.errors import MalformedRow, PaymentUnavailable, TryAgain
from orders.application.expire_stale_orders import ExpireStaleOrders
from orders.application.settle_payment import SettlePayment
from orders.domain.status import OrderStatus
from orders.functions import (
    expire_stale_orders,
    publish_order_events,
    settle_payments,
)
from orders.telemetry import background
from stream_records import (
    FakeConsumedQueue,
    FakeDeadLetterQueue,
    batch,
    created,
    failures,
    message,
    recorded,
    reservation_record,
    sequence_number,
    stream_record,
    unreadable,
)
from written import log_lines, metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.domain.order import Order
    from orders.domain.order_id import OrderId

PENDING, PAID = OrderStatus.PENDING, OrderStatus.PAID
SHIPPED, CANCELED = OrderStatus.SHIPPED, OrderStatus.CANCELED
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


class TestPublishOrderEvents:
    @pytest.fixture(autouse=True)
    def _set_up(self) -> None:
        self.publisher = FakePublisher()
        self.dead_letter_queue = FakeDeadLetterQueue()
        relay = publish_order_events.Relay(self.publisher, self.dead_letter_queue)  # type: ignore[arg-type]  # as much as it needs
        self.handler = background(relay)

    def handle(self, *records: dict[str, Any], context: Any = None) -> list[str]:  # noqa: ANN401 - Lambda's
        return failures(self.handler(batch(*records), context or Context()))

    def test_every_event_whose_row_is_new_is_published(self, output: Callable[[], str]) -> None:
        order = placed_order()
        events = [event_of(order), event_of(changed_order(order, PAID), order)]
        assert self.handle(*map(recorded, events)) == []
        assert self.publisher.published == events
        written = output()
        assert metric(written, "EventsPublished") == 2
        named = [line["order_id"] for line in log_lines(written) if "event_id" in line]
        assert named == [order.order_id, order.order_id]

    def test_an_event_of_a_later_release_is_published_as_it_is(self) -> None:
        event = replace(event_of(placed_order()), type="ORDER_TELEPORTED", status="TELEPORTED")
        assert self.handle(recorded(event)) == []
        assert self.publisher.published == [event]

    def test_what_the_triggers_filter_would_have_kept_away_is_passed_over(self) -> None:
        order = placed_order()
        event = rows.event_row(event_of(order))
        others = [
            reservation_record(order),
            stream_record("INSERT", None, rows.detail_row(order)),
            stream_record("INSERT", None, rows.customer_row(order)),
            stream_record("MODIFY", rows.detail_row(order), rows.detail_row(order)),
            stream_record("MODIFY", event, event),
            stream_record("REMOVE", event, None),
        ]
        assert self.handle(*others) == []
        assert self.publisher.published == []
        assert self.dead_letter_queue.records == []

    def test_it_stops_at_the_first_record_that_the_queue_did_not_take(
        self, output: Callable[[], str]
    ) -> None:
        """What went with it in the same call is sent again, under its same id."""
        orders = [placed_order() for _ in range(12)]
        records = [created(order) for order in orders]
        self.publisher.unavailable = {orders[1].order_id, orders[4].order_id}
        assert self.handle(*records) == [sequence_number(records[1])]
        published = [event.order_id for event in self.publisher.published]
        assert published == [o.order_id for n, o in enumerate(orders[:10]) if n not in {1, 4}]
        assert metric(output(), "EventsPublished") == 8

    @pytest.mark.parametrize("calls", [0, 1, 2])
    def test_it_stops_before_its_time_is_up_and_reports_the_first_record_not_sent(
        self, calls: int
    ) -> None:
        """A function that is cut off reports nothing: all would be sent again, for ever."""
        records = [created(placed_order()) for _ in range(30)]

        class Ending(Context):
            """There is just enough time for so many calls."""

            left = calls

            def get_remaining_time_in_millis(self) -> int:
                self.left -= 1
                return 12_000 if self.left >= 0 else 11_999

        reported = self.handle(*records, context=Ending())
        assert reported == [sequence_number(records[10 * calls])]
        assert len(self.publisher.published) == 10 * calls

    def test_a_record_that_cannot_be_read_is_set_aside_and_blocks_nothing(
        self, output: Callable[[], str]
    ) -> None:
        poison, good = unreadable(placed_order()), placed_order()
        newer = stream_record("INSERT", None, rows.event_row(event_of(good)) | {"schemaVersion": 2})
        assert self.handle(poison, newer, created(good)) == []
        assert self.dead_letter_queue.records == [poison, newer]
        assert [event.order_id for event in self.publisher.published] == [good.order_id]
        assert metric(output(), "RecordsSetAside") == 2

    def test_a_record_that_can_neither_be_read_nor_set_aside_holds_up_those_behind_it(
        self,
    ) -> None:
        self.dead_letter_queue.fault = sqs.QueueUnavailable()
        before = [created(placed_order()) for _ in range(10)]
        poison, behind = unreadable(placed_order()), created(placed_order())
        assert self.handle(*before, behind, poison, behind) == [sequence_number(behind)]
        assert len(self.publisher.published) == 10

    def test_an_event_that_the_queue_will_never_take_is_set_aside_and_blocks_nothing(
        self, output: Callable[[], str]
    ) -> None:
        orders = [placed_order() for _ in range(3)]
        records = [created(order) for order in orders]
        self.publisher.refused = {orders[1].order_id}
        assert self.handle(*records) == []
        assert self.dead_letter_queue.records == [records[1]]
        assert metric(output(), "EventsPublished") == 2
        self.dead_letter_queue.fault = sqs.QueueUnavailable()
        assert self.handle(*records) == [sequence_number(records[0])]

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
        response: dict[str, Any] = {
            "Successful": [{"Id": entry["Id"]} for entry in entries if entry not in failed]
        }
        if failed:
            response["Failed"] = [
                {"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"}
                for entry in failed
            ]
        return response

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
        dead_letter_queue = SqsDeadLetterQueue(self.client, "failures")
        publisher = SqsEventPublisher(self.client, "events")
        self.handler = background(publish_order_events.Relay(publisher, dead_letter_queue))

    def handle(self, *records: dict[str, Any]) -> list[str]:
        return failures(self.handler(batch(*records), Context()))

    def test_ten_events_go_in_a_call(self) -> None:
        assert self.handle(*[created(placed_order()) for _ in range(25)]) == []
        assert [len(call["Entries"]) for call in self.client.calls] == [10, 10, 5]

    def test_the_entry_that_failed_is_the_one_that_is_reported(self) -> None:
        orders = [placed_order() for _ in range(23)]
        records = [created(order) for order in orders]
        self.client.refused = orders[21].order_id
        assert self.handle(*records) == [sequence_number(records[21])]

    @FAULTS
    def test_a_queue_that_is_down_is_called_once(self, fault: Exception) -> None:
        self.client.fault = fault
        records = [created(placed_order()) for _ in range(12)]
        assert self.handle(*records) == [sequence_number(records[0])]
        assert len(self.client.calls) == 1

    @FAULTS
    def test_a_dead_letter_queue_that_is_down_keeps_the_record_in_the_stream(
        self, fault: Exception
    ) -> None:
        self.client.fault = fault
        poison = unreadable(placed_order())
        assert self.handle(poison) == [sequence_number(poison)]

    def test_what_is_set_aside_is_the_rows_keys_and_the_cause(self) -> None:
        """Never a value: the row has it, and a person can be erased from the row."""
        poison = unreadable(placed_order(), marker="sEcReT")
        assert self.handle(poison) == []
        (call,) = self.client.calls
        change = poison["dynamodb"]
        assert json.loads(call["MessageBody"]) == {
            "keys": {name: key["S"] for name, key in change["Keys"].items()},
            "eventID": poison["eventID"],
            "sequenceNumber": change["SequenceNumber"],
        }
        cause = call["MessageAttributes"]["cause"]["StringValue"]
        assert "EVENT#0000000001" in cause
        assert "sEcReT" not in str(call)
        assert "cus_42" not in str(call)

    @pytest.mark.parametrize("keys", ["sEcReT", None, {"pk": "sEcReT"}, {"pk": {"N": "1"}}])
    def test_a_record_without_keys_that_can_be_read_is_set_aside_too(self, keys: object) -> None:
        record = created(placed_order())
        record["dynamodb"]["Keys"] = keys
        assert self.handle(record) == []
        (call,) = self.client.calls
        assert json.loads(call["MessageBody"])["keys"] == {}


class TestSettlePayments:
    @pytest.fixture(autouse=True)
    def _set_up(self) -> None:
        self.orders = InMemoryOrders()
        self.payments = FakePayments()
        self.inventory = FakeInventory()
        self.clock = FakeClock()
        self.failed = FakeConsumedQueue()
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
        event = event_of(self.order())
        for _ in range(200):
            record = message(event, receives=receives)
            assert self.handle(record) == [record["messageId"]]
        return self.failed.pauses

    def test_a_message_is_not_begun_where_there_is_no_time_to_end_it(self) -> None:
        order = self.order()
        record = message(event_of(order))
        response = self.handler(batch(record), Context(remaining=14_999))
        assert failures(response) == [record["messageId"]]
        assert self.orders.orders[order.order_id] == order
        assert len(self.failed.pauses) == 1
        assert failures(self.handler(batch(record), Context(remaining=15_000))) == []

    def test_an_order_with_a_token_is_paid(self, output: Callable[[], str]) -> None:
        order = self.order()
        assert self.handle(message(event_of(order))) == []
        assert self.orders.orders[order.order_id].status is PAID
        assert metric(output(), "PaymentPaid") == 1

    def test_a_redelivery_changes_nothing_and_counts_nothing(
        self, output: Callable[[], str]
    ) -> None:
        delivery = message(event_of(self.order()))
        self.handle(delivery)
        output()
        assert self.handle(delivery) == []
        assert len(self.payments.charged) == 1
        assert metric(output(), "PaymentPaid") is None

    def test_an_order_canceled_after_its_charge_is_refunded(
        self, output: Callable[[], str]
    ) -> None:
        order = self.order()
        self.handle(message(event_of(order)))
        current = self.orders.orders[order.order_id]
        canceled = changed_order(current, CANCELED)
        self.orders.orders[order.order_id] = canceled
        output()
        assert self.handle(message(event_of(canceled, current))) == []
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
        late, idle = message(event_of(self.order())), placed_order()
        self.orders.orders[idle.order_id] = idle
        assert self.handle(late, message(event_of(idle))) == [late["messageId"]]
        assert (len(self.failed.pauses), self.failed.dead_letters) == (1, [])
        written = output()
        assert metric(written, "EventsRetried") == 1
        assert metric(written, "EventsDeadLettered") is None
        told = next(line for line in log_lines(written) if "cause" in line)
        assert told["message"] == "event not processed"
        assert told["cause"] == type(fault).__name__
        assert (told["receives"], told["pause_seconds"]) == (1, self.failed.pauses[0])

    def test_what_nobody_foresaw_is_logged_with_its_frames(self, output: Callable[[], str]) -> None:
        self.payments.refusal = RuntimeError("sEcReT")
        self.handle(message(event_of(self.order())))
        written = output()
        assert "sEcReT" not in written
        (failure,) = log_lines(written)[0]["error"]
        assert failure["exception"] == "RuntimeError"
        assert failure["frames"][-1].endswith(" charge")
        self.payments.refusal = PaymentUnavailable()
        self.handle(message(event_of(self.order())))
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

    def test_it_gives_up_a_day_after_the_first_receive_however_many_there_were(
        self, output: Callable[[], str]
    ) -> None:
        self.payments.refusal = PaymentUnavailable("sEcReT")
        event = event_of(self.order())
        for hours, receives in ((0, 1), (23.99, 100), (23.99, 900)):
            self.clock.time = NOON + timedelta(hours=hours)
            assert self.handle(message(event, receives=receives)) != []
        assert self.failed.dead_letters == []
        self.clock.time = NOON + timedelta(hours=24)
        output()
        assert self.handle(message(event, receives=2)) == []
        assert self.failed.dead_letters == [
            (event_body(event), "ORDER_CREATED", "PaymentUnavailable")
        ]
        written = output()
        assert metric(written, "EventsDeadLettered") == 1
        assert metric(written, "EventsRetried") is None

    def test_a_message_that_does_not_say_when_it_first_came_is_not_given_up(self) -> None:
        self.payments.refusal = PaymentUnavailable()
        record = message(event_of(self.order()), receives=900)
        del record["attributes"]["ApproximateFirstReceiveTimestamp"]
        assert self.handle(record) == [record["messageId"]]

    @pytest.mark.parametrize("body", NO_EVENTS)
    def test_a_message_that_is_no_event_of_ours_is_a_dead_letter_at_once(
        self, body: str, output: Callable[[], str]
    ) -> None:
        order = self.order()
        assert self.handle(message(body), message(event_of(order))) == []
        assert self.failed.dead_letters == [(body, "ORDER_UNHEARD_OF", "NotAnEvent")]
        assert self.orders.orders[order.order_id].status is PAID
        assert metric(output(), "EventsDeadLettered") == 1

    def test_an_order_that_can_never_be_settled_makes_a_dead_letter_at_once(self) -> None:
        gone, robbed = placed_order(), replace(self.order(), payment_token=None)
        self.orders.orders[robbed.order_id] = robbed
        assert self.handle(message(event_of(gone)), message(event_of(robbed))) == []
        causes = [cause for _, _, cause in self.failed.dead_letters]
        assert causes == [
            f"UnsettledOrder: an event names an order that is not there: {gone.order_id}",
            f"UnsettledOrder: a PENDING order lost its payment token: {robbed.order_id}",
        ]

    def test_an_order_that_cannot_be_read_makes_a_dead_letter_at_once(self) -> None:
        order = self.order()
        self.orders.get = raising(MalformedRow("not a readable order: no 'items'"))  # type: ignore[method-assign]  # a fault
        assert self.handle(message(event_of(order))) == []
        ((body, _, cause),) = self.failed.dead_letters
        assert (body, cause) == (
            event_body(event_of(order)),
            "MalformedRow: not a readable order: no 'items'",
        )

    def test_a_row_of_a_later_release_waits_for_that_release(self) -> None:
        class RowOfALaterRelease(MalformedRow):
            pass

        record = message(event_of(self.order()))
        self.orders.get = raising(RowOfALaterRelease())  # type: ignore[method-assign]  # a fault
        assert self.handle(record) == [record["messageId"]]
        assert self.failed.dead_letters == []

    def test_what_sqs_did_not_do_loses_no_message(self, output: Callable[[], str]) -> None:
        self.failed.is_down = True
        self.payments.refusal = PaymentUnavailable()
        records = [message("no event"), message(event_of(self.order()))]
        assert self.handle(*records) == [record["messageId"] for record in records]
        written = output()
        assert metric(written, "EventsRetried") == 2
        assert metric(written, "EventsDeadLettered") is None

    def test_a_line_about_one_message_does_not_name_the_order_of_another(
        self, output: Callable[[], str]
    ) -> None:
        order = self.order()
        self.handle(message(event_of(order)), message("no event"))
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
        self.failed = SqsConsumedQueue(self.client, "events", "dead letters")

    def test_a_message_is_put_off_by_its_visibility(self) -> None:
        assert self.failed.delay("receipt", 42)
        assert self.client.calls == [
            {"QueueUrl": "events", "ReceiptHandle": "receipt", "VisibilityTimeout": 42}
        ]

    def test_a_dead_letter_says_its_cause_and_keeps_body_and_type(self) -> None:
        assert self.failed.dead_letter("{}", "ORDER_PAID", "x" * 300)
        assert self.failed.dead_letter("", None, "NotAnEvent")
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
        assert not self.failed.delay("receipt", 42)
        assert not self.failed.dead_letter("{}", None, "NotAnEvent")
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
        assert metric(output(), "OrdersLeftToExpire") == 1
        context.remaining = 20_001
        assert handler({}, context) == {"expired": 3}
        written = output()
        assert metric(written, "OrdersExpired") == 3
        assert metric(written, "OrdersLeftToExpire") is None
        assert {order.status for order in orders.orders.values()} == {CANCELED}
