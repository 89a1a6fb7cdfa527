"""A mock inventory. Its reservations are rows of the table, one per order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from orders.adapters.dynamodb import keys
from orders.adapters.dynamodb.errors import ConditionFailed
from orders.adapters.dynamodb.rows import SCHEMA_VERSION
from orders.application.errors import OutOfStock

if TYPE_CHECKING:
    from orders.adapters.dynamodb.table import Table
    from orders.domain.order import Order
    from orders.domain.order_id import OrderId

OUT_OF_STOCK_PREFIX: Final = "OUT-OF-STOCK"
RESERVED: Final = "RESERVED"
RELEASED: Final = "RELEASED"


class MockInventory(NamedTuple):
    """Has any quantity of every SKU, except those that begin with `OUT-OF-STOCK`."""

    table: Table

    def reserve(self, order: Order) -> None:
        if any(item.sku.startswith(OUT_OF_STOCK_PREFIX) for item in order.items):
            raise OutOfStock
        row = keys.reservation(order.order_id) | {
            "schemaVersion": SCHEMA_VERSION,
            "state": RESERVED,
            "items": [{"sku": item.sku, "quantity": item.quantity} for item in order.items],
        }
        try:
            self.table.write(self.table.put(row, "attribute_not_exists(pk)"))
        except ConditionFailed:
            written = self.table.get(keys.reservation(order.order_id))
            if written is None or written["state"] != RESERVED:
                raise OutOfStock from None

    def release(self, order_id: OrderId) -> None:
        """Written even if nothing was reserved, so that a reservation in flight finds it."""
        self.table.write(
            self.table.put(
                keys.reservation(order_id) | {"schemaVersion": SCHEMA_VERSION, "state": RELEASED}
            )
        )
