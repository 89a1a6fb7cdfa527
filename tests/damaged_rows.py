"""Orders whose rows somebody wrote past the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fakes import InMemoryOrders
from orders.adapters.dynamodb import rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders.domain.changes import TimelineEntry
    from orders.domain.order import Order
    from orders.domain.order_id import OrderId

UNREADABLE: Final[tuple[rows.Row, ...]] = (
    {"amount": "5997"},
    {"amount": 59.97},
    {"amount": True},
    {"currency": None},
    {"currency": 840},
    {"customerId": 42},
    {"actor": 1},
    {"staffId": 1},
    {"reason": 1},
    {"reason": b"sEcReT"},
    {"version": "1"},
    {"status": "LOST"},
    {"updatedAt": 5},
    {"orderId": "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"},
    {"orderId": "x"},
)
"""What may stand in a detail row, and not in an event: types, and the id of another order."""


class DamagedOrders(InMemoryOrders):
    """Reads an order with its timeline from its detail row, with the damage that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.damage: dict[OrderId, rows.Row] = {}

    def get_with_timeline(
        self, order_id: OrderId, *, after_version: int, limit: int
    ) -> tuple[Order | None, Sequence[TimelineEntry]]:
        order, entries = super().get_with_timeline(
            order_id, after_version=after_version, limit=limit
        )
        assert order
        row = rows.detail_row(order) | self.damage.get(order_id, {})
        return rows.order_from(row), entries
