"""Lists that are spread over shards: the orders of a status, and the feed of events."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import event_of, placed_order
from fakes import NOON, summary_of
from orders.adapters.dynamodb import keys, rows
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.domain.order_id import IdRange
from orders.domain.status import OrderStatus
from orders.domain.timestamps import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orders.adapters.dynamodb.rows import Row
    from orders.application.paging import Found
    from orders.domain.events import OrderEvent
    from orders.domain.order import Order

EVERYTHING = IdRange.all()
FOREVER = NOON + timedelta(days=365)


class Index:
    """The table's index, with each row in the shard that it was put into."""

    def __init__(self) -> None:
        self.partitions: dict[str, list[Row]] = {}
        self.read = 0
        self.calls = 0

    def put(self, order: Order, shard: int) -> None:
        partition = keys.status_partition(OrderStatus.PENDING, shard)
        row = rows.detail_row(order) | {"gsi1pk": partition}
        self.partitions.setdefault(partition, []).append(row)

    def record(self, event: OrderEvent, shard: int) -> None:
        partition = keys.feed_partition(shard)
        row = rows.event_row(event) | {"gsi1pk": partition}
        self.partitions.setdefault(partition, []).append(row)

    def query(self, partition: str, first: str, last: str, **how: Any) -> Iterator[Row]:  # noqa: ANN401 - as Table's
        self.calls += 1
        assert first <= last, "DynamoDB refuses it"
        found = [
            row for row in self.partitions.get(partition, ()) if first <= row["gsi1sk"] <= last
        ]
        found.sort(key=lambda row: str(row["gsi1sk"]), reverse=not how["ascending"])
        if how["behind"]:
            assert how["behind"]["gsi1pk"] == partition
            found = found[1 + [row["sk"] + row["pk"] for row in found].index(
                how["behind"]["sk"] + how["behind"]["pk"]
            ) :]  # fmt: skip
        self.read += len(found[: how["limit"]])
        return iter(found[: how["limit"]])


class InTurn:
    """Threads that do one thing after the other."""

    map = map


def repository(index: Index) -> DynamoDbOrders:
    orders = DynamoDbOrders(index, "gsi1")  # type: ignore[arg-type]  # as much as a list needs
    orders._threads = InTurn()  # type: ignore[assignment]  # likewise
    return orders


def listed(
    shards: Sequence[int], limit: int, *, newest_first: bool = True
) -> tuple[Index, list[Order], list[Any]]:
    """An index with an order in each of these shards, the orders, and a page of the list."""
    index = Index()
    placed = [placed_order() for _ in shards]
    for order, shard in zip(placed, shards, strict=True):
        index.put(order, shard)
    page = repository(index).list_by_status(
        OrderStatus.PENDING, EVERYTHING, newest_first=newest_first, limit=limit
    )
    return index, placed, [found.item for found in page]


SHARDS = st.lists(st.sampled_from([0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7]), max_size=80)


@given(SHARDS, st.integers(1, 40), st.booleans())
def test_a_page_has_the_first_orders_of_all_shards(
    shards: list[int],
    limit: int,
    newest_first: bool,  # noqa: FBT001 - hypothesis names none
) -> None:
    _, placed, page = listed(shards, limit, newest_first=newest_first)
    in_order = placed[::-1] if newest_first else placed
    assert page == [summary_of(order) for order in in_order[:limit]]


def test_evenly_spread_orders_take_one_call_a_shard_and_few_rows_too_many() -> None:
    index, _, page = listed([shard for _ in range(50) for shard in range(8)], 21)
    assert len(page) == 21
    assert index.calls == keys.SHARDS
    assert index.read == 80


def fed(shards: Sequence[int]) -> tuple[Index, list[OrderEvent]]:
    """An index with an event in each of these shards, three a millisecond, in the feed's order."""
    index = Index()
    events = [
        replace(event_of(placed_order()), recorded_at=NOON + timedelta(milliseconds=number // 3))
        for number in range(len(shards))
    ]
    for event, shard in zip(events, shards, strict=True):
        index.record(event, shard)
    return index, events


def items(page: Sequence[Found[OrderEvent, str]]) -> list[OrderEvent | None]:
    return [found.item for found in page]


@given(SHARDS, st.integers(1, 40))
def test_a_walk_through_the_feed_reads_every_event_once_in_order(
    shards: list[int], limit: int
) -> None:
    index, events = fed(shards)
    orders, met, position = repository(index), list[object](), ""
    while page := orders.list_events(position, EPOCH, FOREVER, limit):
        assert len(page) == limit or page[-1].item == events[-1]
        met += [found.item for found in page if found.item]
        position = page[-1].position
        assert len(met) <= len(events)
    assert met == events


@pytest.mark.parametrize("limit", [1, 8, 1000])
@pytest.mark.parametrize(
    "more", [-1, 0, 1], ids=["one less than its share", "its share", "one more than its share"]
)
def test_a_page_is_right_where_one_shard_holds_about_its_share_or_everything(
    limit: int, more: int
) -> None:
    share = min(limit, 2 * limit // 8 + 5)
    for others in (0, 1, limit):
        shards = [5] * (share + more) + [number % 8 for number in range(others)]
        index, events = fed(shards)
        page = repository(index).list_events("", EPOCH, FOREVER, limit)
        assert items(page) == events[:limit]


def test_a_page_of_the_feed_begins_exactly_after_its_position() -> None:
    """Also after the position of an event that was removed."""
    index, events = fed([0] * 6)
    orders = repository(index)
    for number, found in enumerate(orders.list_events("", EPOCH, FOREVER, 10)):
        rest = orders.list_events(found.position, EPOCH, FOREVER, 10)
        assert items(rest) == events[number + 1 :]
    removed = orders.list_events("", EPOCH, FOREVER, 10)[2].position
    del index.partitions[keys.feed_partition(0)][2]
    assert items(orders.list_events(removed, EPOCH, FOREVER, 10)) == events[3:]


def test_empty_bounds_of_the_feed_are_no_call() -> None:
    index, _ = fed(range(8))
    assert items(repository(index).list_events("", FOREVER, EPOCH, 9)) == []
    assert index.calls == 0
