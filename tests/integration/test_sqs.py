"""Events and unreadable records on their way into queues."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from itertools import cycle, repeat
from typing import TYPE_CHECKING, Any

import pytest

from examples import event_of, placed_order
from fakes import NOON
from orders.adapters import sqs
from orders.adapters.aws import client
from orders.adapters.sqs import SqsDeadLetterQueue, SqsEventPublisher, event_body
from orders.domain.status import OrderStatus
from servers import aws_client, create_queue, ministack
from wire import Break, Recorder, Refusal, Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders.domain.events import OrderEvent

RECEIVE_SECONDS = 30
ANY_CHARACTER = 'é 杯 \U0001f937 \t\n\r\x00\x1f\x7f\ud7ff\ue000\ufffd\ufffe\uffff\U0010ffff "\\'


@pytest.fixture
def wire() -> Iterator[Recorder]:
    with Recorder(ministack()) as recorder:
        yield recorder


@pytest.fixture
def queue() -> str:
    return create_queue(ministack())


@pytest.fixture
def publisher(wire: Recorder, queue: str, monkeypatch: pytest.MonkeyPatch) -> SqsEventPublisher:
    monkeypatch.setenv("AWS_ENDPOINT_URL", wire.endpoint)
    return SqsEventPublisher(client.connect("sqs", attempt_seconds=5), queue)


@pytest.fixture
def failures(publisher: SqsEventPublisher) -> SqsDeadLetterQueue:
    return SqsDeadLetterQueue(publisher.client, publisher.queue_url)


def events(count: int, **details: Any) -> list[OrderEvent]:  # noqa: ANN401 - fields of OrderEvent
    """Of as many orders, of every status, and of one that only a later release knows."""
    made = []
    for number, status in zip(range(count), cycle([*OrderStatus, "TELEPORTED"]), strict=False):
        order = placed_order(NOON + timedelta(seconds=number))
        changed = replace(order, status=status, version=2)
        made.append(replace(event_of(changed, order), **details))
    return made


def received(queue: str, count: int) -> list[dict[str, Any]]:
    """That many messages, and no more that are there by then."""
    client = aws_client("sqs", ministack())
    deadline = time.monotonic() + RECEIVE_SECONDS
    messages: list[dict[str, Any]] = []
    while len(messages) < count and time.monotonic() < deadline:
        response = client.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            VisibilityTimeout=RECEIVE_SECONDS * 2,
        )
        messages += response.get("Messages", [])
    messages += client.receive_message(QueueUrl=queue).get("Messages", [])
    return messages


class TestPublishing:
    def test_every_event_becomes_one_message_and_ten_go_in_a_call(
        self, wire: Recorder, publisher: SqsEventPublisher, queue: str
    ) -> None:
        made = events(25)

        assert publisher.publish(made) == (set(), set())

        assert [len(call.parameters["Entries"]) for call in wire.calls] == [10, 10, 5]
        assert wire.counts == {"SendMessageBatch": 3}
        messages = received(queue, 25)
        assert sorted(message["Body"] for message in messages) == sorted(map(event_body, made))
        for message in messages:
            attributes = message["MessageAttributes"]
            assert set(attributes) == {"type"}
            assert attributes["type"]["DataType"] == "String"
            assert attributes["type"]["StringValue"] == json.loads(message["Body"])["type"]

    def test_no_events_are_no_call(self, wire: Recorder, publisher: SqsEventPublisher) -> None:
        assert publisher.publish([]) == (set(), set())
        assert wire.calls == []

    def test_a_reason_arrives_with_any_characters(
        self, publisher: SqsEventPublisher, queue: str
    ) -> None:
        (event,) = events(1, reason=ANY_CHARACTER)

        assert publisher.publish([event]) == (set(), set())

        (message,) = received(queue, 1)
        assert json.loads(message["Body"])["data"]["reason"] == ANY_CHARACTER

    def test_what_one_call_did_not_take_is_reported_as_unsent(
        self, wire: Recorder, publisher: SqsEventPublisher, queue: str
    ) -> None:
        """The first call takes all but two, the second fails, the third succeeds."""
        taken = [
            {"Id": str(number), "MessageId": "m", "MD5OfMessageBody": ""}
            for number in range(10)
            if number not in {3, 7}
        ]
        refused = [
            {"Id": "3", "Code": "RequestThrottled", "SenderFault": True},
            {"Id": "7", "Code": "InvalidMessageContents", "SenderFault": True},
        ]
        wire.inject(
            [Response({"Successful": taken, "Failed": refused}), Refusal("AccessDenied"), None]
        )
        made = events(25)

        unsent = publisher.publish(made)

        assert sorted(unsent.unavailable) == [3, *range(10, 20)]
        assert sorted(unsent.refused) == [7]
        bodies = {message["Body"] for message in received(queue, 5)}
        assert bodies == {event_body(event) for event in made[20:]}

    def test_an_event_of_4_kib_or_more_is_refused_without_delaying_the_others(
        self, publisher: SqsEventPublisher, queue: str
    ) -> None:
        """Six of these together exceed one call."""
        made = events(12)
        made[:6] = events(6, reason="r" * 200_000)

        unsent = publisher.publish(made)

        assert (sorted(unsent.unavailable), sorted(unsent.refused)) == ([], [*range(6)])
        bodies = {message["Body"] for message in received(queue, 6)}
        assert bodies == {event_body(event) for event in made[6:]}

    def test_a_queue_that_is_down_leaves_all_events_unsent(
        self, wire: Recorder, publisher: SqsEventPublisher
    ) -> None:
        wire.inject(repeat(Break.RESET))

        assert sorted(publisher.publish(events(11)).unavailable) == list(range(11))
        assert wire.counts == {"SendMessageBatch": 2 * client.ATTEMPTS}

    def test_a_missing_queue_leaves_all_events_unsent(
        self, publisher: SqsEventPublisher, queue: str
    ) -> None:
        missing = publisher._replace(queue_url=f"{queue}-that-is-not")
        assert sorted(missing.publish(events(2)).unavailable) == [0, 1]


class TestEventBodies:
    def test_contain_no_character_that_a_queue_refuses(self) -> None:
        """Those of https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html."""
        (event,) = events(1, reason=ANY_CHARACTER)
        allowed = (
            {0x9, 0xA, 0xD} | {*range(0x20, 0xD800)} | {*range(0xE000, 0xFFFE)}
        )  # fmt: skip

        body = event_body(event)

        assert all(ord(character) in allowed or ord(character) > 0xFFFF for character in body)
        assert json.loads(body) == event.to_cloud_event()

    def test_can_be_sent_whatever_a_row_holds(self) -> None:
        """A lone surrogate is no UTF-8; unescaped, it would block the stream."""
        (event,) = events(1, reason="\ud800")
        body = event_body(event)
        assert body.encode()
        assert json.loads(body)["data"]["reason"] == "\ud800"


class TestDeadLetterQueue:
    def test_a_record_arrives_as_its_keys_with_its_cause(
        self, failures: SqsDeadLetterQueue, queue: str
    ) -> None:
        """Its content stays in its row, however large it is."""
        record = {
            "eventID": "1",
            "dynamodb": {
                "Keys": {"pk": {"S": "ORDER#1"}, "sk": {"S": "EVENT#0000000001"}},
                "NewImage": {"reason": {"S": "\U0001f937" * 100_000}},
                "SequenceNumber": "111",
            },
        }

        failures.send(record, "not readable: \uffff" + "x" * 1000)

        (message,) = received(queue, 1)
        assert json.loads(message["Body"]) == {
            "keys": {"pk": "ORDER#1", "sk": "EVENT#0000000001"},
            "eventID": "1",
            "sequenceNumber": "111",
        }
        cause = message["MessageAttributes"]["cause"]["StringValue"]
        assert cause.startswith(r"'not readable: \uffff")
        assert len(cause) == 256

    @pytest.mark.parametrize("record", [{}, {"dynamodb": None}, {"dynamodb": {"Keys": None}}])
    def test_a_record_without_keys_arrives_too(
        self, failures: SqsDeadLetterQueue, queue: str, record: dict[str, Any]
    ) -> None:
        failures.send(record, "a cause")
        (message,) = received(queue, 1)
        assert json.loads(message["Body"])["keys"] == {}

    def test_a_record_that_the_queue_did_not_take_raises(
        self, wire: Recorder, failures: SqsDeadLetterQueue
    ) -> None:
        wire.inject(repeat(Refusal("ServiceUnavailable", status=503)))

        with pytest.raises(sqs.QueueUnavailable):
            failures.send({"eventID": "1"}, "a cause")

        assert wire.counts == {"SendMessage": client.ATTEMPTS}
