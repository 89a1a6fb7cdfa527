"""Dollars per million orders, from the measured calls, units, log bytes and CPU, by list prices.

Left out: cold starts, data transfer, storage, backups, requests to KMS, and what stands still.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from benchmarks import figures
from benchmarks.prices import (
    HTTP_API,
    LAMBDA_REQUESTS,
    LAMBDA_TIME,
    LOGS,
    PRICED_FOR,
    PUBLISHED,
    READS,
    REGION,
    SINGAPORE,
    SQS,
    TRACES,
    UNITS,
    US_EAST,
    WRITES,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.prices import Prices

Usage: TypeAlias = Mapping[str, float]
"""Amounts by service, in the units of its price."""

Cpu: TypeAlias = Mapping[str, float]
"""Milliseconds of CPU of a warm request, by function, on this machine."""

MILLION: Final = 1_000_000

ROUND_TRIP_MS: Final = 5.0
"""Assumed, for each call of DynamoDB or SQS: AWS promises single-digit milliseconds for DynamoDB,
and a transaction takes longer than a read."""

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MEMORY_OF_ONE_VCPU: Final = 1769
MEMORY_SIZES: Final = (256, 512, 1024, 1769)

# https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html: besides one request a
# second, which is left out here.
TRACED: Final = 0.05

# The trigger's own, with the smallest batch: one ReceiveMessage and one DeleteMessage. Under load a
# batch has up to ten messages.
POLLER_CALLS: Final = 2

# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html
LAMBDA_LINES: Final = (
    "START RequestId: 8f507cfc-1b2d-4697-b07a-ac58fc914c95 Version: $LATEST\n"
    "END RequestId: 8f507cfc-1b2d-4697-b07a-ac58fc914c95\n"
    "REPORT RequestId: 8f507cfc-1b2d-4697-b07a-ac58fc914c95\tDuration: 15.74 ms\t"
    "Billed Duration: 16 ms\tMemory Size: 512 MB\tMax Memory Used: 99 MB\t\n"
)
# What stands for each variable of the gateway's own line.
ACCESS: Final = {
    "requestId": "JKJaXmPLvHcESHA=",
    "requestTime": "23/Nov/2026:12:00:00 +0000",
    "routeKey": "GET /customers/{customerId}/orders",
    "status": "200",
    "responseLatency": "25",
    "integrationErrorMessage": "-",
    "authorizer.error": "-",
    "identity.sourceIp": "192.0.2.101",
}


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens so many times in an order's life; `polled` by the queue's trigger."""

    operation: str
    function: str
    times: int
    http: bool = False
    polled: bool = False


def life(*, paid_by_token: bool = False) -> tuple[Step, ...]:
    """An order is made, paid, shipped, and read five times; each change becomes an event.

    By token the platform pays it when the first event comes, otherwise staff do by PATCH.
    """
    create = Step("create with key", "create-order", 1, http=True)
    change = Step("update with key", "update-order", 1 if paid_by_token else 2, http=True)
    reads = (
        Step("get", "get-order", 3, http=True),
        Step("page of 20", "list-customer-orders", 2, http=True),
    )
    events = (
        Step("publishing an event", "publish-order-events", 3),
        Step("event without token", "settle-payments", 3 - paid_by_token, polled=True),
    )
    payment = Step("payment by token", "settle-payments", 1, polled=True)
    return (create, change, *reads, *events, *((payment,) if paid_by_token else ()))


def usage(step: Step, measured: Mapping[str, Any], cpu_ms: float, memory: int) -> Usage:
    """Of one order in this step; `measured` is what `operations` kept of it."""
    calls: Mapping[str, int] = measured["calls"]
    sent = sum(count for name, count in calls.items() if name.startswith("SendMessage"))
    logged = measured["log_bytes"] + len(LAMBDA_LINES.encode())
    if step.http:
        logged += access_line_bytes()
    once = {
        HTTP_API: int(step.http),
        LAMBDA_REQUESTS: 1,
        LAMBDA_TIME: gb_seconds(billed_ms(cpu_ms, sum(calls.values()), memory), memory),
        WRITES: measured["write_units"],
        READS: measured["read_units"],
        SQS: sent + POLLER_CALLS * step.polled,
        LOGS: logged,
        TRACES: TRACED,
    }
    return {service: amount * step.times for service, amount in once.items()}


def billed_ms(cpu_ms: float, calls: int, memory: int) -> int:
    """Whole milliseconds, as Lambda bills: CPU at the memory's share of a core, and waiting."""
    share = min(1.0, memory / MEMORY_OF_ONE_VCPU)
    return ceil(cpu_ms / share + calls * ROUND_TRIP_MS)


def gb_seconds(milliseconds: float, memory: int) -> float:
    return memory / 1024 * milliseconds / 1000


def total(usages: Iterable[Usage]) -> Usage:
    together: Counter[str] = Counter()
    for one in usages:
        together.update(one)
    return together


def dollars(used: Usage, prices: Prices) -> dict[str, float]:
    """Per million orders, by service; those without a price are left out."""
    return {
        service: used[service] * price * MILLION
        for service, price in prices.items()
        if service in used
    }


def access_line_bytes() -> int:
    """Of the line that the gateway logs for a request, as serverless.yml asks for it."""
    form = re.search(r"^ +format: '(.*)'$", _serverless(), re.MULTILINE)
    if form is None:
        raise LookupError("serverless.yml has no access log")
    return len(re.sub(r"\$context\.([\w.]+)", lambda name: ACCESS[name[1]], form[1])) + 1


def memory_size() -> int:
    """Of the functions, in megabytes."""
    found = re.search(r"^ +memorySize: (\d+)$", _serverless(), re.MULTILINE)
    if found is None:
        raise LookupError("serverless.yml has no memorySize")
    return int(found[1])


def main() -> None:
    """Compute, print and keep it; the page on costs quotes it, if CPU was measured."""
    measured = figures.kept("operations")
    cpu, missing = _cpu()
    lives = {
        "ours": _usages("ours", life(), measured, cpu),
        "typical": _usages("typical", life(), measured, cpu),
        "ours, paid by token": _usages("ours", life(paid_by_token=True), measured, cpu),
    }
    items = {name: dollars(total(used.values()), US_EAST) for name, used in lives.items()}
    memories = {size: _create_at(size, measured, cpu) for size in MEMORY_SIZES}
    values = {
        "region": REGION,
        "cpu_is_missing_of": missing,
        **{name: {"items": by, "total": sum(by.values())} for name, by in items.items()},
        "memory": {str(size): row for size, row in memories.items()},
    }
    table = list(_services(lives, items))
    lines = ["### Dollars per million orders", "", *_introduction(missing), *table]
    lines += ["", *_steps(lives["ours"]), "", *_prices(), "", *_memories(memories)]
    figures.keep("money", lines, values)
    if not missing:
        page = figures.ROOT / "docs" / "costs.md"
        figures.quote(page, "dollars", [*table, "", *_steps(lives["ours"]), "", *_prices()])


def _cpu() -> tuple[dict[str, Cpu], list[str]]:
    """By system; and what is not known, which counts as nothing.

    What happens behind the response is ours for both: the rival has no such functions.
    """
    file = figures.KEPT / "functions.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    cpu: dict[str, dict[str, float]] = {"ours": {}, "typical": {}}
    missing = []
    for step in life():
        for system, known in cpu.items():
            source = system if step.http else "ours"
            figure = kept.get(source, {}).get(step.function, {}).get("warm_cpu_ms")
            if figure is None and f"{source} {step.function}" not in missing:
                missing.append(f"{source} {step.function}")
            known[step.function] = figure or 0.0
    return dict(cpu), missing


def _usages(
    system: str, steps: Iterable[Step], measured: Mapping[str, Any], cpu: Mapping[str, Cpu]
) -> dict[Step, Usage]:
    memory = memory_size()
    return {
        step: usage(
            step,
            measured[system if step.http else "ours"][step.operation],
            cpu[system][step.function],
            memory,
        )
        for step in steps
    }


def _create_at(
    memory: int, measured: Mapping[str, Any], cpu: Mapping[str, Cpu]
) -> dict[str, dict[str, float]]:
    """Milliseconds, and dollars of Lambda per million creates."""
    rows = {}
    for system in ("ours", "typical"):
        calls = sum(measured[system]["create with key"]["calls"].values())
        billed = billed_ms(cpu[system]["create-order"], calls, memory)
        price = gb_seconds(billed, memory) * US_EAST[LAMBDA_TIME] + US_EAST[LAMBDA_REQUESTS]
        rows[system] = {"ms": billed, "dollars": price * MILLION}
    return rows


def _introduction(missing: list[str]) -> Iterator[str]:
    yield (
        "Created with a key, paid and shipped by staff with keys, read five times (three gets, two "
        "pages of 20); three events, each in an invocation of its own, "
        f"which is the dearest case. List prices of {REGION}; a round trip to DynamoDB or SQS is "
        f"assumed to take {ROUND_TRIP_MS:g} ms, and CPU is this machine's at the share of a core "
        f"that {memory_size()} MB buy. Typical has no functions behind the response, so ours are "
        "charged to both. A PATCH with a key is charged the CPU of one without, and a payment that "
        "of an event without a token, which is less than they need."
    )
    yield ""
    if missing:
        yield (
            f"**CPU was not measured of: {', '.join(missing)}.** It counts as nothing here. Run "
            "`benchmarks.functions` first."
        )
        yield ""


def _services(
    lives: Mapping[str, Mapping[Step, Usage]], items: Mapping[str, Mapping[str, float]]
) -> Iterator[str]:
    ours = total(lives["ours"].values())
    theirs = total(lives["typical"].values())
    abroad = dollars(ours, SINGAPORE)
    yield (
        "| | An order: ours | typical | $ per million orders: ours | typical "
        "| ours, paid by token | ours in Singapore |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for service in US_EAST:
        yield _row(
            service,
            f"{_amount(ours[service])} {UNITS[service]}",
            _amount(theirs[service]),
            *(f"{by[service]:.2f}" for by in items.values()),
            f"{abroad[service]:.2f}" if service in abroad else "?",
        )
    sums = (f"**{sum(by.values()):.2f}**" for by in items.values())
    yield _row("**Together**", "", "", *sums, "")


def _steps(used: Mapping[Step, Usage]) -> Iterator[str]:
    yield "| Of ours | times | HTTP API | Lambda | Table | SQS | Logs, traces | $ together |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for step, amounts in used.items():
        by = dollars(amounts, US_EAST)
        columns = (
            by[HTTP_API],
            by[LAMBDA_REQUESTS] + by[LAMBDA_TIME],
            by[WRITES] + by[READS],
            by[SQS],
            by[LOGS] + by[TRACES],
            sum(by.values()),
        )
        yield _row(step.operation, step.times, *(f"{amount:.2f}" for amount in columns))


def _prices() -> Iterator[str]:
    yield f"| List price, {REGION} | $ | for | as of |"
    yield "|---|--:|---|---|"
    for service, price in US_EAST.items():
        amount, unit = PRICED_FOR[service]
        yield _row(service, f"{price * amount:g}", unit, PUBLISHED[service])


def _memories(memories: Mapping[int, Mapping[str, Mapping[str, float]]]) -> Iterator[str]:
    yield "### Memory size, for `POST /orders` with a key"
    yield ""
    yield (
        "| MB | Share of a core | Billed ms: ours | typical "
        "| Lambda, $ per million: ours | typical |"
    )
    yield "|--:|--:|--:|--:|--:|--:|"
    for size, rows in memories.items():
        yield _row(
            size,
            f"{min(1, size / MEMORY_OF_ONE_VCPU):.2f}",
            *(f"{row['ms']:.0f}" for row in rows.values()),
            *(f"{row['dollars']:.2f}" for row in rows.values()),
        )


def _amount(amount: float) -> str:
    return f"{amount:,.0f}" if amount == round(amount) else f"{amount:.3f}"


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _serverless() -> str:
    return (figures.ROOT / "serverless.yml").read_text()


if __name__ == "__main__":
    main()
