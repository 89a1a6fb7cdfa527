"""The daily report of days that have more and more orders."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.growth import functions
from benchmarks.growth.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.executions import Execution
    from benchmarks.growth.curves import Curves
    from benchmarks.growth.shops import Shop


def measure(server: str, shop: Shop, days: Sequence[int], rounds: int) -> Curves:
    """By the name of the function; a size is that of the day.

    Calls, units and bytes are seen through a proxy. Processor time and peak memory are of the
    process that made the report, its imports apart and included; the time is with the emulator's
    answers, all without a proxy and medians of rounds in which each day has its turn.
    """
    events = {number: {"date": shop.day(number).isoformat()} for number in days}
    runs: dict[int, list[tuple[float, Execution]]] = {number: [] for number in days}
    curve = {}
    with Wire(server) as wire:
        for number in days:
            with wire.traffic() as traffic:
                _report(events[number], wire.endpoint, shop, number)
            curve[number] = traffic
    for _ in range(rounds):
        for number in days:
            started = time.perf_counter()
            run = _report(events[number], server, shop, number)
            runs[number].append((time.perf_counter() - started, run))
    return {
        "daily_report": {
            shop.sizes[number]: {
                "calls": len(traffic.calls),
                "read_units": traffic.read_units,
                "bytes_in": traffic.bytes_in,
                "cpu_seconds": median(run.request_ns[0] / 1e9 for _, run in runs[number]),
                "peak_megabytes": max(run.peak_kb for _, run in runs[number]) / 1024,
                "seconds": median(seconds for seconds, _ in runs[number]),
            }
            for number, traffic in curve.items()
        }
    }


def _report(event: dict[str, str], endpoint: str, shop: Shop, number: int) -> Execution:
    run = functions.run("daily_report", [event], endpoint, shop.table.name)
    if run.responses[0]["orders"] != shop.sizes[number]:
        raise RuntimeError(f"the report of {event} says {run.responses[0]}")
    return run
