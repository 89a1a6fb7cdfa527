"""What may not grow unseen: modules, calls, units, log bytes, the artefact. `make check` runs it.

Nothing here depends on the machine's speed. The bounds are in bounds.toml, which `make accept`
writes: a change that is meant shows in its diff. Where a dependency's release may move a figure,
the bound leaves room.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from benchmarks.figures import ROOT
from benchmarks.operations import measure_all
from benchmarks.process import LAMBDA_ENVIRONMENT
from benchmarks.scenarios import NOT_MEASURED, OPERATIONS
from benchmarks.systems import OURS, deployed
from emulator import EMULATOR_PYTHON
from servers import ministack

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from benchmarks.operations import Measured
    from benchmarks.systems import Function

BOUNDS: Final = ROOT / "benchmarks" / "bounds.toml"

FORBIDDEN: Final[Mapping[str, str]] = {
    "aws_lambda_powertools": "what we need of it is shorter than its import",
    "boto3": "it imports botocore",
    "botocore.session": "AWS's services are called over libcurl, for a fifth of the cost",
    "pydantic": "msgspec decodes, for a quarter of the cost",
    "xml.etree.ElementTree": "SNS alone needs it, where there is a topic",
}
"""What no function may import in production, and why."""

_PRINT_MODULES: Final = """
import sys
before = set(sys.modules)
__import__(sys.argv[1])
print(*(set(sys.modules) - before), sep="\\n")
"""
_SPARE: Final = 1.05
"""What a dependency's release, or another Python, may add."""
_MODULES_STEP: Final = 10
_LOG_STEP: Final = 50
_ARTEFACT_STEP: Final = 100_000


def main() -> None:
    """Print every figure that is out of its bounds, and fail; with `--accept`, accept it all."""
    artefact, functions = build_artefact(), deployed()
    modules = {name: loaded(function) for name, function in sorted(functions.items())}
    try:
        measured = measure_all(OURS, OPERATIONS, database=ministack())
    except AssertionError as error:
        raise SystemExit(f"No measurement: {error}") from error
    if sys.argv[1:] == ["--accept"]:
        before = tomllib.loads(BOUNDS.read_text())
        BOUNDS.write_text(bounds_text(modules, measured, artefact, before))
    bounds = tomllib.loads(BOUNDS.read_text())
    beyond = [
        *beyond_modules(bounds["modules"], modules),
        *beyond_operations(bounds["operations"], measured),
        *beyond_artefact(bounds["artefact"], artefact),
    ]
    forbidden = list(forbidden_modules(modules))
    sys.stdout.writelines(f"{line}\n" for line in (*forbidden, *beyond))
    if beyond:
        sys.stdout.write("If this is meant, run `make accept` and commit benchmarks/bounds.toml.\n")
    if forbidden or beyond:
        raise SystemExit(1)
    for route in NOT_MEASURED:
        sys.stdout.write(f"{route} has no operation in benchmarks/scenarios.py: not measured.\n")
    sys.stdout.write(f"{len(functions)} functions and {len(measured)} operations in bounds.\n")


def loaded(function: Function, source: Path = ROOT / "src") -> set[str]:
    """The modules that a function has imported once it is ready, and the interpreter had not."""
    found = subprocess.run(
        [str(EMULATOR_PYTHON), "-c", _PRINT_MODULES, function.module],
        env=LAMBDA_ENVIRONMENT | function.environment | {"PYTHONPATH": str(source)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return set(found.stdout.split())


def build_artefact() -> Path:
    """Build it where `make package` does, and the docs page that a function reads with it."""
    artefact = ROOT / "build" / "orders.zip"
    script = str(ROOT / "scripts" / "build_artifact.py")
    subprocess.run([sys.executable, script, "--output", str(artefact)], check=True)
    return artefact


def packages_of(artefact: Path) -> Counter[str]:
    """Zipped bytes by package or module, without the distributions' metadata."""
    zipped: Counter[str] = Counter()
    with zipfile.ZipFile(artefact) as archive:
        for entry in archive.infolist():
            package = entry.filename.partition("/")[0]
            # Bytecode of single modules is there only if Lambda's Python compiled it.
            if package != "__pycache__" and not package.endswith(".dist-info"):
                zipped[package] += entry.compress_size
    return zipped


def forbidden_modules(found: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Functions that import what they must not."""
    for function, modules in found.items():
        for module, reason in FORBIDDEN.items():
            if module in modules:
                yield f"{function} imports {module}, which is forbidden: {reason}"


def beyond_modules(
    bounds: Mapping[str, int], found: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """Functions that load more modules than they may, or have no bound."""
    for function, modules in found.items():
        if function not in bounds:
            yield f"{function} has no bound on its modules"
        elif len(modules) > bounds[function]:
            yield f"{function} loads {len(modules)} modules, more than {bounds[function]}"


def beyond_operations(bounds: Mapping[str, Any], measured: Mapping[str, Measured]) -> Iterator[str]:
    """Operations whose calls or units changed, or log too much, or lack bounds or figures."""
    for operation in bounds.keys() - measured.keys():
        yield f"{operation} has bounds, and is not measured"
    for operation, found in measured.items():
        if operation not in bounds:
            yield f"{operation} has no bounds"
            continue
        bound = bounds[operation]
        for what in ("calls", "read_units", "write_units"):
            value = getattr(found, what)
            if value != bound[what]:
                yield f"{operation}: {what} {value}, not {bound[what]}"
        if found.log_bytes > bound["log_bytes"]:
            yield f"{operation} logs {found.log_bytes} bytes, more than {bound['log_bytes']}"


def beyond_artefact(bounds: Mapping[str, Any], artefact: Path) -> Iterator[str]:
    """An artefact that is too large, or contains a package that nobody accepted."""
    size = artefact.stat().st_size
    if size > bounds["bytes"]:
        yield f"the artefact has {size:,} bytes, more than {bounds['bytes']:,}"
    for name in sorted(packages_of(artefact).keys() - set(bounds["packages"])):
        yield f"the artefact contains {name}, which nobody accepted"


def bounds_text(
    modules: Mapping[str, Collection[str]],
    measured: Mapping[str, Measured],
    artefact: Path,
    before: Mapping[str, Any],
) -> str:
    """bounds.toml: calls and units as measured, everything else with room."""
    size = _room(artefact.stat().st_size, _ARTEFACT_STEP, before["artefact"]["bytes"])
    packages = ", ".join(f'"{name}"' for name in sorted(packages_of(artefact)))
    counts = [
        f"{name} = {_room(len(of), _MODULES_STEP, before['modules'].get(name))}"
        for name, of in modules.items()
    ]
    operations = []
    for name, found in measured.items():
        calls = ", ".join(f"{call} = {count}" for call, count in found.calls.items())
        logged = before["operations"].get(name, {}).get("log_bytes")
        operations.append(
            f'"{name}" = {{ calls = {{ {calls} }}, read_units = {found.read_units:g}, '
            f"write_units = {found.write_units}, "
            f"log_bytes = {_room(found.log_bytes, _LOG_STEP, logged)} }}"
        )
    return "\n".join(
        [
            "# Calls and units of each operation, exactly, and the most that anything else may be.",
            "# Written by `make accept`, held by `make check`.",
            "\n[artefact]",
            f"bytes = {size}",
            f"packages = [{packages}]",
            "\n# How many modules a function has imported once it is ready.",
            "[modules]",
            *counts,
            "\n[operations]",
            *operations,
            "",
        ]
    )


def _room(figure: int, step: int, before: int | None) -> int:
    """The bound from before if it still fits; otherwise the figure and a little, in whole steps."""
    room = -(-int(figure * _SPARE) // step) * step
    return before if before is not None and figure <= before <= room + step else room


if __name__ == "__main__":
    main()
