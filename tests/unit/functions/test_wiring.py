"""What a function reads of its environment when it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orders.environment import MissingSetting, optional, required
from orders.functions import wiring

if TYPE_CHECKING:
    from collections.abc import Callable

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
    for read in (lambda: required("TABLE_NAME"), wiring.table):
        with pytest.raises(MissingSetting, match="TABLE_NAME"):
            read()


def test_a_setting_that_is_there_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_NAME", "orders_app-dev")
    assert wiring.table().name == "orders_app-dev"


def test_an_optional_setting_has_its_default() -> None:
    claims = wiring.claims()
    settings = (claims.customer_id, claims.staff, claims.staff_value)
    assert settings == ("sub", "cognito:groups", "staff")
    assert not wiring.public_address()
    assert wiring.orders(wiring.table()).index == "gsi1"


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("CUSTOMER_ID_CLAIM", lambda: wiring.claims().customer_id),
        ("STAFF_CLAIM", lambda: wiring.claims().staff),
        ("STAFF_VALUE", lambda: wiring.claims().staff_value),
        ("PUBLIC_BASE_URL", wiring.public_address),
        ("GSI1_NAME", lambda: wiring.orders(wiring.table()).index),
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
