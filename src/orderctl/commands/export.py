"""`export`: orders for the book-keeper, as CSV or JSON lines."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from orderctl.app import AsJson, NothingToDo, Problem, Role, StageName, app, examples, needs
from orderctl.feed import READS_FEED, feed_delay, walk
from orderctl.order_records import line_records, order_records, write_csv, write_json_lines
from orderctl.stage import find_stage
from orderctl.terminal import Terminal
from orderctl.times import time_option
from orders.adapters.dynamodb import keys
from orders.application.errors import MalformedRow
from orders.domain.order import FIRST_VERSION
from orders.domain.order_id import OrderId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from typing import BinaryIO

    from orderctl.order_records import Record
    from orders.adapters.dynamodb.repository import DynamoDbOrders
    from orders.adapters.dynamodb.rows import Row
    from orders.adapters.dynamodb.table import Table

_BATCH: Final = 100
"""Orders that one BatchGetItem reads."""
_READERS: Final = 4
_BATCHES_AHEAD: Final = 2 * _READERS
_SHOW_EVERY: Final = 1000

_OF_CREATED: Final = "#" + keys.event(OrderId(""), FIRST_VERSION)["sk"].removeprefix(keys.EVENT)
"""The end of the feed's positions of events of this type."""


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


class Exported(NamedTuple):
    """An order's records; or why there are none."""

    order_id: OrderId
    records: Sequence[Record]
    problem: str | None = None


@app.command(
    epilog=examples(
        "export --from 2026-11-01 --to 2026-12-01 --output november.csv --stage prod",
        "export --from yesterday --to today --format jsonl --lines | jq .sku",
    )
)
@needs(Role.READER, READS_FEED | {"dynamodb:BatchGetItem": "the table"})
def export(
    since: Annotated[datetime, time_option("--from", "--since", what="Created then or later.")],
    until: Annotated[datetime, time_option("--to", "--until", what="Created before then.")],
    file_format: Annotated[
        Format | None,
        typer.Option("--format", case_sensitive=False, help="Default: csv; with --json: jsonl."),
    ] = None,
    stage_name: StageName = None,
    *,
    lines: Annotated[
        bool, typer.Option("--lines", help="A record per order line, not per order.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="A file, replaced at the end. Default: standard output."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write orders created in a period, oldest first, with amounts as decimals of their currency.

    With --lines, sum up lineAmount: amount is the whole order's, in each of its lines.
    """
    if output is not None and output.exists() and not output.is_file():
        raise typer.BadParameter(f"{output} isn't a regular file.", param_hint="--output")
    if as_json and file_format is Format.CSV:
        raise typer.BadParameter("--json writes JSON lines: leave out --format csv.")
    stage, terminal = find_stage(stage_name), Terminal(as_json=as_json)
    delay = feed_delay(stage)
    complete = stage.now() - delay
    if until > complete:
        terminal.note(
            f"Orders of the last {delay.seconds} s are left out: more may be on their way."
        )
    started = time.monotonic()
    exported = export_orders(stage.orders, since, min(until, complete), lines=lines)
    first = next(exported, None)
    if first is None:
        raise NothingToDo("No orders were created in that period: nothing was written.")
    unreadable = 0

    def records() -> Iterator[Record]:
        nonlocal unreadable
        # On a terminal that shows the orders themselves there is no room for it.
        progress = terminal.progress()
        progress.disable |= output is None and sys.stdout.isatty()
        with progress:
            task = progress.add_task("orders", total=None)
            for count, order in enumerate(chain([first], exported), start=1):
                if order.problem is not None:
                    unreadable += 1
                    terminal.note(order.problem)
                yield from order.records
                if count % _SHOW_EVERY == 0:
                    progress.update(task, completed=count)
        seconds = time.monotonic() - started
        terminal.note(f"{count - unreadable} orders in {seconds:.1f} s: {count / seconds:.0f}/s.")

    write = write_json_lines if as_json or file_format is Format.JSONL else write_csv
    with _destination(output) as file:
        write(records(), file)
    if unreadable:
        raise Problem(f"Orders that are left out, because they can't be read: {unreadable}.")


def export_orders(
    orders: DynamoDbOrders, since: datetime, until: datetime, *, lines: bool
) -> Iterator[Exported]:
    """All orders created from `since` (included) to `until` (not included), oldest first.

    They are found by their first events, which never change. So none is missed or repeated while
    statuses change. Reads some batches ahead, and no more.
    """
    read = line_records if lines else order_records
    ids = _created(orders, since, until)
    ahead: deque[Future[list[Exported]]] = deque()
    with ThreadPoolExecutor(_READERS) as threads:
        while batch := list(islice(ids, _BATCH)):
            ahead.append(threads.submit(_read, orders.table, batch, read))
            if len(ahead) > _BATCHES_AHEAD:
                yield from ahead.popleft().result()
        while ahead:
            yield from ahead.popleft().result()


def _created(orders: DynamoDbOrders, since: datetime, until: datetime) -> Iterator[OrderId]:
    for position, _ in walk(orders, "", since, until):
        if position.endswith(_OF_CREATED):
            yield OrderId(position.split("#")[1])


def _read(
    table: Table, order_ids: Sequence[OrderId], read: Callable[[Row], list[Record]]
) -> list[Exported]:
    wanted = {order_id: keys.detail(order_id) for order_id in order_ids}
    found = {row["pk"]: row for row in table.get_many([*wanted.values()])}
    exported = []
    for order_id, key in wanted.items():
        row = found.get(key["pk"])
        if row is None:
            exported.append(Exported(order_id, (), f"order {order_id} has no row"))
            continue
        try:
            exported.append(Exported(order_id, read(row)))
        except MalformedRow as error:
            exported.append(Exported(order_id, (), str(error)))
    return exported


@contextmanager
def _destination(output: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that gets its name when it is complete. Raises Problem."""
    try:
        if output is None:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
            return
        target = output.resolve()
        descriptor, name = mkstemp(dir=target.parent, prefix=f".{target.name}.")
        incomplete = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
            incomplete.replace(target)
        except BaseException:
            incomplete.unlink()
            raise
    except BrokenPipeError:
        raise
    except OSError as error:
        where = "Standard output" if output is None else output
        raise Problem(f"{where} can't be written: {error.strerror}.") from error
