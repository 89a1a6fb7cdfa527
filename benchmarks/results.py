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
from typing import TYPE_CHECKING, Final

from benchmarks import targets, trees
from benchmarks.figures import KEPT, ROOT, kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.targets import Target

PARTS: Final = {
    "functions": targets.of_functions,
    "operations": targets.of_operations,
    "growth": targets.of_growth,
    "money": None,
    "artefact": targets.of_artefact,
    "gains": None,
    "load": targets.of_load,
}
"""In the order of the page, each with what it must show."""

_TITLES: Final = {
    "functions": "Starts and requests",
    "operations": "Calls, bytes, units",
    "growth": "Growth",
    "money": "Money",
    "artefact": "Artefact",
    "gains": "Gains",
    "load": "Under load",
}
_OF_HISTORY: Final = "gains"
"""Which a shallow clone has not."""
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
    values = {part: kept(part) for part in PARTS if part != _OF_HISTORY}
    found = [t for part, of in PARTS.items() if of is not None for t in of(values[part])]
    folder = ROOT / "benchmarks"
    rows = [
        {"name": t.name, "value": round(t.value, 4), "bound": t.bound, "met": t.met} for t in found
    ]
    (folder / "results.json").write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    (folder / "results.md").write_text("\n".join(_page(found)) + "\n")
    sys.stdout.write("\n".join(["", *_table(found), ""]))
    if not all(target.met for target in found):
        raise SystemExit(1)


def _page(found: Sequence[Target]) -> Iterator[str]:
    yield from (
        "# Results",
        "",
        "Written by `make bench` and `make load`; [README.md](README.md) says how it is measured.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, on {_machine()}.",
        "",
        f"{_versions()}.",
        "",
        "## Targets",
        "",
        *_table(found),
    )
    for part in PARTS:
        page = KEPT / f"{part}.md"
        if page.exists():
            title = _TITLES[part]
            yield from (
                "",
                f"## {title}",
                "",
                page.read_text().removeprefix(f"### {title}\n").strip(),
            )


def _table(found: Sequence[Target]) -> Iterator[str]:
    yield from ("| Target | Figure | Bound | Met |", "|---|--:|--:|---|")
    for target in found:
        figure = f"{target.value:,.3f}".rstrip("0").rstrip(".")
        yield f"| {target.name} | {figure} | {target.bound} | {'yes' if target.met else '**no**'} |"


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
