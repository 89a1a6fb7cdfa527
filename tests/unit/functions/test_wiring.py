"""What a function reads of its environment when it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.environment import MissingSetting, optional, required
from orders.functions.wiring import Wiring

if TYPE_CHECKING:
    from collections.abc import Callable


def index_of(wiring: Wiring) -> str:
    assert isinstance(wiring.orders, DynamoDbOrders)
    return wiring.orders.index


SETTINGS = ("CUSTOMER_ID_CLAIM", "STAFF_CLAIM", "STAFF_VALUE", "PUBLIC_BASE_URL", "GSI1_NAME")


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is None:
        monkeypatch.delenv("TABLE_NAME")
    else:
        monkeypatch.setenv("TABLE_NAME", value)
    for read in (lambda: required("TABLE_NAME"), lambda: Wiring().table):
        with pytest.raises(MissingSetting, match="TABLE_NAME"):
            read()


def test_a_setting_that_is_there_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_NAME", "orders_app-dev")
    assert Wiring().table.name == "orders_app-dev"


def test_an_optional_setting_has_its_default() -> None:
    wiring = Wiring()
    claims = wiring.claims
    settings = (claims.customer_id, claims.staff, claims.staff_value)
    assert settings == ("sub", "cognito:groups", "staff")
    assert not wiring.public_address
    assert index_of(wiring) == "gsi1"


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("CUSTOMER_ID_CLAIM", lambda: Wiring().claims.customer_id),
        ("STAFF_CLAIM", lambda: Wiring().claims.staff),
        ("STAFF_VALUE", lambda: Wiring().claims.staff_value),
        ("PUBLIC_BASE_URL", lambda: Wiring().public_address),
        ("GSI1_NAME", lambda: index_of(Wiring())),
    ],
)
def test_an_optional_setting_can_be_set(
    monkeypatch: pytest.MonkeyPatch, name: str, read: Callable[[], str]
) -> None:
    default = read()
    monkeypatch.setenv(name, "mine")
    assert read() == "mine"
    monkeypatch.setenv(name, "")
    assert read() == default
    assert optional(name, "default") == "default"
