"""Mutation testing of domain, use cases and HTTP: each small change must make a unit test fail.

`tool.mutmut` in pyproject.toml says where. It changes functions only: what a module or a class
holds besides (tables, patterns, bodies, defaults), decorated functions and f-strings it leaves.

A change that survives and can't matter is explained in tests/mutation.toml. Any other survivor
fails this command, and so does an explanation of a change that doesn't survive.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

ROOT: Final = Path(__file__).resolve().parent.parent
EXPLANATIONS: Final = ROOT / "tests" / "mutation.toml"
MUTMUT: Final = Path(sys.executable).with_name("mutmut")
NOTICED: Final = "killed"
"""By a failing test and nothing else: `timeout` is said of tests that could not be run, too."""


class Change(NamedTuple):
    """What a mutant does, in words that stay true when other lines of the function change."""

    function: str
    lines: str


@dataclass(frozen=True)
class Results:
    """Each mutant's status, and what those that were not noticed change."""

    statuses: Mapping[str, str]
    survivors: Mapping[str, Change]


def main() -> None:
    """Run all mutants anew, print what survived and the score, fail as said above."""
    shutil.rmtree(ROOT / "mutants", ignore_errors=True)
    subprocess.run([MUTMUT, "run"], cwd=ROOT, check=True)
    results = read_results()
    explained = explanations(EXPLANATIONS.read_text())
    faults = [
        *(
            f"Survived ({results.statuses[name]}): {name}\n{change.lines}"
            for name, change in results.survivors.items()
            if change not in explained
        ),
        *(
            f"Explained, but does not survive: {change.function}\n{change.lines}"
            for change in stale(explained, results.survivors.values())
        ),
    ]
    sys.stdout.write("\n".join([*faults, "", *table(results, explained), ""]))
    if faults:
        raise SystemExit(1)


def read_results() -> Results:
    listed = _mutmut("results", "--all", "true")
    statuses = dict(line.strip().split(": ", 1) for line in listed.splitlines())
    survivors = {
        name: change_of(name, _mutmut("show", name))
        for name, status in statuses.items()
        if status != NOTICED
    }
    return Results(statuses, survivors)


def change_of(mutant: str, diff: str) -> Change:
    """From a mutant's name and its unified diff: lines lost and gained, without indentation."""
    module, _, name = mutant.rpartition(".")
    function = name.partition("__mutmut_")[0].removeprefix("x_").removeprefix("xǁ")
    lines = [
        f"{line[0]} {line[1:].strip()}"
        for line in diff.splitlines()
        if line.startswith(("-", "+")) and not line.startswith(("---", "+++"))
    ]
    return Change(f"{module}.{function.replace('ǁ', '.')}", "\n".join(lines))


def explanations(text: str) -> set[Change]:
    return {
        Change(entry["function"], entry["change"].strip())
        for entry in tomllib.loads(text)["survivor"]
        if entry["because"]
    }


def stale(explained: Iterable[Change], survivors: Collection[Change]) -> list[Change]:
    """Explanations of what was noticed, or is no mutant any more."""
    return sorted(set(explained) - set(survivors))


def table(results: Results, explained: Collection[Change]) -> list[str]:
    """Per package: mutants, killed, explained, score; Markdown."""
    counts: dict[str, Counter[str]] = {}
    all_counts = Counter[str]()
    for name, status in results.statuses.items():
        package = ".".join(name.split(".")[:2])
        fate = "survived"
        if status == NOTICED:
            fate = "killed"
        elif results.survivors[name] in explained:
            fate = "explained"
        for count in counts.setdefault(package, Counter()), all_counts:
            count["mutants"] += 1
            count[fate] += 1
    return [
        "| Package | Mutants | Killed | Explained | Survived | Score |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {package} | {count['mutants']} | {count['killed']} | {count['explained']} "
            f"| {count['survived']} | {100 * count['killed'] / count['mutants']:.1f} % |"
            for package, count in [*sorted(counts.items()), ("all", all_counts)]
        ),
    ]


def _mutmut(*arguments: str) -> str:
    return subprocess.check_output([str(MUTMUT), *arguments], cwd=ROOT, text=True)


if __name__ == "__main__":
    main()
