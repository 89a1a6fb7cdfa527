"""Daily reports that count wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from histories.breaking import broken, changed
from histories.world import World
from prove.checks.violations import Kind

if TYPE_CHECKING:
    from histories.breaking import Broken


@broken
def a_report_that_counts_wrong() -> Broken:
    world = World()
    world.update(world.create(), "PAID")
    (report,) = world.reports()
    return changed(world.history(), reports=[report | {"revenue": {"USD": 1}}]), {
        Kind.REPORT_DIFFERS
    }


@broken
def a_report_that_names_wrong_reasons() -> Broken:
    world = World()
    world.update(world.create(), "CANCELED")
    (report,) = world.reports()
    wrong = report | {"cancellationReasons": {"unspecified": 1}}
    return changed(world.history(), reports=[wrong]), {Kind.REPORT_DIFFERS}


@broken
def a_day_without_a_report() -> Broken:
    world = World()
    world.create()
    return changed(world.history(), reports=[]), {Kind.REPORT_MISSING}


@broken
def a_report_that_forgets_an_order() -> Broken:
    world = World()
    world.create()
    (report,) = world.reports()
    return changed(world.history(), reports=[report | {"orders": {}}]), {Kind.REPORT_DIFFERS}
