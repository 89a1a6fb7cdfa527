"""All of it: at which sizes, in what order, and how it is shown."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks import figures
from benchmarks.growth import consumers, creates, lists, reports
from benchmarks.growth.curves import table
from benchmarks.growth.drawing import Panel, draw
from benchmarks.growth.shops import FULLEST, open_shop
from servers import dynamodb_local

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from benchmarks.growth.curves import Curves

PICTURE: Final = figures.ROOT / "benchmarks" / "growth.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What is measured. A shop is a table, and its numbers are the orders of its days.

    `reported` are the first days, by number, of the last shop: it has their events, and reports
    are made of them.
    """

    shops: Sequence[Sequence[int]]
    reported: Sequence[int]
    items: Sequence[int]
    batches: Sequence[int]
    rounds: int


SIZES: Final = Sizes(
    shops=([100], [10_000], [1_000, 10_000, *[100_000] * 9, 89_000]),
    reported=(0, 1, 2),
    items=(1, 10, 100),
    batches=(1, 10, 100),
    rounds=40,
)
"""The last shop has 10⁶ orders. Multiples of ten, so that pages can be compared: see `shops`."""

_CUSTOMER: Final = {"customer_page_first": "first", "customer_page_middle": "in the middle"}
_STATUS: Final = {"status_page_first": "first", "status_page_middle": "in the middle"}
_FEED: Final = {"feed_page_first": "first", "feed_page_middle": "in the middle"}
_REPORT: Final = {"daily_report": "daily-report"}
_CREATE: Final = {"create": "POST /orders"}
_CONSUMERS: Final = {
    "settle_payments_paying": "settle, pays",
    "settle_payments_idle": "settle, nothing due",
    "publish_order_events": "publish",
}
_FUNCTION_MEGABYTES: Final = 512
"""The memory of every function: serverless.yml."""

_PAGE: Final = ("calls", "read_units", "bytes_in", "answer_bytes", "milliseconds")
_PANELS: Final = (
    Panel("A customer's page of 20", "orders", "read units", "read_units", _CUSTOMER),
    Panel("A customer's page of 20", "orders", "bytes from the table", "bytes_in", _CUSTOMER),
    Panel("A customer's page of 20", "orders", "ms, local", "milliseconds", _CUSTOMER),
    Panel("A status's page of 20", "orders", "read units", "read_units", _STATUS),
    Panel("A status's page of 20", "orders", "bytes from the table", "bytes_in", _STATUS),
    Panel("A status's page of 20", "orders", "ms, local", "milliseconds", _STATUS),
    Panel("The feed's page of 100", "events", "read units", "read_units", _FEED),
    Panel("The feed's page of 100", "events", "bytes from the table", "bytes_in", _FEED),
    Panel("The feed's page of 100", "events", "ms, local", "milliseconds", _FEED),
    Panel("Create with a key", "items", "write units", "write_units", _CREATE),
    Panel("Create with a key", "items", "bytes to the table", "bytes_out", _CREATE),
    Panel("Create with a key", "items", "own CPU, ms", "cpu_milliseconds", _CREATE),
    Panel("Daily report", "orders of the day", "read units", "read_units", _REPORT, log=True),
    Panel("Daily report", "orders of the day", "own CPU, s", "cpu_seconds", _REPORT, log=True),
    Panel("Daily report", "orders of the day", "peak MB", "peak_megabytes", _REPORT,
          bound=_FUNCTION_MEGABYTES),
    Panel("Consumers", "events in the batch", "calls", "calls", _CONSUMERS, log=True),
    Panel("Consumers", "events in the batch", "calls per event", "calls_per_event", _CONSUMERS),
    Panel("Consumers", "events in the batch", "own CPU per event, ms",
          "cpu_milliseconds_per_event", _CONSUMERS),
)  # fmt: skip


def measure(sizes: Sizes) -> Curves:
    """Load the shops, and measure in them and beside them."""
    server = dynamodb_local()
    shops = []
    for days in sizes.shops:
        started = time.monotonic()
        told = len(sizes.reported) if days is sizes.shops[-1] else None
        shops.append(open_shop(server, days, told))
        _say(f"{sum(days):,} orders in {time.monotonic() - started:.0f} s")
    return {
        **lists.measure(server, shops, sizes.rounds),
        **reports.measure(server, shops[-1], sizes.reported, rounds=3),
        **creates.measure(server, sizes.items, sizes.rounds),
        **consumers.measure(server, sizes.batches, rounds=max(1, sizes.rounds // 4)),
    }


def show(curves: Curves, picture: Path = PICTURE) -> None:
    """Draw them, print them as tables, and keep them."""
    draw(_PANELS, curves, picture)
    figures.keep("growth", _lines(curves), curves)


def _lines(curves: Curves) -> Iterator[str]:
    yield "### Growth"
    yield ""
    yield (
        "![How calls, units, bytes and time grow](growth.png)\n\n"
        "All on DynamoDB Local, in tables filled by the platform's own row functions. Calls and "
        "bytes are bodies seen by a proxy, and the same on AWS. Read units are the emulator's own "
        "and those of AWS's rule; write units are computed from the items by AWS's rule. "
        "Milliseconds and seconds have the emulator in them and say nothing of AWS; own CPU is of "
        "the deployed function alone."
    )
    yield ""
    yield (
        f"Pages of 20, newest first, the first one and one in the middle by cursor. All orders of "
        f"a table are one customer's; the status is {FULLEST}, which seven of ten have. At the "
        "fewest orders, the shards of the status run out before they have given all that a page "
        "asks of them."
    )
    yield ""
    yield from table("orders", _some(curves, {**_CUSTOMER, **_STATUS}), _PAGE)
    yield "Pages of 100 events of the feed, oldest first."
    yield ""
    yield from table("events", _some(curves, _FEED), _PAGE)
    yield "Create, with an Idempotency-Key, whose record keeps the response and so grows with it."
    yield ""
    yield from table(
        "items",
        _some(curves, _CREATE),
        ("calls", "write_units", "bytes_out", "answer_bytes", "cpu_milliseconds"),
    )
    yield (
        "The daily report of days in the largest of the tables; seconds are of the whole process, "
        "start and imports included. It reads the index's entries of the orders, and those of the "
        "day's events."
    )
    yield ""
    yield from table(
        "orders of the day",
        _some(curves, _REPORT),
        ("calls", "read_units", "bytes_in", "cpu_seconds", "peak_megabytes", "seconds"),
    )
    yield (
        "The consumers: of the queue, with orders that pay by token and with orders that don't, "
        "and of the stream. Deployed are batches of up to 10 of the queue, 100 of the stream."
    )
    yield ""
    yield from table(
        "events",
        _some(curves, _CONSUMERS),
        ("calls", "calls_per_event", "bytes_out_per_event", "cpu_milliseconds_per_event"),
    )


def _some(curves: Curves, names: Iterable[str]) -> Curves:
    return {name.replace("_", " "): curves[name] for name in names}


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
