"""Each bound of `make check` can be broken, and what is wrong is named."""

from __future__ import annotations

import tomllib
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from benchmarks import gates
from benchmarks.gates import (
    BOUNDS,
    MODULES,
    artefact_faults,
    bounds_text,
    module_faults,
    modules_text,
    operation_faults,
)
from benchmarks.operations import Measured
from benchmarks.scenarios import OPERATIONS
from benchmarks.systems import OURS
from benchmarks.units import Units

if TYPE_CHECKING:
    from pathlib import Path

LOADED = {"json", "logging", "orders.health"}
DECLARED = {"every_function": ["json", "logging"], "functions": {"health": ["orders.health"]}}

GET = Measured({"GetItem": 1}, 0, 0, Units(1, 0), Units(), log_bytes=700)
GETS = {"get": {"calls": {"GetItem": 1}, "read_units": 1, "write_units": 0, "log_bytes": 700}}

CONTENT = ["orders", "msgspec", "msgspec.dist-info", "typing_extensions.py"]
FILES = (
    "orders/a.pyc",
    "orders/b.pyc",
    "msgspec/a.pyc",
    "msgspec-0.20.0.dist-info/METADATA",
    "typing_extensions.py",
)


class TestModules:
    def test_nothing_is_reported_when_all_holds(self) -> None:
        assert list(module_faults(DECLARED, {"health": LOADED})) == []

    def test_a_module_more_is_named(self) -> None:
        faults = module_faults(DECLARED, {"health": LOADED | {"decimal", "ast"}})

        assert list(faults) == [
            "health loads ast, which is not in its list",
            "health loads decimal, which is not in its list",
        ]

    @pytest.mark.parametrize("gone", ["orders.health", "logging"], ids=["own", "of-every-function"])
    def test_a_module_less_is_named(self, gone: str) -> None:
        faults = module_faults(DECLARED, {"health": LOADED - {gone}})

        assert list(faults) == [f"health no longer loads {gone}"]

    def test_a_function_without_a_list_is_named(self) -> None:
        faults = module_faults(DECLARED, {"health": LOADED, "refund": {"json"}})

        assert list(faults) == ["refund has no list of modules"]

    def test_a_list_without_a_function_is_named(self) -> None:
        assert list(module_faults(DECLARED, {})) == [
            "health has a list of modules, and is no function"
        ]

    def test_what_is_accepted_has_no_faults(self) -> None:
        found = {"health": LOADED, "pay": {"json", "orders.pay"}}

        accepted = tomllib.loads(modules_text(found))

        assert list(module_faults(accepted, found)) == []
        assert accepted["every_function"] == ["json"]
        assert list(module_faults(accepted, found | {"pay": LOADED})) != []

    def test_every_function_has_a_list(self) -> None:
        assert tomllib.loads(MODULES.read_text())["functions"].keys() == OURS.handlers.keys()


class TestOperations:
    def test_nothing_is_reported_when_all_holds(self) -> None:
        assert list(operation_faults(GETS, {"get": GET})) == []

    @pytest.mark.parametrize(
        ("measured", "fault"),
        [
            (
                replace(GET, calls={"GetItem": 2}),
                "get: calls {'GetItem': 2}, where {'GetItem': 1} is the bound",
            ),
            (
                replace(GET, calls={"GetItem": 1, "Query": 1}),
                "get: calls {'GetItem': 1, 'Query': 1}, where {'GetItem': 1} is the bound",
            ),
            (replace(GET, calls={}), "get: calls {}, where {'GetItem': 1} is the bound"),
            (replace(GET, units=Units(1.5, 0)), "get: read_units 1.5, where 1 is the bound"),
            (replace(GET, units=Units(0.5, 0)), "get: read_units 0.5, where 1 is the bound"),
            (replace(GET, units=Units(1, 1)), "get: write_units 1, where 0 is the bound"),
            (replace(GET, log_bytes=701), "get: 701 bytes of log, where 700 is the bound"),
        ],
        ids=["twice", "other-call", "no-call", "reads-more", "reads-less", "writes", "log"],
    )
    def test_what_is_other_than_its_bound_is_named(self, measured: Measured, fault: str) -> None:
        assert list(operation_faults(GETS, {"get": measured})) == [fault]

    def test_all_that_is_wrong_is_named(self) -> None:
        measured = replace(GET, calls={}, units=Units(0, 2), log_bytes=1000)

        assert len(list(operation_faults(GETS, {"get": measured}))) == 4

    def test_what_is_accepted_has_no_faults(self) -> None:
        page = Measured({"Query": 8}, 0, 0, Units(1.5, 0), Units(), log_bytes=301)

        accepted = tomllib.loads(bounds_text({"get": GET, "page of 20": page}, CONTENT))

        bounds = accepted["operations"]
        assert list(operation_faults(bounds, {"get": GET, "page of 20": page})) == []
        assert [one["log_bytes"] for one in bounds.values()] == [750, 350]
        assert sorted(accepted["artefact"]["content"]) == sorted(CONTENT)

    def test_an_operation_without_bounds_is_named(self) -> None:
        faults = operation_faults(GETS, {"get": GET, "refund": GET})

        assert list(faults) == ["refund has no bounds"]

    def test_bounds_without_an_operation_are_named(self) -> None:
        assert list(operation_faults(GETS, {})) == ["get has bounds, and is not measured"]

    def test_every_operation_has_bounds(self) -> None:
        bounds = tomllib.loads(BOUNDS.read_text())

        assert bounds["operations"].keys() == {o.name for o in OPERATIONS[OURS.name]}


class TestArtefact:
    @pytest.fixture
    def artefact(self, tmp_path: Path) -> Path:
        return _zipped(tmp_path, *FILES)

    def test_nothing_is_reported_when_all_holds(self, artefact: Path) -> None:
        assert list(artefact_faults({"content": CONTENT}, artefact)) == []

    def test_one_that_is_too_large_is_named(
        self, artefact: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        size = artefact.stat().st_size
        monkeypatch.setattr(gates, "ARTEFACT_BYTES", size - 1)

        faults = artefact_faults({"content": CONTENT}, artefact)

        assert list(faults) == [f"the artefact has {size} bytes, where {size - 1} is the bound"]

    @pytest.mark.parametrize(
        ("file", "named"),
        [
            ("boto3/client.pyc", "boto3"),
            ("boto3-1.40.0.dist-info/METADATA", "boto3.dist-info"),
            ("six.py", "six.py"),
        ],
    )
    def test_a_package_more_is_named(self, tmp_path: Path, file: str, named: str) -> None:
        faults = artefact_faults({"content": CONTENT}, _zipped(tmp_path, *FILES, file))

        assert list(faults) == [f"the artefact has {named}, which is not in its list"]

    def test_a_package_less_is_named(self, tmp_path: Path) -> None:
        faults = artefact_faults({"content": CONTENT}, _zipped(tmp_path, *FILES[1:4]))

        assert list(faults) == ["the artefact no longer has typing_extensions.py"]


def _zipped(directory: Path, *names: str) -> Path:
    file = directory / "orders.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    return file
