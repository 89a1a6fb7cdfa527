"""`orderctl export` of a month of a million orders: its time and its memory.

Not a part of `make bench`: filling the table takes a quarter of an hour, and 8 GB of memory.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import boto3

from benchmarks import figures
from benchmarks.process import LAMBDA_ENVIRONMENT
from benchmarks.shops import Shop
from orderctl.commands.export import export_orders
from orderctl.order_records import write_csv
from orderctl.stage import Stage
from servers import INDEX, dynamodb_local, new_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderctl.order_records import Record

_DAYS: Final = 25
FULL: Final = Shop([40_000] * _DAYS, _DAYS)
SMALL: Final = Shop([400] * _DAYS, _DAYS)
"""To try the measurement out; takes seconds."""


def _export(endpoint: str, table: str) -> dict[str, float]:
    """Export everything in a table, a record per order line; what that took of this process."""
    stage = Stage("benchmark", boto3.Session(), endpoint)
    stage.outputs = {"OrdersTableName": table, "OrdersIndexName": INDEX}
    begin = datetime.combine(FULL.day(0), datetime.min.time(), UTC)
    orders = 0

    def records() -> Iterator[Record]:
        nonlocal orders
        end = begin + timedelta(days=_DAYS)
        for order in export_orders(stage.orders, begin, end, lines=True):
            orders += 1
            yield from order.records

    started = time.monotonic()
    with open(os.devnull, "wb") as file:  # noqa: PTH123 - it is no path
        write_csv(records(), file)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "orders": orders,
        "seconds": time.monotonic() - started,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_megabytes": usage.ru_maxrss / 1024,
    }


def measure(shop: Shop) -> dict[str, Any]:
    """Fill a table, and export it in a process of its own."""
    os.environ.update(LAMBDA_ENVIRONMENT)
    endpoint = dynamodb_local()
    table = new_table(endpoint)
    shop.fill(table)
    command = [sys.executable, "-m", "benchmarks.export", endpoint, table.name]
    measured: dict[str, Any] = json.loads(subprocess.check_output(command))
    return measured


def main() -> None:
    """Measure, and keep the table; `--small` tries it out."""
    match sys.argv[1:]:
        case [endpoint, table]:
            sys.stdout.write(json.dumps(_export(endpoint, table)))
        case arguments:
            taken = measure(SMALL if arguments == ["--small"] else FULL)
            taken["orders_per_second"] = taken["orders"] / taken["seconds"]
            row = [figures.number(value) for value in taken.values()]
            figures.keep(
                "export",
                figures.table([name.replace("_", " ") for name in taken], [row], texts=0),
                taken,
            )


if __name__ == "__main__":
    main()
