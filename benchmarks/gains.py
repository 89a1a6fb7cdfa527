"""What single changes gained: our package before and after each, from the repository's history."""

from __future__ import annotations

import subprocess
import sys
import uuid
from dataclasses import asdict, dataclass
from statistics import mean, median
from typing import TYPE_CHECKING, Final

from benchmarks import figures, trees
from benchmarks.executions import Code, count_instructions, execute, require_valgrind
from benchmarks.functions import COUNTED, REQUESTS, SETTLED
from benchmarks.scenarios import OPERATIONS, create_event
from benchmarks.systems import OURS, Running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from benchmarks.executions import Instructions
    from gateway import Event

_CREATE: Final = "create_order"
_LIST: Final = "list_orders_by_status"
_LISTED: Final = "status page of 20"

IN_INSTRUCTIONS: Final = {
    "eec49ee": _CREATE,
    "5d8f67d": _CREATE,
    "4c51846": _CREATE,
    "7a60279": "get_order",
    "526f614": _CREATE,
    "dbf786a": _CREATE,
}
"""Commits, each with the function whose start is counted; of creates a warm one is, too."""
IN_CPU: Final = "dbf786a"
"""It is about threads, which cost the kernel's instructions more than their own."""
CPU_ROUNDS: Final = 15
IN_UNITS: Final = "6856cad"


@dataclass(frozen=True, slots=True)
class Change:
    """A commit, and git's ids of src/orders before and after it."""

    commit: str
    subject: str
    before: str
    after: str

    @property
    def sources(self) -> tuple[str, str]:
        return self.before, self.after


@dataclass(frozen=True, slots=True)
class Gain:
    """One figure before and after. `ratios` are those of rounds, where it was taken in turns."""

    commit: str
    change: str
    measure: str
    before: float
    after: float
    ratios: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Past:
    """Runs our package as it was, with the libraries of today."""

    running: Running
    libraries: Path
    packages: Mapping[str, Path]

    def code(self, source: str, function: str, endpoint: str | None = None) -> Code:
        """Calls go past the meter, if not to its endpoint."""
        return Code(
            f"orders.functions.{function}",
            (self.packages[source], self.libraries),
            self.running.environment | {"AWS_ENDPOINT_URL": endpoint or self.running.upstream},
        )


def change_of(commit: str) -> Change | None:
    """Read from git; None where the history does not go back to before the commit."""
    sources = [_git("rev-parse", "--verify", f"{c}:src/orders") for c in (f"{commit}^", commit)]
    subject = _git("log", "-1", "--format=%s", commit)
    return Change(commit, subject, *sources) if all(sources) else None


def _git(*arguments: str) -> str:
    """What it prints; nothing where it fails."""
    ran = subprocess.run(
        ["git", *arguments], cwd=figures.ROOT, capture_output=True, text=True, check=False
    )
    return ran.stdout.strip() if ran.returncode == 0 else ""


def _creates(number: int) -> list[Event]:
    return [create_event(key=str(uuid.uuid4())) for _ in range(number)]


def _instructions(past: Past, changes: Mapping[str, Change]) -> Iterator[Gain]:
    # Once for each state of the package: what is after one change is before another.
    states = {
        (source, function): None
        for commit, function in IN_INSTRUCTIONS.items()
        for source in changes[commit].sources
    }
    counted = {
        (source, function): count_instructions(
            past.code(source, function), _creates(COUNTED) if function == _CREATE else []
        )
        for source, function in states
    }
    for commit, function in IN_INSTRUCTIONS.items():
        change = changes[commit]
        before, after = (counted[source, function] for source in change.sources)
        init = f"init of {function.replace('_', '-')}, M instructions"
        yield Gain(commit, change.subject, init, before.init / 1e6, after.init / 1e6)
        if function == _CREATE:
            warm = "warm create, M instructions"
            yield Gain(commit, change.subject, warm, _warm(before), _warm(after))


def _warm(counted: Instructions) -> float:
    return mean(counted.requests[SETTLED:]) / 1e6


def _cpu(past: Past, change: Change) -> Gain:
    rounds = []
    for _ in range(CPU_ROUNDS):
        ran = [execute(past.code(source, _CREATE), _creates(REQUESTS)) for source in change.sources]
        rounds.append([median(one.request_ns[SETTLED:]) / 1e6 for one in ran])
    before, after = (median(column) for column in zip(*rounds, strict=True))
    ratios = sorted(later / earlier for earlier, later in rounds)
    return Gain(change.commit, change.subject, "warm create, ms of CPU", before, after, ratios)


def _units(past: Past, change: Change) -> Iterator[Gain]:
    running = past.running
    operation = next(one for one in OPERATIONS[OURS.name] if one.name == _LISTED)
    _, event = operation.prepare(running)
    listed = []
    for source in change.sources:
        code = past.code(source, _LIST, running.database.endpoint)
        with running.database.measuring(running.tables):
            execute(code, [event])
        calls = running.database.calls
        listed.append(
            {
                "calls": len(calls),
                "read units": sum(call.units.read for call in calls),
                "KB in": sum(call.bytes_in for call in calls) / 1e3,
            }
        )
    before, after = listed
    for measure, was in before.items():
        yield Gain(change.commit, change.subject, f"{_LISTED}, {measure}", was, after[measure])


def _report(gains: Sequence[Gain]) -> Iterator[str]:
    yield from (
        "### Gains",
        "",
        "Each change alone: our package as it was before the commit and as the commit left it,",
        "with the libraries of today. Instructions are of user mode; a warm create, with a key, is",
        f"the mean of {COUNTED - SETTLED} after the first {SETTLED}. CPU is the median of",
        f"{CPU_ROUNDS} rounds of {REQUESTS} requests, taken in turns, and its gain the median of",
        "the rounds' gains, with the least and the greatest: where zero is between them, no gain",
        "was shown. A gain is negative where the figure is greater after the change. That the",
        "client has one thread was taken back.",
        "",
        "| Change | | Measure | Before | After | Gain |",
        "|---|---|---|--:|--:|--:|",
    )
    for one in gains:
        ratios = one.ratios or [one.after / one.before]
        # z: no minus before a zero.
        gain = f"{1 - median(ratios):z.1%}"
        if one.ratios:
            gain += f" ({1 - max(ratios):z.0%} to {1 - min(ratios):z.0%})"
        cells = one.change, one.commit, one.measure, f"{one.before:.2f}", f"{one.after:.2f}", gain
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure each change, and keep the table; where the history is not there, say so only."""
    require_valgrind()
    changes = {commit: change_of(commit) for commit in (*IN_INSTRUCTIONS, IN_UNITS)}
    there = {commit: change for commit, change in changes.items() if change is not None}
    if len(there) < len(changes):
        missing = ", ".join(changes.keys() - there.keys())
        sys.stdout.write(
            "The gains are not measured: they need the repository's history, and this clone does "
            f"not have what was before and after {missing}. `git fetch --unshallow` gets it.\n"
        )
        return
    sources = {source for change in there.values() for source in change.sources}
    packages = {source: trees.past(source) for source in sources}
    libraries = trees.ours()
    with Running(OURS) as running:
        past = Past(running, libraries, packages)
        # The page comes first: the others leave orders that it would meet.
        units = list(_units(past, there[IN_UNITS]))
        gains = [*_instructions(past, there), _cpu(past, there[IN_CPU]), *units]
    values = {"gains": [asdict(one) for one in gains]}
    figures.keep("gains", list(_report(gains)), values)


if __name__ == "__main__":
    main()
