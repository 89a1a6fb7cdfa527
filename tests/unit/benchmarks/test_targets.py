"""Targets: what they read of the figures, and when they are met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.targets import (
    AT_MOST,
    EXACTLY,
    Target,
    of_artefact,
    of_functions,
    of_growth,
    of_load,
    of_operations,
)
from figures_of_parts import artefact, functions, growth, load, operations

if TYPE_CHECKING:
    from collections.abc import Iterable


class TestTarget:
    @pytest.mark.parametrize(
        ("comparison", "value", "met"),
        [
            (AT_MOST, 1.9, True),
            (AT_MOST, 2.0, True),
            (AT_MOST, 2.0001, False),
            (EXACTLY, 2, True),
            (EXACTLY, 1.9999, False),
            (EXACTLY, 2.0001, False),
        ],
    )
    def test_it_is_met_at_its_bound(self, comparison: str, value: float, *, met: bool) -> None:
        assert Target("any", value, comparison, 2).met is met

    def test_its_bound_is_said_with_its_comparison(self) -> None:
        assert Target("any", 1, AT_MOST, 10_000_000).bound == "≤ 10,000,000"
        assert Target("any", 1, EXACTLY, 0).bound == "= 0"


class TestFigures:
    def test_a_functions_init_is_compared_with_the_typical_ones(self) -> None:
        values = functions()
        values["ours"]["get-order"]["init_instructions"] = 2_600

        found = _by_name(of_functions(values))

        assert _shown(found["init of get-order, instructions, ÷ typical"]) == (0.26, "≤ 0.25")
        assert _shown(found["init of create-order, instructions, ÷ typical"]) == (0.1, "≤ 0.25")
        assert _missed(found) == {"init of get-order, instructions, ÷ typical"}

    def test_a_warm_request_is_judged_by_the_median_of_the_rounds(self) -> None:
        values = functions()
        values["cpu ratios"]["create"] = {"typical": [0.01, 0.11, 9], "bare call": [1, 2.5, 3]}
        values["cpu ratios"]["page of 20"]["typical"] = [0.1, 0.3, 9]

        found = _by_name(of_functions(values))

        assert _shown(found["warm create, CPU, ÷ typical"]) == (0.11, "≤ 0.1")
        assert _shown(found["warm get, CPU, ÷ typical"]) == (0.05, "≤ 0.25")
        assert _shown(found["warm page of 20, CPU, ÷ typical"]) == (0.3, "≤ 0.3")
        assert _shown(found["warm update, CPU, ÷ typical"]) == (0.05, "≤ 0.25")
        assert _shown(found["warm create, CPU, ÷ one bare call"]) == (2.5, "≤ 2.0")
        assert _missed(found) == {
            "warm create, CPU, ÷ typical",
            "warm create, CPU, ÷ one bare call",
        }

    def test_calls_of_all_kinds_are_added(self) -> None:
        values = operations()
        values["ours"]["update"]["calls"] = {"GetItem": 2, "TransactWriteItems": 1}

        found = _by_name(of_operations(values))

        assert _shown(found["update, calls"]) == (3, "= 2")
        assert _missed(found) == {"update, calls"}

    def test_a_call_less_is_a_miss_where_the_number_is_exact(self) -> None:
        values = operations()
        for operation in ("get", "replayed create"):
            values["ours"][operation]["calls"] = {}

        assert _missed(_by_name(of_operations(values))) == {"get, calls"}

    def test_write_units_are_exact(self) -> None:
        values = operations()
        values["ours"]["create with key"]["write_units"] = 10

        found = _by_name(of_operations(values))

        assert _shown(found["create with key, write units"]) == (10, "= 11")
        assert _missed(found) == {"create with key, write units"}

    @pytest.mark.parametrize("operation", ["get", "timeline", "feed page of 100"])
    def test_the_request_that_logs_most_is_judged(self, operation: str) -> None:
        values = operations()
        values["ours"][operation]["log_bytes"] = 701

        found = _by_name(of_operations(values))

        assert _missed(found) == {"log bytes of a successful request, the most"}
        assert found["log bytes of a successful request, the most"].value == 701

    def test_a_large_customers_page_costs_what_a_small_ones_does(self) -> None:
        values = growth()
        values["customer_page_first"]["1000000"]["bytes_in"] = 1_001

        found = _by_name(of_growth(values))

        assert _shown(found["page of 20 at 10⁶ orders ÷ at 10², read units"]) == (1, "= 1.0")
        assert _shown(found["page of 20 at 10⁶ orders ÷ at 10², bytes"]) == (1.001, "= 1.0")
        assert _missed(found) == {"page of 20 at 10⁶ orders ÷ at 10², bytes"}

    def test_the_artefact_is_judged_zipped(self) -> None:
        (target,) = of_artefact(artefact() | {"zipped_bytes": 10_000_001})

        assert _shown(target) == (10_000_001, "≤ 10,000,000")
        assert not target.met

    @pytest.mark.parametrize("profile", ["light", "busy", "burst"])
    def test_nothing_may_be_lost_under_any_load(self, profile: str) -> None:
        values = load()
        values[profile]["lost_or_doubled"] = 1

        assert _missed(_by_name(of_load(values))) == {
            f"{profile} load, orders or entries lost or doubled"
        }

    def test_the_functions_own_time_is_judged_under_light_load_only(self) -> None:
        values = load()
        values["light"]["all"]["own_p95_ms"] = 50.5

        found = _by_name(of_load(values))

        assert _missed(found) == {"light load, p95 of the functions' own time, ms"}
        assert [target.value for target in found.values()] == [50.5, 0, 0, 0, 0, 0]

    def test_all_are_met_by_figures_within_bounds(self) -> None:
        found = [
            *of_functions(functions()),
            *of_operations(operations()),
            *of_growth(growth()),
            *of_artefact(artefact()),
            *of_load(load()),
        ]

        assert _missed(_by_name(found)) == set()
        assert len(_by_name(found)) == len(found)


def _by_name(targets: Iterable[Target]) -> dict[str, Target]:
    return {target.name: target for target in targets}


def _shown(target: Target) -> tuple[Any, str]:
    return pytest.approx(target.value), target.bound


def _missed(targets: dict[str, Target]) -> set[str]:
    return {name for name, target in targets.items() if not target.met}
