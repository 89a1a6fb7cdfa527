"""`restore`: rows brought back from a table that point-in-time recovery restored."""

from __future__ import annotations

import heapq
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby, islice
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, TypeVar

import typer
from botocore.exceptions import ClientError, ParamValidationError

from orderctl.app import AsJson, NothingToDo, Problem, Role, StageName, Yes, app, examples, needs
from orderctl.operations import RECORDS, recorded
from orderctl.restoring import Found, Kind, compare
from orderctl.stage import find_stage, read_customer, read_order
from orderctl.terminal import Terminal
from orders.adapters.aws.client import pause
from orders.adapters.dynamodb import keys
from orders.adapters.dynamodb.errors import ConditionFailed
from orders.adapters.dynamodb.values import from_typed, to_typed
from orders.application.errors import TryAgain
from orders.domain.order_id import OrderId, parse_order_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from orderctl.restoring import Comparison, Plan
    from orderctl.stage import Stage
    from orders.adapters.dynamodb.rows import Row
    from orders.adapters.dynamodb.table import Operation, Table
    from orders.domain.customer_id import CustomerId

Item = TypeVar("Item")
Result = TypeVar("Result")

_NEEDS: Final = {
    "cloudformation:DescribeStacks": "the stack",
    "dynamodb:DescribeTable": "a restored table",
    "dynamodb:Scan": "a restored table",
    "dynamodb:Query": "the table and a restored table",
    "dynamodb:GetItem": "the table",
    "dynamodb:PutItem": "the table",
    "dynamodb:DeleteItem": "the table",
    "dynamodb:ConditionCheckItem": "the table",
    **RECORDS,
}

_THREADS: Final = 16
_AT_ONCE: Final = 8 * _THREADS
"""Orders in memory."""
_ATTEMPTS: Final = 10
"""For one order: a change of it meanwhile costs one, and so does a throttled table."""
_EXAMPLES: Final = 10
_MOST_WRITES: Final = 99
"""In one transaction, beside the check of the order's own row."""
_PRIMARY_KEY: Final = {"pk": "HASH", "sk": "RANGE"}


@app.command(
    epilog=examples(
        "restore --from orders_app-restored --order 1JN1-4SFY-ZRFG-G",
        "restore --from orders_app-test-restored --all --stage test --yes",
    )
)
@needs(Role.OPERATOR, _NEEDS)
def restore(
    source: Annotated[
        str, typer.Option("--from", metavar="TABLE", help="The table to bring rows back from.")
    ],
    order: Annotated[
        str | None, typer.Option(metavar="ORDER", help="One order, by id or number.")
    ] = None,
    customer: Annotated[
        str | None, typer.Option(metavar="CUSTOMER", help="A customer's orders.")
    ] = None,
    stage_name: StageName = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All orders of the other table.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Bring back lost rows, from a table that point-in-time recovery restored.

    Compares first, shows what it found, and asks. Then writes what is missing, older or damaged,
    all rows of an order together, and leaves what is newer.
    """
    if sum([order is not None, customer is not None, every]) != 1:
        raise typer.BadParameter("Give one of --order, --customer and --all.")
    customer_id = None if customer is None else read_customer(customer)
    order_id = None if order is None else read_order(order)
    stage, terminal = find_stage(stage_name), Terminal(as_json=as_json)
    tables = _Tables(stage.client("dynamodb"), stage.table, _find_backup(stage, source))
    if order_id:
        wanted: Iterable[_Order] = [_Order(order_id)]
    else:
        wanted = tables.orders_of(customer_id) if customer_id else tables.all_orders()
    with tempfile.TemporaryFile("w+") as affected:
        survey = _Survey()
        _look(tables, wanted, survey, terminal, lambda one: print(one, file=affected))
        survey.show(terminal)
        where = f"from {tables.backup.name} to {tables.live.name} on {stage.name}"
        survey.ask(where, terminal, yes=yes)
        affected.seek(0)
        orders = (OrderId(line.rstrip()) for line in affected)
        what = {"from": tables.backup.name, "what": order_id or ("all" if every else "customer")}
        with recorded(stage, "restore", **what) as counts:
            _restore(tables, orders, survey, counts, terminal)
    done = f"Restored (rows: {counts['rows']}, orders: {counts['orders']})."
    if counts["incomplete"]:
        raise Problem(f"{done} Still incomplete, see above (orders: {counts['incomplete']}).")
    terminal.print(done)


class _Order(NamedTuple):
    order_id: OrderId
    saved: tuple[Row, ...] | None = None
    """Its rows in the backup, if they were read already."""


class _Tables(NamedTuple):
    """The live table, and the one beside it."""

    client: Any
    live: Table
    backup: Table

    def all_orders(self) -> Iterator[_Order]:
        """Those of the backup."""
        pages = self.client.get_paginator("scan").paginate(
            TableName=self.backup.name,
            FilterExpression="begins_with(pk, :order)",
            ExpressionAttributeValues={":order": {"S": keys.ORDER}},
        )
        rows = (from_typed(row) for page in pages for row in page["Items"])
        for partition, group in groupby(rows, key=lambda row: str(row["pk"])):
            if order_id := parse_order_id(partition.removeprefix(keys.ORDER)):
                yield _Order(order_id, tuple(group))

    def orders_of(self, customer_id: CustomerId) -> Iterator[_Order]:
        """Those that either table lists."""
        listed = (
            table.query(
                keys.customer_partition(customer_id), keys.ORDER, f"{keys.ORDER}~", consistent=True
            )
            for table in (self.live, self.backup)
        )
        for sort_key, _ in groupby(heapq.merge(*listed, key=_sort_key), key=_sort_key):
            if order_id := parse_order_id(sort_key.removeprefix(keys.ORDER)):
                yield _Order(order_id)

    def compare(self, order: _Order) -> Plan:
        saved = order.saved
        if saved is None:
            saved = tuple(_partition(self.backup, order.order_id))
        live = _partition(self.live, order.order_id)
        return compare(order.order_id, _by_sort_key(live), _by_sort_key(saved), self.live.get)

    def look(self, order: _Order) -> tuple[OrderId, Plan]:
        """What is to be restored. Raises TryAgain."""

        def compared() -> Plan:
            plan = self.compare(order)
            if plan.writes or plan.problems:
                # A change between two reads looks like a fault, but hardly twice.
                plan = self.compare(_Order(order.order_id))
            return plan

        return order.order_id, _patiently(compared)

    def restore(self, order_id: OrderId) -> tuple[OrderId, Plan]:
        """Write what is to be restored now; returns it. Raises TryAgain."""

        def written() -> Plan:
            plan = self.compare(_Order(order_id))
            try:
                self._write(plan)
            except ConditionFailed as error:
                raise TryAgain from error
            return plan

        return order_id, _patiently(written)

    def _write(self, plan: Plan) -> None:
        """All or nothing up to the most writes of a transaction. Raises ConditionFailed."""
        writes = plan.writes
        for start in range(0, len(writes), _MOST_WRITES):
            together = writes[start : start + _MOST_WRITES]
            operations: list[Operation] = [self._operation(row) for row in together]
            own = plan.rows[-1]
            if together[-1] is not own:
                check = {"TableName": self.live.name, "Key": to_typed(own.key)}
                operations.append({"ConditionCheck": check | _as_compared(own)})
            self.live.write(*operations)

    def _operation(self, row: Comparison) -> Operation:
        if row.restored:
            return {"Put": self.live.put(row.restored)["Put"] | _as_compared(row)}
        place = {"TableName": self.live.name, "Key": to_typed(row.key)}
        return {"Delete": place | _as_compared(row)}


class _Survey:
    """What was found, in numbers and examples."""

    def __init__(self) -> None:
        self.compared = 0
        self.affected = 0
        self.incomplete = 0
        self.found: Counter[tuple[Kind, Found]] = Counter()
        self.events = 0
        self.rows = 0
        self.examples: list[str] = []

    def add(self, order_id: OrderId, plan: Plan) -> None:
        self.compared += 1
        self.found.update((row.kind, row.found) for row in plan.rows)
        self.incomplete += bool(plan.problems)
        if writes := plan.writes:
            self.affected += 1
            self.rows += len(writes)
            self.events += sum(row.kind is Kind.EVENT and row.live is None for row in writes)
            if len(self.examples) < _EXAMPLES:
                what = ", ".join(f"{_name(row)} {row.found}" for row in writes)
                self.examples.append(f"{order_id}: {what}")

    def show(self, terminal: Terminal) -> None:
        """For people, the number of rows of each kind."""
        if terminal.as_json or not self.found:
            return
        lines = (
            {"rows": found, **{str(kind): self.found[kind, found] for kind in Kind}}
            for found in Found
        )
        terminal.rows(lines, {"rows": 8} | {str(kind): len(kind) for kind in Kind})
        for line in self.examples:
            terminal.print(line)
        if more := self.affected - len(self.examples):
            terminal.print(f"… and more (orders: {more})")

    def ask(self, where: str, terminal: Terminal, *, yes: bool) -> None:
        """Raises NothingToDo, Problem."""
        if self.affected:
            if self.events:
                terminal.note(f"Events to be published again, under their ids: {self.events}.")
            question = f"Restore {where} (rows: {self.rows}, orders: {self.affected})?"
            terminal.confirm(question, yes=yes)
        elif self.incomplete:
            raise Problem(f"Not restorable from there, see above (orders: {self.incomplete}).")
        else:
            raise NothingToDo(
                f"Nothing is missing, older or damaged (orders compared: {self.compared})."
            )


def _find_backup(stage: Stage, name: str) -> Table:
    """The other table. Raises Problem: it is none to restore from."""
    if name.rpartition("/")[2] == stage.table.name:
        raise Problem(f"{name} is the live table itself: restore it under another name.")
    try:
        described = stage.client("dynamodb").describe_table(TableName=name)["Table"]
    except (ClientError, ParamValidationError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] not in {
            "ResourceNotFoundException",
            "ValidationException",
        }:
            raise
        raise Problem(
            f'There is no table "{name}" in this account and region. See '
            "docs/runbook.md#restoring-data for how to make it."
        ) from error
    table = stage.table._replace(name=described["TableName"])
    if {one["AttributeName"]: one["KeyType"] for one in described["KeySchema"]} != _PRIMARY_KEY:
        raise Problem(f"{table.name} does not hold orders: its key is not pk and sk.")
    if not _is_copy(described, stage):
        raise Problem(
            f"{table.name} was not restored from {stage.table.name}, the table of {stage.name}: "
            "check --from and --stage."
        )
    if described["TableStatus"] != "ACTIVE":
        raise Problem(f"{table.name} is {described['TableStatus']}: wait until it is ACTIVE.")
    return table


def _is_copy(described: Mapping[str, Any], stage: Stage) -> bool:
    """Whether point-in-time recovery made the table from the stage's own; by name if AWS is silent.

    Otherwise people of one stage would be copied to another.
    """
    live = stage.table.name
    _, partition, _, region, account, *_ = stage.description["StackId"].split(":")
    own = f"arn:{partition}:dynamodb:{region}:{account}:table/"
    if not described["TableArn"].startswith(own):
        return False
    if summary := described.get("RestoreSummary"):
        return bool(summary.get("SourceTableArn") == own + live)
    return bool(described["TableName"].startswith(f"{live}-restored"))


def _look(
    tables: _Tables,
    wanted: Iterable[_Order],
    survey: _Survey,
    terminal: Terminal,
    keep: Callable[[OrderId], None],
) -> None:
    with terminal.progress() as progress:
        task = progress.add_task("Comparing", total=None)
        for order_id, plan in _in_parallel(tables.look, wanted):
            survey.add(order_id, plan)
            if plan.problems:
                _print_problems(order_id, plan, terminal)
            if plan.writes:
                keep(order_id)
            progress.advance(task)


def _restore(
    tables: _Tables,
    orders: Iterable[OrderId],
    survey: _Survey,
    counts: dict[str, int],
    terminal: Terminal,
) -> None:
    counts |= {"orders": 0, "rows": 0, "incomplete": survey.incomplete}
    counting = Lock()

    def one(order_id: OrderId) -> tuple[OrderId, Plan]:
        _, plan = tables.restore(order_id)
        with counting:
            counts["orders"] += bool(plan.writes)
            counts["rows"] += len(plan.writes)
        return order_id, plan

    with terminal.progress() as progress:
        task = progress.add_task("Restoring", total=survey.affected)
        for order_id, plan in _in_parallel(one, orders):
            if not plan.rows:  # it was complete when it was compared
                counts["incomplete"] += 1
                _print_problems(order_id, plan, terminal)
            elif terminal.as_json:
                rows = [{"row": _name(row), "found": row.found} for row in plan.writes]
                terminal.json({"orderId": order_id, "state": "restored", "rows": rows})
            progress.advance(task)


def _print_problems(order_id: OrderId, plan: Plan, terminal: Terminal) -> None:
    terminal.print(f"{order_id}: {'; '.join(plan.problems)}")
    if terminal.as_json:
        terminal.json({"orderId": order_id, "state": "incomplete", "problems": plan.problems})


def _name(row: Comparison) -> str:
    version = row.key["sk"].removeprefix(keys.EVENT).lstrip("0")
    return f"{row.kind} {version}" if row.kind is Kind.EVENT else str(row.kind)


def _as_compared(row: Comparison) -> dict[str, Any]:
    """The condition that the row is still as it was read."""
    if row.live is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    names, values, terms = {}, {}, []
    for number, name in enumerate(sorted({*row.live, *(row.restored or ())})):
        names[f"#{number}"] = name
        if name not in row.live:
            terms.append(f"attribute_not_exists(#{number})")
            continue
        try:
            values[f":{number}"] = to_typed({name: row.live[name]})[name]
            terms.append(f"#{number} = :{number}")
        except TypeError:  # a damaged value, of a type that no row has
            terms.append(f"attribute_exists(#{number})")
    return {
        "ConditionExpression": " AND ".join(terms),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def _partition(table: Table, order_id: OrderId) -> Iterator[Row]:
    first, last = keys.charge(order_id), keys.reservation(order_id)
    return table.query(first["pk"], first["sk"], last["sk"], consistent=True)


def _by_sort_key(rows: Iterable[Row]) -> dict[str, Row]:
    return {row["sk"]: row for row in rows}


def _sort_key(row: Row) -> str:
    return str(row["sk"])


def _patiently(act: Callable[[], Result]) -> Result:
    """Raises TryAgain: none of the attempts was better."""
    for attempt in range(1, _ATTEMPTS):
        try:
            return act()
        except TryAgain:
            pause(attempt)
    return act()


def _in_parallel(act: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """In the order of the items, some of which are in memory at a time."""
    remaining = iter(items)
    with ThreadPoolExecutor(_THREADS) as threads:
        while together := list(islice(remaining, _AT_ONCE)):
            yield from threads.map(act, together)
