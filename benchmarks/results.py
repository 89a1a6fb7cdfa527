"""Puts what the parts measured into results.md and results.json, and judges the targets."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks import targets, trees
from benchmarks.figures import KEPT, ROOT, kept, package, quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.targets import Target

PARTS: Final = {
    "functions": targets.of_functions,
    "operations": targets.of_operations,
    "growth": targets.of_growth,
    "money": None,
    "artefact": targets.of_artefact,
    "load": targets.of_load,
}
"""In the order of the page, each with what it must show."""

_TITLES: Final = {
    "functions": "Starts and requests",
    "operations": "Calls, bytes, units",
    "growth": "Growth",
    "money": "Money",
    "artefact": "Artefact",
    "load": "Under load",
}
_QUOTED: Final = (
    "init of create-order, instructions, ÷ typical",
    "warm create, CPU, ÷ typical",
    "create with key, write units",
    "page of 20 at 10⁶ orders ÷ at 10², read units",
)
_LIBRARIES: Final = (
    "pydynox",
    "msgspec",
    "aws-lambda-powertools",
    "boto3",
    "pydantic",
    "aws-xray-sdk",
    "locust",
)


def main() -> None:
    """Write both files; fails where a target is missed, or a part was not measured."""
    values = {part: kept(part) for part in PARTS}
    found = [t for part, of in PARTS.items() if of is not None for t in of(values[part])]
    folder = ROOT / "benchmarks"
    rows = [
        {"name": t.name, "value": round(t.value, 4), "bound": t.bound, "met": t.met} for t in found
    ]
    (folder / "results.json").write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    (folder / "results.md").write_text("\n".join(_page(found, values)) + "\n")
    quote(ROOT / "README.md", "benchmarks", _quoted(found))
    sys.stdout.write("\n".join(["", *_table(found), ""]))
    if not all(target.met for target in found):
        raise SystemExit(1)


def _page(found: Sequence[Target], values: Mapping[str, Any]) -> Iterator[str]:
    yield from (
        "# Results",
        "",
        "Written by `make bench` and `make load`; [README.md](README.md) says how it is measured.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, on {_machine()}.",
        "",
        f"{_versions()}.",
        "",
        *_sources(values),
        "## Targets",
        "",
        *_table(found),
        "",
        "## What is missed",
        "",
        *_missed(found, values["functions"]),
    )
    for part in PARTS:
        title, page = _TITLES[part], (KEPT / f"{part}.md").read_text()
        yield from ("", f"## {title}", "", page.removeprefix(f"### {title}\n").strip())


def _sources(values: Mapping[str, Any]) -> Iterator[str]:
    """Which code it was, and which parts were measured of another one."""
    now = package()
    yield f"`src/orders` has the digest {now}."
    for part, kept_values in values.items():
        if kept_values["package"] != now:
            yield f"**{_TITLES[part]} was measured of another one, {kept_values['package']}.**"
    yield ""


def _quoted(found: Sequence[Target]) -> Iterator[str]:
    """Four lines for the README."""
    figures = {target.name: target.value for target in found}
    yield from ("| | |", "|---|--:|")
    for name in _QUOTED:
        yield f"| {name} | {_figure(figures[name])} |"


def _missed(found: Sequence[Target], functions: Mapping[str, Any]) -> Iterator[str]:
    """What it would take, beside what the client takes alone."""
    typical = functions["typical"]["create-order"]
    client = functions["bare call"]["create-order"]["init_instructions"]
    alone = {"init": client / typical["init_instructions"]} | {
        operation: median(ratios["typical"]) / median(ratios["bare call"])
        for operation, ratios in functions["cpu ratios"].items()
    }
    yield from (
        "The client alone is `bare call`: of a warm request its calls, of a start pydynox's import",
        "and the making of a client.",
        "",
        "| Target | Figure | Bound | The client alone | To be saved |",
        "|---|--:|--:|--:|--:|",
    )
    for target in found:
        if not target.met:
            client_alone = next((alone[name] for name in alone if name in target.name), None)
            cells = (
                target.name,
                _figure(target.value),
                target.bound,
                "" if client_alone is None else _figure(client_alone),
                f"{1 - target.limit / target.value:.0%}",
            )
            yield f"| {' | '.join(cells)} |"


def _figure(value: float) -> str:
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def _table(found: Sequence[Target]) -> Iterator[str]:
    yield from ("| Target | Figure | Bound | Met |", "|---|--:|--:|---|")
    for target in found:
        met = "yes" if target.met else "**no**"
        yield f"| {target.name} | {_figure(target.value)} | {target.bound} | {met} |"


def _machine() -> str:
    with open("/proc/cpuinfo") as file:  # noqa: PTH123 - not a file of ours
        models = [line.partition(":")[2] for line in file if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    model = f" of {models[0].strip()}" if models else ""  # ARM's kernels give none
    return f"{cores} cores{model}, {memory:.0f} GiB, {platform.system()} {platform.machine()}"


def _versions() -> str:
    interpreters = {"Functions": trees.PYTHON, "tools": sys.executable}
    lines = [f"{name}: {_first_line(path, '--version')}" for name, path in interpreters.items()]
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    valgrind = shutil.which("valgrind")
    lines.append(_first_line(valgrind, "--version") if valgrind else "no valgrind")
    return f"{'; '.join(lines)}; {libraries}"


def _first_line(*command: str) -> str:
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return result.stdout.splitlines()[0]


if __name__ == "__main__":
    main()
