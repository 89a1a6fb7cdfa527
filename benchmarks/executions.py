"""Runs a function's code in a process of its own, as Lambda would, and counts what that takes."""

from __future__ import annotations

import json
import marshal
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import trees
from benchmarks.figures import ROOT
from benchmarks.function_process import LAMBDA_ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway import Event

_WORKER: Final = ROOT / "benchmarks" / "worker.py"
_CALLGRIND: Final = ("valgrind", "--tool=callgrind", "--dump-before=getsid")


@dataclass(frozen=True, slots=True)
class Code:
    """What one function's process imports, and the settings that it finds."""

    module: str
    path: tuple[Path, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Execution:
    """One process: how it started, then a request for each event.

    CPU is of all threads, in nanoseconds, in user and kernel mode.
    """

    init_ns: int
    request_ns: list[int]
    peak_kb: int
    modules: list[str]
    late_modules: list[str]
    responses: list[dict[str, Any]]
    log: str


@dataclass(frozen=True, slots=True)
class Instructions:
    """Of user mode, all threads, as callgrind counts them; `interpreter` comes before all else."""

    interpreter: int
    init: int
    requests: list[int]


def require_valgrind() -> None:
    """SystemExit where it is not installed."""
    if shutil.which("valgrind") is None:
        raise SystemExit(
            "valgrind is needed: it counts instructions, which are the same on a busy machine.\n"
            "On Debian: apt-get install valgrind"
        )


def execute(code: Code, events: Sequence[Event]) -> Execution:
    """Raises AssertionError where the function ends otherwise, or refuses a request."""
    with tempfile.TemporaryDirectory() as directory:
        return _run(code, events, Path(directory), ())


def count_instructions(code: Code, events: Sequence[Event]) -> Instructions:
    """Likewise; some fifty times as slow."""
    with tempfile.TemporaryDirectory() as directory:
        counted = Path(directory) / "counted"
        _run(code, events, Path(directory), (*_CALLGRIND, f"--callgrind-out-file={counted}"))
        # One file for each stretch that ended, and one more for the end of the process.
        files = [f"{counted}.{number + 1}" for number in range(len(events) + 2)]
        interpreter, init, *requests = [_total(Path(file)) for file in files]
    return Instructions(interpreter, init, requests)


def _run(code: Code, events: Sequence[Event], directory: Path, under: Sequence[str]) -> Execution:
    given, taken, log = (directory / name for name in ("events", "taken", "log"))
    given.write_bytes(marshal.dumps(list(events)))
    with log.open("w") as output:
        process = subprocess.run(
            # Unbuffered, as Lambda's runtime makes the output of a function.
            [*under, trees.PYTHON, "-u", str(_WORKER), code.module, str(given), str(taken)],
            env=_environment(code),
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    if process.returncode != 0:
        raise AssertionError(f"{code.module}: {process.stderr}")
    execution = Execution(**json.loads(taken.read_text()), log=log.read_text())
    for response in execution.responses:
        if response.get("statusCode", 200) >= HTTPStatus.BAD_REQUEST or response.get(
            "batchItemFailures"
        ):
            raise AssertionError(f"{code.module}: {response}")
    return execution


def _environment(code: Code) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    own = {
        "PYTHONPATH": os.pathsep.join(map(str, code.path)),
        # The order of sets, and with it what is counted, follows the seed.
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return kept | own | LAMBDA_ENVIRONMENT | dict(code.environment)


def _total(file: Path) -> int:
    found = re.search(r"^totals: (\d+)$", file.read_text(), re.MULTILINE)
    if found is None:
        raise AssertionError(f"{file} has no totals")
    return int(found[1])
