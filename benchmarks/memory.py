"""What a function's memory costs in time and money: a size buys a share of a core."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from benchmarks import figures
from benchmarks.money import (
    MEMORY_OF_ONE_VCPU,
    MILLION,
    PRICES,
    ROUND_TRIP_MS,
    billed_ms,
    memory_sizes,
    run_ms,
)
from benchmarks.systems import HTTP_FUNCTIONS
from orders.adapters.dynamodb.keys import SHARDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SIZES: Final = (128, 256, 512, 1024, MEMORY_OF_ONE_VCPU)

COLD_MS: Final = 250
"""What a cold request may take where a client waits."""
COLD_MS_UNSEEN: Final = 1000
"""The same of functions behind the response: an event, a payment comes that much later."""
ROOM: Final = 2
"""The memory as a multiple of the peak: larger requests, batches of larger events."""


class Sized(NamedTuple):
    """A function at one size of memory. The warm figures are None where none was measured."""

    megabytes: int
    cold_ms: float
    warm_ms: float | None
    dollars: float | None


def sized(function: Mapping[str, Any], calls: int, megabytes: int) -> Sized:
    """What `functions` kept of a function, at this size; `calls` are those that it waits for.

    Dollars are the time's of a million warm requests.
    """
    cold_cpu, warm_cpu = function["cold_cpu_ms"], function["warm_cpu_ms"]
    if warm_cpu is None:
        return Sized(megabytes, run_ms(function["init_cpu_ms"], 0, megabytes), None, None)
    seconds = MILLION * billed_ms(warm_cpu, calls, megabytes) / 1000
    return Sized(
        megabytes,
        run_ms(cold_cpu, calls, megabytes),
        run_ms(warm_cpu, calls, megabytes),
        megabytes / 1024 * seconds * PRICES["Lambda time"].us_east,
    )


def smallest(sizes: Sequence[Sized], peak_megabytes: float, limit_ms: float) -> int | None:
    """The least memory with room for the peak and a cold request within the limit, if any has."""
    return next(
        (
            one.megabytes
            for one in sizes
            if one.megabytes >= ROOM * peak_megabytes and one.cold_ms <= limit_ms
        ),
        None,
    )


def waits(calls: Mapping[str, int]) -> int:
    """Calls one after the other, as the queries of all shards are made at once."""
    return sum(ceil(n / SHARDS) if name == "Query" else n for name, n in calls.items())


def main() -> None:
    """Compute, print and keep it."""
    functions, operations = figures.kept("functions")["ours"], figures.kept("operations")["ours"]
    found: dict[str, dict[str, Any]] = {}
    for name, deployed in memory_sizes().items():
        # The function's first operation is the one that `functions` measures.
        calls = [one["calls"] for one in operations.values() if one["function"] == name]
        waited = waits(calls[0]) if calls else 0
        sizes = [sized(functions[name], waited, megabytes) for megabytes in SIZES]
        peak = functions[name]["peak_kb"] / 1024
        limit = COLD_MS if name in HTTP_FUNCTIONS else COLD_MS_UNSEEN
        least = smallest(sizes, peak, limit)
        found[name] = {"deployed": deployed, "least": least, "peak": peak, "sizes": sizes}
    figures.keep("memory", _report(found), found)


def _report(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield from (
        "### Memory sizes",
        "",
        "At each size: milliseconds of a cold request, of a warm one, and dollars of a million",
        "warm ones, for Lambda's time alone. A time is this machine's CPU at the share of a core",
        f"that the size buys, and {ROUND_TRIP_MS:g} ms for each call. A cold request is init and",
        "first request, or init alone where a function was started only. **Bold** is the smallest",
        f"size that holds {ROOM} times the peak of memory and responds cold within {COLD_MS} ms",
        f"where a client waits, within {COLD_MS_UNSEEN} ms elsewhere.",
        "[Costs](../docs/costs.md#memory) says what was chosen.",
        "",
    )
    yield from figures.table(
        ("Function", "Deployed", "Peak", *(f"{size:,} MB" for size in SIZES)),
        (
            (
                name,
                f"{one['deployed']:,} MB",
                f"{one['peak']:.0f} MB",
                *(_cell(size, bold=size.megabytes == one["least"]) for size in one["sizes"]),
            )
            for name, one in found.items()
        ),
    )


def _cell(at: Sized, *, bold: bool) -> str:
    figures_of = [f"{at.cold_ms:,.0f}"]
    if at.warm_ms is not None:
        figures_of += [f"{at.warm_ms:.1f}", f"{at.dollars:.3f}"]
    text = " · ".join(figures_of)
    return f"**{text}**" if bold else text


if __name__ == "__main__":
    main()
