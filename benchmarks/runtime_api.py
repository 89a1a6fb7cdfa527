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
from uuid import uuid4

if TYPE_CHECKING:
    from gateway import Event

_ARN: Final = "arn:aws:lambda:ap-southeast-1:123456789012:function:orders-prod-function"
_TRACE: Final = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
_REMAINING_SECONDS: Final = 300
"""More than any function takes."""


class Outcome(NamedTuple):
    """What the function posted; `of` is the request's id, or `init` where it did not start."""

    of: str
    is_error: bool
    content: Any


class RuntimeApi(ThreadingHTTPServer):
    """As a context manager, serves the process of one function, on a free port of 127.0.0.1."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.address = f"127.0.0.1:{self.server_port}"
        self.waiting: SimpleQueue[tuple[str, bytes] | None] = SimpleQueue()
        self.outcomes: SimpleQueue[Outcome] = SimpleQueue()

    def __enter__(self) -> Self:
        Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self.waiting.put(None)

    def send(self, event: Event) -> str:
        """The request's id; the outcome comes when the process has taken its turn."""
        request_id = str(uuid4())
        self.waiting.put((request_id, json.dumps(event).encode()))
        return request_id


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RuntimeApi

    def do_GET(self) -> None:
        """Only the next event is ever asked for."""
        self.close_connection = True
        if (waiting := self.server.waiting.get()) is None:
            return
        request_id, event = waiting
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(event)))
        self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", _ARN)
        self.send_header("Lambda-Runtime-Trace-Id", _TRACE)
        deadline = int((time.time() + _REMAINING_SECONDS) * 1000)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(deadline))
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self) -> None:
        """To .../invocation/ID/response, .../invocation/ID/error, or .../init/error."""
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        *_, of, what = self.path.split("/")
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.outcomes.put(Outcome(of, what == "error", content))

    def log_message(self, *_: object) -> None:
        """Nothing: what the function writes is the log."""
