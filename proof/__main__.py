"""Clients, faults, and then the count: `python -m proof --seed 7 --duration 600`.

With `--bug`, the same in a copy of the project into which that bug was put: it must be caught.
"""

from __future__ import annotations

import argparse
import fcntl
import secrets
import signal
import sys
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from emulator import ROOT, StackError
from local_stack import LocalStack
from offline import free_port
from proof.bugs import BROKEN, BUGS, UNPROVED, run_in_copy
from proof.checker import check
from proof.faults import Fault
from proof.reach import never_happened
from proof.report import report, tally
from proof.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

STACK: Final = ROOT / ".local" / "prove"
HISTORY: Final = ROOT / "build" / "prove" / "history.json"


def main() -> None:
    """Run, count, and fail where anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--duration", type=float, default=60, help="seconds of faults")
    parser.add_argument("--bug", choices=sorted(BUGS))
    arguments = parser.parse_args()
    # Stopped by SIGTERM, it stops what it started, as by Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if arguments.bug:
        raise SystemExit(run_in_copy(arguments.bug, arguments.seed, arguments.duration))
    with alone():
        raise SystemExit(prove(arguments.seed, arguments.duration))


@contextmanager
def alone() -> Iterator[None]:
    """Hold the directory of the run's stack; SystemExit where another run has it."""
    STACK.mkdir(parents=True, exist_ok=True)
    with (STACK / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SystemExit("Another `make prove` runs.") from error
        yield


def prove(seed: int, seconds: float) -> int:
    """Return 0 where every promise was kept, BROKEN where one was not, UNPROVED without a test."""
    sys.stdout.write(f"Seed {seed}\n")
    stack = LocalStack(STACK, free_port())
    try:
        stack.clean()
        stack.up()
        history = Run(stack, seed)(seconds)
    except StackError as error:
        raise SystemExit(f"\n{error}") from error
    finally:
        stack.stop()
    history.save(HISTORY)
    violations = check(history)
    struck = Counter(strike.fault for strike in history.strikes)
    figures = {"faults": {fault.value: struck[fault] for fault in Fault}, **tally(history)}
    for name, figure in figures.items():
        parts = figure.items() if isinstance(figure, dict) else [("total", figure)]
        sys.stdout.writelines(f"{name}, {part}: {number}\n" for part, number in parts)
    sys.stdout.write(f"{report(history, violations)}\n")
    if violations:
        return BROKEN
    if missing := never_happened(history):
        sys.stdout.write(f"Too short to prove much: no {', no '.join(missing)}.\n")
        return UNPROVED
    return 0


if __name__ == "__main__":
    main()
