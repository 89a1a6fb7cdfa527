"""Handlers in a process of their own, with the environment and the output of a Lambda function."""

from __future__ import annotations

import importlib
import io
import multiprocessing
import os
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.connection import Connection

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
    "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;"
    "Parent=53995c3f42cd8ad8;Sampled=1",
}


class Invocation(NamedTuple):
    """What the handler returned, and what it wrote to the standard output."""

    answer: dict[str, Any]
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


class FunctionProcess:
    """As a context manager: one process that handlers are imported in when they are first needed.

    `handlers` are by name, as `module:attribute`. The environment is Lambda's and what is given.
    """

    def __init__(self, handlers: Mapping[str, str], environment: Mapping[str, str]) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._connection, theirs = spawning.Pipe()
        self._process = spawning.Process(
            target=_serve,
            args=(theirs, dict(handlers), LAMBDA_ENVIRONMENT | dict(environment)),
            daemon=True,
        )

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.send(None)
        self._process.join()

    def invoke(self, name: str, event: Mapping[str, Any]) -> Invocation:
        """Raises whatever the handler did."""
        self._connection.send((name, event))
        outcome = self._connection.recv()
        if isinstance(outcome, Exception):
            raise outcome
        return Invocation(*outcome)


def _serve(connection: Connection, handlers: dict[str, str], environment: dict[str, str]) -> None:
    kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    os.environ.clear()
    os.environ.update(kept | environment)
    # Before any handler is imported: the logger keeps the output that it finds.
    sys.stdout = output = io.StringIO()

    @cache
    def imported(name: str) -> Callable[[object, Context], dict[str, Any]]:
        module, _, attribute = handlers[name].partition(":")
        handler: Callable[[object, Context], dict[str, Any]] = getattr(
            importlib.import_module(module), attribute
        )
        return handler

    while call := connection.recv():
        name, event = call
        output.seek(0)
        output.truncate()
        try:
            connection.send((imported(name)(event, Context()), output.getvalue()))
        except Exception as error:  # noqa: BLE001 - the caller is to see it, whatever it is
            connection.send(error)
