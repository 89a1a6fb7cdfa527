"""What is committed is counted, so that an alarm can tell that it isn't published."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from unittest.mock import create_autospec

import pytest

from examples import placed_order
from fakes import NOON
from orders.adapters.dynamodb.faults import ConditionFailed
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.adapters.dynamodb.table import Table
from orders.application.conflicts import KeyInUse, StaleOrder
from orders.domain.status import OrderStatus
from orders.telemetry import invocation

if TYPE_CHECKING:
    from collections.abc import Callable


def test_each_committed_change_counts_once_and_a_lost_race_does_not(
    output: Callable[[], str],
) -> None:
    table = create_autospec(Table, instance=True)
    orders = DynamoDbOrders(table, "gsi1")
    order = placed_order(NOON)
    paid = replace(order, status=OrderStatus.PAID, version=2)
    with invocation("one"):
        orders.add(order, None, NOON)
        orders.update(order, paid, None, NOON)
    assert '"EventsRecorded":2}' in output()

    table.write.side_effect = ConditionFailed(frozenset({0}))
    with invocation("two"):
        with pytest.raises(KeyInUse):
            orders.add(order, None, NOON)
        with pytest.raises(StaleOrder):
            orders.update(order, paid, None, NOON)
    assert "EventsRecorded" not in output()
