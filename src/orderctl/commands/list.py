"""`list`: orders by status, customer and time."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from orderctl.amounts import Amount, parse_amount, shown
from orderctl.app import AsJson, Problem, Role, StageName, app, examples, needs
from orderctl.stage import find_stage, read_customer
from orderctl.terminal import Terminal
from orderctl.times import time_option
from orders.domain import timestamps
from orders.domain.customer_id import CustomerId
from orders.domain.order_id import IdRange
from orders.domain.order_number import order_number
from orders.domain.status import OrderStatus
from orders.http.bodies import OrderSummaryBody

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orders.adapters.dynamodb.repository import DynamoDbOrders
    from orders.application.paging import Found
    from orders.domain.order import OrderSummary
    from orders.domain.order_id import OrderId

PAGE: Final = 200
_WIDTHS: Final = {
    "number": 16,
    "id": 36,
    "status": max(map(len, OrderStatus)),
    "amount": 12,
    "customer": 36,
    "created": 24,
}


@app.command(
    "list",
    epilog=examples(
        "list --status PENDING --to 2h",
        "list --from yesterday --to today --over 100USD --all --stage prod",
    ),
)
@needs(Role.READER, {"cloudformation:DescribeStacks": "the stack", "dynamodb:Query": "the index"})
def list_orders(
    *,
    status: Annotated[
        OrderStatus | None,
        typer.Option(
            case_sensitive=False,
            metavar="STATUS",
            help=f"Only those at this status: {', '.join(OrderStatus)}.",
        ),
    ] = None,
    customer: Annotated[
        CustomerId | None,
        typer.Option(parser=read_customer, metavar="CUSTOMER", help="Only those of this customer."),
    ] = None,
    since: Annotated[
        datetime | None, time_option("--from", "--since", what="Created then or later.")
    ] = None,
    until: Annotated[
        datetime | None, time_option("--to", "--until", what="Created before then.")
    ] = None,
    over: Annotated[
        Amount | None,
        typer.Option(
            parser=parse_amount,
            metavar="AMOUNT",
            help="Only those of more than this, in its currency: 100USD.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="However many there are.")] = False,
    stage_name: StageName = None,
    as_json: AsJson = False,
) -> None:
    """Show orders, newest first."""
    ids = IdRange.all()
    if since is not None:
        ids = ids.created_from(timestamps.to_milliseconds(since))
    if until is not None:
        ids = ids.created_before(timestamps.to_milliseconds(until))
    orders = find_stage(stage_name).orders
    terminal = Terminal(as_json=as_json)
    unreadable = 0

    def matching() -> Iterator[OrderSummary]:
        nonlocal unreadable
        statuses = tuple(OrderStatus) if status is None else (status,)
        for _, order in (
            newest_first(orders, statuses, ids)
            if customer is None
            else newest_first_of(orders, customer, ids)
        ):
            if order is None:
                unreadable += 1  # it is logged on standard error
            elif status in {None, order.status} and (over is None or _is_over(order, over)):
                yield order

    row = _as_json if as_json else _as_row
    count = terminal.rows(map(row, islice(matching(), None if everything else limit)), _WIDTHS)
    if count == 0:
        terminal.note("No such order.")
    elif count == limit and not everything:
        terminal.note(f"The newest {limit}. There may be more: --limit or --all shows them.")
    if unreadable:
        raise Problem(f"Orders that can't be read, and are left out: {unreadable}. See above.")


def newest_first(
    orders: DynamoDbOrders, statuses: Sequence[OrderStatus], ids: IdRange
) -> Iterator[Found[OrderSummary, OrderId]]:
    """Orders in any of the statuses, which are given in the order of the life of an order.

    An order that changes its status meanwhile is neither missed nor repeated: of each stretch of
    time, earlier statuses are read before later ones.
    """
    while True:
        stretch: dict[OrderId, Found[OrderSummary, OrderId]] = {}
        reached: OrderId | None = None
        for status in statuses:
            page = orders.list_by_status(status, ids, newest_first=True, limit=PAGE)
            stretch |= {one.position: one for one in page}
            if len(page) == PAGE:
                reached = max(reached or page[-1].position, page[-1].position)
        for order_id in sorted(stretch, reverse=True):
            if reached is None or order_id >= reached:
                yield stretch[order_id]
        if reached is None:
            return
        ids = ids.before(reached)


def newest_first_of(
    orders: DynamoDbOrders, customer: CustomerId, ids: IdRange
) -> Iterator[Found[OrderSummary, OrderId]]:
    """A customer's orders."""
    while True:
        page = orders.list_by_customer(
            customer, ids, newest_first=True, limit=PAGE, consistent=False
        )
        yield from page
        if len(page) < PAGE:
            return
        ids = ids.before(page[-1].position)


def _is_over(order: OrderSummary, least: Amount) -> bool:
    return order.currency == least.currency and order.amount > least.minor_units


def _as_json(order: OrderSummary) -> dict[str, Any]:
    summary: dict[str, Any] = msgspec.to_builtins(OrderSummaryBody.of(order))
    return summary


def _as_row(order: OrderSummary) -> dict[str, str]:
    return {
        "number": order_number(order.order_id),
        "id": order.order_id,
        "status": order.status,
        "amount": shown(order.amount, order.currency),
        "customer": order.customer_id,
        "created": timestamps.to_text(order.created_at),
    }
