"""The growth benchmarks, at sizes that take seconds: what they measure, and what they show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from benchmarks import figures, units
from benchmarks.growth import measure
from benchmarks.growth.shops import BUYER, middle_of, open_shop
from benchmarks.growth.wire import Wire
from orders.adapters.dynamodb import keys
from orders.adapters.dynamodb.repository import DynamoDbOrders
from orders.adapters.dynamodb.table import Table
from orders.domain.order_id import IdRange
from orders.domain.status import OrderStatus
from servers import INDEX, client_of, dynamodb_local

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.growth.curves import Curves

SIZES = measure.Sizes(
    shops=([60], [10, 20, 410]), reported=(0, 1), items=(1, 3), batches=(1, 12), rounds=1
)


@pytest.fixture(scope="module")
def curves() -> Curves:
    return measure.measure(SIZES)


class TestCurves:
    def test_every_curve_has_every_size(self, curves: Curves) -> None:
        assert {name: list(curve) for name, curve in curves.items()} == {
            "customer_page_first": [60, 440],
            "customer_page_middle": [60, 440],
            "status_page_first": [60, 440],
            "status_page_middle": [60, 440],
            "feed_page_first": [156, 78],
            "feed_page_middle": [156, 78],
            "daily_report": [10, 20],
            "create": [1, 3],
            "settle_payments_paying": [1, 12],
            "settle_payments_idle": [1, 12],
            "publish_order_events": [1, 12],
        }

    def test_a_customers_page_costs_the_same_wherever_it_is(self, curves: Curves) -> None:
        pages = [
            {name: value for name, value in point.items() if name != "milliseconds"}
            for page in ("customer_page_first", "customer_page_middle")
            for point in curves[page].values()
        ]
        assert pages == [pages[0]] * 4
        assert (pages[0]["calls"], pages[0]["read_units"]) == (1, 1.5)

    def test_calls_are_those_of_one_batch(self, curves: Curves) -> None:
        calls = {name: [point["calls"] for point in curves[name].values()] for name in curves}
        assert calls["feed_page_first"] == [8, 8]
        assert calls["create"] == [1, 1]
        assert calls["settle_payments_paying"] == [5, 60]
        assert calls["settle_payments_idle"] == [1, 12]
        assert calls["publish_order_events"] == [1, 2]

    def test_write_units_grow_with_the_rows(self, curves: Curves) -> None:
        assert curves["create"][1]["write_units"] == 11


class TestUnits:
    def test_the_emulator_counts_read_units_as_aws_does(self) -> None:
        """From the items that it answered with, which are all of the index's entries."""
        shop = open_shop(dynamodb_local(), [60])
        with Wire(dynamodb_local()) as wire, wire.traffic() as traffic:
            watched = DynamoDbOrders(Table(client_of(wire.endpoint), shop.table.name), INDEX)
            for limit in (1, 8, 21, 60):
                watched.list_by_customer(
                    BUYER, IdRange.all(), newest_first=True, limit=limit, consistent=False
                )
        counted = [call.read_units for call in traffic.calls]
        sizes = [sum(map(units.item_size, json.loads(c.response)["Items"])) for c in traffic.calls]
        assert counted == [units.read_units(size, consistent=False) for size in sizes]
        assert counted == [0.5, 0.5, 1.5, 3.0]


class TestShown:
    def test_tables_and_picture_and_numbers_come_out(
        self, curves: Curves, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(figures, "KEPT", tmp_path)
        picture = tmp_path / "growth.png"

        measure.show(curves, picture)

        assert Image.open(picture).width > 500
        assert picture.stat().st_size < 150_000
        kept: dict[str, Any] = json.loads((tmp_path / "growth.json").read_text())
        few, *_, many = kept["customer_page_first"].values()
        assert few["read_units"] == many["read_units"]
        assert few["bytes_in"] == many["bytes_in"]
        assert kept["daily_report"]["20"]["calls"] > 0
        lines = (tmp_path / "growth.md").read_text().splitlines()
        for name in curves:
            rows = [line for line in lines if line.startswith(f"| {name.replace('_', ' ')} |")]
            assert len(rows) == len(curves[name])


class TestShops:
    def test_a_shop_has_all_rows_of_all_its_orders(self) -> None:
        shop = open_shop(dynamodb_local(), [10, 20])
        lives = [life for day in (0, 1) for life in shop.lives_of(day)]
        orders = [life.order for life in lives]

        assert [order.created_at.date() for order in orders] == [
            shop.day(day) for day in (0, 1) for _ in range(shop.sizes[day])
        ]
        for order in orders:
            assert shop.table.get(keys.detail(order.order_id))
            assert shop.table.get(keys.customer_order(order.customer_id, order.order_id))
        for order, events in lives:
            assert [event.version for event in events] == list(range(1, order.version + 1))
            for event in events:
                assert shop.table.get(keys.event(order.order_id, event.version))
        assert middle_of(shop) == orders[15]

    def test_any_ten_orders_are_as_any_other_ten(self) -> None:
        shop = open_shop(dynamodb_local(), [30])
        statuses = [life.order.status for life in shop.lives_of(0)]
        for start in range(20):
            ten = statuses[start : start + 10]
            assert {status: ten.count(status) for status in OrderStatus} == {
                OrderStatus.PENDING: 1,
                OrderStatus.PAID: 1,
                OrderStatus.SHIPPED: 7,
                OrderStatus.CANCELED: 1,
            }
