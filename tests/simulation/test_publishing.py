"""Whatever fails, every event is published and nothing else is.

These are the faults that the local AWS does not emulate: batches that fail in part or completely,
functions and pollers that die, queues that are down, records that expire.
"""

from __future__ import annotations

import logging
from itertools import count, cycle, repeat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.domain.status import OrderStatus, transitions_from
from simulation.publishing import PAUSE, Fault, Publisher, Stream, ids
from stream_records import sequence_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders.domain.order import Order

PAID, SHIPPED = OrderStatus.PAID, OrderStatus.SHIPPED
EXAMPLES = 200
HOUR = 3600


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The function logs a line for each record and attempt."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def stream() -> Stream:
    return Stream()


def life(stream: Stream, orders: int) -> None:
    """Orders that are placed, paid and shipped, their changes interleaved."""
    placed: list[Order] = []
    for _ in range(orders):
        placed.append(stream.place())
        if len(placed) > 2:
            stream.move(stream.move(placed.pop(0), PAID), SHIPPED)


class TestWithoutFaults:
    def test_every_event_is_published_once_and_in_order(self, stream: Stream) -> None:
        life(stream, 100)
        publisher = Publisher(stream)
        publisher.catch_up()
        assert publisher.published() == list(stream.events)
        publisher.assert_all_published()

    def test_reading_the_whole_stream_again_publishes_the_same_again(self, stream: Stream) -> None:
        """The same ids, the same bytes."""
        life(stream, 50)
        stream.put_unreadable()
        publisher = Publisher(stream)
        for _ in range(3):
            publisher.source = publisher.from_the_start()
            publisher.catch_up()
        assert publisher.published() == list(stream.events) * 3
        publisher.assert_all_published()


class TestUnreadableRecords:
    def test_they_are_set_aside_and_delay_nothing(self, stream: Stream) -> None:
        for number in range(250):
            if number % 50 in {0, 1, 49}:
                stream.put_unreadable()
            stream.place()
        publisher = Publisher(stream)
        publisher.catch_up()
        assert publisher.published() == list(stream.events)
        assert publisher.set_aside() == [sequence_number(record) for record in stream.unreadable]
        publisher.assert_all_published()

    @pytest.mark.parametrize("down", ["both queues", "the queue for what can't be read"])
    def test_they_are_not_acknowledged_while_they_cannot_be_set_aside(
        self, down: str, stream: Stream
    ) -> None:
        stream.put_unreadable()
        stream.place()
        publisher = Publisher(stream)
        publisher.aws.can_set_aside = False
        if down == "both queues":
            publisher.aws.faults = repeat(Fault.DOWN)
        for _ in range(50):
            assert publisher.step()
        assert publisher.source.checkpoint is None
        publisher.aws.can_set_aside = True
        publisher.aws.faults = iter(())
        publisher.catch_up()
        publisher.assert_all_published()

    def test_a_slow_queue_delays_them_and_each_is_set_aside_once(self, stream: Stream) -> None:
        """The function is never cut off: what it had done would be done again."""
        for _ in range(20):
            stream.place()
            stream.put_unreadable()
        publisher = Publisher(stream)
        publisher.aws.seconds = 9
        publisher.catch_up()
        assert publisher.published() == list(stream.events)
        assert publisher.set_aside() == [sequence_number(record) for record in stream.unreadable]
        publisher.assert_all_published()


class TestOutages:
    def test_an_outage_of_less_than_20_hours_loses_nothing(self, stream: Stream) -> None:
        publisher = Publisher(stream)
        end = stream.time + 20 * HOUR - 2 * PAUSE
        publisher.aws.faults = repeat(Fault.DOWN)
        life(stream, 10)
        while stream.time < end:
            stream.place()
            assert publisher.step()
        assert publisher.published() == []
        publisher.aws.faults = iter(())
        publisher.catch_up()
        assert publisher.published() == list(stream.events)
        publisher.assert_all_published()

    def test_an_outage_in_which_every_call_times_out_loses_nothing(self, stream: Stream) -> None:
        """A call gives up after nine seconds; ten of them are more than a function has."""
        life(stream, 60)
        publisher = Publisher(stream)
        publisher.aws.seconds = 9
        publisher.aws.faults = repeat(Fault.DOWN)
        for _ in range(50):
            assert publisher.step()
        assert publisher.published() == []
        publisher.aws.seconds = 0
        publisher.aws.faults = iter(())
        publisher.catch_up()
        publisher.assert_all_published()

    def test_after_20_hours_unsent_events_are_given_up_and_the_shard_goes_on(
        self, stream: Stream
    ) -> None:
        """Each batch leaves its position, four hours before the stream loses its records."""
        for _ in range(150):
            stream.place()
        lost = list(stream.events)
        publisher = Publisher(stream)
        publisher.aws.faults = repeat(Fault.DOWN)
        end = stream.time + 20 * HOUR
        while stream.time <= end:
            assert publisher.step()
            assert publisher.given_up == []
        publisher.aws.faults = iter(())
        stream.place()
        while publisher.source.step():
            pass
        assert publisher.published() == list(stream.events)[150:]
        conditions = {each["requestContext"]["condition"] for each in publisher.given_up}
        assert conditions == {"RecordAgeExceeded"}
        batches = [each["DDBStreamBatchInfo"] for each in publisher.given_up]
        ends = [(one["startSequenceNumber"], one["endSequenceNumber"]) for one in batches]
        assert ends == [
            (stream.numbers[lost[0]], stream.numbers[lost[99]]),
            (stream.numbers[lost[100]], stream.numbers[lost[149]]),
        ]
        assert stream.read(None, 1000)[0] is stream.records[0]


class TestPartialFailures:
    def test_what_the_queue_did_not_take_is_sent_again_before_what_follows(
        self, stream: Stream
    ) -> None:
        for _ in range(25):
            stream.place()
        publisher = Publisher(stream)
        publisher.aws.faults = iter([None, Fault.PARTLY])
        publisher.catch_up()
        ids = list(stream.events)
        taken = [*ids[:10], *ids[10:20:2]]
        assert publisher.published() == [*taken, *ids[11:]]
        publisher.assert_all_published()


class TestTopic:
    """The queue is called before the topic, each with ten events."""

    def test_what_the_topic_did_not_take_is_sent_to_both_again(self, stream: Stream) -> None:
        for _ in range(25):
            stream.place()
        publisher = Publisher(stream, has_topic=True)
        publisher.aws.faults = iter([None, None, None, Fault.PARTLY])
        publisher.catch_up()
        sent = list(stream.events)
        assert publisher.published() == [*sent[:20], *sent[11:]]
        assert ids(publisher.aws.on_topic) == [*sent[:10], *sent[10:20:2], *sent[11:]]

    def test_the_topic_gets_nothing_from_the_first_event_on_that_the_queue_lacks(
        self, stream: Stream
    ) -> None:
        for _ in range(25):
            stream.place()
        publisher = Publisher(stream, has_topic=True)
        publisher.aws.faults = iter([None, None, Fault.PARTLY])
        publisher.catch_up()
        assert ids(publisher.aws.on_topic) == list(stream.events)
        publisher.assert_all_published()

    @pytest.mark.parametrize("turns", [(None, Fault.DOWN), (Fault.DOWN,), (None, Fault.LOST)])
    def test_an_outage_of_either_loses_nothing(
        self, turns: tuple[Fault | None, ...], stream: Stream
    ) -> None:
        life(stream, 60)
        publisher = Publisher(stream, has_topic=True)
        publisher.aws.seconds = 9
        publisher.aws.faults = cycle(turns)
        for _ in range(50):
            assert publisher.step()
        assert publisher.source.checkpoint is None
        publisher.aws.faults = iter(())
        publisher.aws.seconds = 0
        publisher.catch_up()
        publisher.assert_all_published()


class TestDeaths:
    @pytest.mark.parametrize("has_topic", [False, True])
    @pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER])
    def test_a_function_may_die_at_any_call(self, fault: Fault, *, has_topic: bool) -> None:
        for call in count():
            stream = Stream()
            life(stream, 8)
            stream.put_unreadable()
            life(stream, 4)
            publisher = Publisher(stream, batch_size=5, has_topic=has_topic)
            publisher.aws.faults = iter([*repeat(None, call), fault])
            publisher.catch_up()
            publisher.assert_all_published()
            if publisher.aws.calls <= call:
                break
        assert call > 5  # else no call was struck

    def test_a_record_that_kills_the_function_delays_what_follows_by_20_hours_at_most(
        self, stream: Stream
    ) -> None:
        """Bisecting isolates it, so that what precedes it is published; only its age ends it."""
        before = [stream.place() for _ in range(70)]
        deadly = stream.place()
        stream.time += PAUSE
        behind = [stream.place() for _ in range(60)]
        publisher = Publisher(stream)
        publisher.aws.deadly = deadly.order_id
        end = stream.time + 20 * HOUR - 2 * PAUSE
        while stream.time < end:
            assert publisher.step()
        assert set(publisher.published()) == {f"{order.order_id}/1" for order in before}
        stream.time = end + PAUSE + 1
        while publisher.source.step():
            pass
        assert set(publisher.published()) == {f"{order.order_id}/1" for order in [*before, *behind]}
        (position,) = publisher.given_up
        number = stream.numbers[f"{deadly.order_id}/1"]
        assert position["DDBStreamBatchInfo"]["startSequenceNumber"] == number
        assert position["DDBStreamBatchInfo"]["endSequenceNumber"] == number


ACTIONS = st.tuples(
    st.sampled_from(["place", "move", "move", "unreadable", "other row", "step", "restart"]),
    st.integers(0, 50),
)
FAULTS = st.lists(st.one_of(st.none(), st.sampled_from(Fault)), max_size=40)


@settings(max_examples=EXAMPLES)
@given(st.lists(ACTIONS, max_size=60), FAULTS, st.sampled_from([1, 3, 10, 100]), st.booleans())
def test_whatever_happens_every_event_is_published_and_nothing_else(
    actions: list[tuple[str, int]],
    faults: list[Fault | None],
    batch_size: int,
    has_topic: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    stream = Stream()
    publisher = Publisher(stream, batch_size, has_topic=has_topic)
    publisher.aws.faults = iter(faults)
    orders: list[Order] = []
    for action, choice in actions:
        match action:
            case "place":
                orders.append(stream.place())
            case "move":
                move_one(stream, orders, choice)
            case "unreadable":
                stream.put_unreadable()
            case "other row":
                stream.put_other_row()
            case "step":
                publisher.step()
            case "restart":
                publisher.source.restart()
    publisher.catch_up()
    publisher.assert_all_published()


def move_one(stream: Stream, orders: list[Order], choice: int) -> None:
    """Move one of the orders on, by one of the ways that its status allows."""
    moves = [(order, status) for order in orders for status in transitions_from(order.status)]
    if moves:
        order, status = moves[choice % len(moves)]
        orders[orders.index(order)] = stream.move(order, status)
