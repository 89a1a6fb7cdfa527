"""Orders of the past, which the API can't create: an id contains its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator import REGION
from examples import new_order
from orders.adapters.aws.client import Client
from orders.adapters.aws.connection import Endpoint
from orders.adapters.aws.credentials import Credentials
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.adapters.dynamodb.table import Table
from orders.adapters.system import RandomIds
from orders.application.errors import IdTaken
from orders.domain.actor import CUSTOMER, Actor
from system.deployment import TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from local_stack import LocalStack
    from orders.adapters.dynamodb.rows import Row
    from orders.domain.order import Order
    from orders.domain.status import OrderStatus
    from system.deployment import Deployment

STAFF = Actor("staff", "s-1")
ROWS_AT_ONCE = 100


def deployed_table(stack: LocalStack) -> Table:
    """The stack's own, for its root user."""
    root = Credentials("test", "test", "")
    endpoint = Endpoint(stack.endpoint, REGION, "dynamodb", attempt_seconds=10)
    return Table(Client(endpoint, "dynamodb", lambda: root), TABLE)


def write_rows(table: Table, rows: Sequence[Row]) -> None:
    """Write thousands of rows in a few seconds, over those that are there."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        table.write(*(table.put(row) for row in rows[start : start + ROWS_AT_ONCE]))


class PastOrders:
    """Writes to the deployed table with the functions' own code, as the root user."""

    def __init__(self, deployment: Deployment) -> None:
        self._orders = DynamoDbOrders(deployed_table(deployment.stack), "gsi1")

    def place(
        self,
        made: datetime,
        *moves: OrderStatus,
        reason: str | None = None,
        **changes: Any,  # noqa: ANN401 - fields of NewOrder
    ) -> Order:
        """Place an order of three mugs, 59.97 USD, and move it, all at that instant of UTC."""
        # Hundreds share an instant, and its ids differ in 18 bits: some draw a taken one.
        while True:
            order, event = new_order(**changes).placed(RandomIds().order_id(made), by=CUSTOMER)
            try:
                self._orders.add(order, event, None, made)
                break
            except IdTaken:
                continue
        for status in moves:
            moved, event = order.changed_to(status, by=STAFF, at=made, reason=reason)
            self._orders.update(order, moved, event, None, made)
            order = moved
        return order
