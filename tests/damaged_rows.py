"""What may stand in a row that somebody wrote past the API, or that a later release wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from orders.adapters.dynamodb.rows import Row

UNREADABLE: Final[tuple[Row, ...]] = (
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
    {"status": 1},
    {"updatedAt": 5},
    {"orderId": "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"},
    {"orderId": "x"},
)
"""Wrong types, and the id of another order: neither in an order nor in an event."""
