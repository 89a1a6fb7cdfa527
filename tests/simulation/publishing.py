"""The function that publishes events, on a simulated stream, with faults in what it calls.

It is the deployed handler with the settings of the compiled template. Time is the stream's: it
passes only where a test lets it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from examples import event_of, placed_order
from infrastructure.templates import compiled
from orders.adapters.aws.client import Client, Refused, Unreachable
from orders.adapters.sns import QueueAndTopic, SnsEventPublisher
from orders.adapters.sqs import SqsDeadLetterQueue, SqsEventPublisher, event_body
from orders.domain import timestamps
from orders.domain.actor import Actor
from orders.functions.publish_order_events import Relay
from orders.telemetry import background
from proof.event_source import RETENTION_SECONDS, FunctionFailed, Mapping, StreamSource
from stream_records import recorded, reservation_record, sequence_number, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from orders.application.ports import EventPublisher
    from orders.domain.events import OrderEvent
    from orders.domain.order import Order
    from orders.domain.status import OrderStatus
    from stream_records import Record

PAUSE: Final = 20 * 60
"""Seconds between attempts that get nowhere. Lambda's are shorter, and so more in a day."""


class Fault(Enum):
    """What happens to one call of AWS."""

    DOWN = auto()
    """It is refused."""
    LOST = auto()
    """It takes effect, and the response does not come."""
    PARTLY = auto()
    """Every second message of several is not taken; one alone is refused."""
    DIES_BEFORE = auto()
    """The function dies before it takes effect."""
    DIES_AFTER = auto()
    """The function dies after it took effect."""


REFUSAL: Final = Refused("ServiceUnavailable", 503, [])


class Died(BaseException):
    """The function's process ended; no handler of errors is asked."""


class Stream:
    """One shard, and the events in it. A record is gone after a day."""

    def __init__(self) -> None:
        self.time = 1_795_435_200.0
        self.records: list[Record] = []
        self.events: dict[str, OrderEvent] = {}
        """By their ids, in the order of their commits."""
        self.numbers: dict[str, str] = {}
        """The sequence number of each event's record, by the event's id."""
        self.unreadable: list[Record] = []

    def place(self) -> Order:
        order = placed_order(timestamps.from_milliseconds(int(self.time * 1000)))
        self._record(event_of(order))
        return order

    def move(self, order: Order, status: OrderStatus) -> Order:
        at = timestamps.from_milliseconds(int(self.time * 1000))
        moved, event = order.changed_to(status, by=Actor("staff", "ann"), at=at, reason="asked for")
        self._record(event)
        return moved

    def put_unreadable(self) -> Record:
        record = unreadable(placed_order())
        self._append(record)
        self.unreadable.append(record)
        return record

    def put_other_row(self) -> None:
        """One that the filter drops."""
        self._append(reservation_record(placed_order()))

    def read(self, after: str | None, limit: int) -> list[Record]:
        held = (
            record
            for record in self.records
            if record["dynamodb"]["ApproximateCreationDateTime"] >= self.time - RETENTION_SECONDS
            and (after is None or int(sequence_number(record)) > int(after))
        )
        return [record for record, _ in zip(held, range(limit), strict=False)]

    def _record(self, event: OrderEvent) -> None:
        record = recorded(event)
        self._append(record)
        self.events[event.event_id] = event
        self.numbers[event.event_id] = sequence_number(record)

    def _append(self, record: Record) -> None:
        record["dynamodb"]["ApproximateCreationDateTime"] = int(self.time)
        self.records.append(record)


class Aws(Client):
    """The client of both queues and the topic.

    Faults strike one call after the other, then all calls pass.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.events: list[str] = []
        """Bodies, in the order of their arrival in the queue."""
        self.on_topic: list[str] = []
        """Likewise."""
        self.set_aside: list[Record] = []
        """The messages about records that can't be published."""
        self.can_set_aside = True
        self.faults: Iterator[Fault | None] = iter(())
        self.calls = 0
        self.seconds = 0
        """How long a call takes."""
        self.deadline = 0.0
        """When Lambda ends the function."""
        self.deadly = "nothing"
        """The function dies of what contains this text."""

    def call(self, operation: str, parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - a Mapping
        if operation in {"PublishBatch", "SendMessageBatch"}:
            to_topic = operation == "PublishBatch"
            entries = parameters["PublishBatchRequestEntries" if to_topic else "Entries"]
            untaken = self._call(
                [entry["Message" if to_topic else "MessageBody"] for entry in entries],
                (self.on_topic if to_topic else self.events).append,
            )
            return {"Failed": [{"Id": entries[i]["Id"], "Code": "InternalError"} for i in untaken]}
        assert operation == "SendMessage"
        if not self.can_set_aside:
            raise REFUSAL
        body = parameters["MessageBody"]
        self._call([body], lambda body: self.set_aside.append(json.loads(body)))
        return {"MessageId": "1"}

    def _call(self, bodies: Sequence[str], take: Callable[[str], None]) -> set[int]:
        """Take the bodies or not; returns the indices that the response calls failed."""
        self.calls += 1
        self.stream.time += self.seconds
        if self.stream.time > self.deadline or any(self.deadly in body for body in bodies):
            raise Died
        fault = next(self.faults, None)
        if fault is Fault.DIES_BEFORE:
            raise Died
        if fault is Fault.DOWN or (fault is Fault.PARTLY and len(bodies) == 1):
            raise REFUSAL
        untaken = set(range(1, len(bodies), 2)) if fault is Fault.PARTLY else set()
        for index, body in enumerate(bodies):
            if index not in untaken:
                take(body)
        if fault is Fault.DIES_AFTER:
            raise Died
        if fault is Fault.LOST:
            raise Unreachable("curl 28")
        return untaken


class Publisher:
    """The function, its trigger, its queues and perhaps a topic, and what Lambda gave up."""

    def __init__(
        self, stream: Stream, batch_size: int | None = None, *, has_topic: bool = False
    ) -> None:
        self.stream = stream
        self.aws = Aws(stream)
        self.has_topic = has_topic
        self.given_up: list[dict[str, Any]] = []
        mapping, self.timeout = deployed("publish-order-events")
        self.mapping = replace(mapping, batch_size=batch_size or mapping.batch_size)
        self.source = self.from_the_start()
        publisher: EventPublisher = SqsEventPublisher(self.aws, "events")
        if has_topic:
            publisher = QueueAndTopic(publisher, SnsEventPublisher(self.aws, "topic"))
        relay = Relay(publisher, SqsDeadLetterQueue(self.aws, "aside"))
        self.handler: Callable[[dict[str, Any], Any], dict[str, Any]] = background(relay)

    def from_the_start(self) -> StreamSource:
        """A new trigger, which begins with the oldest record that there is."""
        return StreamSource(
            self.mapping,
            read=self.stream.read,
            invoke=self.invoke,
            on_failure=self.given_up.append,
            now=lambda: self.stream.time,
        )

    def invoke(self, event: dict[str, Any]) -> object:
        """Call the handler as Lambda does: JSON in, JSON out, and no longer than its timeout."""
        self.aws.deadline = self.stream.time + self.timeout
        try:
            response = self.handler(json.loads(json.dumps(event)), Context(self.aws))
        except (Exception, Died) as error:
            raise FunctionFailed from error
        return json.loads(json.dumps(response))

    def step(self) -> bool:
        """One attempt; after one that got nowhere, there is a pause."""
        checkpoint = self.source.checkpoint
        if not self.source.step():
            return False
        if self.source.checkpoint == checkpoint:
            self.stream.time += PAUSE
        self.assert_nothing_acknowledged_is_lost()
        return True

    def catch_up(self) -> None:
        """Until nothing is left to read."""
        while self.step():
            pass

    def published(self) -> list[str]:
        """The ids of the events that were sent to the queue, in their order."""
        return ids(self.aws.events)

    def set_aside(self) -> list[str]:
        """The sequence numbers of the records that were, in their order."""
        return [message["sequenceNumber"] for message in self.aws.set_aside]

    def is_past(self, number: str) -> bool:
        """Whether the record is acknowledged."""
        return int(number) <= int(self.source.checkpoint or 0)

    def assert_nothing_acknowledged_is_lost(self) -> None:
        """What the checkpoint has passed was sent or set aside."""
        numbers = self.stream.numbers
        past = {key for key in numbers if self.is_past(numbers[key])}
        assert past <= set(self.published())
        assert not self.has_topic or past <= set(ids(self.aws.on_topic))
        unreadable = map(sequence_number, self.stream.unreadable)
        assert set(filter(self.is_past, unreadable)) <= set(self.set_aside())

    def assert_all_published(self) -> None:
        """Each event unchanged, and nothing else; unreadable records were set aside, by keys."""
        events = self.stream.events
        for bodies in (self.aws.events, *([self.aws.on_topic] if self.has_topic else [])):
            assert set(ids(bodies)) == set(events)
            for key, body in zip(ids(bodies), bodies, strict=True):
                assert body == event_body(events[key])
        assert set(self.set_aside()) == set(map(sequence_number, self.stream.unreadable))
        unreadable = {sequence_number(record): record for record in self.stream.unreadable}
        for message in self.aws.set_aside:
            record = unreadable[message["sequenceNumber"]]
            assert message == {
                "keys": {name: key["S"] for name, key in record["dynamodb"]["Keys"].items()},
                "eventID": record["eventID"],
                "sequenceNumber": sequence_number(record),
            }
        assert self.given_up == []


def ids(bodies: Iterable[str]) -> list[str]:
    """Those of the events."""
    return [json.loads(body)["id"] for body in bodies]


@dataclass(frozen=True, slots=True)
class Context:
    """Lambda's, by the stream's time."""

    aws: Aws
    aws_request_id: str = "5f2c6e1a"

    def get_remaining_time_in_millis(self) -> int:
        return int((self.aws.deadline - self.aws.stream.time) * 1000)


@cache
def deployed(function: str) -> tuple[Mapping, int]:
    """How the function is triggered, and its timeout in seconds."""
    template = compiled("prod")
    (trigger,) = (
        properties
        for properties in template.properties("AWS::Lambda::EventSourceMapping").values()
        if template.target(properties["FunctionName"]) == function
    )
    return Mapping.of(trigger), template.functions[function]["Timeout"]
