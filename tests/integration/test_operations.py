"""The figures of `benchmarks.operations`: what the platform's operations call, cost and log."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from benchmarks.gates import BOUNDS, operation_faults
from benchmarks.operations import measure_all
from benchmarks.scenarios import OPERATIONS
from benchmarks.systems import OURS, Running
from benchmarks.units import Units

if TYPE_CHECKING:
    from benchmarks.operations import Measured

LEAST = {operation.name: operation.minimum for operation in OPERATIONS[OURS.name]}
ABOVE_THE_LEAST = {"payment by token"}
"""The gateway's mock reads before it writes, and its rows and those of stock go in transactions."""


@pytest.fixture(scope="module")
def measured() -> dict[str, Measured]:
    """On DynamoDB Local, where `make check` measures on the emulated AWS."""
    return measure_all(OURS, OPERATIONS[OURS.name], ask_for_units=True)


def test_every_operation_keeps_its_bounds(measured: dict[str, Measured]) -> None:
    bounds = tomllib.loads(BOUNDS.read_text())["operations"]
    assert list(operation_faults(bounds, measured)) == []


@pytest.mark.parametrize("name", sorted(LEAST.keys() - ABOVE_THE_LEAST))
def test_an_operation_calls_and_costs_no_more_than_it_must(
    measured: dict[str, Measured], name: str
) -> None:
    one, least = measured[name], LEAST[name]
    assert sum(one.calls.values()) == least.calls
    assert least.read in {None, one.units.read}
    assert least.write in {None, one.units.write}
    assert one.bytes_out > 500, "a signed request has such headers"
    assert one.bytes_in > 150


@pytest.mark.parametrize("name", ["get", "page of 20", "timeline", "feed page of 100"])
def test_what_is_no_transaction_costs_what_dynamodb_local_reports(
    measured: dict[str, Measured], name: str
) -> None:
    assert measured[name].units == measured[name].reported != Units()


def test_a_handler_that_refuses_is_no_measurement() -> None:
    with Running(OURS) as running, pytest.raises(AssertionError, match="get-order"):
        running.invoke("get-order", {"requestContext": {}})
