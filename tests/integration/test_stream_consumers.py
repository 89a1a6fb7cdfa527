"""The stream's reader behind a simulation of Lambda's event source mapping.

What the local AWS does not emulate is claimed here: a batch that fails in part or whole, functions
and pollers that die, queues that are down, records that expire.
"""

from __future__ import annotations

import logging
from itertools import count, repeat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.domain.status import OrderStatus, transitions_from
from stream_readers import PAUSE, Fault, Publisher, Stream, counts
from stream_records import sequence_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders.domain.order import Order

PAID, SHIPPED = OrderStatus.PAID, OrderStatus.SHIPPED
EXAMPLES = 200
HOUR = 3600


@pytest.fixture(scope="module", autouse=True)
def _counted() -> Iterator[None]:
    counts.clear()
    yield
    print("\nStream:", ", ".join(f"{times} {what}" for what, times in sorted(counts.items())))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The reader would write a line for each record and attempt."""
    counts["scenarios"] += 1
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
    def test_every_event_is_told_once_and_in_order(self, stream: Stream) -> None:
        life(stream, 100)
        reader = Publisher(stream)
        reader.catch_up()
        assert reader.told() == list(stream.events)
        reader.assert_all_told()

    def test_another_read_of_the_whole_stream_says_the_same_again(self, stream: Stream) -> None:
        """The same ids with the same bytes."""
        life(stream, 50)
        stream.put_unreadable()
        reader = Publisher(stream)
        for _ in range(3):
            reader.source = reader.from_the_start()
            reader.catch_up()
        assert reader.told() == list(stream.events) * 3
        reader.assert_all_told()


class TestUnreadableRecords:
    def test_they_are_set_aside_and_hold_nothing_up(self, stream: Stream) -> None:
        for number in range(250):
            if number % 50 in {0, 1, 49}:
                stream.put_unreadable()
            stream.place()
        reader = Publisher(stream)
        reader.catch_up()
        assert reader.told() == list(stream.events)
        assert reader.set_aside() == [sequence_number(record) for record in stream.unreadable]
        reader.assert_all_told()

    @pytest.mark.parametrize("down", ["both queues", "the queue for what can't be read"])
    def test_they_are_not_acknowledged_while_they_cannot_be_set_aside(
        self, down: str, stream: Stream
    ) -> None:
        stream.put_unreadable()
        stream.place()
        reader = Publisher(stream)
        reader.sqs.can_set_aside = False
        if down == "both queues":
            reader.outside.faults = repeat(Fault.DOWN)
        for _ in range(50):
            assert reader.step()
        assert reader.source.checkpoint is None
        reader.sqs.can_set_aside = True
        reader.outside.faults = iter(())
        reader.catch_up()
        reader.assert_all_told()


class TestOutages:
    def test_one_that_is_shorter_than_20_hours_loses_nothing(self, stream: Stream) -> None:
        reader = Publisher(stream)
        end = stream.time + 20 * HOUR - 2 * PAUSE
        reader.outside.faults = repeat(Fault.DOWN)
        life(stream, 10)
        while stream.time < end:
            stream.place()
            assert reader.step()
        assert reader.told() == []
        reader.outside.faults = iter(())
        reader.catch_up()
        assert reader.told() == list(stream.events)
        reader.assert_all_told()

    def test_one_in_which_nothing_answers_loses_nothing(self, stream: Stream) -> None:
        """A call gives up after nine seconds; ten of them are more than a function has."""
        life(stream, 60)
        reader = Publisher(stream)
        reader.outside.seconds = 9
        reader.outside.faults = repeat(Fault.DOWN)
        for _ in range(50):
            assert reader.step()
        assert reader.told() == []
        reader.outside.seconds = 0
        reader.outside.faults = iter(())
        reader.catch_up()
        reader.assert_all_told()

    def test_after_20_hours_what_was_not_sent_is_given_up_and_the_shard_goes_on(
        self, stream: Stream
    ) -> None:
        """Each batch leaves its position, four hours before the stream loses its records."""
        for _ in range(150):
            stream.place()
        lost = list(stream.events)
        reader = Publisher(stream)
        reader.outside.faults = repeat(Fault.DOWN)
        end = stream.time + 20 * HOUR
        while stream.time <= end:
            assert reader.step()
            assert reader.given_up == []
        reader.outside.faults = iter(())
        stream.place()
        while reader.source.step():
            pass
        assert reader.told() == list(stream.events)[150:]
        conditions = {each["requestContext"]["condition"] for each in reader.given_up}
        assert conditions == {"RecordAgeExceeded"}
        batches = [each["DDBStreamBatchInfo"] for each in reader.given_up]
        ends = [(one["startSequenceNumber"], one["endSequenceNumber"]) for one in batches]
        assert ends == [
            (stream.told_by[lost[0]], stream.told_by[lost[99]]),
            (stream.told_by[lost[100]], stream.told_by[lost[149]]),
        ]
        assert stream.read(None, 1000)[0] is stream.records[0]


class TestPartialFailures:
    def test_nothing_is_sent_behind_what_the_queue_did_not_take_until_that_is_sent_again(
        self, stream: Stream
    ) -> None:
        for _ in range(25):
            stream.place()
        reader = Publisher(stream)
        reader.outside.faults = iter([None, Fault.PARTLY])
        reader.catch_up()
        ids = list(stream.events)
        taken = [*ids[:10], *ids[10:20:2]]
        assert reader.told() == [*taken, *ids[11:]]
        reader.assert_all_told()

    def test_answers_that_do_not_come_lose_nothing(self, stream: Stream) -> None:
        life(stream, 20)
        reader = Publisher(stream)
        reader.outside.faults = repeat(Fault.LOST, 9)
        reader.catch_up()
        reader.assert_all_told()


class TestDeaths:
    @pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER])
    def test_a_function_may_die_at_any_call(self, fault: Fault) -> None:
        for call in count():
            stream = Stream()
            life(stream, 8)
            stream.put_unreadable()
            life(stream, 4)
            reader = Publisher(stream, batch_size=5)
            reader.outside.faults = iter([*repeat(None, call), fault])
            reader.catch_up()
            reader.assert_all_told()
            if reader.outside.calls <= call:
                break
        assert call > 5  # else no call was struck

    def test_a_poller_may_die_after_any_attempt(self) -> None:
        for attempt in range(30):
            stream = Stream()
            life(stream, 12)
            reader = Publisher(stream, batch_size=7)
            reader.outside.faults = iter([None, *[Fault.PARTLY, Fault.DIES_AFTER, Fault.LOST] * 3])
            for _ in range(attempt):
                reader.step()
            reader.source.restart()
            reader.catch_up()
            reader.assert_all_told()

    def test_a_record_that_kills_the_function_holds_up_those_behind_it_for_20_hours_and_no_longer(
        self, stream: Stream
    ) -> None:
        """Nothing but its age ends it; those before it get through, it is isolated by bisecting."""
        before = [stream.place() for _ in range(70)]
        deadly = stream.place()
        stream.time += PAUSE
        behind = [stream.place() for _ in range(60)]
        reader = Publisher(stream)
        reader.outside.deadly = deadly.order_id
        end = stream.time + 20 * HOUR - 2 * PAUSE
        while stream.time < end:
            assert reader.step()
        assert set(reader.told()) == {f"{order.order_id}/1" for order in before}
        stream.time = end + PAUSE + 1
        while reader.source.step():
            pass
        assert set(reader.told()) == {f"{order.order_id}/1" for order in [*before, *behind]}
        (position,) = reader.given_up
        number = stream.told_by[f"{deadly.order_id}/1"]
        assert position["DDBStreamBatchInfo"]["startSequenceNumber"] == number
        assert position["DDBStreamBatchInfo"]["endSequenceNumber"] == number


ACTIONS = st.tuples(
    st.sampled_from(["place", "move", "move", "unreadable", "other row", "step", "restart"]),
    st.integers(0, 50),
)
FAULTS = st.lists(st.one_of(st.none(), st.sampled_from(Fault)), max_size=40)


@settings(max_examples=EXAMPLES)
@given(st.lists(ACTIONS, max_size=60), FAULTS, st.sampled_from([1, 3, 10, 100]))
def test_whatever_happens_every_event_is_told_and_nothing_else(
    actions: list[tuple[str, int]], faults: list[Fault | None], batch_size: int
) -> None:
    counts["examples"] += 1
    stream = Stream()
    reader = Publisher(stream, batch_size)
    reader.outside.faults = iter(faults)
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
                reader.step()
            case "restart":
                reader.source.restart()
    reader.catch_up()
    reader.assert_all_told()


def move_one(stream: Stream, orders: list[Order], choice: int) -> None:
    """Move one of the orders on, by one of the ways that its status allows."""
    moves = [(order, status) for order in orders for status in transitions_from(order.status)]
    if moves:
        order, status = moves[choice % len(moves)]
        orders[orders.index(order)] = stream.move(order, status)
