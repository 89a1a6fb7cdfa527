"""Dollars per million orders, from the measured calls, units, log bytes and CPU, by list prices.

Left out: cold starts, data transfer, storage, backups, requests to KMS, and standing costs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from benchmarks import figures
from benchmarks.systems import resources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Usage: TypeAlias = Mapping[str, float]
"""Amounts by service, in the units of its price."""

MILLION: Final = 1_000_000
REGION: Final = "US East (N. Virginia)"


class Price(NamedTuple):
    """What AWS charges for `amount` of a `unit`, in dollars.

    Free tiers and discounts for volume are left out. Of ap-southeast-1, the platform's default
    region, we found published prices for some services only.
    """

    us_east: float
    amount: float
    unit: str
    published: str
    singapore: float | None = None


PRICES: Final[Mapping[str, Price]] = {
    # Requests of up to 512 KB. https://aws.amazon.com/api-gateway/pricing/
    "HTTP API": Price(1.00, MILLION, "requests", "2026", 1.25),
    # Also on arm64. https://aws.amazon.com/lambda/pricing/
    "Lambda requests": Price(0.20, MILLION, "requests", "August 2026", 0.20),
    # On arm64.
    "Lambda time": Price(0.0000133334, 1, "GB-seconds", "August 2026", 0.0000133334),
    # On demand, since 2024-11-01. https://aws.amazon.com/dynamodb/pricing/on-demand/
    "DynamoDB writes": Price(0.625, MILLION, "write units", "July 2026"),
    "DynamoDB reads": Price(0.125, MILLION, "read units", "July 2026"),
    # Standard queues, requests of up to 64 KB. https://aws.amazon.com/sqs/pricing/
    "SQS": Price(0.40, MILLION, "requests", "June 2026"),
    # Bytes taken in, standard class. https://aws.amazon.com/cloudwatch/pricing/
    "CloudWatch Logs": Price(0.50, 1e9, "bytes", "2026", 0.70),
    # Traces recorded, in all regions. https://aws.amazon.com/xray/pricing/
    "X-Ray": Price(5.00, MILLION, "traces", "2026"),
}

ROUND_TRIP_MS: Final = 5.0
"""Assumed for each call of DynamoDB or SQS: AWS promises single-digit milliseconds for DynamoDB,
and a transaction takes longer than a read."""

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
MEMORY_OF_ONE_VCPU: Final = 1769

# https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html: besides one request a
# second, which is left out here.
TRACED: Final = 0.05

# The trigger's own: one ReceiveMessage and one DeleteMessage, because its batch is one message.
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


class Step(NamedTuple):
    """An operation and how often it happens in an order's life; `polled` by the queue's trigger."""

    operation: str
    times: int
    http: bool = False
    polled: bool = False


def life(*, paid_by_token: bool = False) -> tuple[Step, ...]:
    """An order is created, paid, shipped, and read five times; each change becomes an event.

    With a token the platform pays it when the first event comes, otherwise staff do by PATCH.
    """
    payment = (Step("payment by token", 1, polled=True),) if paid_by_token else ()
    return (
        Step("create with key", 1, http=True),
        Step("update with key", 2 - paid_by_token, http=True),
        Step("get", 3, http=True),
        Step("page of 20", 2, http=True),
        Step("publishing an event", 3),
        Step("event without token", 3 - paid_by_token, polled=True),
        *payment,
    )


def usage(step: Step, measured: Mapping[str, Any], cpu_ms: float, memory: int) -> Usage:
    """What one order uses in this step; `measured` is what `operations` kept of it."""
    calls: Mapping[str, int] = measured["calls"]
    sent = sum(count for name, count in calls.items() if name.startswith("SendMessage"))
    logged = measured["log_bytes"] + len(LAMBDA_LINES) + step.http * access_line_bytes()
    milliseconds = billed_ms(cpu_ms, sum(calls.values()), memory)
    once = {
        "HTTP API": int(step.http),
        "Lambda requests": 1,
        "Lambda time": memory / 1024 * milliseconds / 1000,
        "DynamoDB writes": measured["write_units"],
        "DynamoDB reads": measured["read_units"],
        "SQS": sent + POLLER_CALLS * step.polled,
        "CloudWatch Logs": logged,
        "X-Ray": TRACED,
    }
    return {service: amount * step.times for service, amount in once.items()}


def run_ms(cpu_ms: float, calls: int, memory: int) -> float:
    """CPU at the memory's share of a core, and waiting for calls."""
    return cpu_ms / min(1.0, memory / MEMORY_OF_ONE_VCPU) + calls * ROUND_TRIP_MS


def billed_ms(cpu_ms: float, calls: int, memory: int) -> int:
    """Whole milliseconds, as Lambda bills."""
    return ceil(run_ms(cpu_ms, calls, memory))


def memory_sizes() -> dict[str, int]:
    """Megabytes of each deployed function."""
    return {
        one["FunctionName"].removeprefix("orders-prod-"): one["MemorySize"]
        for one in resources("AWS::Lambda::Function")
    }


def total(usages: Iterable[Usage]) -> Usage:
    together: Counter[str] = Counter()
    for one in usages:
        together.update(one)
    return together


def dollars(used: Usage) -> dict[str, float]:
    """Per million orders, by service."""
    return {
        service: used[service] * price.us_east * MILLION / price.amount
        for service, price in PRICES.items()
    }


def access_line_bytes() -> int:
    """The line that the gateway logs for a request, as the deployment asks for it."""
    (stage,) = resources("AWS::ApiGatewayV2::Stage")
    form = stage["AccessLogSettings"]["Format"]
    return len(re.sub(r"\$context\.([\w.]+)", lambda name: ACCESS[name[1]], form)) + 1


def main() -> None:
    """Compute, print and keep it; the page on costs quotes the tables."""
    measured, functions, sizes = (
        figures.kept("operations"),
        figures.kept("functions"),
        memory_sizes(),
    )

    def usages(system: str, steps: Iterable[Step]) -> dict[Step, Usage]:
        """Behind the response everything is ours: the rival has no such functions.

        It gets the memory of our function for the same operation.
        """
        found = {}
        for step in steps:
            of = system if step.http else "ours"
            operation = measured[of][step.operation]
            # Of the function's own operation, the one with the least to do.
            function = operation["function"]
            cpu_ms = functions[of][function]["warm_cpu_ms"]
            found[step] = usage(step, operation, cpu_ms, sizes[function])
        return found

    lives = {
        "ours": usages("ours", life()),
        "typical": usages("typical", life()),
        "ours, paid by token": usages("ours", life(paid_by_token=True)),
    }
    tables = [*_services(lives), "", *_steps(lives["ours"]), "", *_prices()]
    lines = ["### Dollars per million orders", "", *_introduction(), "", *tables]
    values = {name: dollars(total(used.values())) for name, used in lives.items()}
    figures.keep("money", lines, {"region": REGION, **values})
    figures.quote(figures.ROOT / "docs" / "costs.md", "dollars", tables)


def _introduction() -> Iterator[str]:
    yield (
        "Created with a key, paid and shipped by staff with keys, read five times (three gets, two "
        "pages of 20); three events, each in an invocation of its own, which is the most expensive "
        f"case. List prices of {REGION}; a round trip to DynamoDB or SQS is assumed to take "
        f"{ROUND_TRIP_MS:g} ms, and CPU is this machine's at the share of a core that the "
        "function's memory buys. Typical has no functions behind the response, so ours are charged "
        "to both, and it gets the memory of our function for the same operation. A PATCH "
        "with a key is charged the CPU of one without, and a payment that of an event without a "
        "token, which is less than they need."
    )


def _services(lives: Mapping[str, Mapping[Step, Usage]]) -> Iterator[str]:
    ours, theirs, by_token = (total(used.values()) for used in lives.values())
    columns = [dollars(used) for used in (ours, theirs, by_token)]
    rows: list[Sequence[object]] = []
    for service, price in PRICES.items():
        abroad = price.singapore and ours[service] * price.singapore * MILLION / price.amount
        rows.append(
            (
                service,
                f"{_amount(ours[service])} {price.unit}",
                _amount(theirs[service]),
                *(f"{column[service]:.2f}" for column in columns),
                "?" if abroad is None else f"{abroad:.2f}",
            )
        )
    sums = (f"**{sum(column.values()):.2f}**" for column in columns)
    rows.append(("**Together**", "", "", *sums, ""))
    head = ("", "An order: ours", "typical", "$ per million orders: ours", "typical",
            "ours, paid by token", "ours in Singapore")  # fmt: skip
    return figures.table(head, rows)


def _steps(used: Mapping[Step, Usage]) -> Iterator[str]:
    groups = {
        "HTTP API": ("HTTP API",),
        "Lambda": ("Lambda requests", "Lambda time"),
        "Table": ("DynamoDB writes", "DynamoDB reads"),
        "SQS": ("SQS",),
        "Logs, traces": ("CloudWatch Logs", "X-Ray"),
        "$ together": tuple(PRICES),
    }
    rows = []
    for step, amounts in used.items():
        by = dollars(amounts)
        sums = (f"{sum(by[service] for service in group):.2f}" for group in groups.values())
        rows.append((step.operation, step.times, *sums))
    return figures.table(("Of ours", "times", *groups), rows)


def _prices() -> Iterator[str]:
    named = {1: "", MILLION: "million ", 1e9: "giga"}
    return figures.table(
        (f"List price, {REGION}", "$", "for", "as of"),
        (
            (service, f"{price.us_east:g}", named[price.amount] + price.unit, price.published)
            for service, price in PRICES.items()
        ),
    )


def _amount(amount: float) -> str:
    return f"{amount:,.0f}" if amount == round(amount) else f"{amount:.3f}"


if __name__ == "__main__":
    main()
