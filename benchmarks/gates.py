"""What may not grow unseen: modules, calls, units, log bytes, the artefact. `make check` runs it.

None of it depends on the machine's speed. The bounds are in bounds.toml and modules.toml, and all
but the sizes are exact: who makes an operation cheaper lowers its bound.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from typing import TYPE_CHECKING, Any, Final

from benchmarks.figures import ROOT
from benchmarks.function_process import LAMBDA_ENVIRONMENT
from benchmarks.operations import measure_all
from benchmarks.scenarios import OPERATIONS
from benchmarks.systems import OURS
from local_stack import EMULATOR_PYTHON
from servers import ministack

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
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
    "FAILURE_QUEUE_URL": "set",
    "PAYMENTS": "mock",
    "QUEUE_URL": "set",
    "TABLE_NAME": "set",
}


def main() -> None:
    """Print every bound that does not hold, and fail if there is one."""
    bounds, modules = (tomllib.loads(file.read_text()) for file in (BOUNDS, MODULES))
    handlers = {name: handler.partition(":")[0] for name, handler in OURS.handlers.items()}
    faults = [
        *module_faults(modules, {name: loaded(module) for name, module in handlers.items()}),
        *operation_faults(bounds, measure_all(OURS, OPERATIONS[OURS.name], database=ministack())),
        *artefact_faults(bounds["artefact"], build_artefact()),
    ]
    for fault in faults:
        sys.stdout.write(f"{fault}\n")
    if faults:
        raise SystemExit(1)
    sys.stdout.write(
        f"Modules of {len(handlers)} functions, {len(OPERATIONS[OURS.name])} operations and the "
        "artefact are within their bounds.\n"
    )


def loaded(module: str, source: Path = ROOT / "src") -> set[str]:
    """What a function has imported when it is ready, and the interpreter had not.

    Our own modules by their full names, of libraries and of Python the packages.
    """
    environment = LAMBDA_ENVIRONMENT | _SETTINGS
    found = subprocess.run(
        [str(EMULATOR_PYTHON), "-c", _PRINT_MODULES, module],
        env=environment | {"PYTHONPATH": str(source)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return {
        name if name.startswith("orders.") else name.partition(".")[0]
        for name in found.stdout.splitlines()
        if not name.startswith("_")
    }


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
        yield f"{function} has a list of modules, and is no function: take the list away"
    for function, names in found.items():
        if function not in functions:
            yield f"{function} has no list of modules"
            continue
        entry = functions[function]
        allowed = set(entry["modules"]).union(*(declared["groups"][g] for g in entry["groups"]))
        actual = set(names) - set(declared["only_some_pythons"])
        for name in sorted(actual - allowed):
            yield f"{function} loads {name}, which is not in its list"
        for name in sorted(allowed - actual):
            yield f"{function} no longer loads {name}: take it off its list"


def operation_faults(bounds: Mapping[str, Any], measured: Mapping[str, Measured]) -> Iterator[str]:
    """Operations whose calls or units are others, or that log too much; bounds of none."""
    operations = bounds["operations"]
    for operation in sorted(operations.keys() - measured.keys()):
        yield f"{operation} has bounds, and is not measured: take them away"
    for operation, found in measured.items():
        if operation not in operations:
            yield f"{operation} has no bounds"
            continue
        bound = operations[operation]
        actual = {
            "calls": found.calls,
            "read_units": found.units.read,
            "write_units": found.units.write,
        }
        for what, value in actual.items():
            if value != bound[what]:
                yield f"{operation}: {what} {value}, where {bound[what]} is the bound"
        most = bound.get("log_bytes", bounds["log_bytes"])
        if found.log_bytes > most:
            yield f"{operation}: {found.log_bytes} bytes of log, where {most} is the bound"


def artefact_faults(bounds: Mapping[str, Any], artefact: Path) -> Iterator[str]:
    """An artefact that is too large, or has other packages than it should."""
    size = artefact.stat().st_size
    if size > bounds["bytes"]:
        yield f"the artefact has {size:,} bytes, where {bounds['bytes']:,} is the bound"
    with zipfile.ZipFile(artefact) as archive:
        yield from _content_faults(bounds["content"], archive.namelist())


def _content_faults(allowed: Collection[str], names: Iterable[str]) -> Iterator[str]:
    """By the first part of each path; a distribution's metadata without its version.

    Bytecode of single modules is there only where it was built with Lambda's Python.
    """
    actual = {name.partition("/")[0] for name in names} - {"__pycache__"}
    actual = {
        part.partition("-")[0] + ".dist-info" if part.endswith(".dist-info") else part
        for part in actual
    }
    for name in sorted(actual - set(allowed)):
        yield f"the artefact has {name}, which is not in its list"
    for name in sorted(set(allowed) - actual):
        yield f"the artefact no longer has {name}: take it off its list"


if __name__ == "__main__":
    main()
