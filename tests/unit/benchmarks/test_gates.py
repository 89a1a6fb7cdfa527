"""Each bound of `make check` can be broken, and what is wrong is named."""

from __future__ import annotations

import tomllib
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from benchmarks.gates import (
    BOUNDS,
    MODULES,
    artefact_faults,
    module_faults,
    operation_faults,
)
from benchmarks.operations import Measured
from benchmarks.scenarios import OPERATIONS
from benchmarks.systems import OURS
from benchmarks.units import Units

if TYPE_CHECKING:
    from pathlib import Path

DECLARED = {
    "only_some_pythons": ["pwd"],
    "groups": {"telemetry": ["json", "logging"]},
    "functions": {"health": {"groups": ["telemetry"], "modules": ["orders.health"]}},
}
LOADED = {"json", "logging", "orders.health"}

OPERATION_BOUNDS = {
    "log_bytes": 700,
    "operations": {"get": {"calls": {"GetItem": 1}, "read_units": 1, "write_units": 0}},
}
GET = Measured({"GetItem": 1}, 0, 0, Units(1, 0), Units(), log_bytes=700)

CONTENT = ["orders", "msgspec", "msgspec.dist-info", "typing_extensions.py"]
FILES = (
    "orders/a.pyc",
    "orders/b.pyc",
    "msgspec/a.pyc",
    "msgspec-0.20.0.dist-info/METADATA",
    "typing_extensions.py",
)


class TestModules:
    @pytest.mark.parametrize("loaded", [LOADED, LOADED | {"pwd"}], ids=["all", "some-pythons"])
    def test_nothing_is_reported_when_all_holds(self, loaded: set[str]) -> None:
        assert list(module_faults(DECLARED, {"health": loaded})) == []

    def test_a_module_more_is_named(self) -> None:
        faults = module_faults(DECLARED, {"health": LOADED | {"decimal", "ast"}})

        assert list(faults) == [
            "health loads ast, which is not in its list",
            "health loads decimal, which is not in its list",
        ]

    @pytest.mark.parametrize("gone", ["orders.health", "logging"], ids=["own", "in-a-group"])
    def test_a_module_less_is_named(self, gone: str) -> None:
        faults = module_faults(DECLARED, {"health": LOADED - {gone}})

        assert list(faults) == [f"health no longer loads {gone}: take it off its list"]

    def test_a_function_without_a_list_is_named(self) -> None:
        faults = module_faults(DECLARED, {"health": LOADED, "refund": {"json"}})

        assert list(faults) == ["refund has no list of modules"]

    def test_a_list_without_a_function_is_named(self) -> None:
        assert list(module_faults(DECLARED, {})) == [
            "health has a list of modules, and is no function: take the list away"
        ]

    def test_every_function_has_a_list(self) -> None:
        assert tomllib.loads(MODULES.read_text())["functions"].keys() == OURS.handlers.keys()


class TestOperations:
    def test_nothing_is_reported_when_all_holds(self) -> None:
        assert list(operation_faults(OPERATION_BOUNDS, {"get": GET})) == []

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
        assert list(operation_faults(OPERATION_BOUNDS, {"get": measured})) == [fault]

    def test_all_that_is_wrong_is_named(self) -> None:
        measured = replace(GET, calls={}, units=Units(0, 2), log_bytes=1000)

        assert len(list(operation_faults(OPERATION_BOUNDS, {"get": measured}))) == 4

    def test_a_log_bound_of_its_own_is_an_operations_bound(self) -> None:
        own = {**OPERATION_BOUNDS["operations"]["get"], "log_bytes": 750}  # type: ignore[index]
        bounds = OPERATION_BOUNDS | {"operations": {"get": own}}

        assert list(operation_faults(bounds, {"get": replace(GET, log_bytes=750)})) == []
        assert list(operation_faults(bounds, {"get": replace(GET, log_bytes=751)})) == [
            "get: 751 bytes of log, where 750 is the bound"
        ]

    def test_an_operation_without_bounds_is_named(self) -> None:
        faults = operation_faults(OPERATION_BOUNDS, {"get": GET, "refund": GET})

        assert list(faults) == ["refund has no bounds"]

    def test_bounds_without_an_operation_are_named(self) -> None:
        assert list(operation_faults(OPERATION_BOUNDS, {})) == [
            "get has bounds, and is not measured: take them away"
        ]

    def test_every_operation_has_bounds(self) -> None:
        bounds = tomllib.loads(BOUNDS.read_text())

        assert bounds["operations"].keys() == {o.name for o in OPERATIONS[OURS.name]}


class TestArtefact:
    @pytest.fixture
    def artefact(self, tmp_path: Path) -> Path:
        return _zipped(tmp_path, *FILES)

    def test_nothing_is_reported_when_all_holds(self, artefact: Path) -> None:
        bounds = {"bytes": artefact.stat().st_size, "content": CONTENT}

        assert list(artefact_faults(bounds, artefact)) == []

    def test_one_that_is_too_large_is_named(self, artefact: Path) -> None:
        size = artefact.stat().st_size

        faults = artefact_faults({"bytes": size - 1, "content": CONTENT}, artefact)

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
        faults = artefact_faults(
            {"bytes": 10_000, "content": CONTENT}, _zipped(tmp_path, *FILES, file)
        )

        assert list(faults) == [f"the artefact has {named}, which is not in its list"]

    def test_a_package_less_is_named(self, tmp_path: Path) -> None:
        faults = artefact_faults(
            {"bytes": 10_000, "content": CONTENT}, _zipped(tmp_path, *FILES[1:4])
        )

        assert list(faults) == [
            "the artefact no longer has typing_extensions.py: take it off its list"
        ]


def _zipped(directory: Path, *names: str) -> Path:
    file = directory / "orders.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    return file
