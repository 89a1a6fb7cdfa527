"""Daily reports that count wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from proof.checks.violations import Kind
from proof.tests.histories.breaking import broken
from proof.tests.histories.world import problem_json

if TYPE_CHECKING:
    from proof.history import Json
    from proof.tests.histories.world import World

WRONG: Final[dict[str, Json]] = {
    "counts_wrong": {"revenue": {"USD": 1}},
    "left_an_order_out": {"leftOut": 1},
    "names_wrong_reasons": {"cancellationReasons": {"unspecified": 1}},
    "names_a_free_text": {"cancellationReasons": {"r1": 1}},
    "forgets_an_order": {"orders": {}},
}


def _register(name: str, wrong: Json) -> None:
    @broken(Kind.REPORT_DIFFERS, name=f"a_report_that_{name}")
    def report(world: World) -> None:
        """Of a canceled order."""
        world.update(world.create(), "CANCELED")
        world.reports = [world.report() | wrong]


for _name, _wrong in WRONG.items():
    _register(_name, _wrong)


@broken(Kind.REPORT_DIFFERS)
def a_report_that_counts_a_reason_of_the_platform_as_another(world: World) -> None:
    world.settle(world.create(token="tok_decline"))
    world.reports = [world.report() | {"cancellationReasons": {"other": 1}}]


@broken(Kind.REPORT_VANISHED)
def a_report_that_vanished(world: World) -> None:
    path = "/reports/daily/2026-11-23"
    world.call("GET", path, 200, msgspec.json.encode(world.report()).decode())
    world.call("GET", path, 404, problem_json(404, "report-not-found"))


@broken(Kind.REPORT_MISSING)
def a_day_without_a_report(world: World) -> None:
    world.create()
    world.reports = []


@broken(Kind.REPORT_MISSING)
def a_report_that_could_not_be_read(world: World) -> None:
    world.create()
    world.reports = [{"date": "2026-11-23"}]
