"""Creates of orders that have more and more items."""

from __future__ import annotations

import json
from itertools import count
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks import units
from benchmarks.growth import functions
from benchmarks.growth.wire import Wire
from gateway import CUSTOMER_CLAIMS, item_body, order_body, request
from servers import create_table, table_definition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.growth.curves import Curves
    from benchmarks.growth.wire import Call
    from gateway import Event

_CREATE: Final = "create_order"
_keys: Final = count()
_WARM_UP: Final = 5


def measure(server: str, sizes: Sequence[int], rounds: int) -> Curves:
    """By the name of the route; a size is the number of items. All have an Idempotency-Key.

    Calls and bytes are seen through a proxy, and units are computed from the rows that are
    written. Processor time is that of a warm request, without the proxy: the median of rounds in
    which each size has its turn.
    """
    table = create_table(server)
    points = {}
    with Wire(server) as wire:
        for size in sizes:
            with wire.traffic() as traffic:
                run = functions.run(_CREATE, [_event(size)], wire.endpoint, table)
            points[size] = {
                "calls": len(traffic.calls),
                "write_units": sum(map(_write_units, traffic.calls)),
                "bytes_out": traffic.bytes_out,
                "answer_bytes": len(run.responses[0]["body"].encode()),
            }
    events = [_event(size) for _ in range(_WARM_UP + rounds) for size in sizes]
    run = functions.run(_CREATE, events, server, table)
    warm = run.request_ns[_WARM_UP * len(sizes) :]
    return {
        "create": {
            size: {
                **points[size],
                "cpu_milliseconds": median(warm[place :: len(sizes)]) / 1e6,
            }
            for place, size in enumerate(sizes)
        }
    }


def _event(items: int) -> Event:
    body = order_body(items=[item_body(sku=f"MUG-{number:03}") for number in range(items)])
    claims, key = CUSTOMER_CLAIMS, f"key-{next(_keys)}"
    return request("POST", "/orders", body, claims=claims, headers={"idempotency-key": key})


def _write_units(call: Call) -> int:
    """Of a transaction that puts rows where none were; the emulator under-reports those."""
    put = [part["Put"]["Item"] for part in json.loads(call.request)["TransactItems"]]
    table = units.Table.declared(table_definition())
    written = [units.units_of_write(None, item, table, transaction=True) for item in put]
    return sum(each.write for each in written)
