"""What each operation costs: calls, bytes on the wire, units, bytes of log."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from benchmarks import figures
from benchmarks.meter import counts
from benchmarks.scenarios import COMPARED, OPERATIONS
from benchmarks.systems import OURS, TYPICAL, Running
from benchmarks.units import total

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from benchmarks.scenarios import Operation
    from benchmarks.systems import System

_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Measured:
    """One operation of a warm function. Bytes are those of bodies."""

    function: str
    calls: dict[str, int]
    bytes_out: int
    bytes_in: int
    read_units: float
    write_units: int
    log_bytes: int


def measure(running: Running, operation: Operation) -> Measured:
    """Raises AssertionError where a call is sent twice in every attempt.

    On a busy machine the client loses its patience now and then, and sends a call again.
    """
    running.invoke(operation.function, operation.prepare(running))
    for _ in range(_ATTEMPTS):
        event = operation.prepare(running)
        with running.database.measuring() as to_table, running.queues.measuring() as to_queues:
            handled = running.invoke(operation.function, event)
        calls = to_table + to_queues
        if len({(call.operation, call.request) for call in calls}) == len(calls):
            break
    else:
        raise AssertionError(f"{operation.name} sends the same call twice")
    units = total(call.units for call in calls)
    return Measured(
        operation.function,
        calls=counts(calls),
        bytes_out=sum(len(call.request) for call in calls),
        bytes_in=sum(len(call.response) for call in calls),
        read_units=units.read,
        write_units=units.write,
        log_bytes=len(handled.log.encode()),
    )


def measure_all(
    system: System, operations: Iterable[Operation], *, database: str | None = None
) -> dict[str, Measured]:
    """By the operation's name. The tables are at the address `database`, or in DynamoDB Local."""
    with Running(system, database=database) as running:
        return {operation.name: measure(running, operation) for operation in operations}


def main() -> None:
    """Measure everything, print it and keep it."""
    ours, typical = measure_all(OURS, OPERATIONS), measure_all(TYPICAL, COMPARED)
    values: dict[str, object] = {
        system: {name: asdict(one) for name, one in measured.items()}
        for system, measured in (("ours", ours), ("typical", typical))
    }
    figures.keep("operations", _report(ours, typical), values)


def _report(ours: Mapping[str, Measured], typical: Mapping[str, Measured]) -> Iterator[str]:
    yield from (
        "### Per operation",
        "",
        "One item where nothing else is said, the function warm. Bytes are those of the bodies of",
        "requests to DynamoDB or SQS and of their responses. Log bytes are what the function",
        "writes; Lambda adds lines of its own.",
        "",
    )
    yield from figures.table(
        ("Operation", "Calls", "Read units", "Write units", "Bytes out", "in", "Log bytes"),
        (
            (
                name,
                ", ".join(call if count == 1 else f"{count} {call}"
                          for call, count in one.calls.items()) or "none",
                *map(figures.number, (one.read_units, one.write_units)),
                *map(figures.number, (one.bytes_out, one.bytes_in, one.log_bytes)),
            )
            for name, one in ours.items()
        ),
        texts=2,
    )  # fmt: skip
    yield from (
        "",
        "### Per operation, beside typical",
        "",
        "Typical keeps one row per order, one index, and its keys in a table of their own: it",
        "cannot list orders by status or read a list consistently, and it writes an order and its",
        "key one after the other. That is what its fewer units buy.",
        "",
    )
    columns = ("Calls", "Read units", "Write units", "Bytes both ways", "Log bytes")
    pairs = [name for column in columns for name in (f"{column}: ours", "typical")]
    yield from figures.table(
        ("Operation", *pairs),
        (
            (name, *map(figures.number, _side_by_side(ours[name], theirs)))
            for name, theirs in typical.items()
        ),
    )


def _side_by_side(*systems: Measured) -> Iterator[float]:
    yield from (sum(one.calls.values()) for one in systems)
    yield from (one.read_units for one in systems)
    yield from (one.write_units for one in systems)
    yield from (one.bytes_out + one.bytes_in for one in systems)
    yield from (one.log_bytes for one in systems)


if __name__ == "__main__":
    main()
