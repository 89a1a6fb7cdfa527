"""The gates and the measurements on real code, at sizes that take seconds."""

from __future__ import annotations

import json
import shutil
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from benchmarks import growth
from benchmarks.figures import ROOT
from benchmarks.gates import BOUNDS, beyond_modules, beyond_operations, forbidden_modules, loaded
from benchmarks.operations import measure_all
from benchmarks.scenarios import OPERATIONS
from benchmarks.systems import OURS, Running, deployed
from servers import client_of, ministack

if TYPE_CHECKING:
    from pathlib import Path

GET = next(operation for operation in OPERATIONS if operation.name == "get")
READS_TWICE = """
from orders.functions.get_order import handler as first

OTHER = {"pathParameters": {"orderId": "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"}}

def handler(event, context):
    first(event | OTHER, context)
    return first(event, context)
"""


def test_an_import_that_was_put_into_a_function_is_named(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src" / "orders", tmp_path / "orders", ignore=ignored)
    module = tmp_path / "orders" / "functions" / "health.py"
    heavy, function = "botocore.session", deployed()["health"]
    before = {"health": loaded(function, tmp_path)}
    module.write_text(module.read_text().replace("\nfrom typing", f"\nimport {heavy}\nfrom typing"))
    after = {"health": loaded(function, tmp_path)}

    assert list(forbidden_modules(before)) == []
    assert f"health imports {heavy}" in next(forbidden_modules(after))
    bounds = tomllib.loads(BOUNDS.read_text())["modules"]
    assert list(beyond_modules(bounds, before)) == []
    assert list(beyond_modules(bounds, after)) != []


def test_a_read_that_was_put_into_a_route_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "twice.py").write_text(READS_TWICE)
    monkeypatch.syspath_prepend(tmp_path)
    twice = replace(
        OURS,
        handler_of=lambda name: "twice.handler" if name == "get-order" else OURS.handler_of(name),
    )
    bounds = {"get": tomllib.loads(BOUNDS.read_text())["operations"]["get"]}

    assert list(beyond_operations(bounds, measure_all(twice, [GET], database=ministack())))[:2] == [
        "get: calls {'GetItem': 2}, not {'GetItem': 1}",
        "get: read_units 2, not 1",
    ]


def test_computed_units_of_reads_are_those_that_dynamodb_local_reports() -> None:
    names = {"get", "page of 20", "timeline", "feed page of 100"}
    with Running(OURS) as running:
        for operation in OPERATIONS:
            if operation.name not in names:
                continue
            event = operation.prepare(running)
            with running.database.measuring() as calls:
                running.invoke(operation.function, event)
            for call in calls:
                asked = json.loads(call.request) | {"ReturnConsumedCapacity": "TOTAL"}
                again = client_of(running.upstream).call(call.operation, asked)
                assert call.units.read == again["ConsumedCapacity"]["CapacityUnits"] > 0


@pytest.fixture(scope="module")
def curves() -> growth.Curves:
    return growth.measure(growth.SMALL)


class TestGrowth:
    @pytest.mark.parametrize("name", growth.PAGES)
    def test_a_page_costs_the_same_wherever_it_is(self, curves: growth.Curves, name: str) -> None:
        first, middle = (curves[f"{name}_{place}"] for place in growth.PLACES)

        assert len(first) > 1
        assert max(first) == max(middle)
        points = [point for curve in (first, middle) for point in curve.values()]
        assert points == [points[0]] * len(points)

    def test_the_feed_is_measured_from_a_hundred_events_on(self, curves: growth.Curves) -> None:
        assert min(curves["feed_page_of_20_first"]) == 104

    def test_calls_are_those_of_one_batch(self, curves: growth.Curves) -> None:
        calls = {name: [point["calls"] for point in curves[name].values()] for name in curves}

        assert calls["settle_payments_paying"] == [5, 50]
        assert calls["settle_payments_idle"] == [1, 10]
        assert calls["publish_order_events"] == [1, 1]

    def test_reports_count_the_orders_of_their_day(self, curves: growth.Curves) -> None:
        small, large = curves["daily_report"].values()

        assert list(curves["daily_report"]) == [40, 80]
        assert large["bytes_in"] > 1.5 * small["bytes_in"]
