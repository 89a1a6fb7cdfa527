"""What a function takes to start, for its first request, and for one when it is warm."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, replace
from statistics import mean, median
from typing import TYPE_CHECKING, Any, Final

from benchmarks import figures, trees
from benchmarks.executions import Code, count_instructions, execute, require_valgrind
from benchmarks.floor import rows
from benchmarks.scenarios import OPERATIONS
from benchmarks.systems import OURS, TYPICAL, Running
from gateway import STAFF_CLAIMS, request
from servers import ministack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from gateway import Event

ROUNDS: Final = 7
"""In each, every rival has its turn: what else the machine does meets them all."""
REQUESTS: Final = 150
SETTLED: Final = 30
"""Requests after which a process is taken for warm: Python specialises its code as it runs."""
COUNTED: Final = 60
"""Requests whose instructions are counted, those before it is warm included."""
EVENTS: Final = ROUNDS * REQUESTS + COUNTED

COMPARED: Final = {
    "create": "create-order",
    "get": "get-order",
    "page of 20": "list-customer-orders",
    "update": "update-order",
}
"""Operations that the rivals have too, and our function for each."""

FLOORS: Final = {
    "bare call": ("benchmarks.floor.bare_call", tuple(COMPARED)),
    "signed request": ("benchmarks.floor.signed_request", ("create", "get")),
}
"""The least that could answer, and which of the operations it has."""

_ANSWERED: Final = {
    "get-order-timeline": "timeline",
    "list-orders-by-status": "status page of 20",
    "get-daily-report": "daily report",
    "list-events": "feed page of 100",
    "publish-order-events": "publishing an event",
    "settle-payments": "event without token",
}
"""Functions that no rival has, and the operation that each is measured with."""

_WITHOUT_A_CALLER: Final = {"health": "/health", "api-docs": "/openapi.json"}


@dataclass(frozen=True, slots=True)
class Case:
    """Some code, and the events for all of its rounds."""

    code: Code
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Function:
    """What was measured of a function.

    Instructions are of user mode; `init` is without the interpreter's own start. A warm request's
    CPU is the median of all rounds. `modules` are those that the interpreter had not loaded, late
    ones those that came with a request.
    """

    init_instructions: int
    init_cpu_ms: float
    peak_kb: int
    modules: int
    late_modules: int
    first_instructions: int | None = None
    warm_instructions: float | None = None
    warm_cpu_ms: float | None = None
    log_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """Functions by name, and the CPU of a warm request in each round."""

    functions: dict[str, Function]
    rounds: dict[str, list[float]]

    def ratio(self, rival: str) -> list[float]:
        """Ours to a rival's, by round, the least first."""
        return sorted(
            ours / theirs
            for ours, theirs in zip(self.rounds["ours"], self.rounds[rival], strict=True)
        )


def measure(cases: Mapping[str, Case]) -> Measured:
    """In turns: a round of each, and then the next round."""
    inits: dict[str, list[float]] = {name: [] for name in cases}
    rounds: dict[str, list[float]] = {name: [] for name in cases}
    last = {}
    for number in range(ROUNDS):
        for name, case in cases.items():
            events = case.events[number * REQUESTS : (number + 1) * REQUESTS]
            last[name] = ran = execute(case.code, events)
            inits[name].append(ran.init_ns / 1e6)
            if events:
                rounds[name].append(median(ran.request_ns[SETTLED:]) / 1e6)
    functions = {}
    for name, case in cases.items():
        counted = count_instructions(case.code, case.events[-COUNTED:])
        function = Function(
            init_instructions=counted.init,
            init_cpu_ms=median(inits[name]),
            peak_kb=last[name].peak_kb,
            modules=len(last[name].modules),
            late_modules=len(last[name].late_modules),
        )
        if case.events:
            function = replace(
                function,
                first_instructions=counted.requests[0],
                warm_instructions=mean(counted.requests[SETTLED:]),
                warm_cpu_ms=median(rounds[name]),
                log_bytes=len(last[name].log.encode()) / REQUESTS,
            )
        functions[name] = function
    return Measured(functions, rounds)


class Rival:
    """Something that answers the compared operations; ours is one too."""

    def __init__(self, codes: Mapping[str, Code]) -> None:
        self.codes = codes
        responses = execute(codes["create"], [_create() for _ in range(EVENTS)]).responses
        self._orders = [a["headers"]["Location"].rpartition("/")[2] for a in responses]

    def case(self, operation: str) -> Case:
        """Orders that are paid were made for it."""
        match operation:
            case "create":
                events = [_create() for _ in range(EVENTS)]
            case "get":
                events = [request("GET", f"/orders/{self._orders[0]}")] * EVENTS
            case "page of 20":
                events = [request("GET", f"/customers/{rows.CUSTOMER}/orders")] * EVENTS
            case _:
                events = [_pay(order) for order in self._orders]
        return Case(self.codes[operation], events)


def _create() -> Event:
    headers = {"idempotency_key": str(uuid.uuid4())}
    return request("POST", "/orders", rows.REQUEST, headers=headers)


def _pay(order_id: str) -> Event:
    return request("PATCH", f"/orders/{order_id}", {"status": "PAID"}, claims=STAFF_CLAIMS)


def _code(running: Running, handler: str, *path: Path) -> Code:
    """Without the meters in between: they would take this machine's time."""
    environment = running.environment | {
        "AWS_ENDPOINT_URL": running.upstream,
        "AWS_ENDPOINT_URL_SQS": ministack(),
    }
    return Code(handler.partition(":")[0], path, environment)


def _alone(running: Running, name: str) -> Sequence[Event]:
    """Events for a function that no rival has; none for those that are only started."""
    if name in _WITHOUT_A_CALLER:
        return [request("GET", _WITHOUT_A_CALLER[name], claims=None)] * EVENTS
    if name not in _ANSWERED:
        return []
    operation = next(o for o in OPERATIONS[OURS.name] if o.name == _ANSWERED[name])
    return [operation.prepare(running)[1]] * EVENTS


def main() -> None:
    """Measure, and keep the tables."""
    require_valgrind()
    ours_tree, typical_tree, floor_tree = trees.ours(), trees.typical(), trees.floor()
    runtime = trees.runtime()
    with Running(OURS) as ours, Running(TYPICAL) as typical, Running(OURS) as floor:
        codes = {
            name: _code(ours, handler, ours_tree, runtime)
            for name, handler in OURS.handlers.items()
        }
        typical_code = _code(typical, next(iter(TYPICAL.handlers.values())), typical_tree)
        rivals = {
            "ours": Rival({operation: codes[name] for operation, name in COMPARED.items()}),
            "typical": Rival(dict.fromkeys(COMPARED, typical_code)),
        } | {
            name: Rival(dict.fromkeys(operations, _code(floor, module, floor_tree)))
            for name, (module, operations) in FLOORS.items()
        }
        compared = {
            operation: measure(
                {
                    name: rival.case(operation)
                    for name, rival in rivals.items()
                    if operation in rival.codes
                }
            )
            for operation in COMPARED
        }
        alone = {
            name: measure({name: Case(code, _alone(ours, name))}).functions[name]
            for name, code in codes.items()
            if name not in COMPARED.values()
        }
        started = _code(floor, "benchmarks.floor.bare", floor_tree)
        bare = measure({"bare": Case(started, [])}).functions["bare"]
    values = _values(compared, alone, bare)
    figures.keep("functions", list(_report(values)), values)


def _values(
    compared: Mapping[str, Measured], alone: Mapping[str, Function], bare: Function
) -> dict[str, Any]:
    def of(rival: str) -> dict[str, object]:
        return {
            COMPARED[operation]: asdict(measured.functions[rival])
            for operation, measured in compared.items()
            if rival in measured.functions
        }

    return {
        "ours": of("ours") | {name: asdict(function) for name, function in alone.items()},
        **{rival: of(rival) for rival in ("typical", *FLOORS)},
        "bare interpreter": asdict(bare),
        "cpu ratios": {
            operation: {
                rival: measured.ratio(rival) for rival in measured.rounds if rival != "ours"
            }
            for operation, measured in compared.items()
        },
    }


def _report(values: Mapping[str, Any]) -> Iterator[str]:
    """Tables: the compared operations, then a line a function."""
    typical_init = values["typical"]["create-order"]["init_instructions"]
    yield from (
        "### Compared",
        "",
        "Instructions in millions, of user mode; CPU in milliseconds, the median of",
        f"{ROUNDS} rounds of {REQUESTS} requests, taken in turns. The ratio is of our CPU to the",
        "rival's: the median of the rounds' ratios, the least and the greatest.",
        "",
        "| Operation | | Init | First request | Warm | Warm, CPU | Ours ÷ it | Memory | Log |",
        "|---|---|---|---|---|---|---|---|---|",
    )
    for operation, function in COMPARED.items():
        for rival in ("ours", "typical", *FLOORS):
            if function not in values[rival]:
                continue
            measured = values[rival][function]
            ratio = ""
            if rival != "ours":
                ratios = values["cpu ratios"][operation][rival]
                ratio = f"{median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})"
            yield (
                f"| {operation} | {rival} | {_millions(measured['init_instructions'], 0)} | "
                f"{_millions(measured['first_instructions'])} | "
                f"{_millions(measured['warm_instructions'], 2)} | {measured['warm_cpu_ms']:.2f} | "
                f"{ratio} | {measured['peak_kb'] / 1024:.0f} MB | {measured['log_bytes']:.0f} B |"
            )
    yield from (
        "",
        "### Functions",
        "",
        "Init is import to first-request-ready, without the interpreter's own start, and beside it",
        "what it is of `typical`'s. Modules are those of the start, and those that came later. The",
        "daily functions and `not-found` were started only.",
        "",
        "| Function | Init | ÷ typical | Init, CPU | Modules | First | Warm | CPU | Memory | Log |",
        "|---|---|---|---|---|---|---|---|---|---|",
    )
    lines = values["ours"] | {
        "typical": values["typical"]["create-order"],
        "one bare call": values["bare call"]["create-order"],
        "one signed request": values["signed request"]["create-order"],
        "bare interpreter": values["bare interpreter"],
    }
    for name, measured in lines.items():
        cpu, log = measured["warm_cpu_ms"], measured["log_bytes"]
        yield (
            f"| {name} | {_millions(measured['init_instructions'], 0)} | "
            f"{measured['init_instructions'] / typical_init:.3f} | "
            f"{measured['init_cpu_ms']:.0f} ms | "
            f"{measured['modules']} + {measured['late_modules']} | "
            f"{_millions(measured['first_instructions'])} | "
            f"{_millions(measured['warm_instructions'], 2)} | "
            f"{'' if cpu is None else f'{cpu:.2f} ms'} | {measured['peak_kb'] / 1024:.0f} MB | "
            f"{'' if log is None else f'{log:.0f} B'} |"
        )


def _millions(count: float | None, digits: int = 1) -> str:
    return "" if count is None else f"{count / 1e6:,.{digits}f} M"


if __name__ == "__main__":
    main()
