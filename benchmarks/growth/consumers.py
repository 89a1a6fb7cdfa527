"""The consumers of queue and stream, with more and more events in a batch."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.growth import functions
from benchmarks.growth.wire import Wire
from examples import placed_order
from orders.adapters.dynamodb import rows
from orders.adapters.mock_payments import APPROVE
from servers import aws_client, ministack, new_table
from stream_records import batch, change_of, created, message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.executions import Execution
    from benchmarks.growth.curves import Curve, Curves
    from orders.adapters.dynamodb.table import Table
    from orders.domain.order import Order
    from stream_records import Record

_WARM_UP: Final = 2


@dataclass(frozen=True, slots=True)
class _Consumer:
    """A function, where it finds AWS, and what it is handed of each order."""

    function: str
    server: str
    record: Callable[[Order], Record]
    payment_token: str | None = None


def measure(server: str, sizes: Sequence[int], rounds: int) -> Curves:
    """By the function and what it has to do; a size is that of the batch.

    Each event is of an order of its own. Calls and bytes are of one batch, seen through a proxy.
    Processor time is that of a warm batch, by its size, without the proxy: the median of rounds in
    which each size has its turn.
    """
    table = new_table(server)
    queue = aws_client("sqs", ministack()).create_queue(QueueName="growth")["QueueUrl"]
    consumers = {
        "settle_payments_paying": _Consumer("settle_payments", server, _event, APPROVE),
        "settle_payments_idle": _Consumer("settle_payments", server, _event),
        "publish_order_events": _Consumer("publish_order_events", ministack(), created),
        "record_audit_trail": _Consumer("record_audit_trail", server, created),
    }
    return {
        name: _curve(consumer, table, queue, sizes, rounds) for name, consumer in consumers.items()
    }


def _curve(
    consumer: _Consumer, table: Table, queue: str, sizes: Sequence[int], rounds: int
) -> Curve:
    def run(endpoint: str, batches: Sequence[int]) -> Execution:
        events = [_batch(consumer, table, size) for size in batches]
        return functions.run(consumer.function, events, endpoint, table.name, queue)

    points: dict[int, dict[str, float]] = {}
    with Wire(consumer.server) as wire:
        for size in sizes:
            with wire.traffic() as traffic:
                run(wire.endpoint, [size])
            points[size] = {
                "calls": len(traffic.calls),
                "calls_per_event": len(traffic.calls) / size,
                "bytes_out_per_event": traffic.bytes_out / size,
            }
    warm = run(consumer.server, [*sizes] * (_WARM_UP + rounds)).request_ns
    for place, size in enumerate(sizes):
        batches = warm[_WARM_UP * len(sizes) + place :: len(sizes)]
        points[size]["cpu_milliseconds_per_event"] = median(batches) / 1e6 / size
    return points


def _batch(consumer: _Consumer, table: Table, size: int) -> dict[str, Any]:
    """An event of Lambda's about so many orders, whose rows are in the table."""
    orders = [placed_order(payment_token=consumer.payment_token) for _ in range(size)]
    put = [row for order in orders for row in (rows.detail_row(order), rows.customer_row(order))]
    table.client.sync_batch_write(table.name, put_items=put)
    return batch(*map(consumer.record, orders))


def _event(order: Order) -> Record:
    return message(change_of(order))
