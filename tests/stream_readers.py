"""The stream's two readers behind the simulated event source, with faults in what they call.

Each is the deployed handler with the settings of the compiled template. Time is the stream's: it
passes only where a test lets it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import replace
from enum import Enum, auto
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore.exceptions import ClientError, ReadTimeoutError

from examples import placed_order
from fakes import InMemoryOrders
from infrastructure.templates import compiled
from orders.adapters.dynamodb.stream import OrderStream
from orders.adapters.sqs import SqsEventPublisher, SqsFailureQueue, event_body
from orders.domain import timestamps
from orders.domain.actor import Actor
from orders.domain.errors import TryAgain
from orders.functions import publish_order_events, record_audit_trail
from orders.telemetry import background
from prove.event_source import RETENTION_SECONDS, FunctionFailed, Mapping, StreamSource
from stream_records import (
    change_of,
    changed,
    created,
    reservation_record,
    sequence_number,
    unreadable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from orders.domain.changes import OrderChange, TimelineEntry
    from orders.domain.order import Order
    from orders.domain.status import OrderStatus
    from stream_records import Record

PAUSE: Final = 20 * 60
"""Seconds between attempts that get nowhere. Lambda's are shorter, and so more in a day."""


counts: Final[Counter[str]] = Counter()
"""What all tests together did."""


class Fault(Enum):
    """What happens to one call of AWS."""

    DOWN = auto()
    """It is refused."""
    LOST = auto()
    """It takes effect, and the answer does not come."""
    PARTLY = auto()
    """Every second message of several is not taken; one alone is refused."""
    DIES_BEFORE = auto()
    """The function dies before it takes effect."""
    DIES_AFTER = auto()
    """The function dies after it took effect."""


class Died(BaseException):
    """The function's process ended; no handler of errors is asked."""


class Stream:
    """One shard, and the changes of orders that it tells of. A record is gone after a day."""

    def __init__(self) -> None:
        self.time = 1_795_435_200.0
        self.records: list[Record] = []
        self.changes: dict[str, OrderChange] = {}
        """By the id of their events, in the order of their commits."""
        self.told_by: dict[str, str] = {}
        """The sequence number of the record that tells of a change, by the change's id."""
        self.unreadable: list[Record] = []

    def place(self) -> Order:
        order = placed_order(timestamps.from_milliseconds(int(self.time * 1000)))
        self._tell(created(order), change_of(order))
        return order

    def move(self, order: Order, status: OrderStatus) -> Order:
        at = timestamps.from_milliseconds(int(self.time * 1000))
        moved = order.changed_to(status, by=Actor("staff", "ann"), at=at, reason="asked for")
        self._tell(changed(order, moved), change_of(moved, order))
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

    def _tell(self, record: Record, change: OrderChange) -> None:
        self._append(record)
        self.changes[change.event_id] = change
        self.told_by[change.event_id] = sequence_number(record)

    def _append(self, record: Record) -> None:
        record["dynamodb"]["ApproximateCreationDateTime"] = int(self.time)
        self.records.append(record)


class Outside:
    """All that a reader calls: faults strike one call after the other, then all pass."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.faults: Iterator[Fault | None] = iter(())
        self.calls = 0
        self.seconds = 0
        """How long a call takes."""
        self.deadline = 0.0
        """When Lambda ends the function."""
        self.deadly = "nothing"
        """The function dies of what holds this text."""

    def call(
        self,
        contents: Sequence[str],
        take: Callable[[str], None],
        refusal: Exception,
        silence: Exception,
    ) -> set[int]:
        """Let AWS take the contents or not; the indices of those that it says it has not.

        Raises what the caller sees where nothing was taken, or where no answer came.
        """
        self.calls += 1
        self.stream.time += self.seconds
        if self.stream.time > self.deadline or any(self.deadly in one for one in contents):
            raise Died
        fault = next(self.faults, None)
        counts["faults"] += fault is not None
        if fault is Fault.DIES_BEFORE:
            raise Died
        if fault is Fault.DOWN or (fault is Fault.PARTLY and len(contents) == 1):
            raise refusal
        untaken = set(range(1, len(contents), 2)) if fault is Fault.PARTLY else set()
        for index, content in enumerate(contents):
            if index not in untaken:
                take(content)
        if fault is Fault.DIES_AFTER:
            raise Died
        if fault is Fault.LOST:
            raise silence
        return untaken


class Sqs:
    """The client of the queues."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.events: list[str] = []
        """Bodies, in the order of their arrival."""
        self.set_aside: list[Record] = []

    def send_message_batch(self, **call: Any) -> dict[str, Any]:  # noqa: ANN401 - as botocore's
        entries = call["Entries"]
        untaken = self._call([entry["MessageBody"] for entry in entries], self.events.append)
        ids = [entry["Id"] for entry in entries]
        return {
            "Successful": [{"Id": id_} for index, id_ in enumerate(ids) if index not in untaken],
            "Failed": [{"Id": ids[index], "Code": "InternalError"} for index in untaken],
        }

    def send_message(self, **call: Any) -> dict[str, Any]:  # noqa: ANN401 - as botocore's
        self._call([call["MessageBody"]], lambda body: self.set_aside.append(json.loads(body)))
        return {"MessageId": "1"}

    def _call(self, bodies: list[str], take: Callable[[str], None]) -> set[int]:
        return self.outside.call(
            bodies,
            take,
            refusal=ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessage"),
            silence=ReadTimeoutError(endpoint_url="https://sqs"),
        )


class Timelines(InMemoryOrders):
    """The table, as far as the timeline needs it."""

    def __init__(self, outside: Outside) -> None:
        super().__init__()
        self.outside = outside
        self.written: list[str] = []
        """The ids of the changes whose entries were new, in their order."""

    def append_to_timeline(self, entry: TimelineEntry) -> None:
        def write(_: str) -> None:
            if (entry.order_id, entry.version) not in self.timeline:
                self.written.append(f"{entry.order_id}/{entry.version}")
            super(Timelines, self).append_to_timeline(entry)

        self.outside.call([entry.order_id], write, refusal=TryAgain(), silence=TryAgain())


class Reader(ABC):
    """One reader of a stream, its queue for what can't be read, and what Lambda gave up."""

    name: ClassVar[str]

    def __init__(self, stream: Stream, batch_size: int | None = None) -> None:
        self.stream = stream
        self.outside = Outside(stream)
        self.sqs = Sqs(self.outside)
        self.given_up: list[dict[str, Any]] = []
        mapping, self.timeout = deployed(self.name)
        self.mapping = replace(mapping, batch_size=batch_size or mapping.batch_size)
        self.source = self.from_the_start()
        self.handler = background(self.consumer(OrderStream(SqsFailureQueue(self.sqs, "aside"))))

    @abstractmethod
    def consumer(self, stream: OrderStream) -> Callable[[dict[str, Any], Any], dict[str, Any]]: ...

    @abstractmethod
    def told(self) -> list[str]:
        """The ids of the changes that the reader passed on, in its order."""

    @abstractmethod
    def contents(self) -> dict[str, object]:
        """What it passed on, by these ids. Raises AssertionError where one id has two contents."""

    @abstractmethod
    def expected(self, change: OrderChange) -> object:
        """What is to be passed on of a change."""

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
        counts["attempts"] += 1
        counts["records"] += len(event["Records"])
        self.outside.deadline = self.stream.time + self.timeout
        try:
            answer = self.handler(json.loads(json.dumps(event)), Context())
        except (Exception, Died) as error:
            raise FunctionFailed from error
        return json.loads(json.dumps(answer))

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

    def is_past(self, number: str) -> bool:
        """Whether the record is acknowledged."""
        return int(number) <= int(self.source.checkpoint or 0)

    def assert_nothing_acknowledged_is_lost(self) -> None:
        """What the checkpoint has passed was passed on or set aside."""
        told = self.stream.told_by
        assert {key for key in told if self.is_past(told[key])} <= set(self.told())
        unreadable = by_number(self.stream.unreadable)
        assert set(filter(self.is_past, unreadable)) <= set(by_number(self.sqs.set_aside))

    def assert_all_told(self) -> None:
        """Each change as it was, and nothing else; what can't be read was set aside, whole."""
        changes = self.stream.changes
        assert self.contents() == {key: self.expected(changes[key]) for key in changes}
        assert by_number(self.sqs.set_aside) == by_number(self.stream.unreadable)
        assert self.given_up == []


class Publisher(Reader):
    name = "publish-order-events"

    def consumer(self, stream: OrderStream) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
        return publish_order_events.consumer(stream, SqsEventPublisher(self.sqs, "events"))

    def told(self) -> list[str]:
        return [json.loads(body)["id"] for body in self.sqs.events]

    def contents(self) -> dict[str, object]:
        contents: dict[str, object] = {}
        for key, body in zip(self.told(), self.sqs.events, strict=True):
            assert contents.setdefault(key, body) == body
        return contents

    def expected(self, change: OrderChange) -> object:
        return event_body(change)


class AuditTrail(Reader):
    name = "record-audit-trail"

    def consumer(self, stream: OrderStream) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
        self.timelines = Timelines(self.outside)
        return record_audit_trail.consumer(stream, self.timelines)

    def told(self) -> list[str]:
        return self.timelines.written

    def contents(self) -> dict[str, object]:
        assert len(set(self.told())) == len(self.told())
        return {
            f"{id_}/{version}": each for (id_, version), each in self.timelines.timeline.items()
        }

    def expected(self, change: OrderChange) -> object:
        return change


class Context(SimpleNamespace):
    aws_request_id = "5f2c6e1a"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


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


def by_number(records: list[Record]) -> dict[str, Record]:
    """The records by their sequence numbers; one that is there twice is the same both times."""
    found: dict[str, Record] = {}
    for record in records:
        assert found.setdefault(sequence_number(record), record) == record
    return found
