"""Lambda's Runtime API, which gives a function its events and takes its responses.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway import Event

REQUEST_ID: Final = "52fdfc07-2182-454f-963f-5f0f9a621d72"
"""Of every invocation."""

_ARN: Final = "arn:aws:lambda:ap-southeast-1:123456789012:function:orders-prod-function"
_TRACE: Final = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
_REMAINING_SECONDS: Final = 300
"""More than any function takes."""

_POLL_SECONDS: Final = 0.02
"""How long the end of a process may wait for its server."""


class Outcome(NamedTuple):
    """What the function posted; `what` is one of response, error, and init error."""

    what: str
    content: Any


class RuntimeApi(ThreadingHTTPServer):
    """As a context manager, serves the process of one function, on a free port of 127.0.0.1."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.address = f"127.0.0.1:{self.server_port}"
        self.events: SimpleQueue[Event | None] = SimpleQueue()
        self.outcomes: SimpleQueue[Outcome] = SimpleQueue()

    def __enter__(self) -> Self:
        Thread(target=self.serve_forever, args=(_POLL_SECONDS,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self.events.put(None)


class _Requests(BaseHTTPRequestHandler):
    server: RuntimeApi

    def do_GET(self) -> None:
        """Only the next event is ever asked for."""
        if (event := self.server.events.get()) is None:
            return
        deadline = int((time.time() + _REMAINING_SECONDS) * 1000)
        self._respond(200, json.dumps(event).encode(), {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": REQUEST_ID,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": _ARN,
            "Lambda-Runtime-Trace-Id": _TRACE,
        })  # fmt: skip

    def do_POST(self) -> None:
        """To .../invocation/ID/response, .../invocation/ID/error, or .../init/error."""
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        *_, of, what = self.path.split("/")
        self._respond(202)
        self.server.outcomes.put(Outcome(f"init {what}" if of == "init" else what, content))

    def _respond(self, status: int, body: bytes = b"", headers: Mapping[str, str] = {}) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: what the function writes is the log."""
