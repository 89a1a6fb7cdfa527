"""The consumers of queue and stream, with more and more events in a batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.growth import functions
from benchmarks.growth.wire import Wire
from examples import new_order
from orders.adapters.dynamodb import rows
from orders.adapters.mock_payments import APPROVE
from orders.adapters.sqs import event_body
from orders.adapters.system import RandomIds
from orders.domain.actor import CUSTOMER
from servers import aws_client, ministack, new_table
from stream_records import batch, message, stream_record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.executions import Execution
    from benchmarks.growth.curves import Curve, Curves
    from orders.adapters.dynamodb.table import Table
    from orders.domain.events import OrderEvent
    from stream_records import Record

_WARM_UP: Final = 2


@dataclass(frozen=True, slots=True)
class _Consumer:
    """A function, where it finds AWS, and what it is handed of each event."""

    function: str
    server: str
    record: Callable[[OrderEvent], Record]
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
        "settle_payments_paying": _Consumer("settle_payments", server, _sent, APPROVE),
        "settle_payments_idle": _Consumer("settle_payments", server, _sent),
        "publish_order_events": _Consumer("publish_order_events", ministack(), _inserted),
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
    new, ids = new_order(payment_token=consumer.payment_token), RandomIds()
    placed = [new.placed(ids.order_id(datetime.now(UTC)), by=CUSTOMER) for _ in range(size)]
    put = [row for order, _ in placed for row in (rows.detail_row(order), rows.customer_row(order))]
    table.client.sync_batch_write(table.name, put_items=put)
    return batch(*(consumer.record(event) for _, event in placed))


def _sent(event: OrderEvent) -> Record:
    return message(event_body(event))


def _inserted(event: OrderEvent) -> Record:
    return stream_record("INSERT", None, rows.event_row(event))
