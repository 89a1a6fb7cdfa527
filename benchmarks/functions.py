"""What a function takes to start, for its first request, and for one when it is warm."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from itertools import islice
from statistics import mean, median
from typing import TYPE_CHECKING, Any, Final

from benchmarks import figures, trees
from benchmarks.process import Code, count_instructions, execute, require_valgrind
from benchmarks.scenarios import OPERATIONS
from benchmarks.systems import FLOOR, OURS, TYPICAL, Running, deployed
from gateway import CUSTOMERS_ORDERS, STAFF_CLAIMS, order_body, request
from servers import ministack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from benchmarks.process import Handled
    from gateway import Event

ROUNDS: Final = 7
"""In each, every system has its turn: whatever else the machine does affects them all."""
REQUESTS: Final = 150
SETTLED: Final = 30
"""Requests after which a process counts as warm: Python specialises its code as it runs."""
COUNTED: Final = 60
"""Requests whose instructions are counted, including those before it is warm."""
EVENTS: Final = ROUNDS * REQUESTS + COUNTED

COMPARED: Final = {
    "create": "create-order",
    "get": "get-order",
    "page of 20": "list-customer-orders",
    "update": "update-order",
}
"""Operations that the rivals do too, and our function for each."""


@dataclass(frozen=True, slots=True)
class Function:
    """What was measured of a function; None where it was started only.

    Instructions are of user mode; `init` leaves out the interpreter's own start. A warm request's
    CPU is the median of all rounds. `modules` are those that the interpreter had not loaded.
    """

    init_instructions: int
    init_cpu_ms: float
    peak_kb: int
    modules: int
    first_instructions: int | None = None
    warm_instructions: float | None = None
    warm_cpu_ms: float | None = None
    log_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class Contestant:
    """A system's code with its libraries, as Lambda unpacks them, on tables of its own."""

    running: Running
    path: tuple[Path, ...]

    def code(self) -> Code:
        """Without the meters in between: they would take this machine's time."""
        addresses = {
            "AWS_ENDPOINT_URL": self.running.upstream,
            "AWS_ENDPOINT_URL_SQS": ministack(),
        }
        return Code(self.running.environment | addresses, self.path, trees.PYTHON)

    def execute(self, function: str, events: Sequence[Event]) -> Handled:
        system = self.running.system
        return execute(self.code(), system.module_of(function), [*map(system.event, events)])

    def measure_instructions(self, function: str, events: Sequence[Event]) -> Function:
        """Of one process. The other figures are of its rounds, which have to be measured yet."""
        system = self.running.system
        counted = count_instructions(
            self.code(), system.module_of(function), [*map(system.event, events)]
        )
        start = Function(counted.init, init_cpu_ms=0, peak_kb=0, modules=0)
        if not events:
            return start
        warm = mean(counted.requests[SETTLED:])
        return replace(start, first_instructions=counted.requests[0], warm_instructions=warm)


def measure(
    function: str, contestants: Mapping[str, tuple[Contestant, Iterator[Event]]]
) -> tuple[dict[str, Function], dict[str, list[float]]]:
    """By contestant: its figures, and the CPU of a warm request in each round.

    They take turns: a round of each, and then the next round. None of them gets an event twice.
    """
    runs: dict[str, list[Handled]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, (contestant, events) in contestants.items():
            runs[name].append(contestant.execute(function, list(islice(events, REQUESTS))))
    functions, rounds = {}, {}
    for name, (contestant, events) in contestants.items():
        found = replace(
            contestant.measure_instructions(function, list(islice(events, COUNTED))),
            init_cpu_ms=median(run.init_ns for run in runs[name]) / 1e6,
            peak_kb=runs[name][-1].peak_kb,
            modules=runs[name][-1].modules,
        )
        if runs[name][-1].request_ns:
            rounds[name] = [median(run.request_ns[SETTLED:]) / 1e6 for run in runs[name]]
            logged = len(runs[name][-1].log.encode()) / REQUESTS
            found = replace(found, warm_cpu_ms=median(rounds[name]), log_bytes=logged)
        functions[name] = found
    return functions, rounds


def _create(key: object) -> Event:
    return request("POST", "/orders", order_body(), headers={"idempotency_key": f"key-{key}"})


def _events(contestant: Contestant, operation: str) -> Iterator[Event]:
    """Enough for all rounds; orders that are to be read or paid are made for it."""
    creates = [_create(f"{operation}-{number}") for number in range(EVENTS)]
    if operation == "create":
        yield from creates
        return
    if operation == "page of 20":  # of what was created before
        yield from [request("GET", CUSTOMERS_ORDERS)] * EVENTS
        return
    made = contestant.execute("create-order", creates if operation == "update" else creates[:1])
    paths = [f"/orders/{json.loads(one['body'])['orderId']}" for one in made.responses]
    if operation == "get":
        yield from [request("GET", paths[0])] * EVENTS
    for path in paths:
        yield request("PATCH", path, {"status": "PAID"}, claims=STAFF_CLAIMS)


def main() -> None:
    """Measure, and keep the tables."""
    require_valgrind()
    ours_path = trees.ours(), trees.runtime()
    paths = {OURS: ours_path, TYPICAL: (trees.typical(),), FLOOR: (trees.floor(),)}
    with Running(OURS) as ours, Running(TYPICAL) as typical, Running(FLOOR) as floor:
        contestants = {
            running.system.name: Contestant(running, paths[running.system])
            for running in (ours, typical, floor)
        }
        functions: dict[str, dict[str, Any]] = {name: {} for name in contestants}
        ratios: dict[str, dict[str, list[float]]] = {}
        for operation, function in COMPARED.items():
            found, rounds = measure(
                function,
                {name: (one, _events(one, operation)) for name, one in contestants.items()},
            )
            for name, measured in found.items():
                functions[name][function] = asdict(measured)
            ratios[operation] = {
                name: sorted(a / b for a, b in zip(rounds["ours"], rounds[name], strict=True))
                for name in rounds
                if name != "ours"
            }
        for function in sorted(deployed().keys() - set(COMPARED.values())):
            events = _repeated(ours, function)
            found, _ = measure(function, {"ours": (contestants["ours"], events)})
            functions["ours"][function] = asdict(found["ours"])
    values = {**functions, "cpu ratios": ratios}
    figures.keep("functions", list(_report(values)), values)


def _repeated(running: Running, function: str) -> Iterator[Event]:
    """The event of the first operation that measures the function; none where none does."""
    for operation in OPERATIONS:
        if operation.function == function:
            yield from [operation.prepare(running)] * EVENTS
            return


def _report(values: Mapping[str, Any]) -> Iterator[str]:
    typical_init = values["typical"]["create-order"]["init_instructions"]
    yield from (
        "### Compared",
        "",
        "Instructions in millions, of user mode; CPU in milliseconds, the median of",
        f"{ROUNDS} rounds of {REQUESTS} requests, taken in turns. The ratio is of our CPU to the",
        "rival's: the median of the rounds' ratios, the lowest and the highest.",
        "",
    )
    heads = ("Operation", "", "Init", "First request", "Warm", "Warm, CPU", "Ours ÷ it", "Memory",
            "Log")  # fmt: skip
    yield from figures.table(heads, _comparisons(values), texts=2)
    yield from (
        "",
        "### Functions",
        "",
        "Init runs from the import until the function is ready for its first request, without the",
        "interpreter's own start. A function that is measured with one event gets it again and",
        "again, so `expire-stale-orders` finds nothing to expire. Blank: started only.",
        "",
    )
    head = ("Function", "Init", "÷ typical", "Init, CPU", "Modules", "First", "Warm", "CPU",
            "Memory", "Log")  # fmt: skip
    lines = values["ours"] | {
        "typical": values["typical"]["create-order"],
        "one bare call": values["bare call"]["create-order"],
    }
    yield from figures.table(
        head,
        (
            (
                name,
                _millions(one["init_instructions"], 0),
                f"{one['init_instructions'] / typical_init:.3f}",
                f"{one['init_cpu_ms']:.0f} ms",
                one["modules"],
                _millions(one["first_instructions"]),
                _millions(one["warm_instructions"], 2),
                *_cpu_memory_log(one),
            )
            for name, one in lines.items()
        ),
    )


def _comparisons(values: Mapping[str, Any]) -> Iterator[Sequence[object]]:
    for operation, function in COMPARED.items():
        for system in ("ours", "typical", "bare call"):
            one = values[system][function]
            cpu, memory, log = _cpu_memory_log(one)
            found = values["cpu ratios"][operation].get(system)
            ratio = found and f"{median(found):.2f} ({found[0]:.2f}–{found[-1]:.2f})"
            yield (
                operation, system, _millions(one["init_instructions"], 0),
                _millions(one["first_instructions"]), _millions(one["warm_instructions"], 2),
                cpu, ratio or "", memory, log,
            )  # fmt: skip


def _cpu_memory_log(one: Mapping[str, Any]) -> tuple[str, str, str]:
    cpu, log = one["warm_cpu_ms"], one["log_bytes"]
    return (
        "" if cpu is None else f"{cpu:.2f} ms",
        f"{one['peak_kb'] / 1024:.0f} MB",
        "" if log is None else f"{log:.0f} B",
    )


def _millions(count: float | None, digits: int = 1) -> str:
    return "" if count is None else f"{count / 1e6:,.{digits}f} M"


if __name__ == "__main__":
    main()
