"""An HTTP proxy before DynamoDB or SQS that measures each call: bytes both ways, and units."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from benchmarks.units import Call, Table, Units, units_of
from proof import proxy
from servers import aws_client

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from benchmarks.units import Rows

_READS: Final = frozenset({"GetItem", "BatchGetItem", "TransactGetItems", "Query"})
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class Metered:
    """A call as it went over the wire. Bytes are those of HTTP/1.1: first line, headers, body.

    `reported` are the units that the emulator says, where it was asked.
    """

    operation: str
    body: bytes
    bytes_out: int
    bytes_in: int
    units: Units = field(default_factory=Units)
    reported: Units = field(default_factory=Units)


class Meter(proxy.OneCaller):
    """As a context manager it listens on a free port of 127.0.0.1 until the end.

    Units are computed from what DynamoDB's tables held before and after each call. With
    `ask_for_units` each request also asks the emulator for them: the responses are longer then.
    """

    def __init__(self, upstream: str, *, ask_for_units: bool = False) -> None:
        super().__init__(upstream)
        self._upstream = upstream
        self._ask = ask_for_units
        self._on = False
        self._held: dict[str, Rows] = {}
        self._calls: list[Metered] = []
        self._lock = Lock()

    @property
    def calls(self) -> list[Metered]:
        with self._lock:
            return list(self._calls)

    @property
    def counts(self) -> dict[str, int]:
        """How often each operation was called."""
        return dict(sorted(Counter(call.operation for call in self.calls).items()))

    @contextmanager
    def measuring(self, tables: Iterable[str] = ()) -> Iterator[None]:
        """Forget what was measured, and measure the calls of the block; others just pass.

        `tables` are those that are called. They are looked at beforehand and after each write, so
        that a read does not wait for that.
        """
        self._held = {name: _rows(self._upstream, name) for name in tables}
        with self._lock:
            self._calls.clear()
        self._on = True
        try:
            yield
        finally:
            self._on = False

    async def _treat(self, request: proxy.Request, pass_on: proxy.PassOn) -> proxy.Response:
        if not self._on:
            return await pass_on(request)
        if not request.headers.get("X-Amz-Target", "").startswith("DynamoDB_"):
            response = await pass_on(request)
            self._register(Metered(request.operation, request.body, *_bytes(request, response)))
            return response
        asked = json.loads(request.body)
        before = self._held
        response = await pass_on(_asking(request, asked) if self._ask else request)
        is_read = request.operation in _READS
        if not is_read:
            self._held = await asyncio.to_thread(
                lambda: {name: _rows(self._upstream, name) for name in before}
            )
        said = json.loads(response.body) if response.status == _OK else None
        self._register(
            Metered(
                request.operation,
                request.body,
                *_bytes(request, response),
                units_of(
                    Call(request.operation, asked, said),
                    before,
                    self._held,
                    {name: _shape(self._upstream, name) for name in before},
                ),
                _reported(said or {}, is_read=is_read),
            )
        )
        return response

    def _register(self, call: Metered) -> None:
        with self._lock:
            self._calls.append(call)


def _asking(request: proxy.Request, asked: dict[str, Any]) -> proxy.Request:
    body = json.dumps(asked | {"ReturnConsumedCapacity": "INDEXES"}).encode()
    return request._replace(body=body)


def _reported(response: Mapping[str, Any], *, is_read: bool) -> Units:
    capacity = response.get("ConsumedCapacity", [])
    tables = capacity if isinstance(capacity, list) else [capacity]
    units = sum(table["CapacityUnits"] for table in tables)
    return Units(read=units) if is_read else Units(write=round(units))


def _bytes(request: proxy.Request, response: proxy.Response) -> tuple[int, int]:
    """Out and in, without what a connection adds: TLS, chunks, TCP."""
    first = f"{request.method} {request.target} HTTP/1.1\r\n"
    status = f"HTTP/1.1 {response.status} OK\r\n"
    return (
        len(first) + _header_bytes(request.headers) + len(request.body),
        len(status) + _header_bytes(response.headers) + len(response.body),
    )


def _header_bytes(headers: Mapping[str, str]) -> int:
    return sum(len(f"{name}: {value}\r\n".encode()) for name, value in headers.items()) + 2


def _rows(upstream: str, name: str) -> Rows:
    """All of a table."""
    table = _shape(upstream, name)
    pages = aws_client("dynamodb", upstream).get_paginator("scan")
    return {
        table.key_of(item): item
        for page in pages.paginate(TableName=name, ConsistentRead=True)
        for item in page["Items"]
    }


@cache
def _shape(upstream: str, name: str) -> Table:
    return Table.declared(aws_client("dynamodb", upstream).describe_table(TableName=name)["Table"])
