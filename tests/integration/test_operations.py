"""The figures of `benchmarks.operations`: what the platform's operations call, cost and log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.operations import measure, measure_all
from benchmarks.scenarios import OPERATIONS
from benchmarks.systems import OURS, TYPICAL, Running
from benchmarks.units import Units

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG_BYTES = 700
CREATE = {"TransactWriteItems": 1}
READ_AND_WRITE = {"GetItem": 1, "TransactWriteItems": 1}


@pytest.fixture(scope="module")
def ours() -> Iterator[Running]:
    with Running(OURS) as running:
        yield running


@pytest.mark.parametrize(
    ("name", "calls", "units"),
    [
        ("create", CREATE, Units(write=6)),
        ("create with key", CREATE, Units(write=8)),
        ("replayed create", READ_AND_WRITE, Units(read=1, write=6)),
        ("get", {"GetItem": 1}, Units(read=1)),
        ("get, not modified", {"GetItem": 1}, Units(read=1)),
        ("page of 20", {"Query": 1}, Units(read=1.5)),
        ("page of 20, consistent", {"Query": 1}, Units(read=3)),
        ("timeline", {"GetItem": 1, "Query": 1}, Units(read=2)),
        ("update", READ_AND_WRITE, Units(read=1, write=7)),
        (
            "update with key",
            {"BatchGetItem": 1, "TransactWriteItems": 1},
            Units(read=2, write=9),
        ),
        ("replayed update", {"BatchGetItem": 1}, Units(read=2)),
        ("update that changes nothing", {"GetItem": 1}, Units(read=1)),
        ("publishing a change", {"SendMessageBatch": 1}, Units()),
        ("timeline entry", {"PutItem": 1}, Units(write=1)),
        ("event without token", {"GetItem": 1}, Units(read=1)),
        ("status page of 20", {"Query": 8}, Units(read=4)),
    ],
)
def test_an_operation_calls_and_costs_no_more_than_it_must(
    ours: Running, name: str, calls: dict[str, int], units: Units
) -> None:
    operation = next(one for one in OPERATIONS[OURS.name] if one.name == name)

    measured = measure(ours, operation)

    assert measured.calls == calls
    assert measured.units == units
    assert sum(calls.values()) == operation.minimum.calls
    assert (units.read, units.write) == (operation.minimum.read, operation.minimum.write)
    assert measured.log_bytes <= LOG_BYTES
    assert measured.bytes_out > 500, "a signed request has such headers"
    assert measured.bytes_in > 150


def test_what_is_no_transaction_costs_what_dynamodb_local_reports() -> None:
    names = {"get", "page of 20", "timeline entry"}
    operations = [one for one in OPERATIONS[OURS.name] if one.name in names]
    for measured in measure_all(OURS, operations, ask_for_units=True).values():
        assert measured.units == measured.reported != Units()


def test_a_rival_is_measured_by_the_same_events() -> None:
    operation = next(one for one in OPERATIONS[TYPICAL.name] if one.name == "create with key")
    with Running(TYPICAL, ask_for_units=True) as running:
        measured = measure(running, operation)
    assert measured.calls == {"PutItem": 2, "UpdateItem": 1}
    assert measured.units == measured.reported == Units(write=4)


def test_a_handler_that_refuses_is_no_measurement(ours: Running) -> None:
    with pytest.raises(AssertionError, match="get-order"):
        ours.invoke("get-order", {"requestContext": {}})
