"""The table's money is what was asked for, and the reports count it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from proof import oracle
from proof.checks.creates import Asked
from proof.checks.violations import Kind, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proof.checks.evidence import Evidence, Told
    from proof.history import Json


def check_money(evidence: Evidence) -> Iterator[Violation]:
    """Both ways, per currency: all that was accepted is there, and no more than that is.

    A request is accepted if its response says so, or if its outcome is unknown and its order
    exists.
    """
    accepted: Counter[str] = Counter()
    arrived: Counter[str] = Counter()
    short: dict[str, tuple[int, ...]] = {}
    for request, calls in evidence.creates.items():
        made = [life.detail for life in evidence.by_request.get(request, []) if life.detail]
        accepting = _accepting(calls, len(made))
        if not accepting:
            continue
        body = accepting[0].call.body or {}
        currency, amount = (
            str(body.get("currency")),
            oracle.amount_of(body["items"]) * len(accepting),
        )
        came = sum(detail["amount"] for detail in made if detail["currency"] == currency)
        accepted[currency] += amount
        arrived[currency] += came
        if came < amount:
            fewest = accepting[: len(made) + 1]
            short.setdefault(currency, tuple(told.id for told in fewest))
    for currency, shown in short.items():
        if arrived[currency] < accepted[currency]:
            detail = f"{accepted[currency]} {currency} accepted, {arrived[currency]} came of it"
            yield Violation(Kind.MONEY_MISSING, detail, None, shown)
    stored: Counter[str] = Counter()
    for life in evidence.lives.values():
        if life.detail:
            stored[life.detail["currency"]] += life.detail["amount"]
    for currency, amount in stored.items():
        if amount > accepted[currency]:
            detail = f"{amount} {currency} in the table, {accepted[currency]} accepted"
            yield Violation(Kind.MONEY_SURPLUS, detail)


def check_reports(evidence: Evidence) -> Iterator[Violation]:
    """The last report of each day counts the orders as they rest."""
    by_day: defaultdict[str, list[Json]] = defaultdict(list)
    for life in evidence.lives.values():
        if life.detail:
            by_day[life.detail["createdAt"][:10]].append(life.detail)
    reports = {report["date"]: report for report in evidence.history.reports if "orders" in report}
    for day in by_day.keys() - reports.keys():
        detail = f"no report of {day}, which has {len(by_day[day])} orders"
        yield Violation(Kind.REPORT_MISSING, detail)
    for day, report in reports.items():
        for name, found, counted in _differences(report, by_day[day]):
            detail = f"the report of {day} has {name} {found}, not {counted}"
            yield Violation(Kind.REPORT_DIFFERS, detail)


def _accepting(calls: list[Told], made: int) -> list[Told]:
    """The calls that an order has to have come of, as far as is known."""
    done, unknown = Asked.of(calls)
    return done + unknown[: max(0, made - len(done))]


def _differences(report: Json, orders: list[Json]) -> Iterator[tuple[str, object, object]]:
    counted = oracle.report_of(orders)
    for name in counted:
        if report[name] != counted[name]:
            yield name, report[name], counted[name]
    if report["leftOut"]:
        yield "leftOut", report["leftOut"], 0
