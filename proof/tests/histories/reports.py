"""Daily reports that count wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from orders.application.make_daily_report import MAX_REASONS
from proof.checks.violations import Kind
from proof.tests.histories.breaking import broken, changed
from proof.tests.histories.world import World, problem_json

if TYPE_CHECKING:
    from proof.tests.histories.breaking import Broken


@broken
def a_report_that_counts_wrong() -> Broken:
    world = World()
    world.update(world.create(), "PAID")
    (report,) = world.reports()
    return changed(world.history(), reports=[report | {"revenue": {"USD": 1}}]), {
        Kind.REPORT_DIFFERS
    }


@broken
def a_report_that_left_an_order_out() -> Broken:
    world = World()
    world.create()
    (report,) = world.reports()
    return changed(world.history(), reports=[report | {"leftOut": 1}]), {Kind.REPORT_DIFFERS}


@broken
def a_report_that_names_wrong_reasons() -> Broken:
    world = World()
    world.update(world.create(), "CANCELED")
    (report,) = world.reports()
    wrong = report | {"cancellationReasons": {"unspecified": 1}}
    return changed(world.history(), reports=[wrong]), {Kind.REPORT_DIFFERS}


@broken
def a_report_that_hides_a_reason_among_others() -> Broken:
    world = World()
    world.update(world.create(), "CANCELED")
    (report,) = world.reports()
    wrong = report | {"cancellationReasons": {"other": 1}}
    return changed(world.history(), reports=[wrong]), {Kind.REPORT_DIFFERS}


@broken
def a_report_that_names_other_reasons_than_the_most_frequent() -> Broken:
    world = _of_many_reasons()
    (report,) = world.reports()
    reasons = report["cancellationReasons"]
    rare = dict(list(reasons.items())[1:MAX_REASONS]) | {"other": len(reasons) - MAX_REASONS + 2}
    wrong = report | {"cancellationReasons": rare}
    return changed(world.history(), reports=[wrong]), {Kind.REPORT_DIFFERS}


@broken
def a_report_that_vanished() -> Broken:
    world = World()
    path = "/reports/daily/2026-11-23"
    world.call("GET", path, 200, msgspec.json.encode(world.reports()[0]).decode())
    world.call("GET", path, 404, problem_json(404, "report-not-found"))
    return world.history(), {Kind.REPORT_VANISHED}


def _of_many_reasons() -> World:
    """One more than a report names; the platform's own comes twice."""
    world = World()
    for _ in range(2):
        world.settle(world.create(token="tok_decline"))
    for _ in range(MAX_REASONS):
        world.update(world.create(), "CANCELED")
    return world


@broken
def a_day_without_a_report() -> Broken:
    world = World()
    world.create()
    return changed(world.history(), reports=[]), {Kind.REPORT_MISSING}


@broken
def a_report_that_could_not_be_read() -> Broken:
    world = World()
    world.create()
    return changed(world.history(), reports=[{"date": "2026-11-23"}]), {Kind.REPORT_MISSING}


@broken
def a_report_that_forgets_an_order() -> Broken:
    world = World()
    world.create()
    (report,) = world.reports()
    return changed(world.history(), reports=[report | {"orders": {}}]), {Kind.REPORT_DIFFERS}
