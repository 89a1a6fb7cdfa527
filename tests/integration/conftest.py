"""DynamoDB Local behind a proxy that records and breaks calls; each test has an empty table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from api import Api
from orders.adapters.dynamodb.reports import DynamoDbReports
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.adapters.dynamodb.table import Table
from servers import INDEX, client_of, create_table, dynamodb_local
from wire import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def _proxy() -> Iterator[Recorder]:
    with Recorder(dynamodb_local()) as recorder:
        yield recorder


@pytest.fixture
def wire(_proxy: Recorder) -> Iterator[Recorder]:
    _proxy.forget()
    yield _proxy
    _proxy.inject(())


@pytest.fixture
def table(wire: Recorder) -> Table:
    return Table(client_of(wire.endpoint), create_table(dynamodb_local()))


@pytest.fixture
def orders(table: Table) -> Iterator[DynamoDbOrders]:
    repository = DynamoDbOrders(table, INDEX)
    yield repository
    repository._threads.shutdown()


@pytest.fixture
def api(table: Table, orders: DynamoDbOrders, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The routes over the table instead of the fakes."""
    monkeypatch.setattr("api.InMemoryOrders", lambda: orders)
    monkeypatch.setattr("api.InMemoryReports", lambda: DynamoDbReports(table))
    return Api()
