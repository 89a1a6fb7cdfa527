"""How calls, units and bytes grow with the orders and events that there are."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks import figures
from benchmarks.process import Code, execute
from benchmarks.scenarios import queue_batch, stream_batch, table_of
from benchmarks.shops import BUYER, FULLEST, Shop
from benchmarks.systems import OURS, Running, deployed
from benchmarks.units import total
from gateway import STAFF_CLAIMS, request
from orders.adapters.mock_payments import APPROVE
from orders.domain import timestamps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gateway import Event

    Curves = dict[str, dict[int, dict[str, float]]]
    """By what was measured, then by the size that it was measured at."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """A shop is a table, and its numbers are the orders of its days.

    The days `reported` are the first ones of the last shop, which has the events of these alone.
    """

    shops: Sequence[Sequence[int]]
    reported: int
    batches: Sequence[int]


FULL: Final = Sizes(
    shops=([100], [10_000], [1_000, 10_000, *[100_000] * 9, 89_000]),
    reported=3,
    batches=(1, 10, 100),
)
"""The last shop has 10⁶ orders."""
SMALL: Final = Sizes(shops=([100], [10, 20, 410]), reported=2, batches=(1, 10))
"""To try the measurement out; takes seconds."""


PAGES: Final = (
    ("customer_page", "list-customer-orders", f"/customers/{BUYER}/orders?limit=20&createdTo="),
    ("status_page", "list-orders-by-status", f"/orders?status={FULLEST}&createdTo="),
    # It begins with the oldest event, where the other lists begin with the newest order.
    ("feed_page", "list-events", "/events?limit=100&recordedFrom="),
)
"""A list, its function, and a request for what begins at some time."""


def measure(sizes: Sizes) -> Curves:
    """Fill the shops, and measure in them and beside them."""
    curves: Curves = {}
    for number, days in enumerate(sizes.shops):
        is_last = number == len(sizes.shops) - 1
        shop = Shop(days, sizes.reported if is_last else len(days))
        with Running(OURS) as running:
            started = time.monotonic()
            shop.fill(table_of(running))
            sys.stdout.write(f"{shop.size:,} orders in {time.monotonic() - started:.0f} s\n")
            for name, function, target in PAGES:
                is_feed = name == "feed_page"
                middle = timestamps.to_text(shop.middle(shop.told if is_feed else None))
                for place, at in (("first", ""), ("middle", middle)):
                    query = target + at if at else target.rpartition("&")[0]
                    event = request("GET", query, claims=STAFF_CLAIMS)
                    curve = curves.setdefault(f"{name}_{place}", {})
                    curve[shop.events if is_feed else shop.size] = _point(running, function, event)
            if is_last:
                curves["daily_report"] = {
                    days[day]: _report_of(running, {"date": f"{shop.day(day)}"})
                    for day in range(sizes.reported)
                }
                curves |= _consumers(running, sizes.batches)
    return curves


def _consumers(running: Running, batches: Sequence[int]) -> Curves:
    """A size is that of the batch, each event of an order of its own."""
    prepared: dict[str, tuple[str, Callable[[int], Event]]] = {
        "settle_payments_paying": (
            "settle-payments",
            lambda size: queue_batch(running, APPROVE, size),
        ),
        "settle_payments_idle": ("settle-payments", lambda size: queue_batch(running, size=size)),
        "publish_order_events": ("publish-order-events", stream_batch),
    }
    return {
        name: {size: _point(running, function, event_of(size)) for size in batches}
        for name, (function, event_of) in prepared.items()
    }


def _report_of(running: Running, event: Event) -> dict[str, float]:
    """CPU and memory are those of a process of its own, without the meter in between."""
    code = Code(running.environment | {"AWS_ENDPOINT_URL": running.upstream})
    alone = execute(code, deployed()["daily-report"].handler, [event])
    return _point(running, "daily-report", event) | {
        "cpu_seconds": alone.request_ns[0] / 1e9,
        "peak_megabytes": alone.peak_kb / 1024,
    }


def _point(running: Running, function: str, event: Event) -> dict[str, float]:
    with running.database.measuring() as to_table, running.queues.measuring() as to_queues:
        running.invoke(function, event)
    calls = to_table + to_queues
    units = total(call.units for call in calls)
    return {
        "calls": len(calls),
        "read_units": units.read,
        "write_units": units.write,
        "bytes_out": sum(len(call.request) for call in calls),
        "bytes_in": sum(len(call.response) for call in calls),
    }


_MEASURES: Final = ("calls", "read_units", "write_units", "bytes_out", "bytes_in")
_TABLES: Final = {
    "Pages of 20 orders, newest first: the first one and one in the middle of the list. All orders "
    f"are one customer's; the status is {FULLEST}, which seven of ten have. At the fewest orders, "
    "the shards of the status run out before they have returned all that a page asks of them.": (
        "orders",
        ("customer_page", "status_page"),
        _MEASURES,
    ),
    "Pages of 100 events of the feed, oldest first.": ("events", ("feed_page",), _MEASURES),
    "The daily report of days in the largest table. It reads the index's entries of the orders and "
    "those of the day's events. CPU and peak memory decide how many orders a day may have.": (
        "orders of the day",
        ("daily_report",),
        (*_MEASURES, "cpu_seconds", "peak_megabytes"),
    ),
    "The consumers: of the queue, with orders that pay by token and with orders that don't, and of "
    "the stream. Deployed batches have up to 10 and 100 events.": (
        "events",
        ("settle", "publish"),
        _MEASURES,
    ),
}


def _report(curves: Curves) -> Iterator[str]:
    yield from (
        "### Growth",
        "",
        "On DynamoDB Local, in tables filled with the platform's own rows; AWS would charge and",
        "transfer the same. Bytes are those of bodies.",
    )
    for text, (size, names, measures) in _TABLES.items():
        yield from ("", text, "")
        yield from figures.table(
            ("", size, *(measure.replace("_", " ") for measure in measures)),
            (
                (curve.replace("_", " "), f"{at:,}", *(figures.number(point[m]) for m in measures))
                for curve, points in curves.items()
                if curve.startswith(names)
                for at, point in points.items()
            ),
        )


def main() -> None:
    """Measure, and keep the tables; `--small` tries it out."""
    curves = measure(SMALL if sys.argv[1:] == ["--small"] else FULL)
    figures.keep("growth", _report(curves), curves)


if __name__ == "__main__":
    main()
