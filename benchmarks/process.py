"""Runs functions in a process of their own, as Lambda would, and counts what that takes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from benchmarks.figures import ROOT
from benchmarks.runtime_api import RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.runtime_api import Outcome
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
}


@dataclass(frozen=True, slots=True)
class Code:
    """Where a process imports from, its settings, and its interpreter."""

    environment: Mapping[str, str]
    path: Sequence[str | Path] = field(default_factory=lambda: tuple(sys.path))
    python: str = sys.executable


@dataclass(frozen=True, slots=True)
class Handled:
    """What a start and some requests took, and what they wrote.

    The peak of memory is the process's. Before the start it was `idle_kb`, with the runtime client,
    and `bare_kb` before that.
    """

    init_ns: int
    request_ns: list[int]
    bare_kb: int
    idle_kb: int
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


class Failed(AssertionError):
    """The function raised, or did not start."""

    def __init__(self, handler: str, outcome: Outcome) -> None:
        trace = "".join(outcome.content["stackTrace"])
        super().__init__("{errorType}: {errorMessage}".format(**outcome.content), handler, trace)
        self.outcome = outcome


class Process:
    """As a context manager, a process that Lambda's runtime client starts a function in."""

    def __init__(self, code: Code, handler: str, *, under: Sequence[str] = ()) -> None:
        """`under` is a command that runs the interpreter, such as a profiler."""
        self._code = code
        self._handler = handler
        self._under = under
        self._open = ExitStack()
        self._start: list[int] = []

    def __enter__(self) -> Self:
        directory = Path(self._open.enter_context(tempfile.TemporaryDirectory()))
        self._errors = directory / "errors"
        self._api = self._open.enter_context(RuntimeApi())
        reading, writing = os.pipe()
        self._results = self._open.enter_context(os.fdopen(reading))
        # A pipe, as Lambda's log is.
        self._log, log = os.pipe()
        self._open.callback(os.close, self._log)
        os.set_blocking(self._log, False)
        kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
        own = {
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "PYTHONPATH": os.pathsep.join(map(str, self._code.path)),
            # The order of sets follows the seed, and the number of instructions follows the order.
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                [*self._under, self._code.python, str(_WORKER), self._handler, str(writing)],
                env=kept | own | LAMBDA_ENVIRONMENT | dict(self._code.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=errors,
                pass_fds=(writing,),
            )
        os.close(writing)
        os.close(log)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()  # an execution environment is frozen, never shut down
        self._process.wait()
        self._open.close()

    def handle(self, events: Sequence[Event]) -> Handled:
        """Pass the events to the function.

        Raises:
            Failed: it raised, or did not start. AssertionError: it ended.
        """
        responses, log = [], ""
        for event in events:
            responses.append(self._respond(event))
            log += self._written()
        self._start = self._start or self._figures()
        taken = [self._figures()[0] for _ in events]
        log += self._written()
        init, modules, bare, idle = self._start
        return Handled(
            init_ns=init,
            request_ns=taken,
            bare_kb=bare,
            idle_kb=idle,
            peak_kb=self._peak(),
            modules=modules,
            responses=responses,
            log=log,
        )

    def _respond(self, event: Event) -> Any:  # noqa: ANN401 - JSON
        self._api.events.put(event)
        while True:
            has_ended = self._process.poll() is not None
            try:
                outcome = self._api.outcomes.get(timeout=1)
            except Empty:
                if has_ended:
                    raise self._ended() from None
                continue
            if outcome.what != "response":
                raise Failed(self._handler, outcome)
            return outcome.content

    def _figures(self) -> list[int]:
        if not (line := self._results.readline()):
            raise self._ended()
        return [int(figure) for figure in line.split()]

    def _ended(self) -> AssertionError:
        said = self._written() + self._errors.read_text()
        return AssertionError(f"{self._handler} ended: {said}")

    def _written(self) -> str:
        """What was logged since the last look; more than 64 KB would block the function."""
        try:
            return os.read(self._log, 1 << 16).decode()
        except BlockingIOError:
            return ""

    def _peak(self) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line)


def execute(code: Code, handler: str, events: Sequence[Event]) -> Handled:
    """Start a process for some events. Raises AssertionError where one is refused."""
    with Process(code, handler) as process:
        handled = process.handle(events)
    if handled.refused:
        raise AssertionError(f"{handler}: {handled.refused[0]}")
    return handled


class Instructions(NamedTuple):
    """Of user mode and all threads, as callgrind counts them."""

    init: int
    requests: list[int]


def count_instructions(code: Code, handler: str, events: Sequence[Event]) -> Instructions:
    """Some fifty times as slow as `execute`."""
    with tempfile.TemporaryDirectory() as directory:
        counted = Path(directory) / "counted"
        callgrind = ("--tool=callgrind", "--dump-before=getsid", f"--callgrind-out-file={counted}")
        with Process(code, handler, under=("valgrind", *callgrind)) as process:
            process.handle(events)
        # A file ends at each mark: every second one is what runs between two stretches.
        init, *requests = [
            _total(f"{counted}.{2 * number}") for number in range(1, len(events) + 2)
        ]
    return Instructions(init, requests)


def _total(file: str) -> int:
    found = re.search(r"^totals: (\d+)$", Path(file).read_text(), re.MULTILINE)
    if found is None:
        raise AssertionError(f"{file} has no totals")
    return int(found[1])
