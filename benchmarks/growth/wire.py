"""What passes between the platform and one server of AWS's: calls, bytes, read units."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proof import proxy

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Call:
    """One request and its response: their bodies, as they were sent."""

    operation: str
    request: bytes
    response: bytes

    @property
    def read_units(self) -> float:
        """Of a Query, what the emulator says that it consumed."""
        if self.operation != "Query":
            return 0
        return float(json.loads(self.response)["ConsumedCapacity"]["CapacityUnits"])


@dataclass(frozen=True, slots=True)
class Traffic:
    """What passed while somebody looked."""

    calls: list[Call]

    @property
    def read_units(self) -> float:
        return sum(call.read_units for call in self.calls)

    @property
    def bytes_out(self) -> int:
        return sum(len(call.request) for call in self.calls)

    @property
    def bytes_in(self) -> int:
        return sum(len(call.response) for call in self.calls)


class Wire(proxy.OneCaller):
    """Stands before a server and looks on."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self._traffic = Traffic([])

    @contextmanager
    def traffic(self) -> Iterator[Traffic]:
        """What passes in the block; an answered call has passed."""
        self._traffic = Traffic([])
        yield self._traffic

    async def _treat(self, request: proxy.Request, pass_on: proxy.PassOn) -> proxy.Response:
        response = await pass_on(request)
        self._traffic.calls.append(Call(request.operation, request.body, response.body))
        return response
