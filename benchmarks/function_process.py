"""Handlers in a process of their own, with the environment and the output of a Lambda function."""

from __future__ import annotations

import importlib
import io
import json
import os
import subprocess
import sys
import traceback
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
LAMBDA_ENVIRONMENT: Final = {
    "AWS_DEFAULT_REGION": "ap-southeast-1",
    "AWS_REGION": "ap-southeast-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    "AWS_LAMBDA_FUNCTION_NAME": "orders-prod-function",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
    "LAMBDA_TASK_ROOT": "/var/task",
    "PYTHONWARNINGS": "ignore",
    "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;"
    "Parent=53995c3f42cd8ad8;Sampled=1",
}


class Invocation(NamedTuple):
    """What the handler returned, and what it wrote to the standard output."""

    response: dict[str, Any]
    output: str

    @property
    def log_bytes(self) -> int:
        return len(self.output.encode())


@dataclass(frozen=True, slots=True)
class Context:
    """What Powertools and the handlers read of Lambda's context."""

    aws_request_id: str = "8f507cfc-1b2d-4697-b07a-ac58fc914c95"
    function_name: str = LAMBDA_ENVIRONMENT["AWS_LAMBDA_FUNCTION_NAME"]
    function_version: str = "$LATEST"
    invoked_function_arn: str = "arn:aws:lambda:ap-southeast-1:123456789012:function:orders"
    memory_limit_in_mb: int = 512

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


class HandlerRaised(Exception):
    """With the handler's traceback."""


class FunctionProcess:
    """As a context manager: one process that handlers are imported in when they are first needed.

    `handlers` are by name, as `module:attribute`. The environment is Lambda's and what is given.
    """

    def __init__(self, handlers: Mapping[str, str], environment: Mapping[str, str]) -> None:
        self._handlers = handlers
        self._environment = environment

    def __enter__(self) -> Self:
        kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
        paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.function_process"],
            env=kept | paths | LAMBDA_ENVIRONMENT | dict(self._environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def invoke(self, name: str, event: Mapping[str, Any]) -> Invocation:
        """Raises HandlerRaised."""
        calls, outcomes = self._process.stdin, self._process.stdout
        if calls is None or outcomes is None:
            raise RuntimeError("the process has no pipes")
        calls.write(json.dumps({"handler": self._handlers[name], "event": event}) + "\n")
        calls.flush()
        outcome = json.loads(outcomes.readline())
        if "raised" in outcome:
            raise HandlerRaised(outcome["raised"])
        return Invocation(outcome["response"], outcome["output"])


def serve(calls: TextIO, outcomes: TextIO) -> None:
    """Answer calls, one a line, until there are no more."""
    # Before any handler is imported: the logger keeps the output that it finds.
    sys.stdout = output = io.StringIO()
    for line in calls:
        call = json.loads(line)
        output.seek(0)
        output.truncate()
        outcome: dict[str, Any]
        try:
            outcome = {"response": _imported(call["handler"])(call["event"], Context())}
        except Exception:  # noqa: BLE001 - the caller is to see it, whatever it is
            outcome = {"raised": traceback.format_exc()}
        outcomes.write(json.dumps(outcome | {"output": output.getvalue()}) + "\n")
        outcomes.flush()


@cache
def _imported(name: str) -> Callable[[object, Context], dict[str, Any]]:
    module, _, attribute = name.partition(":")
    handler: Callable[[object, Context], dict[str, Any]] = getattr(
        importlib.import_module(module), attribute
    )
    return handler


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
