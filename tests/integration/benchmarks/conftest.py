"""The rivals over DynamoDB Local, behind the proxy that counts calls."""

from __future__ import annotations

import secrets
from itertools import count
from typing import TYPE_CHECKING

import pytest

from benchmarks.typical.table import IDEMPOTENCY_TABLE, ORDERS_TABLE
from orders.domain import timestamps
from rivals import load, sender
from servers import aws_client, create_table, dynamodb_local

if TYPE_CHECKING:
    from types import ModuleType

    from rivals import Send
    from wire import Recorder


@pytest.fixture(scope="session")
def typical_environment(_proxy: Recorder) -> dict[str, str]:
    """Two empty tables, which the tests of a session share."""
    names = {
        "TABLE_NAME": f"typical-orders-{secrets.token_hex(4)}",
        "IDEMPOTENCY_TABLE_NAME": f"typical-keys-{secrets.token_hex(4)}",
    }
    database = aws_client("dynamodb", dynamodb_local())
    database.create_table(TableName=names["TABLE_NAME"], **ORDERS_TABLE)
    database.create_table(TableName=names["IDEMPOTENCY_TABLE_NAME"], **IDEMPOTENCY_TABLE)
    return names | {"AWS_ENDPOINT_URL": _proxy.endpoint}


@pytest.fixture(scope="session")
def typical_app(typical_environment: dict[str, str]) -> ModuleType:
    return load("benchmarks.typical.app", **typical_environment)


@pytest.fixture
def typical(typical_app: ModuleType, wire: Recorder, monkeypatch: pytest.MonkeyPatch) -> Send:
    """Each order and each change a millisecond after the one before, however fast they come."""
    assert wire.endpoint, "calls are counted from here on"
    milliseconds = count(timestamps.to_milliseconds(timestamps.from_text("2026-11-23T12:00:00Z")))

    def timestamp() -> str:
        return timestamps.to_text(timestamps.from_milliseconds(next(milliseconds)))

    monkeypatch.setattr("benchmarks.typical.orders.timestamp", timestamp)
    return sender(typical_app.handler)


@pytest.fixture(scope="session")
def floor_table(_proxy: Recorder) -> str:
    """A table like ours, with the floor's modules set up for it."""
    name = create_table(dynamodb_local())
    for module in ("bare_call", "signed_request"):
        load(f"benchmarks.floor.{module}", TABLE_NAME=name, AWS_ENDPOINT_URL=_proxy.endpoint)
    return name
