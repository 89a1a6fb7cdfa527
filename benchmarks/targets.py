"""What the benchmarks must show, each a figure and its bound."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.functions import COMPARED
from benchmarks.systems import HTTP_FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Values = Mapping[str, Any]

AT_MOST: Final = "≤"
BELOW: Final = "<"
EXACTLY: Final = "="

_INIT: Final = 0.25
_CPU: Final = {"create": 0.10, "get": 0.25, "page of 20": 0.30, "update": 0.25}
_TIMES_A_BARE_CALL: Final = 2.0
_CALLS: Final = {
    "create": (EXACTLY, 1),
    "create with key": (EXACTLY, 1),
    "get": (EXACTLY, 1),
    "page of 20": (EXACTLY, 1),
    "update": (EXACTLY, 2),
    "update with key": (EXACTLY, 2),
    "replayed create": (AT_MOST, 2),
    "replayed update": (AT_MOST, 2),
}
_WRITE_UNITS: Final = {"create with key": 11, "create": 9, "update": 10, "update with key": 12}
_LOG_BYTES: Final = 700
ARTEFACT_BYTES: Final = 10_000_000
_OWN_P95_MS: Final = 50


@dataclass(frozen=True, slots=True)
class Target:
    """`comparison` is AT_MOST, BELOW or EXACTLY."""

    name: str
    value: float
    comparison: str
    limit: float

    @property
    def bound(self) -> str:
        return f"{self.comparison} {self.limit:,}"

    @property
    def met(self) -> bool:
        if self.comparison == AT_MOST:
            return self.value <= self.limit
        if self.comparison == BELOW:
            return self.value < self.limit
        return self.value == self.limit


def of_functions(functions: Values) -> Iterator[Target]:
    """Starts and warm requests, against `typical` and against one bare call."""
    theirs = functions["typical"]["create-order"]["init_instructions"]
    for name in HTTP_FUNCTIONS:
        ours = functions["ours"][name]["init_instructions"]
        yield Target(f"init of {name}, instructions, ÷ typical", ours / theirs, AT_MOST, _INIT)
    ratios = functions["cpu ratios"]
    for operation in COMPARED:
        ratio = median(ratios[operation]["typical"])
        yield Target(f"warm {operation}, CPU, ÷ typical", ratio, AT_MOST, _CPU[operation])
    ratio = median(ratios["create"]["bare call"])
    yield Target("warm create, CPU, ÷ one bare call", ratio, AT_MOST, _TIMES_A_BARE_CALL)


def of_operations(operations: Values) -> Iterator[Target]:
    """Calls, units, and what a successful request logs."""
    ours = operations["ours"]
    for name, (comparison, limit) in _CALLS.items():
        yield Target(f"{name}, calls", sum(ours[name]["calls"].values()), comparison, limit)
    for name, limit in _WRITE_UNITS.items():
        yield Target(f"{name}, write units", ours[name]["write_units"], EXACTLY, limit)
    requests = set(operations["typical"]) | {
        "get, not modified", "page of 20, consistent", "status page of 20", "timeline",
        "feed page of 100", "daily report",
    }  # fmt: skip
    most = max(ours[name]["log_bytes"] for name in requests)
    yield Target("log bytes of a successful request, the most", most, AT_MOST, _LOG_BYTES)


def of_growth(growth: Values) -> Iterator[Target]:
    """A page of a customer with a million orders, against one with a hundred."""
    small, large = (growth["customer_page_first"][size] for size in ("100", "1000000"))
    for what, name in (("read_units", "read units"), ("bytes_in", "bytes")):
        ratio = large[what] / small[what]
        yield Target(f"page of 20 at 10⁶ orders ÷ at 10², {name}", ratio, EXACTLY, 1.0)


def of_artefact(artefact: Values) -> Iterator[Target]:
    yield Target("artefact, bytes zipped", artefact["zipped_bytes"], AT_MOST, ARTEFACT_BYTES)


def of_load(load: Values) -> Iterator[Target]:
    """The functions' own time, and that nothing was lost."""
    own = load["light"]["all"]["own_p95_ms"]
    yield Target("light load, p95 of the functions' own time, ms", own, BELOW, _OWN_P95_MS)
    for profile in ("light", "busy"):
        failed = sum(load[profile]["failed"].values())
        yield Target(f"{profile} load, failed requests", failed, EXACTLY, 0)
    for profile in ("light", "busy", "burst"):
        lost = load[profile]["lost_or_doubled"]
        yield Target(f"{profile} load, orders or entries lost or doubled", lost, EXACTLY, 0)
