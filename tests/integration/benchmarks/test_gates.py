"""The gates on real code: an import that crept into a function, a read that crept into a route."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from benchmarks.gates import BOUNDS, MODULES, loaded, module_faults, operation_faults
from benchmarks.operations import measure_all
from benchmarks.scenarios import OPERATIONS
from benchmarks.systems import OURS
from local_stack import EMULATOR_PYTHON, ROOT
from prerequisites import missing
from servers import ministack

if TYPE_CHECKING:
    from pathlib import Path

GET = next(operation for operation in OPERATIONS[OURS.name] if operation.name == "get")


READS_TWICE = """
from orders.functions.get_order import handler as first

OTHER = {"pathParameters": {"orderId": "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"}}

def handler(event, context):
    first(event | OTHER, context)
    return first(event, context)
"""


class TestModules:
    @pytest.fixture(autouse=True)
    def _emulators_python(self) -> None:
        if not EMULATOR_PYTHON.exists():
            missing("The emulated AWS is not installed: make test installs it.")

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "src" / "orders", tmp_path / "orders", ignore=ignored)
        return tmp_path

    def test_the_function_as_it_is_loads_what_is_in_its_list(self, source: Path) -> None:
        assert faults_of_health(source) == []

    @pytest.mark.parametrize("module", ["sqlite3", "orders.domain.daily_report"])
    def test_an_import_that_was_put_into_a_function_is_named(
        self, source: Path, module: str
    ) -> None:
        function = source / "orders" / "functions" / "health.py"
        changed = function.read_text().replace("\nfrom typing", f"\nimport {module}\nfrom typing")
        function.write_text(changed)

        assert faults_of_health(source) == [f"health loads {module}, which is not in its list"]

    def test_what_the_gate_itself_might_need_is_seen_as_the_functions(self, tmp_path: Path) -> None:
        (tmp_path / "function.py").write_text("import json")

        assert {"function", "json", "re"} <= loaded("function", tmp_path)


def faults_of_health(source: Path) -> list[str]:
    declared = tomllib.loads(MODULES.read_text())
    only = declared | {"functions": {"health": declared["functions"]["health"]}}
    return list(module_faults(only, {"health": loaded("orders.functions.health", source)}))


class TestCalls:
    def test_the_route_as_it_is_keeps_its_bounds(self) -> None:
        assert faults_of_get(OURS.handlers["get-order"]) == []

    def test_a_route_that_reads_once_more_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "twice.py").write_text(READS_TWICE)
        monkeypatch.syspath_prepend(tmp_path)

        assert faults_of_get("twice:handler")[:2] == [
            "get: calls {'GetItem': 2}, where {'GetItem': 1} is the bound",
            "get: read_units 2, where 1 is the bound",
        ]


def faults_of_get(handler: str) -> list[str]:
    system = replace(OURS, handlers={**OURS.handlers, "get-order": handler})
    bounds = tomllib.loads(BOUNDS.read_text())["operations"]
    only = {"get": bounds["get"]}
    return list(operation_faults(only, measure_all(system, [GET], database=ministack())))
