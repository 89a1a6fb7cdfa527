"""The functions as they are deployed, run as Lambda runs them: each in a process of its own."""

from __future__ import annotations

import marshal
import os
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import trees, worker
from benchmarks.growth import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Run:
    """What a function answered to its events, and what each took of the processor, in seconds."""

    answers: list[Any]
    cpu_seconds: list[float]
    peak_bytes: int


def run(
    function: str, events: Sequence[Any], endpoint: str, table: str = "", queue: str = ""
) -> Run:
    """Hand the events to `orders.functions.{function}`, one after the other.

    `endpoint` is where it finds AWS. Raises RuntimeError where the function failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "events", Path(folder) / "answers"
        asked.write_bytes(marshal.dumps(list(events)))
        done = subprocess.run(
            [trees.PYTHON, worker.__file__, f"orders.functions.{function}", asked, answered],
            env=ENVIRONMENT
            | {
                "PATH": os.defpath,
                "PYTHONPATH": f"{_tree()}:{_runtime()}",
                "AWS_ENDPOINT_URL": endpoint,
                "TABLE_NAME": table,
                "QUEUE_URL": queue,
                "FAILURE_QUEUE_URL": queue,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{function} failed:\n{done.stderr}")
        report = marshal.loads(answered.read_bytes())  # noqa: S302 - our own file
    return Run(
        report["answers"],
        [nanoseconds / 1e9 for nanoseconds in report["request_ns"]],
        report["peak_kb"] * 1024,
    )


@cache
def _tree() -> Path:
    return trees.ours()


@cache
def _runtime() -> Path:
    return trees.runtime()
