"""Runs functions in a process of their own, as Lambda would, and counts what that takes."""

from __future__ import annotations

import json
import marshal
import os
import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from benchmarks.figures import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway import Event

_WORKER: Final = ROOT / "benchmarks" / "worker.py"

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


@dataclass(frozen=True, slots=True)
class Code:
    """Where a process imports from, its settings, and its interpreter."""

    environment: Mapping[str, str]
    path: Sequence[str | Path] = field(default_factory=lambda: tuple(sys.path))
    python: str = sys.executable


@dataclass(frozen=True, slots=True)
class Handled:
    """What the worker reports of a module and some events, and what they logged."""

    init_ns: int
    request_ns: list[int]
    peak_kb: int
    modules: int
    responses: list[dict[str, Any]]
    log: str

    @property
    def refused(self) -> list[dict[str, Any]]:
        """Error responses of HTTP functions; batches in which a record failed."""
        return [
            response
            for response in self.responses
            if response.get("statusCode", HTTPStatus.OK) >= HTTPStatus.BAD_REQUEST
            or response.get("batchItemFailures")
        ]


class Process:
    """As a context manager, one process that imports modules when they are first needed."""

    def __init__(self, code: Code, *, under: Sequence[str] = ()) -> None:
        """`under` is a command that runs the interpreter, such as a profiler."""
        self._code = code
        self._under = under
        self._open = ExitStack()

    def __enter__(self) -> Self:
        directory = Path(self._open.enter_context(tempfile.TemporaryDirectory()))
        self._log, self._errors = directory / "log", directory / "errors"
        reading, writing = os.pipe()
        self._results = self._open.enter_context(os.fdopen(reading))
        kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
        own = {
            "PYTHONPATH": os.pathsep.join(map(str, self._code.path)),
            # The order of sets follows the seed, and the number of instructions follows the order.
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with self._log.open("w") as log, self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                # Unbuffered, as Lambda's runtime makes the output of a function.
                [*self._under, self._code.python, "-u", str(_WORKER), str(writing)],
                env=kept | own | LAMBDA_ENVIRONMENT | dict(self._code.environment),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=errors,
                pass_fds=(writing,),
            )
        os.close(writing)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._open.close()

    def handle(self, module: str, events: Sequence[Event]) -> Handled:
        """Pass the events to the module's handler. Raises AssertionError where it raises."""
        logged = self._log.stat().st_size
        requests = self._process.stdin
        if requests is None:
            raise RuntimeError("the process has no standard input")
        requests.write(marshal.dumps((module, list(events))))
        requests.flush()
        line = self._results.readline()
        if not line:
            raise AssertionError(f"{module}: {self._errors.read_text()}")
        return Handled(**json.loads(line), log=self._log.read_bytes()[logged:].decode())


def execute(code: Code, module: str, events: Sequence[Event]) -> Handled:
    """Start a process for some events. Raises AssertionError where one is refused."""
    with Process(code) as process:
        handled = process.handle(module, events)
    if handled.refused:
        raise AssertionError(f"{module}: {handled.refused[0]}")
    return handled


class Instructions(NamedTuple):
    """Of user mode and all threads, as callgrind counts them, without the interpreter's start."""

    init: int
    requests: list[int]


def count_instructions(code: Code, module: str, events: Sequence[Event]) -> Instructions:
    """Some fifty times as slow as `execute`."""
    with tempfile.TemporaryDirectory() as directory:
        counted = Path(directory) / "counted"
        callgrind = ("--tool=callgrind", "--dump-before=getsid", f"--callgrind-out-file={counted}")
        with Process(code, under=("valgrind", *callgrind)) as process:
            process.handle(module, events)
        # One file for each stretch; the first is the interpreter's start.
        init, *requests = [_total(f"{counted}.{number + 2}") for number in range(len(events) + 1)]
    return Instructions(init, requests)


def _total(file: str) -> int:
    found = re.search(r"^totals: (\d+)$", Path(file).read_text(), re.MULTILINE)
    if found is None:
        raise AssertionError(f"{file} has no totals")
    return int(found[1])
