"""Clients, faults, and then the count: `python -m prove --seed 7 --duration 600`.

With `--bug`, the same in a copy of the project into which that bug was put: it must be caught.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from typing import TYPE_CHECKING, Final

import figures
from local_stack import ROOT, LocalStack, StackError
from offline import free_port
from prove.bugs import BROKEN, BUGS, REPORT, run_in_copy
from prove.checker import check
from prove.faults import Fault
from prove.report import report, tally
from prove.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

HISTORY: Final = ROOT / "build" / "prove" / "history.json"


def main() -> None:
    """Run, count, and fail where anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--duration", type=float, default=60, help="seconds of faults")
    parser.add_argument("--bug", choices=sorted(BUGS))
    arguments = parser.parse_args()
    if arguments.bug:
        raise SystemExit(run_in_copy(arguments.bug, arguments.seed, arguments.duration))
    raise SystemExit(prove(arguments.seed, arguments.duration))


def prove(seed: int, seconds: float) -> int:
    """Return 0 where every promise was kept, BROKEN where one was not."""
    stack = LocalStack(ROOT / ".local" / "prove", free_port())
    try:
        stack.clean()
        stack.up()
        run = Run(stack, seed)
        history = run(seconds)
    except StackError as error:
        raise SystemExit(f"\n{error}") from error
    finally:
        stack.down()
    history.save(HISTORY)
    violations = check(history)
    table = [
        f"| seed | {seed} |",
        "|---|---|",
        f"| seconds of faults | {seconds:.0f} |",
        *_lines("faults", {fault.value: run.schedule.struck[fault] for fault in Fault}),
        *(line for name, figure in tally(history).items() for line in _lines(name, figure)),
        f"| **violations** | **{len(violations)}** |",
    ]
    figures.leave("prove", table)
    found = report(history, violations)
    REPORT.write_text(f"{found}\n")
    sys.stdout.write("\n".join(["", *table, "", found, ""]))
    return BROKEN if violations else 0


def _lines(name: str, figure: object) -> Iterator[str]:
    """Yield rows of the table: one for a number, one for each member of a dictionary."""
    if isinstance(figure, dict):
        for part, number in figure.items():
            yield from _lines(f"{name}: {part}", number)
    else:
        yield f"| {name} | {figure} |"


if __name__ == "__main__":
    main()
