"""The functions as they are deployed, run in processes of their own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from benchmarks import trees
from benchmarks.executions import Code, execute

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.executions import Execution
    from gateway import Event


def run(
    function: str, events: Sequence[Event], endpoint: str, table: str, queue: str = ""
) -> Execution:
    """Hand the events to `orders.functions.{function}`, which finds AWS at the endpoint.

    Raises AssertionError where it refuses one.
    """
    settings = {
        "AWS_ENDPOINT_URL": endpoint,
        "POWERTOOLS_METRICS_NAMESPACE": "Orders",
        "POWERTOOLS_SERVICE_NAME": "orders",
        "PAYMENTS": "mock",
        "TABLE_NAME": table,
        "QUEUE_URL": queue,
        "DEAD_LETTER_QUEUE_URL": queue,
    }
    return execute(Code(f"orders.functions.{function}", _path(), settings), events)


@cache
def _path() -> tuple[Path, ...]:
    return trees.ours(), trees.runtime()
