"""The orders of all statuses, merged while they change."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import changed_order, placed_order
from fakes import NOON, summary_of
from orderctl.commands import list as list_command
from orderctl.commands.list import newest_first
from orders.application.paging import Found
from orders.domain.order_id import IdRange
from orders.domain.status import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders.adapters.dynamodb.repository import DynamoDbOrders
    from orders.domain.order import OrderSummary
    from orders.domain.order_id import OrderId


class Moving:
    """Orders, oldest first, some of which move on before each read of a page."""

    def __init__(self, count: int, moves: Sequence[int]) -> None:
        self.orders = [placed_order(NOON + timedelta(seconds=place)) for place in range(count)]
        self.moves = list(moves)

    def move(self) -> None:
        place = self.moves.pop()
        order = self.orders[place % len(self.orders)]
        if order.allowed_transitions:
            self.orders[place % len(self.orders)] = changed_order(
                order, order.allowed_transitions[place % len(order.allowed_transitions)]
            )

    def list_by_status(
        self, status: OrderStatus, ids: IdRange, *, newest_first: bool, limit: int
    ) -> Sequence[Found[OrderSummary, OrderId]]:
        assert newest_first
        while self.moves and self.moves[-1] % 3:
            self.move()
        if self.moves:
            self.move()
        bounds = ids.bounds()
        if bounds is None:
            return []
        return [
            Found(one.order_id, summary_of(one))
            for one in reversed(self.orders)
            if one.status == status and bounds[0] <= one.order_id <= bounds[1]
        ][:limit]


@pytest.fixture(autouse=True, scope="module")
def small_pages() -> object:
    with pytest.MonkeyPatch.context() as changes:
        changes.setattr(list_command, "PAGE", 3)
        yield


@given(st.integers(1, 12), st.lists(st.integers(0, 100)))
def test_each_order_is_listed_once_newest_first_while_orders_move_on(
    count: int, moves: list[int]
) -> None:
    moving = Moving(count, moves)
    listed = newest_first(cast("DynamoDbOrders", moving), tuple(OrderStatus), IdRange.all())
    assert [one.position for one in listed] == [one.order_id for one in reversed(moving.orders)]
