"""An HTTP proxy before one DynamoDB: keeps the calls that pass, and breaks those it is told to."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CLOSE_AT_ONCE: Final = struct.pack("ii", 1, 0)
_HOP_BY_HOP: Final = frozenset({"connection", "content-length", "date", "server", "host"})


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
    """What happens to the connection, before the table or after it."""

    RESET = auto()
    SILENCE = auto()
    RESET_AFTER = auto()
    SILENCE_AFTER = auto()


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error that the table answers with, instead of doing anything.

    `reasons` are the codes of a cancelled transaction, one for each of its operations.
    """

    code: str
    status: int = 400
    reasons: tuple[str, ...] = ()

    @property
    def body(self) -> bytes:
        answer: dict[str, Any] = {"__type": f"com.amazonaws.dynamodb.v20120810#{self.code}"}
        answer["message"] = "Injected."
        if self.reasons:
            answer["message"] = (
                "Transaction cancelled, please refer cancellation reasons for specific reasons "
                f"[{', '.join(self.reasons)}]"
            )
            answer["CancellationReasons"] = [{"Code": code} for code in self.reasons]
        return json.dumps(answer).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered with status 200, instead of asking the table."""

    content: dict[str, Any]


Fault: TypeAlias = Break | Refusal | Answer | None


class Recorder:
    """The proxy. As a context manager it listens on a free port of 127.0.0.1 until the end."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.over = Event()
        self._calls: list[Call] = []
        self._faults: Iterator[Fault] = iter(())
        self._lock = Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.recorder = self

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def calls(self) -> list[Call]:
        with self._lock:
            return list(self._calls)

    @property
    def counts(self) -> dict[str, int]:
        """How often each operation was called."""
        return dict(Counter(call.operation for call in self.calls))

    def forget(self) -> None:
        """Begin to count anew."""
        with self._lock:
            self._calls.clear()

    def inject(self, faults: Iterable[Fault]) -> None:
        """One for each of the next calls, None for one that passes; then all pass."""
        with self._lock:
            self._faults = iter(faults)

    def register(self, call: Call) -> Fault:
        """What is to happen to the call."""
        with self._lock:
            self._calls.append(call)
            return next(self._faults, None)

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    recorder: Recorder


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer is one packet
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.upstream = HTTPConnection(self.server.recorder.upstream)

    def finish(self) -> None:
        self.upstream.close()
        super().finish()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        match self.server.recorder.register(Call(operation, body)):
            case Refusal() as refusal:
                self._answer(refusal.status, refusal.body)
            case Answer(content):
                self._answer(200, json.dumps(content).encode())
            case Break.RESET:
                self._reset()
            case Break.SILENCE:
                self._stay_silent()
            case Break.RESET_AFTER:
                self._pass_on(body)
                self._reset()
            case Break.SILENCE_AFTER:
                self._pass_on(body)
                self._stay_silent()
            case None:
                self._answer(*self._pass_on(body))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _pass_on(self, body: bytes) -> tuple[int, bytes]:
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
        self.upstream.request("POST", "/", body, headers)
        answer = self.upstream.getresponse()
        return answer.status, answer.read()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_AT_ONCE)
        os.close(self.connection.detach())
        self.close_connection = True

    def _stay_silent(self) -> None:
        self.server.recorder.over.wait()
        self.close_connection = True
