"""A proxy in front of an AWS endpoint that records calls, and breaks those that a test chooses."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

from proof import proxy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it was sent; a client's retry is a call of its own."""

    operation: str
    body: bytes

    @property
    def parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = json.loads(self.body)
        return parameters


class Break(Enum):
    """What happens to the connection, before the call takes effect or after."""

    RESET = auto()
    SILENCE = auto()
    RESET_AFTER = auto()
    SILENCE_AFTER = auto()


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error response in place of the call.

    `reasons` are the codes of a canceled transaction, one for each of its operations; `item` is
    the row that the last one shows.
    """

    code: str
    status: int = 400
    reasons: tuple[str, ...] = ()
    item: dict[str, Any] | None = None

    @property
    def body(self) -> bytes:
        response: dict[str, Any] = {"__type": f"com.amazonaws.dynamodb.v20120810#{self.code}"}
        response["message"] = "Injected."
        if self.reasons:
            response["message"] = (
                "Transaction cancelled, please refer cancellation reasons for specific reasons "
                f"[{', '.join(self.reasons)}]"
            )
            response["CancellationReasons"] = [{"Code": code} for code in self.reasons]
            if self.item:
                response["CancellationReasons"][-1]["Item"] = self.item
        return json.dumps(response).encode()


@dataclass(frozen=True, slots=True)
class Response:
    """A response with status 200 in place of the call."""

    content: dict[str, Any]


Fault: TypeAlias = Break | Refusal | Response | None


class Recorder(proxy.OneCaller):
    """The proxy. As a context manager it listens on a free port of 127.0.0.1 until the end."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self._calls: list[Call] = []
        self._faults: Iterator[Fault] = iter(())
        self._lock = Lock()

    @property
    def calls(self) -> list[Call]:
        with self._lock:
            return list(self._calls)

    @property
    def counts(self) -> dict[str, int]:
        """How often each operation was called."""
        return dict(Counter(call.operation for call in self.calls))

    def forget(self) -> None:
        """Forget the calls so far."""
        with self._lock:
            self._calls.clear()

    def inject(self, faults: Iterable[Fault]) -> None:
        """A fault for each of the next calls, None where one passes; then all pass."""
        with self._lock:
            self._faults = iter(faults)

    def _register(self, call: Call) -> Fault:
        with self._lock:
            self._calls.append(call)
            return next(self._faults, None)

    async def _treat(self, request: proxy.Request, pass_on: proxy.PassOn) -> proxy.Response | None:
        match self._register(Call(request.operation, request.body)):
            case Refusal() as refusal:
                return _json(refusal.status, refusal.body)
            case Response(content):
                return _json(200, json.dumps(content).encode())
            case Break() as fault:
                if fault in {Break.RESET_AFTER, Break.SILENCE_AFTER}:
                    await pass_on(request)
                if fault in {Break.SILENCE, Break.SILENCE_AFTER}:
                    await asyncio.Event().wait()
                return None
            case None:
                return await pass_on(request)


def _json(status: int, body: bytes) -> proxy.Response:
    return proxy.Response(status, {"Content-Type": "application/x-amz-json-1.0"}, body)
