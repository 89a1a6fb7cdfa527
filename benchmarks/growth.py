"""How calls, units and bytes grow with the orders and events that there are."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks import figures
from benchmarks.meter import described
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
    from datetime import datetime

    from benchmarks.meter import Call
    from gateway import Event

    Curves = dict[str, dict[int, dict[str, float]]]
    """By what was measured, then by the size that it was measured at."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """A shop is a table, and its numbers are the orders of its days.

    The last shop has the events of its first `told` days alone, and of `reported` ones a report.
    """

    shops: Sequence[Sequence[int]]
    told: int
    reported: int
    batches: Sequence[int]


FULL: Final = Sizes(
    shops=(
        [40],
        [160],
        [10_000],
        [1_000, 10_000, *[100_000] * 3, 73_640, *[100_000] * 6, 15_360],
    ),
    told=6,
    reported=3,
    batches=(1, 10, 100),
)
"""The first shop has 104 events, the last one 10⁶ orders and 1,000,064 events."""
SMALL: Final = Sizes(shops=([40], [160], [40, 80, 520]), told=3, reported=2, batches=(1, 10))
"""To try the measurement out; takes seconds."""


class Pages(NamedTuple):
    """Pages of a list. `bound` is the parameter that says where one begins."""

    title: str
    function: str
    target: str
    bound: str
    is_feed: bool = False

    def event(self, begin: datetime | None) -> Event:
        """The request for the page that begins then; None: for the first one."""
        bound = "" if begin is None else f"&{self.bound}={timestamps.to_text(begin)}"
        return request("GET", self.target + bound, claims=STAFF_CLAIMS)


PAGES: Final = {
    "customer_page": Pages(
        "page of 20 of a customer",
        "list-customer-orders",
        f"/customers/{BUYER}/orders?limit=20",
        "createdTo",
    ),
    "status_page": Pages(
        "page of 20 of a status",
        "list-orders-by-status",
        f"/orders?status={FULLEST}&limit=20",
        "createdTo",
    ),
    "feed_page_of_20": Pages(
        "page of 20 of the feed", "list-events", "/events?limit=20", "recordedFrom", is_feed=True
    ),
    "feed_page_of_100": Pages(
        "page of 100 of the feed", "list-events", "/events?limit=100", "recordedFrom", is_feed=True
    ),
}
PLACES: Final = ("first", "middle")


def measure(sizes: Sizes) -> Curves:
    """Fill the shops, and measure in them and beside them."""
    curves: Curves = {}
    for number, days in enumerate(sizes.shops):
        is_last = number == len(sizes.shops) - 1
        shop = Shop(days, sizes.told if is_last else len(days))
        with Running(OURS) as running:
            described(running.upstream, running.environment["TABLE_NAME"])  # while it is empty
            started = time.monotonic()
            shop.fill(table_of(running))
            sys.stdout.write(f"{shop.size:,} orders in {time.monotonic() - started:.0f} s\n")
            for curve, size, point in _pages(running, shop):
                curves.setdefault(curve, {})[size] = point
            if is_last:
                curves["daily_report"] = {
                    days[day]: _report_of(running, {"date": f"{shop.day(day)}"})
                    for day in range(sizes.reported)
                }
                curves |= _consumers(running, sizes.batches)
    return curves


def _pages(running: Running, shop: Shop) -> Iterator[tuple[str, int, dict[str, float]]]:
    """The pages whose calls return all that they ask for, each with the size of its list.

    A shard that runs out returns less, so the page of a list that is too small costs less.
    """
    for name, pages in PAGES.items():
        middle = shop.middle(shop.told if pages.is_feed else None)
        for place, begin in zip(PLACES, (None, middle), strict=True):
            if place == "middle" and begin is None:
                continue
            calls = _calls(running, pages.function, pages.event(begin))
            if all(map(_is_full, calls)):
                size = shop.events if pages.is_feed else shop.size
                yield f"{name}_{place}", size, _sums(calls)


def _is_full(query: Call) -> bool:
    returned, asked = json.loads(query.response)["Count"], json.loads(query.request)["Limit"]
    return bool(returned == asked)


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
    return _sums(_calls(running, function, event))


def _calls(running: Running, function: str, event: Event) -> list[Call]:
    with running.database.measuring() as to_table, running.queues.measuring() as to_queues:
        running.invoke(function, event)
    return to_table + to_queues


def _sums(calls: Sequence[Call]) -> dict[str, float]:
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
    f"are one customer's; the status is {FULLEST}, which seven of ten have. The smallest size of a "
    "list is one that fills its page's calls: a page asks each of the eight shards for a little "
    "more than twice its share, and a shard that has less returns less. Orders take turns in what "
    "happens to them and in their shards, so that pages differ in nothing but the size of the "
    "table around them.": (
        "orders",
        ("customer_page", "status_page"),
        _MEASURES,
    ),
    "Pages of the feed, oldest first. A page of 20 is the largest round one whose calls 10² events "
    "fill: it reads 80 of them.": ("events", ("feed_page",), _MEASURES),
    "The daily report of days in the largest table. It reads the index's entries of the orders and "
    "those of the day's events. CPU and peak memory decide how many orders a day may have.": (
        "orders of the day",
        ("daily_report",),
        (*_MEASURES, "cpu_seconds", "peak_megabytes"),
    ),
    "The consumers: of the queue, with orders that pay by token and with orders that don't, and of "
    "the stream. Deployed, a batch of the queue is one event, and one of the stream up to 100.": (
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
