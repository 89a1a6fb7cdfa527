"""`report` and `make-report`: the daily reports, as a table and a plot; and one made again."""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from orderctl.amounts import shown
from orderctl.app import AsJson, NothingToDo, Problem, Role, StageName, Yes, app, examples, needs
from orderctl.operations import RECORDS, recorded
from orderctl.stage import find_stage
from orderctl.terminal import Terminal, visible
from orders.adapters.dynamodb.reports import DynamoDbReports
from orders.application.errors import MalformedRow
from orders.domain.money import MINOR_UNIT_DIGITS
from orders.domain.status import OrderStatus
from orders.http.bodies import DailyReportBody

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orders.domain.daily_report import DailyReport

_MAKING_SECONDS: Final = 330
"""More than the function's own timeout."""
_WIDTHS: Final = {
    "day": 10,
    "currency": 8,
    **{str(status): 8 for status in OrderStatus},
    "all": 8,
    "revenue": 12,
}
_PLOT_WIDTH: Final = 80
_PLOT_HEIGHT: Final = 12


def _day(text: str) -> date:
    today = datetime.now(UTC).date()
    if text in {"today", "yesterday"}:
        return today - timedelta(days=text == "yesterday")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text} isn't a valid date: use 2026-11-23, or yesterday."
        ) from error


@app.command(epilog=examples("report", "report --days 30 --stage prod"))
@needs(Role.READER, {"cloudformation:DescribeStacks": "the stack", "dynamodb:GetItem": "the table"})
def report(
    day: Annotated[
        date | None,
        typer.Argument(parser=_day, metavar="DATE", help="A UTC day. Default: yesterday."),
    ] = None,
    days: Annotated[
        int, typer.Option(min=1, max=366, help="So many days, DATE the last of them.")
    ] = 1,
    stage_name: StageName = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show daily reports, and plot them if they are of several days."""
    last = day or _day("yesterday")
    if last - date.min < timedelta(days=days - 1):
        raise typer.BadParameter(f"There are no {days} days up to {last}.", param_hint="--days")
    stage, terminal = find_stage(stage_name), Terminal(as_json=as_json)
    reports = DynamoDbReports(stage.table)
    wanted = [last - timedelta(days=ago) for ago in reversed(range(days))]
    found = {one: reports.get(one) for one in wanted}
    made = [one for one in found.values() if one is not None]
    missing = [one.isoformat() for one, its_report in found.items() if its_report is None]
    if not made:
        raise NothingToDo(
            f"There is no report for {last}: make it with {stage.command(f'make-report {last}')}"
            if days == 1
            else f"There is no report for any day from {wanted[0]} to {last}."
        )
    _show(made, terminal)
    if days > 1 and not as_json:
        for currency in sorted({one for its_report in made for one in its_report.orders}):
            for plot in _plots(found, currency):
                terminal.print(plot)
    if missing:
        terminal.note(f"No report for {', '.join(missing)}: {stage.command('make-report DATE')}")


@app.command(epilog=examples("make-report 2026-11-23", "make-report yesterday --stage prod --yes"))
@needs(
    Role.OPERATOR,
    {
        "cloudformation:DescribeStacks": "the stack",
        "dynamodb:GetItem": "the table",
        "lambda:InvokeFunction": "the report function",
        **RECORDS,
    },
)
def make_report(
    day: Annotated[
        date, typer.Argument(parser=_day, metavar="DATE", help="A UTC day, such as 2026-11-23.")
    ],
    stage_name: StageName = None,
    *,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Count a day's orders as they are now, in place of the report that there is."""
    stage, terminal = find_stage(stage_name), Terminal(as_json=as_json)
    if day > stage.now().date():
        raise typer.BadParameter(f"{day} has not begun, in UTC.", param_hint="DATE")
    reports = DynamoDbReports(stage.table)
    before = _made_at(reports, day)
    terminal.note(
        "There is no readable report for that day yet."
        if before is None
        else f"It replaces the report of {before:%Y-%m-%d %H:%M} UTC."
    )
    terminal.confirm(f"Make the report for {day} on {stage.name}?", yes=yes)
    with recorded(stage, "make-report", day=day.isoformat()):
        # Not waited for: it may take longer than a connection lasts.
        stage.client("lambda").invoke(
            FunctionName=f"{stage.stack}-daily-report",
            InvocationType="Event",
            Payload=json.dumps({"date": day.isoformat()}),
        )
        deadline = time.monotonic() + _MAKING_SECONDS
        while _made_at(reports, day) == before:
            if time.monotonic() > deadline:
                raise Problem(
                    f"The report is still not there: see the log of {stage.stack}-daily-report."
                )
            time.sleep(0.5)
    made = reports.get(day)
    _show([] if made is None else [made], terminal)


def _made_at(reports: DynamoDbReports, day: date) -> datetime | None:
    """None also for a report that can't be read, which a new one replaces."""
    with suppress(MalformedRow):
        if found := reports.get(day):
            return found.generated_at
    return None


def _show(reports: Sequence[DailyReport], terminal: Terminal) -> None:
    if terminal.as_json:
        for one in reports:
            terminal.json(msgspec.to_builtins(DailyReportBody.of(one)))
        return
    terminal.rows((row for one in reports for row in _rows(one)), _WIDTHS)
    reasons: Counter[str] = Counter()
    for one in reports:
        reasons.update(one.cancellation_reasons)
    if reasons:
        counts = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
        terminal.print(f"\nCanceled: {visible(counts)}")
    if left_out := sum(one.left_out for one in reports):
        terminal.print(f"Left out, because they could not be read: {left_out}")


def _rows(one: DailyReport) -> Iterator[dict[str, object]]:
    """One per currency."""
    if not one.orders:
        yield {"day": one.day, "all": 0}
    for currency, counts in sorted(one.orders.items()):
        yield {
            "day": one.day,
            "currency": currency,
            **{status: counts.get(status, 0) for status in OrderStatus},
            "all": sum(counts.values()),
            "revenue": shown(one.revenue.get(currency, 0), currency),
        }


def _plots(reports: Mapping[date, DailyReport | None], currency: str) -> Iterator[str]:
    """Revenue and orders per day in a currency; a day without a report is an empty one."""
    digits = MINOR_UNIT_DIGITS.get(currency, 0)
    revenue, orders = [], []
    for one in reports.values():
        revenue.append(one.revenue.get(currency, 0) / 10**digits if one else 0)
        orders.append(sum(one.orders.get(currency, {}).values()) if one else 0)
    labels = [f"{one:%m-%d}" for one in reports]
    if any(revenue):
        yield _plot(visible(f"Revenue per day in {currency}"), labels, revenue)
    yield _plot(visible(f"Orders per day in {currency}"), labels, orders)


def _plot(title: str, labels: Sequence[str], values: Sequence[float]) -> str:
    import plotext  # noqa: PLC0415 - no other command needs it

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(_PLOT_WIDTH, _PLOT_HEIGHT)
    plotext.title(title)
    plotext.bar(labels, values)
    return str(plotext.uncolorize(plotext.build()))
