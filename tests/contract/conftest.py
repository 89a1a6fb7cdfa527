"""Every implementation of the repositories, real and fake, empty for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes import InMemoryOrders, InMemoryReports
from orders.adapters.dynamodb.reports import DynamoDbReports
from orders.adapters.dynamodb.repository import DynamoDbOrders
from servers import INDEX, dynamodb_local, ministack, new_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders.application.ports import OrderRepository, ReportRepository

_ENDPOINTS = {"DynamoDB Local": dynamodb_local, "ministack": ministack}
_IMPLEMENTATIONS = ["in memory", *_ENDPOINTS]


@pytest.fixture(params=_IMPLEMENTATIONS)
def orders(request: pytest.FixtureRequest) -> Iterator[OrderRepository]:
    if request.param == "in memory":
        yield InMemoryOrders()
        return
    repository = DynamoDbOrders(new_table(_ENDPOINTS[request.param]()), INDEX)
    yield repository
    repository._threads.shutdown()


@pytest.fixture(params=_IMPLEMENTATIONS)
def reports(request: pytest.FixtureRequest) -> ReportRepository:
    if request.param == "in memory":
        return InMemoryReports()
    return DynamoDbReports(new_table(_ENDPOINTS[request.param]()))
