"""Every implementation of the ports, real and fake, empty for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes import FakeInventory, FakePayments, InMemoryOrders, InMemoryReports
from orders.adapters.dynamodb.reports import DynamoDbReports
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.adapters.mock_inventory import MockInventory
from orders.adapters.mock_payments import MockPaymentGateway
from servers import INDEX, dynamodb_local, ministack, new_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders.application.ports import (
        InventoryService,
        OrderRepository,
        PaymentGateway,
        ReportRepository,
    )

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


@pytest.fixture(params=["in memory", "DynamoDB Local"])
def payments(request: pytest.FixtureRequest) -> PaymentGateway:
    if request.param == "in memory":
        return FakePayments()
    return MockPaymentGateway(new_table(dynamodb_local()))


@pytest.fixture(params=["in memory", "DynamoDB Local"])
def inventory(request: pytest.FixtureRequest) -> InventoryService:
    if request.param == "in memory":
        return FakeInventory()
    return MockInventory(new_table(dynamodb_local()))
