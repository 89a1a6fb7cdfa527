"""Puts what the parts measured into results.md and results.json, and judges the targets."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks import targets, trees
from benchmarks.figures import KEPT, ROOT, kept, number, package, quote, table
from benchmarks.gates import build_artefact, packages_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.targets import Target

PARTS: Final = {
    "functions": "Starts and requests",
    "operations": "Calls, bytes, units",
    "growth": "Growth",
    "money": "Money",
    "memory": "Memory sizes",
    "load": "Under load",
}
"""In the order of the page, each with its title."""

_QUOTED: Final = (
    "init of create-order, instructions, ÷ typical",
    "warm create, CPU, ÷ typical",
    "create with key, write units",
    "page of 20 of the feed",
)
"""What the name of a target begins with."""
_LIBRARIES: Final = (
    "awslambdaric",
    "pycurl",
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
    artefact = build_artefact()
    found = [
        *targets.of_functions(values["functions"]),
        *targets.of_operations(values["operations"]),
        *targets.of_growth(values["growth"]),
        targets.of_artefact(artefact.stat().st_size),
        *targets.of_load(values["load"]),
    ]
    rows = [
        {"name": one.name, "value": round(one.value, 4), "bound": one.bound, "met": one.met}
        for one in found
    ]
    folder = ROOT / "benchmarks"
    (folder / "results.json").write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    (folder / "results.md").write_text("\n".join(_page(found, values, artefact)) + "\n")
    quote(ROOT / "README.md", "benchmarks", _quoted(found))
    sys.stdout.write("\n".join(["", *_table(found), ""]))
    if not all(target.met for target in found):
        raise SystemExit(1)


def _page(found: Sequence[Target], values: Mapping[str, Any], artefact: Path) -> Iterator[str]:
    yield from (
        "# Results",
        "",
        "Written by `make bench`; the [README](README.md) says how it is measured.",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, on {_machine()}.",
        "",
        f"{_versions()}.",
        "",
        f"`src/orders` has the digest {package()}.",
    )
    for part, title in PARTS.items():
        if (measured := values[part]["package"]) != package():
            yield f"**{title}: measured when the digest was {measured}.**"
    yield from ("", "## Targets", "", *_table(found), "")
    yield from ("## What is missed", "", *_missed(found, values["functions"]))
    for part, title in PARTS.items():
        page = (KEPT / f"{part}.md").read_text()
        yield from ("", f"## {title}", "", page.removeprefix(f"### {title}\n").strip())
    yield from ("", "## Artefact", "", *_artefact(artefact))


def _artefact(artefact: Path) -> Iterator[str]:
    with zipfile.ZipFile(artefact) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    size, packages = artefact.stat().st_size, packages_of(artefact)
    yield f"{size:,} bytes zipped, {unpacked:,} unpacked, for arm64."
    yield ""
    rest = ("metadata of the packages, bytecode of single modules", size - packages.total())
    yield from table(
        ("What is in it", "Zipped"),
        ((name, f"{zipped:,}") for name, zipped in [*packages.most_common(), rest]),
    )


def _quoted(found: Sequence[Target]) -> Iterator[str]:
    """Four lines for the README."""
    quoted = (next(one for one in found if one.name.startswith(name)) for name in _QUOTED)
    return table(("", ""), ((target.name, number(target.value)) for target in quoted))


def _missed(found: Sequence[Target], functions: Mapping[str, Any]) -> Iterator[str]:
    """What it would take, beside what the client takes alone."""
    typical = functions["typical"]["create-order"]
    client = functions["bare call"]["create-order"]["init_instructions"]
    alone = {"init of": client / typical["init_instructions"]} | {
        f"warm {operation}, CPU, ÷ typical": median(ratios["typical"]) / median(ratios["bare call"])
        for operation, ratios in functions["cpu ratios"].items()
        if "bare call" in ratios
    }
    missed = [target for target in found if not target.met]
    if not missed:
        yield "Nothing."
        return
    yield from (
        "The client alone is `bare call`: the calls of a warm request; in a start, the import of",
        "libcurl and the making of a client.",
        "",
    )
    head = ("Target", "Figure", "Bound", "The client alone", "To be saved")
    yield from table(
        head,
        (
            (
                target.name,
                number(target.value),
                target.bound,
                next((number(alone[of]) for of in alone if target.name.startswith(of)), ""),
                f"{1 - target.limit / target.value:.0%}" if target.value > target.limit else "",
            )
            for target in missed
        ),
    )


def _table(found: Sequence[Target]) -> Iterator[str]:
    return table(
        ("Target", "Figure", "Bound", "Met"),
        ((t.name, number(t.value), t.bound, "yes" if t.met else "**no**") for t in found),
    )


def _machine() -> str:
    processor = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    model = f" of {processor[1]}" if processor else ""  # ARM's kernels give none
    return f"{os.cpu_count()} cores{model}, {platform.system()} {platform.machine()}"


def _versions() -> str:
    programs = {"Functions": trees.PYTHON, "tools": sys.executable, "counted with": "valgrind"}
    lines = [
        f"{name}: {subprocess.check_output([path, '--version'], text=True).strip()}"
        for name, path in programs.items()
    ]
    return f"{'; '.join(lines)}; {', '.join(f'{name} {version(name)}' for name in _LIBRARIES)}"


if __name__ == "__main__":
    main()
