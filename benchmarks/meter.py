"""An HTTP proxy before DynamoDB or SQS that measures each call: bytes both ways, and units."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from benchmarks import units
from proof import proxy
from servers import aws_client

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it went over the wire: the bodies, without headers and TLS."""

    operation: str
    request: bytes
    response: bytes
    units: units.Units


class Meter(proxy.OneCaller):
    """As a context manager, listens on a free port of 127.0.0.1 until the end of the block."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self._upstream = upstream
        self._calls: list[Call] | None = None

    @contextmanager
    def measuring(self) -> Iterator[list[Call]]:
        """Collect the calls of the block; calls outside a block just pass."""
        calls: list[Call] = []
        self._calls = calls
        try:
            yield calls
        finally:
            self._calls = None

    async def _treat(self, request: proxy.Request, pass_on: proxy.PassOn) -> proxy.Response:
        calls = self._calls
        if calls is None:
            return await pass_on(request)
        if not request.headers.get("X-Amz-Target", "").startswith("DynamoDB_"):
            response, cost = await pass_on(request), units.Units()
        else:
            response, cost = await self._metered(request, pass_on)
        calls.append(Call(request.operation, request.body, response.body, cost))
        return response

    async def _metered(
        self, request: proxy.Request, pass_on: proxy.PassOn
    ) -> tuple[proxy.Response, units.Units]:
        operation, asked = request.operation, json.loads(request.body)
        if operation in units.READS:
            response = await pass_on(request)
            return response, units.units_of_read(operation, asked, json.loads(response.body))
        writes = list(units.writes_of(operation, asked))
        before = await asyncio.to_thread(self._rows, writes)
        response = await pass_on(request)
        after = await asyncio.to_thread(self._rows, writes)
        return response, units.total(
            units.units_of_write(
                old,
                new,
                described(self._upstream, write.table),
                put=write.item,
                transaction=operation == "TransactWriteItems",
            )
            for old, new, write in zip(before, after, writes, strict=True)
        )

    def _rows(self, writes: Sequence[units.Write]) -> list[Any]:
        """The rows that these writes concern, as they are now; None for one that is missing."""
        client = aws_client("dynamodb", self._upstream)
        return [
            client.get_item(
                TableName=table,
                Key=described(self._upstream, table).key_of(content.get("Item") or content["Key"]),
                ConsistentRead=True,
            ).get("Item")
            for table, content in writes
        ]


def counts(calls: Sequence[Call]) -> dict[str, int]:
    """How often each operation was called."""
    return dict(sorted(Counter(call.operation for call in calls).items()))


@cache
def described(upstream: str, name: str) -> units.Table:
    """DynamoDB Local counts the rows for it: of millions, that takes longer than a client waits."""
    description = aws_client("dynamodb", upstream).describe_table(TableName=name)
    return units.Table.declared(description["Table"])
