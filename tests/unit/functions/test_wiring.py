"""What a function reads of its environment when it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.environment import InvalidSetting, optional, required
from orders.functions.wiring import Wiring
from proof.oracle import FEED_DELAY

if TYPE_CHECKING:
    from collections.abc import Callable


def index_of(wiring: Wiring) -> str:
    assert isinstance(wiring.orders, DynamoDbOrders)
    return wiring.orders.index


def test_a_required_setting_is_read_and_named_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TABLE_NAME", "orders_app-dev")
    assert Wiring().table.name == "orders_app-dev"
    monkeypatch.setenv("TABLE_NAME", "")
    with pytest.raises(InvalidSetting, match="TABLE_NAME"):
        required("TABLE_NAME")
    monkeypatch.delenv("TABLE_NAME")
    with pytest.raises(InvalidSetting, match="TABLE_NAME"):
        _ = Wiring().table


@pytest.mark.parametrize(
    ("name", "default", "read"),
    [
        ("CUSTOMER_ID_CLAIM", "sub", lambda: Wiring().claims.customer_id),
        ("STAFF_CLAIM", "cognito:groups", lambda: Wiring().claims.staff),
        ("STAFF_VALUE", "staff", lambda: Wiring().claims.staff_value),
        ("PUBLIC_BASE_URL", "", lambda: Wiring().public_address),
        ("GSI1_NAME", "gsi1", lambda: index_of(Wiring())),
    ],
)
def test_an_optional_setting_has_a_default(
    monkeypatch: pytest.MonkeyPatch, name: str, default: str, read: Callable[[], str]
) -> None:
    monkeypatch.delenv(name, raising=False)
    assert read() == default
    monkeypatch.setenv(name, "")
    assert read() == default
    assert optional(name, "another") == "another"
    monkeypatch.setenv(name, "mine")
    assert read() == "mine"


def test_a_choice_that_a_setting_does_not_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYMENTS", "typo")
    with pytest.raises(InvalidSetting, match="PAYMENTS"):
        _ = Wiring().payments


def test_the_feed_waits_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FEED_DELAY_SECONDS", raising=False)
    assert Wiring().feed_delay == FEED_DELAY


def test_ids_of_one_instant_differ_and_the_clock_has_whole_milliseconds() -> None:
    wiring = Wiring()
    now = wiring.clock.now()
    assert wiring.ids.order_id(now) != wiring.ids.order_id(now)
    assert {wiring.clock.now().microsecond % 1000 for _ in range(20)} == {0}
