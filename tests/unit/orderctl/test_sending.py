"""Sending events again: a position is passed only when everything before it was sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from examples import new_order
from orderctl import sending
from orderctl.app import Problem
from orderctl.sending import AT_ONCE, Progress, Sender, SendingClient, paced
from orders.adapters.sqs import MAX_ENTRIES, SqsEventPublisher
from orders.application.paging import Found
from orders.application.ports import Unsent
from orders.domain.actor import CUSTOMER
from orders.domain.order_id import OrderId
from orders.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orders.application.ports import EventPublisher
    from orders.domain.events import OrderEvent

FAST: Final = 10**9
MANY: Final = 400


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_PAUSES", (0.0, 0.0))
    monkeypatch.setattr(logger, "stream", None)


def feed(count: int, unreadable: Sequence[int] = ()) -> list[Found[OrderEvent, str]]:
    """Events whose positions are their numbers, from 1 on."""
    found: list[Found[OrderEvent, str]] = []
    for number in range(1, count + 1):
        _, event = new_order().placed(
            OrderId(f"01978c5e-7a1b-7c3e-9f00-{number:012d}"), by=CUSTOMER
        )
        found.append(Found(f"{number:06d}", None if number in unreadable else event))
    return found


def number_of(event: OrderEvent) -> int:
    return int(event.order_id[-12:])


@dataclass
class Queue:
    """Takes events, but for some: once, or never; says so of a batch, or raises for all of it."""

    never: frozenset[int] = frozenset()
    not_at_first: frozenset[int] = frozenset()
    failing: frozenset[int] = frozenset()
    sent: list[int] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def publish(self, events: Sequence[OrderEvent]) -> Unsent:
        numbers = [*map(number_of, events)]
        with self.lock:
            if self.failing.intersection(numbers):
                raise Problem("The queue is gone.")
            refused = {index for index, number in enumerate(numbers) if number in self.never}
            later = {index for index, number in enumerate(numbers) if number in self.not_at_first}
            self.not_at_first -= set(numbers)
            taken = set(range(len(numbers))) - refused - later
            self.sent += [numbers[index] for index in sorted(taken)]
            return Unsent(later, refused)


def replay(
    found: Iterable[Found[OrderEvent, str]], *queues: EventPublisher, after: str = ""
) -> tuple[Progress, list[str]]:
    progress, told = Progress(after), list[str]()
    Sender(queues, FAST, told.append).send(found, progress, lambda _: None)
    return progress, told


def some() -> st.SearchStrategy[frozenset[int]]:
    return st.frozensets(st.integers(1, MANY), max_size=6)


@given(some(), some(), some(), some(), st.integers(0, MANY))
def test_whatever_ends_a_replay_all_up_to_its_position_was_sent(
    never: frozenset[int],
    not_at_first: frozenset[int],
    failing: frozenset[int],
    unreadable: frozenset[int],
    interrupted_at: int,
) -> None:
    everything = feed(MANY, [*unreadable])
    queues = [Queue(never, not_at_first, failing), Queue(not_at_first=not_at_first)]
    progress, told = Progress(""), list[str]()

    def interrupted() -> Iterator[Found[OrderEvent, str]]:
        yield from everything[:interrupted_at]
        raise KeyboardInterrupt

    with pytest.raises((KeyboardInterrupt, Problem)):
        Sender(queues, FAST, told.append).send(interrupted(), progress, lambda _: None)

    reached = int(progress.position or 0)
    passed = set(range(1, reached + 1)) - unreadable
    for queue in queues:
        assert passed - queue.never <= set(queue.sent)
    assert progress.sent == len(passed - never)
    assert progress.refused == reached - progress.sent
    assert {int(line.split("/")[0][-12:]) for line in told} == passed & never

    for queue in queues:
        queue.failing = frozenset()
    rest, _ = replay(everything[reached:], *queues, after=progress.position)

    assert rest.sent + progress.sent == len(set(range(1, MANY + 1)) - unreadable - never)
    for queue in queues:
        assert set(queue.sent) == set(range(1, MANY + 1)) - unreadable - queue.never


def test_what_a_queue_took_is_not_sent_to_it_again() -> None:
    takes_all, takes_part = Queue(), Queue(not_at_first=frozenset({3, 4}))

    progress, _ = replay(feed(10), takes_all, takes_part)

    assert takes_all.sent == [*range(1, 11)]
    assert takes_part.sent == [1, 2, *range(5, 11), 3, 4]
    assert progress == Progress("000010", sent=10)


def test_a_queue_that_takes_nothing_for_long_stops_it() -> None:
    class Full(Queue):
        def publish(self, events: Sequence[OrderEvent]) -> Unsent:
            return Unsent(range(len(events)), ())

    with pytest.raises(Problem, match="does not take events"):
        replay(feed(1), Full())


def test_no_more_is_read_than_is_under_way() -> None:
    """So memory is bounded, however many events there are."""
    read_ahead, read_on = Event(), Event()
    most = (AT_ONCE + 1) * MAX_ENTRIES

    class SlowAtFirst(Queue):
        def publish(self, events: Sequence[OrderEvent]) -> Unsent:
            if number_of(events[0]) == 1:
                read_ahead.wait()
                assert not read_on.wait(0.5), "the first batch is not through"
            return super().publish(events)

    def watched() -> Iterator[Found[OrderEvent, str]]:
        for number, one in enumerate(feed(MANY), 1):
            if number >= most:
                (read_ahead if number == most else read_on).set()
            yield one

    assert replay(watched(), SlowAtFirst())[0].sent == MANY


def test_no_more_events_a_second_are_sent_than_may_be() -> None:
    clock, sent = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    for number, _ in enumerate(paced(sending._batches(feed(100)), 20, lambda: clock[0], sleep)):
        sent.append(clock[0])
        if number == 4:
            sleep(60)  # as long as a slow queue takes: it is not flooded afterwards

    pauses = [later - earlier for earlier, later in pairwise(sent)]
    assert pauses == [0.5] * 4 + [60.0] + [0.5] * 4


def refusing(code: str) -> SqsEventPublisher:
    content: Any = {"Error": {"Code": code, "Message": "m"}}

    class Refusing:
        def send_message_batch(self, **_: object) -> None:
            raise ClientError(
                content | {"ResponseMetadata": {"HTTPStatusCode": 400}}, "SendMessageBatch"
            )

    return SqsEventPublisher(SendingClient(Refusing()), "url")


def test_what_no_retry_helps_stops_it_at_once_with_the_cause() -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        replay(feed(1), refusing("AccessDenied"))


def test_a_queue_that_is_throttled_is_tried_again() -> None:
    with pytest.raises(Problem):
        replay(feed(1), refusing("RequestThrottled"))
