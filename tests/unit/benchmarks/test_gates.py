"""Each bound of `make check` can be broken, and the message names what broke it."""

from __future__ import annotations

import tomllib
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.gates import (
    FORBIDDEN,
    beyond_artefact,
    beyond_modules,
    beyond_operations,
    bounds_text,
    forbidden_modules,
)
from benchmarks.operations import Measured

if TYPE_CHECKING:
    from pathlib import Path

GET = Measured("get-order", {"GetItem": 1}, 0, 0, read_units=1, write_units=0, log_bytes=700)
PAGE = replace(GET, calls={"Query": 8}, read_units=1.5, log_bytes=301)
FILES = (
    "orders/a.pyc",
    "msgspec/a.pyc",
    "msgspec-0.20.0.dist-info/METADATA",
    "typing_extensions.py",
    "__pycache__/typing_extensions.pyc",
)


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    file = tmp_path / "orders.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name in FILES:
            archive.writestr(name, b"")
    return file


NOTHING: dict[str, Any] = {"artefact": {"bytes": 0}, "modules": {}, "operations": {}}


def accepted(
    modules: dict[str, set[str]],
    measured: dict[str, Measured],
    artefact: Path,
    before: dict[str, Any] = NOTHING,
) -> dict[str, Any]:
    return tomllib.loads(bounds_text(modules, measured, artefact, before))


def test_accepted_figures_are_within_their_bounds(artefact: Path) -> None:
    modules, measured = {"health": {"json", "orders.health"}}, {"get": GET, "a page": PAGE}

    bounds = accepted(modules, measured, artefact)

    assert list(beyond_modules(bounds["modules"], modules)) == []
    assert list(beyond_operations(bounds["operations"], measured)) == []
    assert list(beyond_artefact(bounds["artefact"], artefact)) == []
    assert bounds["artefact"]["packages"] == ["msgspec", "orders", "typing_extensions.py"]


def test_a_releases_few_more_modules_and_log_bytes_stay_within_the_bounds(artefact: Path) -> None:
    many = {f"module{number}" for number in range(200)}
    bounds = accepted({"health": many}, {"get": GET}, artefact)

    assert bounds["modules"] == {"health": 210}
    assert bounds["operations"]["get"]["log_bytes"] == 750
    assert bounds["artefact"]["bytes"] == 100_000


@pytest.mark.parametrize(("before", "after"), [(750, 750), (800, 800), (699, 750), (850, 750)])
def test_a_bound_that_still_fits_stays(artefact: Path, before: int, after: int) -> None:
    bounds = NOTHING | {"operations": {"get": {"log_bytes": before}}}

    assert accepted({}, {"get": GET}, artefact, bounds)["operations"]["get"]["log_bytes"] == after


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"health": 1}, "health loads 2 modules, more than 1"),
        ({}, "health has no bound on its modules"),
    ],
)
def test_modules_beyond_the_bound_are_named(bounds: dict[str, int], message: str) -> None:
    assert list(beyond_modules(bounds, {"health": {"ast", "json"}})) == [message]


@pytest.mark.parametrize("module", FORBIDDEN)
def test_a_forbidden_module_is_named_with_the_reason(module: str) -> None:
    (message,) = forbidden_modules({"any": {"json", module}})

    assert message == f"any imports {module}, which is forbidden: {FORBIDDEN[module]}"


@pytest.mark.parametrize(
    ("measured", "message"),
    [
        (replace(GET, calls={"GetItem": 2}), "get: calls {'GetItem': 2}, not {'GetItem': 1}"),
        (replace(GET, calls={}), "get: calls {}, not {'GetItem': 1}"),
        (replace(GET, read_units=1.5), "get: read_units 1.5, not 1"),
        (replace(GET, read_units=0.5), "get: read_units 0.5, not 1"),
        (replace(GET, write_units=1), "get: write_units 1, not 0"),
        (replace(GET, log_bytes=751), "get logs 751 bytes, more than 750"),
    ],
)
def test_an_operation_that_costs_something_else_is_named(
    artefact: Path, measured: Measured, message: str
) -> None:
    bounds = accepted({}, {"get": GET}, artefact)["operations"]

    assert list(beyond_operations(bounds, {"get": measured})) == [message]
    assert list(beyond_operations({}, {"get": measured})) == ["get has no bounds"]
    assert list(beyond_operations({"gone": {}}, {})) == ["gone has bounds, and is not measured"]


def test_an_artefact_beyond_its_bounds_is_named(artefact: Path) -> None:
    size = artefact.stat().st_size
    bounds = {"bytes": size - 1, "packages": ["orders", "typing_extensions.py"]}

    assert list(beyond_artefact(bounds, artefact)) == [
        f"the artefact has {size} bytes, more than {size - 1}",
        "the artefact contains msgspec, which nobody accepted",
    ]
