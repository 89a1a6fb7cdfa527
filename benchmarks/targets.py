"""What the benchmarks must show, each a figure and its bound."""

from __future__ import annotations

import operator
from statistics import median
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from benchmarks.functions import COMPARED
from benchmarks.growth import PAGES, PLACES
from benchmarks.systems import HTTP_FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Values = Mapping[str, Any]

_COMPARISONS: Final = {"≤": operator.le, "<": operator.lt, "=": operator.eq}

_INIT: Final = 0.18
_INIT_IN_THE_BACKGROUND: Final = 0.25
_COLD_CREATE: Final = 0.25
_CPU: Final = {"create": 0.10, "get": 0.13, "page of 20": 0.17, "update": 0.21}
_TIMES_A_BARE_CALL: Final = 2.0
_MEMORY_MB: Final = 34
_CALLS: Final = {
    "create": ("=", 1),
    "create with key": ("=", 1),
    "get": ("=", 1),
    "page of 20": ("=", 1),
    "update": ("=", 2),
    "update with key": ("=", 2),
    "replayed create": ("=", 1),
    "replayed update": ("≤", 2),
}
_WRITE_UNITS: Final = {"create with key": 11, "create": 9, "update": 10, "update with key": 12}
_LOG_BYTES: Final = 700
_ARTEFACT_BYTES: Final = 10_500_000
_OWN_P95_MS: Final = 50


class Target(NamedTuple):
    """`comparison` is one of ≤, < and =."""

    name: str
    value: float
    comparison: str
    limit: float

    @property
    def bound(self) -> str:
        return f"{self.comparison} {self.limit:,}"

    @property
    def met(self) -> bool:
        return bool(_COMPARISONS[self.comparison](self.value, self.limit))


def of_functions(functions: Values) -> Iterator[Target]:
    """Starts, requests and memory, against `typical` and against one bare call."""
    theirs = functions["typical"]["create-order"]["init_instructions"]
    for name, ours in functions["ours"].items():
        limit = _INIT if name in HTTP_FUNCTIONS else _INIT_IN_THE_BACKGROUND
        ratio = ours["init_instructions"] / theirs
        yield Target(f"init of {name}, instructions, ÷ typical", ratio, "≤", limit)
    cold = median(functions["cold ratios"]["create"]["typical"])
    yield Target("cold create with TLS, CPU, ÷ typical", cold, "≤", _COLD_CREATE)
    ratios = functions["cpu ratios"]
    for operation in COMPARED:
        ratio = median(ratios[operation]["typical"])
        yield Target(f"warm {operation}, CPU, ÷ typical", ratio, "≤", _CPU[operation])
    ratio = median(ratios["create"]["bare call"])
    yield Target("warm create, CPU, ÷ one bare call", ratio, "≤", _TIMES_A_BARE_CALL)
    ours = functions["ours"]["create-order"]
    own = ours["peak_kb"] - (ours["idle_kb"] - ours["bare_kb"])
    yield Target(
        "memory of a warm create, without the runtime client's, MB", own / 1024, "≤", _MEMORY_MB
    )


def of_operations(operations: Values) -> Iterator[Target]:
    """Calls, units, and what a successful request logs."""
    ours = operations["ours"]
    for name, (comparison, limit) in _CALLS.items():
        yield Target(f"{name}, calls", sum(ours[name]["calls"].values()), comparison, limit)
    for name, limit in _WRITE_UNITS.items():
        yield Target(f"{name}, write units", ours[name]["write_units"], "=", limit)
    most = max(one["log_bytes"] for one in ours.values() if one["function"] in HTTP_FUNCTIONS)
    yield Target("log bytes of a successful request, the most", most, "≤", _LOG_BYTES)


def of_growth(growth: Values) -> Iterator[Target]:
    """A page of the largest table, first or middle, against the first page of the smallest."""
    for name, pages in PAGES.items():
        first = growth[f"{name}_first"]
        small, large = (bound(map(int, first)) for bound in (min, max))
        of = "events" if pages.is_feed else "orders"
        for what, unit in (("read_units", "read units"), ("bytes_in", "bytes")):
            ratios = [
                growth[f"{name}_{place}"][str(large)][what] / first[str(small)][what]
                for place in PLACES
            ]
            farthest = max(ratios, key=lambda ratio: abs(ratio - 1))
            title = f"{pages.title} at {large:,} {of} ÷ at {small:,}, {unit}"
            yield Target(title, farthest, "=", 1.0)


def of_artefact(size: int) -> Target:
    return Target("artefact, bytes zipped", size, "≤", _ARTEFACT_BYTES)


def of_load(load: Values) -> Iterator[Target]:
    """The functions' own time, and that nothing was lost."""
    own = load["light"]["own_p95_ms"]
    yield Target("light load, p95 of the functions' own time, ms", own, "<", _OWN_P95_MS)
    for profile in ("light", "busy"):
        failed = sum(load[profile]["failed"].values())
        yield Target(f"{profile} load, failed requests", failed, "=", 0)
    for profile in ("light", "busy", "burst"):
        lost = load[profile]["lost_or_doubled"]
        yield Target(f"{profile} load, orders or entries lost or doubled", lost, "=", 0)
