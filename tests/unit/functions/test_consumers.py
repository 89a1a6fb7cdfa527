"""The functions behind the stream and the queue."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

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
from orders.adapters.aws.client import Client, Refused, Unreachable
from orders.adapters.dynamodb import rows
from orders.adapters.sqs import (
    SqsConsumedQueue,
    SqsDeadLetterQueue,
    SqsEventPublisher,
    event_body,
)
from orders.application.errors import (
    MalformedRow,
    NewerRow,
    PaymentUnavailable,
    TryAgain,
    UnsettledOrder,
)
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
    from collections.abc import Callable, Mapping

    from orders.domain.order import Order
    from orders.domain.order_id import OrderId

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
        events = [event_of(order), event_of(changed_order(order, OrderStatus.PAID), order)]
        assert self.handle(*map(recorded, events)) == []
        assert self.publisher.published == events
        written = output()
        assert metric(written, "EventsPublished") == 2
        named = [line["order_id"] for line in log_lines(written) if "event_id" in line]
        assert named == [order.order_id, order.order_id]

    def test_what_the_triggers_filter_keeps_away_is_ignored(self) -> None:
        row = rows.event_row(event_of(placed_order()))
        others = [stream_record(kind, row, row) for kind in ("MODIFY", "REMOVE")]
        assert self.handle(*others, reservation_record(placed_order())) == []
        assert self.publisher.published == []
        assert self.dead_letter_queue.records == []

    def test_the_first_record_that_the_queue_did_not_take_is_reported(
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
    def test_the_first_record_for_which_there_was_no_time_is_reported(self, calls: int) -> None:
        """A function that is cut off reports nothing: all would be sent again, for ever."""
        records = [created(placed_order()) for _ in range(30)]

        class Ending(Context):
            """There is just enough time for so many calls."""

            left = calls

            def get_remaining_time_in_millis(self) -> int:
                self.left -= 1
                return 22_000 if self.left >= 0 else 21_999

        reported = self.handle(*records, context=Ending())
        assert reported == [sequence_number(records[10 * calls])]
        assert len(self.publisher.published) == 10 * calls

    def test_an_unreadable_record_is_dead_lettered_and_blocks_no_other(
        self, output: Callable[[], str]
    ) -> None:
        poison, good = unreadable(placed_order()), placed_order()
        newer = stream_record("INSERT", None, rows.event_row(event_of(good)) | {"schemaVersion": 2})
        assert self.handle(poison, newer, created(good)) == []
        assert self.dead_letter_queue.records == [poison, newer]
        assert [event.order_id for event in self.publisher.published] == [good.order_id]
        assert metric(output(), "RecordsSetAside") == 2

    def test_an_unreadable_record_that_cannot_be_dead_lettered_holds_up_those_behind_it(
        self,
    ) -> None:
        self.dead_letter_queue.fault = sqs.QueueUnavailable()
        before = [created(placed_order()) for _ in range(10)]
        poison, behind = unreadable(placed_order()), created(placed_order())
        assert self.handle(*before, behind, poison, behind) == [sequence_number(poison)]
        assert len(self.publisher.published) == 11

    def test_an_event_that_the_queue_will_never_take_is_dead_lettered_and_blocks_no_other(
        self, output: Callable[[], str]
    ) -> None:
        orders = [placed_order() for _ in range(3)]
        records = [created(order) for order in orders]
        self.publisher.refused = {orders[1].order_id}
        assert self.handle(*records) == []
        assert self.dead_letter_queue.records == [records[1]]
        assert metric(output(), "EventsPublished") == 2
        self.dead_letter_queue.fault = sqs.QueueUnavailable()
        assert self.handle(*records) == [sequence_number(records[1])]

    def test_a_record_is_set_aside_only_with_the_time_for_it(self) -> None:
        poison, orders = unreadable(placed_order()), [placed_order() for _ in range(2)]
        refused = created(orders[1])
        self.publisher.refused = {orders[1].order_id}

        class Ending(Context):
            def __init__(self, *remaining: int) -> None:
                self.times = iter(remaining)

            def get_remaining_time_in_millis(self) -> int:
                return next(self.times)

        for records, late in (([poison], poison), ([created(orders[0]), refused], refused)):
            before = [22_000] * (late is refused)
            reported = self.handle(*records, context=Ending(*before, 10_999))
            assert reported == [sequence_number(late)]
            assert self.handle(*records, context=Ending(*before, 11_000)) == []
        assert self.dead_letter_queue.records == [poison, refused]

    def test_an_empty_batch_succeeds(self) -> None:
        assert self.handle() == []


class Sqs(Client):
    """SQS's client, which fails every call with `fault` if it is set."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.fault: Exception | None = None

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        self.calls.append((operation, parameters))
        if self.fault:
            raise self.fault
        return {"MessageId": "1"}


FAULTS = pytest.mark.parametrize(
    "fault", [Unreachable("curl 7"), Refused("ServiceUnavailable", 503, [])]
)


class TestPublishOrderEventsThroughSqs:
    @pytest.fixture(autouse=True)
    def _set_up(self) -> None:
        self.client = Sqs()
        dead_letter_queue = SqsDeadLetterQueue(self.client, "dead letters")
        publisher = SqsEventPublisher(self.client, "events")
        self.handler = background(publish_order_events.Relay(publisher, dead_letter_queue))

    @FAULTS
    def test_a_queue_that_is_down_is_called_once(self, fault: Exception) -> None:
        self.client.fault = fault
        poison = unreadable(placed_order())
        for records in ([created(placed_order()) for _ in range(12)], [poison]):
            self.client.calls.clear()
            reported = failures(self.handler(batch(*records), Context()))
            assert reported == [sequence_number(records[0])]
            assert len(self.client.calls) == 1

    @pytest.mark.parametrize("keys", ["sEcReT", None, {"pk": "sEcReT"}, {"pk": {"N": "1"}}])
    def test_a_record_whose_keys_cannot_be_read_is_dead_lettered_too(self, keys: object) -> None:
        record = created(placed_order())
        record["dynamodb"]["Keys"] = keys
        assert failures(self.handler(batch(record), Context())) == []
        ((_, call),) = self.client.calls
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
        self.handler = background(settle_payments.consumer(settle, self.failed))

    def handle(self, *records: dict[str, Any]) -> list[str]:
        return failures(self.handler(batch(*records), Context()))

    def order(self) -> Order:
        order = placed_order(payment_token="tok_approve")
        self.orders.orders[order.order_id] = order
        return order

    def test_a_message_is_not_started_without_the_time_to_finish_it(self) -> None:
        order = self.order()
        record = message(event_of(order))
        response = self.handler(batch(record), Context(remaining=14_999))
        assert failures(response) == [record["messageId"]]
        assert self.orders.orders[order.order_id] == order
        assert len(self.failed.pauses) == 1
        assert failures(self.handler(batch(record), Context(remaining=15_000))) == []

    def test_a_message_settles_its_order_and_counts_once(self, output: Callable[[], str]) -> None:
        order = self.order()
        delivery = message(event_of(order))
        assert self.handle(delivery) == []
        paid = self.orders.orders[order.order_id]
        assert paid.status is OrderStatus.PAID
        assert metric(output(), "PaymentPaid") == 1
        assert self.handle(delivery) == []
        assert metric(output(), "PaymentPaid") is None
        canceled = changed_order(paid, OrderStatus.CANCELED)
        self.orders.orders[order.order_id] = canceled
        assert self.handle(message(event_of(canceled, paid))) == []
        assert self.payments.live == {}
        assert metric(output(), "PaymentRefunded") == 1

    def test_an_event_of_an_unknown_type_does_no_harm(self) -> None:
        order = self.order()
        body = json.dumps({"type": "ORDER_TELEPORTED", "subject": order.order_id, "data": {"x": 1}})
        assert self.handle(message(body)) == []
        assert self.orders.orders[order.order_id].status is OrderStatus.PAID

    @pytest.mark.parametrize(
        "error", [PaymentUnavailable(), TryAgain(), NewerRow(), RuntimeError(), ZeroDivisionError()]
    )
    def test_a_message_that_may_succeed_later_is_retried_after_a_pause_and_fails_no_other(
        self, error: Exception, output: Callable[[], str]
    ) -> None:
        self.payments.refusal = error
        late, idle = message(event_of(self.order())), placed_order()
        self.orders.orders[idle.order_id] = idle
        assert self.handle(late, message(event_of(idle))) == [late["messageId"]]
        assert (len(self.failed.pauses), self.failed.dead_letters) == (1, [])
        written = output()
        assert metric(written, "EventsRetried") == 1
        assert metric(written, "EventsDeadLettered") is None
        logged = next(line for line in log_lines(written) if "cause" in line)
        assert logged["message"] == "event not processed"
        assert logged["cause"] == type(error).__name__
        assert (logged["receives"], logged["pause_seconds"]) == (1, self.failed.pauses[0])

    @pytest.mark.parametrize("error", [MalformedRow("why"), UnsettledOrder("why")])
    def test_the_event_of_an_order_that_can_never_be_settled_is_dead_lettered_at_once(
        self, error: Exception
    ) -> None:
        self.payments.refusal = error
        event = event_of(self.order())
        assert self.handle(message(event)) == []
        cause = f"{type(error).__name__}: why"
        assert self.failed.dead_letters == [(event_body(event), "ORDER_CREATED", cause)]

    def test_an_unexpected_error_is_logged_with_its_frames_and_without_values(
        self, output: Callable[[], str]
    ) -> None:
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
    def test_pauses_grow_to_a_quarter_of_an_hour_with_jitter(
        self, receives: int, longest: int
    ) -> None:
        self.payments.refusal = PaymentUnavailable()
        record = message(event_of(self.order()), receives=receives)
        for _ in range(200):
            assert self.handle(record) == [record["messageId"]]
        pauses = self.failed.pauses
        assert set(pauses) <= set(range(longest // 2, longest + 1))
        assert len(set(pauses)) > min(4, longest // 3), "what failed together comes apart"

    def test_a_message_is_given_up_a_day_after_its_first_receive(
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

    def test_a_message_without_the_time_of_its_first_receive_is_not_given_up(self) -> None:
        self.payments.refusal = PaymentUnavailable()
        record = message(event_of(self.order()), receives=900)
        del record["attributes"]["ApproximateFirstReceiveTimestamp"]
        assert self.handle(record) == [record["messageId"]]

    @pytest.mark.parametrize("body", NO_EVENTS)
    def test_a_message_that_is_no_event_is_dead_lettered_at_once(
        self, body: str, output: Callable[[], str]
    ) -> None:
        order = self.order()
        assert self.handle(message(body), message(event_of(order))) == []
        assert self.failed.dead_letters == [(body, "ORDER_UNHEARD_OF", "NotAnEvent")]
        assert self.orders.orders[order.order_id].status is OrderStatus.PAID
        assert metric(output(), "EventsDeadLettered") == 1

    def test_no_message_is_lost_where_sqs_is_down(self, output: Callable[[], str]) -> None:
        self.failed.is_down = True
        self.payments.refusal = PaymentUnavailable()
        records = [message("no event"), message(event_of(self.order()))]
        assert self.handle(*records) == [record["messageId"] for record in records]
        written = output()
        assert metric(written, "EventsRetried") == 2
        assert metric(written, "EventsDeadLettered") is None

    def test_the_log_line_of_a_message_names_no_other_messages_order(
        self, output: Callable[[], str]
    ) -> None:
        order = self.order()
        self.handle(message(event_of(order)), message("no event"))
        named = [line.get("order_id") for line in log_lines(output())]
        assert named == [order.order_id, None]


class TestSettlePaymentsThroughSqs:
    @pytest.fixture(autouse=True)
    def _set_up(self) -> None:
        self.client = Sqs()
        self.failed = SqsConsumedQueue(self.client, "events", "dead letters")

    def test_a_message_is_delayed_by_its_visibility_timeout(self) -> None:
        assert self.failed.delay("receipt", 42)
        assert self.client.calls == [
            (
                "ChangeMessageVisibility",
                {"QueueUrl": "events", "ReceiptHandle": "receipt", "VisibilityTimeout": 42},
            )
        ]

    def test_a_dead_letter_keeps_body_and_type_and_gets_a_cause(self) -> None:
        assert self.failed.dead_letter("{}", "ORDER_PAID", "x" * 300)
        assert self.failed.dead_letter("", None, "NotAnEvent")
        (operation, first), (_, second) = self.client.calls
        assert operation == "SendMessage"
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
    def test_an_error_of_sqs_is_reported_and_logged_by_its_code(
        self, fault: Exception, output: Callable[[], str]
    ) -> None:
        self.client.fault = fault
        assert not self.failed.delay("receipt", 42)
        assert not self.failed.dead_letter("{}", None, "NotAnEvent")
        assert {line["cause"] for line in log_lines(output())} == {str(fault)}


class TestExpireStaleOrders:
    @pytest.fixture(autouse=True)
    def _set_up(self) -> None:
        """Three orders that are stale."""
        self.orders, clock = InMemoryOrders(), FakeClock()
        stale = [placed_order(clock.now()) for _ in range(3)]
        self.orders.orders = {order.order_id: order for order in stale}
        clock.advance(days=15)
        expirer = expire_stale_orders.expirer(ExpireStaleOrders(self.orders, clock))
        self.handler = background(expirer)

    def test_an_unreadable_order_does_not_keep_others_from_expiring(
        self, output: Callable[[], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        damaged, *sound = self.orders.orders
        get = self.orders.get

        def read(order_id: OrderId) -> Order | None:
            if order_id == damaged:
                raise MalformedRow
            return get(order_id)

        monkeypatch.setattr(self.orders, "get", read)
        assert self.handler({}, Context()) == {"expired": 2}
        assert {self.orders.orders[each].status for each in sound} == {OrderStatus.CANCELED}
        written = output()
        assert metric(written, "OrdersUnreadable") == 1
        named = [(line["level"], line.get("order_id")) for line in log_lines(written)]
        assert named == [("ERROR", damaged), *(("INFO", each) for each in sound), ("INFO", None)]

    def test_a_run_stops_while_there_is_time_to_finish_an_order(
        self, output: Callable[[], str]
    ) -> None:
        assert self.handler({}, Context(remaining=20_000)) == {"expired": 0}
        assert metric(output(), "OrdersLeftToExpire") == 1
        assert self.handler({}, Context(remaining=20_001)) == {"expired": 3}
        written = output()
        assert metric(written, "OrdersExpired") == 3
        assert metric(written, "OrdersLeftToExpire") is None
        assert {order.status for order in self.orders.orders.values()} == {OrderStatus.CANCELED}
