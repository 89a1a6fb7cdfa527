"""The list of a status, however its orders are spread over the shards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from examples import placed_order
from fakes import summary_of
from orders.adapters.dynamodb import keys, rows
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.domain.order_id import IdRange
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders.adapters.dynamodb.rows import Row
    from orders.domain.order import Order

EVERYTHING = IdRange.all()


class Index:
    """The table's index, with each order in the shard that it was put into."""

    def __init__(self) -> None:
        self.partitions: dict[str, list[Row]] = {}
        self.read = 0
        self.calls = 0

    def put(self, order: Order, shard: int) -> None:
        partition = keys.status_partition(OrderStatus.PENDING, shard)
        self.partitions.setdefault(partition, []).append(rows.detail_row(order))

    def query(self, partition: str, first: str, last: str, **how: Any) -> Iterator[Row]:  # noqa: ANN401 - as Table's
        self.calls += 1
        found = [
            row for row in self.partitions.get(partition, ()) if first <= row["gsi1sk"] <= last
        ]
        found.sort(key=lambda row: str(row["gsi1sk"]), reverse=not how["ascending"])
        self.read += len(found[: how["limit"]])
        return iter(found[: how["limit"]])


class InTurn:
    """Threads that do one thing after the other."""

    map = map


def listed(
    shards: list[int], limit: int, *, newest_first: bool = True
) -> tuple[Index, list[Order], list[Any]]:
    """An index with an order in each of these shards, the orders, and a page of the list."""
    index, threads = Index(), InTurn()
    placed = [placed_order() for _ in shards]
    for order, shard in zip(placed, shards, strict=True):
        index.put(order, shard)
    orders = DynamoDbOrders(index, "gsi1", threads)  # type: ignore[arg-type]  # as much as a list needs
    page = orders.list_by_status(
        OrderStatus.PENDING, EVERYTHING, newest_first=newest_first, limit=limit
    )
    return index, placed, list(page)


@given(
    st.lists(st.sampled_from([0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7]), max_size=80),
    st.integers(1, 40),
    st.booleans(),
)
def test_a_page_has_the_first_orders_of_all_shards(
    shards: list[int],
    limit: int,
    newest_first: bool,  # noqa: FBT001 - hypothesis names none
) -> None:
    _, placed, page = listed(shards, limit, newest_first=newest_first)
    in_order = placed[::-1] if newest_first else placed
    assert page == [summary_of(order) for order in in_order[:limit]]


def test_orders_that_are_spread_evenly_are_read_with_one_call_each_shard_and_few_to_spare() -> None:
    index, _, page = listed([shard for _ in range(50) for shard in range(8)], 21)
    assert len(page) == 21
    assert index.calls == keys.STATUS_SHARDS
    assert index.read == 80


def test_a_shard_that_has_the_whole_page_is_asked_once_more() -> None:
    index, _, page = listed([3] * 50, 21)
    assert len(page) == 21
    assert index.calls == keys.STATUS_SHARDS + 1
    assert index.read == 21
