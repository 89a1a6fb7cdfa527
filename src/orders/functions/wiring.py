"""Connects the ports to their adapters, once, when a function starts."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from orders.adapters.aws.client import connect
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.adapters.dynamodb.table import Table
from orders.adapters.system import RandomIds, SystemClock
from orders.environment import optional, required
from orders.functions.settings import Settings

if TYPE_CHECKING:
    from orders.application.ports import Clock, IdGenerator, OrderRepository, ReportRepository


class Wiring(Settings):
    """Each part is made when first used. Tests put fakes in its place."""

    def __init__(self, *, attempt_seconds: float = 2.3) -> None:
        """By default a call gives up within eight seconds, a request's calls within its time."""
        self._attempt_seconds = attempt_seconds

    @cached_property
    def table(self) -> Table:
        return Table(connect("dynamodb", self._attempt_seconds), required("TABLE_NAME"))

    @cached_property
    def orders(self) -> OrderRepository:
        return DynamoDbOrders(self.table, optional("GSI1_NAME", "gsi1"))

    @cached_property
    def reports(self) -> ReportRepository:
        from orders.adapters.dynamodb.reports import (  # noqa: PLC0415 - few functions use reports
            DynamoDbReports,
        )

        return DynamoDbReports(self.table)

    @cached_property
    def clock(self) -> Clock:
        return SystemClock()

    @cached_property
    def ids(self) -> IdGenerator:
        return RandomIds()
