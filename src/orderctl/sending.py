"""Sends events again: batches at once, and still a position up to which all were sent."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Final, NamedTuple

from orderctl.app import Problem
from orderctl.aws import BotoClient
from orders.adapters.aws.client import Refused
from orders.adapters.sns import SnsEventPublisher
from orders.adapters.sqs import MAX_ENTRIES, SqsEventPublisher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from typing import Any

    from orderctl.stage import Stage
    from orders.application.paging import Found
    from orders.application.ports import EventPublisher
    from orders.domain.events import OrderEvent

AT_ONCE: Final = 16
"""Batches that are under way."""

_PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between the attempts at what a queue can't take now."""


@dataclass(slots=True)
class Progress:
    """How far a replay got."""

    position: str
    """Every event up to here was sent, or never can be."""
    sent: int = 0
    refused: int = 0
    """Events that never can be sent: too large, unreadable."""


class Sender(NamedTuple):
    """Sends each event to all publishers, at most `rate` events a second."""

    publishers: Sequence[EventPublisher]
    rate: int
    refuse: Callable[[str], None]
    """Is told of each event that never can be sent."""

    def send(
        self,
        found: Iterable[Found[OrderEvent, str]],
        progress: Progress,
        advance: Callable[[int], None],
    ) -> None:
        """Tell `advance` how many more events `progress` includes, batch by batch.

        Whatever ends it early, what was under way is awaited, and `progress` is true.

        Raises:
            Problem: a queue took nothing for a while.
        """
        pending: deque[tuple[_Batch, Future[set[int]]]] = deque()
        stopping = Event()

        def finish_first() -> None:
            batch, sending = pending[0]
            refused = sending.result()
            pending.popleft()
            for index in sorted(refused):
                self.refuse(f"Event {batch.events[index].event_id} can't be sent.")
            progress.position = batch.position
            progress.sent += len(batch.events) - len(refused)
            progress.refused += len(refused) + batch.unreadable
            advance(len(batch.events) + batch.unreadable)

        with ThreadPoolExecutor(AT_ONCE) as threads:
            try:
                for batch in paced(_batches(found), self.rate):
                    if len(pending) == AT_ONCE:
                        finish_first()
                    pending.append((batch, threads.submit(self._publish, batch.events, stopping)))
                while pending:
                    finish_first()
            except BaseException:
                stopping.set()
                with suppress(Exception):  # up to the first batch that was not sent
                    while pending:
                        finish_first()
                raise

    def _publish(self, events: Sequence[OrderEvent], stopping: Event) -> set[int]:
        """The indices of those that never can be sent."""
        refused: set[int] = set()
        for publisher in self.publishers:
            remaining = [*range(len(events))]
            for pause in (*_PAUSES, None):
                unsent = publisher.publish([events[index] for index in remaining])
                refused |= {remaining[index] for index in unsent.refused}
                remaining = [remaining[index] for index in sorted(unsent.unavailable)]
                if not remaining:
                    break
                if pause is None or stopping.wait(pause):
                    raise Problem("The queue does not take events at present.")
        return refused


class SendingClient(BotoClient):
    """SQS or SNS for a publisher, which takes all that is refused for unavailable.

    What no retry helps is raised.
    """

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Raises Unreachable, Refused that may pass, ClientError."""
        try:
            return super().call(operation, parameters)
        except Refused as error:
            if error.may_pass or error.__cause__ is None:
                raise
            raise error.__cause__ from None


def consumers(stage: Stage) -> dict[str, EventPublisher]:
    """What every event goes to, by its name: the queue, and the topic if the stage has one."""
    url = stage.outputs["OrderEventsQueueUrl"]
    publishers: dict[str, EventPublisher] = {
        queue_name(url): SqsEventPublisher(SendingClient(stage.client("sqs")), url)
    }
    if topic := stage.outputs.get("OrderEventsTopicArn"):
        name = f"the topic {topic.rpartition(':')[2]}"
        publishers[name] = SnsEventPublisher(SendingClient(stage.client("sns")), topic)
    return publishers


def queue_name(url: str) -> str:
    """The name of the queue at this URL."""
    return url.rpartition("/")[2]


class _Batch(NamedTuple):
    position: str
    """Of its last event."""
    events: Sequence[OrderEvent]
    unreadable: int


def paced(
    batches: Iterable[_Batch],
    rate: int,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[_Batch]:
    """The batches, at most `rate` events a second; time that was lost is not made up for."""
    due = now()
    for batch in batches:
        sleep(max(0.0, due - now()))
        due = max(due, now()) + len(batch.events) / rate
        yield batch


def _batches(found: Iterable[Found[OrderEvent, str]]) -> Iterator[_Batch]:
    events: list[OrderEvent] = []
    unreadable, position = 0, ""
    for position, event in found:
        if event is None:
            unreadable += 1
        else:
            events.append(event)
        if len(events) == MAX_ENTRIES:
            yield _Batch(position, events, unreadable)
            events, unreadable = [], 0
    if events or unreadable:
        yield _Batch(position, events, unreadable)
