"""What a function takes to start, for its first request, and for one when it is warm."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from statistics import mean, median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, TypeVar

import trustme
from trustme import KeyType

from benchmarks import figures, trees
from benchmarks.process import Code, count_instructions, execute
from benchmarks.scenarios import OPERATIONS
from benchmarks.systems import FLOOR, OURS, TYPICAL, Running, deployed
from gateway import CUSTOMERS_ORDERS, STAFF_CLAIMS, order_body, request
from orders.adapters.aws.connection import AMAZON_ROOTS
from proof.proxy import Proxy
from servers import ministack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from benchmarks.process import Handled
    from benchmarks.systems import Environment
    from gateway import Event

Result = TypeVar("Result")

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
"""Operations that `typical` does too, and our function for each."""
OF_THE_FLOOR: Final = ("create", "get")


@dataclass(frozen=True, slots=True)
class Contestant:
    """A system's code with its libraries, as Lambda unpacks them, on tables of its own."""

    running: Running
    path: tuple[Path, ...]
    aws: Environment
    """Where DynamoDB and SQS speak TLS, and whom to trust."""

    def run(
        self, how: Callable[[Code, str, list[Event]], Result], function: str, events: list[Event]
    ) -> Result:
        """`execute` or `count_instructions`."""
        system = self.running.system
        code = Code(self.running.environment | self.aws, self.path, trees.PYTHON)
        return how(code, system.handler_of(function), [*map(system.event, events)])


def measure(
    function: str, contestants: Mapping[str, tuple[Contestant, Iterator[Event]]]
) -> dict[str, dict[str, Any]]:
    """By contestant: its figures, which are None where it got no events and was started only.

    They take turns: a round of each, and then the next round. None of them gets an event twice.
    Instructions are of user mode. `rounds_cpu_ms` has the CPU of a warm request in each round,
    `rounds_cold_ms` that of a start and its first request. `modules` are those that the runtime
    client had not loaded.
    """
    runs: dict[str, list[Handled]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, (contestant, events) in contestants.items():
            taken = list(islice(events, REQUESTS))
            runs[name].append(contestant.run(execute, function, taken))
    found = {}
    for name, (contestant, events) in contestants.items():
        last, taken = runs[name][-1], list(islice(events, COUNTED))
        counted = contestant.run(count_instructions, function, taken)
        with_requests = [run for run in runs[name] if run.request_ns]
        warm = [median(run.request_ns[SETTLED:]) / 1e6 for run in with_requests]
        cold = [(run.init_ns + run.request_ns[0]) / 1e6 for run in with_requests]
        found[name] = {
            "init_instructions": counted.init,
            "init_cpu_ms": median(run.init_ns for run in runs[name]) / 1e6,
            "bare_kb": last.bare_kb,
            "idle_kb": last.idle_kb,
            "peak_kb": last.peak_kb,
            "modules": last.modules,
            "first_instructions": counted.requests[0] if taken else None,
            "warm_instructions": mean(counted.requests[SETTLED:]) if taken else None,
            "warm_cpu_ms": median(warm) if warm else None,
            "cold_cpu_ms": median(cold) if cold else None,
            "rounds_cpu_ms": warm,
            "rounds_cold_ms": cold,
            "log_bytes": len(last.log.encode()) / REQUESTS if taken else None,
        }
    return found


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
    needed = creates if operation == "update" else creates[:1]
    made = contestant.run(execute, "create-order", needed)
    paths = [f"/orders/{json.loads(one['body'])['orderId']}" for one in made.responses]
    if operation == "get":
        yield from [request("GET", paths[0])] * EVENTS
        return
    for path in paths:
        yield request("PATCH", path, {"status": "PAID"}, claims=STAFF_CLAIMS)


def over_tls(block: ExitStack, running: Running, authorities: Path) -> Environment:
    """Where a system finds DynamoDB and SQS until the end of the block, and whom it trusts.

    Whom it would trust on Lambda is in the file `authorities`; one of this run's comes to that.
    """
    # As AWS's: RSA, and an authority between the endpoint's and the root.
    root = trustme.CA(key_type=KeyType.RSA)
    between = root.create_child_ca(key_type=KeyType.RSA)
    tls = SSLContext(PROTOCOL_TLS_SERVER)
    between.issue_cert("127.0.0.1", key_type=KeyType.RSA).configure_cert(tls)
    bundle = Path(block.enter_context(TemporaryDirectory())) / "authorities.pem"
    bundle.write_bytes(authorities.read_bytes() + root.cert_pem.bytes())

    def address(upstream: str) -> str:
        return block.enter_context(Proxy(upstream, tls=tls)).address(running.system.name)

    return {
        "AWS_CA_BUNDLE": str(bundle),
        "AWS_ENDPOINT_URL": address(running.upstream),
        "AWS_ENDPOINT_URL_SQS": address(ministack()),
    }


def _contestants(block: ExitStack) -> Iterator[Contestant]:
    runtime, typical = trees.runtime(), trees.typical()
    shipped = {
        OURS: (trees.ours(), Path(AMAZON_ROOTS)),
        TYPICAL: (typical, typical / "botocore" / "cacert.pem"),
        FLOOR: (trees.floor(), Path(AMAZON_ROOTS)),
    }
    for system, (tree, authorities) in shipped.items():
        running = block.enter_context(Running(system))
        aws = over_tls(block, running, authorities)
        yield Contestant(running, (tree, runtime), aws)


def main() -> None:
    """Measure, and keep the tables."""
    with ExitStack() as block:
        contestants = {one.running.system.name: one for one in _contestants(block)}
        functions: dict[str, dict[str, Any]] = {name: {} for name in contestants}
        warm: dict[str, dict[str, list[float]]] = {}
        cold: dict[str, dict[str, list[float]]] = {}
        for operation, function in COMPARED.items():
            found = measure(
                function,
                {
                    name: (one, _events(one, operation))
                    for name, one in contestants.items()
                    if name != FLOOR.name or operation in OF_THE_FLOOR
                },
            )
            for name, one in found.items():
                functions[name][function] = one
            warm[operation] = _ratios(found, "rounds_cpu_ms")
            cold[operation] = _ratios(found, "rounds_cold_ms")
        for function in sorted(deployed().keys() - set(COMPARED.values())):
            ours = contestants["ours"]
            events = _repeated(ours.running, function)
            functions["ours"][function] = measure(function, {"ours": (ours, events)})["ours"]
    values = {**functions, "cpu ratios": warm, "cold ratios": cold}
    figures.keep("functions", list(_report(values)), values)


def _ratios(found: Mapping[str, Mapping[str, Any]], rounds: str) -> dict[str, list[float]]:
    """Of our CPU to each contestant's, round by round; sorted."""
    return {
        name: sorted(a / b for a, b in zip(found["ours"][rounds], one[rounds], strict=True))
        for name, one in found.items()
    }


def _repeated(running: Running, function: str) -> Iterator[Event]:
    """The event of the first operation that measures the function; none where none does."""
    for operation in OPERATIONS:
        if operation.function == function:
            yield from [operation.prepare(running)] * EVENTS
            return


def _report(values: Mapping[str, Any]) -> Iterator[str]:
    yield from (
        "### Starts and requests",
        "",
        "Under Lambda's runtime client, whose own share is left out, with TLS. Instructions in",
        f"millions, of user mode; CPU in milliseconds, the median of {ROUNDS} rounds of {REQUESTS}",
        "requests, taken in turns. *Ours ÷ it* is the median of the rounds' ratios of our CPU to",
        "the rival's, with the lowest and the highest. *Init* runs from the import until the",
        "function is ready for its first request; *cold* is init with that request, which makes",
        "the first connection. *Memory* is the process's peak, and beside it what that is above",
        "the idle client's. A function that is measured with one event gets it again and again, so",
        "`expire-stale-orders` finds nothing to expire. Blank: started only.",
        "",
    )
    head = ("Function", "", "Init", "÷ typical", "Init, CPU", "Modules", "First request", "Cold",
            "Cold, CPU", "Ours ÷ it", "Warm", "Warm, CPU", "Ours ÷ it", "Memory", "Above idle",
            "Log")  # fmt: skip
    yield from figures.table(head, _rows(values), texts=2)


def _rows(values: Mapping[str, Any]) -> Iterator[Sequence[object]]:
    typical_init = values["typical"]["create-order"]["init_instructions"]
    operation_of = {function: operation for operation, function in COMPARED.items()}
    for function in values["ours"]:
        for system in ("ours", "typical", "bare call"):
            if (one := values[system].get(function)) is None:
                continue
            cold, warm = (
                values[ratios].get(operation_of.get(function), {}).get(system)
                for ratios in ("cold ratios", "cpu ratios")
            )
            init, first, log = (
                one[name] for name in ("init_instructions", "first_instructions", "log_bytes")
            )
            yield (
                function,
                system,
                _millions(init, 0),
                f"{init / typical_init:.3f}",
                f"{one['init_cpu_ms']:.0f} ms",
                one["modules"],
                _millions(first),
                _millions(first and init + first, 0),
                "" if first is None else f"{one['cold_cpu_ms']:.0f} ms",
                "" if system == "ours" else _spread(cold),
                _millions(one["warm_instructions"], 2),
                "" if first is None else f"{one['warm_cpu_ms']:.2f} ms",
                "" if system == "ours" else _spread(warm),
                f"{one['peak_kb'] / 1024:.0f} MB",
                f"{(one['peak_kb'] - one['idle_kb']) / 1024:.0f} MB",
                "" if log is None else f"{log:.0f} B",
            )


def _spread(ratios: Sequence[float]) -> str:
    return f"{median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})"


def _millions(count: float | None, digits: int = 1) -> str:
    return "" if count is None else f"{count / 1e6:,.{digits}f} M"


if __name__ == "__main__":
    main()
