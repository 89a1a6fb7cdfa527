"""What may not grow unseen: modules, calls, units, log bytes, the artefact. `make check` runs it.

None of it depends on the machine's speed. What was accepted is in modules.toml and bounds.toml,
which `make accept` writes: a change that is meant shows in their diff.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
import tomllib
import zipfile
from typing import TYPE_CHECKING, Any, Final

from benchmarks.figures import ROOT
from benchmarks.function_process import LAMBDA_ENVIRONMENT
from benchmarks.operations import measure_all
from benchmarks.scenarios import OPERATIONS
from benchmarks.systems import OURS
from benchmarks.targets import ARTEFACT_BYTES
from local_stack import EMULATOR_PYTHON
from servers import ministack

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from benchmarks.operations import Measured

BOUNDS: Final = ROOT / "benchmarks" / "bounds.toml"
MODULES: Final = ROOT / "benchmarks" / "modules.toml"

_PRINT_MODULES: Final = """
import sys
before = set(sys.modules)
__import__(sys.argv[1])
print(*(set(sys.modules) - before), sep="\\n")
"""
_SETTINGS: Final = {
    **dict.fromkeys(("TABLE_NAME", "QUEUE_URL", "DEAD_LETTER_QUEUE_URL"), "set"),
    "PAYMENTS": "mock",
}
_ONLY_SOME_PYTHONS: Final = frozenset(
    {"calendar", "csv", "glob", "grp", "linecache", "platform", "pwd"}
)
"""Loaded by libraries on some versions of Python only."""
_LOG_STEP: Final = 50
_LOG_SPARE: Final = 10
"""Bytes of a log line that differ from run to run: the digits of its duration."""


def main() -> None:
    """Print what is other than accepted, and fail if there is any; `--accept` accepts it all."""
    found = {
        name: loaded(handler.partition(":")[0]) for name, handler in sorted(OURS.handlers.items())
    }
    measured = measure_all(OURS, OPERATIONS[OURS.name], database=ministack())
    artefact = build_artefact()
    if sys.argv[1:] == ["--accept"]:
        MODULES.write_text(modules_text(found))
        BOUNDS.write_text(bounds_text(measured, content_of(artefact)))
    modules, bounds = (tomllib.loads(file.read_text()) for file in (MODULES, BOUNDS))
    faults = [
        *module_faults(modules, found),
        *operation_faults(bounds["operations"], measured),
        *artefact_faults(bounds["artefact"], artefact),
    ]
    for fault in faults:
        sys.stdout.write(f"{fault}\n")
    if faults:
        sys.stdout.write("Where this is meant, `make accept` accepts it.\n")
        raise SystemExit(1)
    sys.stdout.write(
        f"Modules of {len(found)} functions, {len(measured)} operations and the artefact are as "
        "accepted.\n"
    )


def loaded(module: str, source: Path = ROOT / "src") -> set[str]:
    """What a function has imported when it is ready, and the interpreter had not.

    Our own modules by their full names, of libraries and of Python the packages.
    """
    found = subprocess.run(
        [str(EMULATOR_PYTHON), "-c", _PRINT_MODULES, module],
        env=LAMBDA_ENVIRONMENT | _SETTINGS | {"PYTHONPATH": str(source)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return {
        name if name.startswith("orders.") else name.partition(".")[0]
        for name in found.stdout.splitlines()
        if not name.startswith("_")
    } - _ONLY_SOME_PYTHONS


def build_artefact() -> Path:
    """Where `make package` has it too."""
    artefact = ROOT / "build" / "orders.zip"
    script = str(ROOT / "scripts" / "build_artifact.py")
    subprocess.run([sys.executable, script, "--output", str(artefact)], check=True)
    return artefact


def module_faults(
    declared: Mapping[str, Any], found: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """Functions that load what is not in their list, or no longer load what is; lists of none."""
    functions = declared["functions"]
    for function in sorted(functions.keys() - found.keys()):
        yield f"{function} has a list of modules, and is no function"
    for function, names in found.items():
        if function not in functions:
            yield f"{function} has no list of modules"
            continue
        allowed = {*declared["every_function"], *functions[function]}
        for name in sorted(set(names) - allowed):
            yield f"{function} loads {name}, which is not in its list"
        for name in sorted(allowed - set(names)):
            yield f"{function} no longer loads {name}"


def modules_text(found: Mapping[str, Collection[str]]) -> str:
    """modules.toml: what all functions load, then what each loads beyond that."""
    common = set.intersection(*map(set, found.values()))
    lists = [f"{name} = {_list(set(names) - common)}\n" for name, names in found.items()]
    return f"""\
# What each function has loaded when it is ready for its first request, beyond the interpreter.
# Written by `make accept`, held exactly by `make check`: an import that creeps in costs each
# cold start. Our own modules stand by their full names, libraries and Python's own by their
# packages; names that begin with an underscore are left out.

every_function = {_list(common)}

[functions]
{"".join(lists)}"""


def operation_faults(bounds: Mapping[str, Any], measured: Mapping[str, Measured]) -> Iterator[str]:
    """Operations whose calls or units are others, or that log too much; bounds of none."""
    for operation in sorted(bounds.keys() - measured.keys()):
        yield f"{operation} has bounds, and is not measured"
    for operation, found in measured.items():
        if operation not in bounds:
            yield f"{operation} has no bounds"
            continue
        bound = bounds[operation]
        for what, value in _exact(found).items():
            if value != bound[what]:
                yield f"{operation}: {what} {value}, where {bound[what]} is the bound"
        if found.log_bytes > bound["log_bytes"]:
            yield (
                f"{operation}: {found.log_bytes} bytes of log, where {bound['log_bytes']} is the "
                "bound"
            )


def _exact(found: Measured) -> dict[str, Any]:
    return {
        "calls": found.calls,
        "read_units": found.units.read,
        "write_units": found.units.write,
    }


def bounds_text(measured: Mapping[str, Measured], content: Collection[str]) -> str:
    """bounds.toml: calls and units as measured, log bytes rounded up, what the artefact holds."""
    tables = []
    for name, found in measured.items():
        calls = ", ".join(f"{call} = {count}" for call, count in found.calls.items())
        log_bytes = -(-(found.log_bytes + _LOG_SPARE) // _LOG_STEP) * _LOG_STEP
        tables.append(
            f"""
[operations."{name}"]
calls = {{ {calls} }}
read_units = {found.units.read:g}
write_units = {found.units.write}
log_bytes = {log_bytes}
"""
        )
    return f"""\
# What an operation costs, exactly, and the most that it may log. Written by `make accept`, held by
# `make check`.

[artefact]
content = {_list(content)}
{"".join(tables)}"""


def _list(names: Collection[str]) -> str:
    """A list of TOML, sorted, in lines of at most 100 characters."""
    quoted = ", ".join(f'"{name}"' for name in sorted(names))
    lines = textwrap.indent(textwrap.fill(quoted, 95, break_on_hyphens=False), "    ")
    return f"[\n{lines},\n]"


def artefact_faults(bounds: Mapping[str, Any], artefact: Path) -> Iterator[str]:
    """An artefact that is too large, or has other packages than it should."""
    size = artefact.stat().st_size
    if size > ARTEFACT_BYTES:
        yield f"the artefact has {size:,} bytes, where {ARTEFACT_BYTES:,} is the bound"
    allowed, actual = set(bounds["content"]), content_of(artefact)
    for name in sorted(actual - allowed):
        yield f"the artefact has {name}, which is not in its list"
    for name in sorted(allowed - actual):
        yield f"the artefact no longer has {name}"


def content_of(artefact: Path) -> set[str]:
    """The first part of each path; a distribution's metadata without its version.

    Bytecode of single modules is there only where it was built with Lambda's Python.
    """
    with zipfile.ZipFile(artefact) as archive:
        parts = {name.partition("/")[0] for name in archive.namelist()} - {"__pycache__"}
    return {
        part.partition("-")[0] + ".dist-info" if part.endswith(".dist-info") else part
        for part in parts
    }


if __name__ == "__main__":
    main()
