"""Committed events are counted, so that an alarm can compare them with published ones."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import create_autospec

import pytest

from examples import new_order
from fakes import NOON
from orders.adapters.dynamodb.errors import ConditionFailed
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.adapters.dynamodb.table import Table
from orders.application.errors import IdTaken, StaleOrder
from orders.domain.actor import CUSTOMER
from orders.domain.order_id import make_order_id
from orders.domain.status import OrderStatus
from orders.telemetry import invocation

if TYPE_CHECKING:
    from collections.abc import Callable


def test_each_event_that_commits_counts_once_and_a_lost_race_does_not(
    output: Callable[[], str],
) -> None:
    table = create_autospec(Table, instance=True)
    orders = DynamoDbOrders(table, "gsi1")
    order, created = new_order().placed(make_order_id(NOON, bytes(3)), by=CUSTOMER)
    paid, payment = order.changed_to(OrderStatus.PAID, by=CUSTOMER, at=NOON)
    with invocation("what tests before counted"):
        pass
    output()
    with invocation("one"):
        orders.add(order, created, None, NOON)
        orders.update(order, paid, payment, None, NOON)
    assert '"EventsRecorded":2}' in output()

    table.write.side_effect = ConditionFailed({0: None})
    with invocation("two"):
        with pytest.raises(IdTaken):
            orders.add(order, created, None, NOON)
        with pytest.raises(StaleOrder):
            orders.update(order, paid, payment, None, NOON)
    assert "EventsRecorded" not in output()
