"""What each operation calls, sends and costs: calls, bytes on the wire, units, bytes of log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from benchmarks import figures
from benchmarks.scenarios import OPERATIONS
from benchmarks.systems import OURS, TYPICAL, Running
from benchmarks.units import Units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from benchmarks.scenarios import Operation
    from benchmarks.systems import System


_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Measured:
    """One operation, its function being warm."""

    calls: dict[str, int]
    bytes_out: int
    bytes_in: int
    units: Units
    reported: Units
    log_bytes: int

    def values(self) -> dict[str, object]:
        return {
            "calls": self.calls,
            "bytes_out": self.bytes_out,
            "bytes_in": self.bytes_in,
            "read_units": self.units.read,
            "write_units": self.units.write,
            "reported_read_units": self.reported.read,
            "reported_write_units": self.reported.write,
            "log_bytes": self.log_bytes,
        }


def measure(running: Running, operation: Operation) -> Measured:
    """Of a function that was invoked before, so that nothing of a start is in it.

    A call that was sent twice tells of a busy machine, on which the client lost its patience, so
    it is measured anew. Raises AssertionError where that happens again and again.
    """
    running.invoke(*operation.prepare(running))
    for _ in range(_ATTEMPTS):
        function, event = operation.prepare(running)
        with running.database.measuring(running.tables), running.queues.measuring():
            invocation = running.invoke(function, event)
        calls = running.database.calls + running.queues.calls
        if len({(call.operation, call.body) for call in calls}) == len(calls):
            break
    else:
        raise AssertionError(f"{operation.name} sends the same twice")
    return Measured(
        calls=running.database.counts | running.queues.counts,
        bytes_out=sum(call.bytes_out for call in calls),
        bytes_in=sum(call.bytes_in for call in calls),
        units=_sum(call.units for call in calls),
        reported=_sum(call.reported for call in calls),
        log_bytes=invocation.log_bytes,
    )


def measure_all(
    system: System,
    operations: Iterable[Operation],
    *,
    database: str | None = None,
    ask_for_units: bool = False,
) -> dict[str, Measured]:
    """By the operation's name. The tables are at the address `database`, or in DynamoDB Local."""
    with Running(system, database=database, ask_for_units=ask_for_units) as running:
        return {operation.name: measure(running, operation) for operation in operations}


def _sum(units: Iterable[Units]) -> Units:
    return sum(units, Units())


def _our_table(measured: Mapping[str, Measured]) -> Iterator[str]:
    yield "### Per operation"
    yield ""
    yield (
        "One order line where nothing else is said, the function warm; beside each figure the "
        "least that the contract permits with rows of this size. Bytes are those of the requests "
        "to DynamoDB or SQS and of their responses, with headers, before TLS; on AWS a request "
        "also carries a session token. Log bytes are what the function writes; Lambda adds "
        "lines of its own."
    )
    yield ""
    yield (
        "| Operation | Calls | | least | Read units | least | Write units | least "
        "| Bytes out | in | Log bytes |"
    )
    yield "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for operation in OPERATIONS[OURS.name]:
        one, least = measured[operation.name], operation.minimum
        cells = (
            operation.name, _named(one.calls), sum(one.calls.values()), least.calls,
            _number(one.units.read), _number(least.read),
            _number(one.units.write), _number(least.write),
            _number(one.bytes_out), _number(one.bytes_in), one.log_bytes,
        )  # fmt: skip
        yield _row(*cells)
    yield ""


def _rival_table(measured: Mapping[str, Mapping[str, Measured]]) -> Iterator[str]:
    ours, typical = measured[OURS.name], measured[TYPICAL.name]
    yield "### Per operation, beside typical"
    yield ""
    yield (
        "Typical keeps one row an order, one index, and its keys in a table of their own: it lists "
        "no orders by status, reads no list consistently, and writes an order and its key one "
        "after the other. That is what its fewer units buy."
    )
    yield ""
    yield (
        "| Operation | Calls: ours | typical | Read units: ours | typical "
        "| Write units: ours | typical | Bytes both ways: ours | typical "
        "| Log bytes: ours | typical |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for name, theirs in typical.items():
        pair = ours[name], theirs
        yield _row(
            name,
            *(sum(one.calls.values()) for one in pair),
            *(_number(one.units.read) for one in pair),
            *(_number(one.units.write) for one in pair),
            *(_number(one.bytes_out + one.bytes_in) for one in pair),
            *(one.log_bytes for one in pair),
        )
    yield ""


def _check_table(measured: Mapping[str, Mapping[str, Measured]]) -> Iterator[str]:
    every = [
        (system, name, one) for system, those in measured.items() for name, one in those.items()
    ]
    differ = [(system, name, one) for system, name, one in every if one.units != one.reported]
    yield "### Units beside those that DynamoDB Local reports"
    yield ""
    yield (
        f"For {len(every) - len(differ)} of {len(every)} the computed units are those that "
        "DynamoDB Local reports (`ReturnConsumedCapacity`). It differs from what AWS publishes in "
        "three things. Of a transaction it rounds the rows in its own way, and doubles the index "
        "entries of updates and not the rows of puts, where AWS doubles each row and no entry. "
        "It reports nothing for a read that finds nothing, which AWS charges as the smallest, and "
        "nothing for a refused write, which AWS charges by the row's size."
    )
    yield ""
    yield (
        "| | Operation | Calls | Read units: computed | DynamoDB Local "
        "| Write units: computed | DynamoDB Local |"
    )
    yield "|---|---|---|--:|--:|--:|--:|"
    for system, name, one in differ:
        yield _row(
            system, name, _named(one.calls),
            _number(one.units.read), _number(one.reported.read),
            _number(one.units.write), _number(one.reported.write),
        )  # fmt: skip


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _named(calls: Mapping[str, int]) -> str:
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in calls.items())


def _number(value: float | None) -> str:
    if value is None:
        return "by size"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def main() -> None:
    """Measure everything, print it and keep it."""
    measured = {system.name: _cross_checked(system) for system in (OURS, TYPICAL)}
    values: dict[str, object] = {
        system: {name: one.values() for name, one in those.items()}
        for system, those in measured.items()
    }
    lines = (*_our_table(measured[OURS.name]), *_rival_table(measured), *_check_table(measured))
    figures.keep("operations", lines, values)


def _cross_checked(system: System) -> dict[str, Measured]:
    """Raises AssertionError where an operation did not do the same twice."""
    operations = OPERATIONS[system.name]
    plain = measure_all(system, operations)
    # Once more, since a response that tells of units is longer.
    asked = measure_all(system, operations, ask_for_units=True)
    for name, one in plain.items():
        if (one.calls, one.units) != (asked[name].calls, asked[name].units):
            raise AssertionError(f"{system.name} {name}: {one}, then {asked[name]}")
    return {name: replace(one, reported=asked[name].reported) for name, one in plain.items()}


if __name__ == "__main__":
    main()
