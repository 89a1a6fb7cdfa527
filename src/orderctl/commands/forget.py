"""`forget`: takes a customer out of their orders and events, for good."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from orderctl.app import AsJson, NothingToDo, Problem, Role, StageName, Yes, app, examples, needs
from orderctl.forgetting import find_orders, forget_order, listed_orders
from orderctl.operations import RECORDS, recorded
from orderctl.stage import find_stage, read_customer
from orderctl.terminal import Terminal
from orders.application.errors import MalformedRow, TryAgain
from orders.domain import timestamps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from orderctl.stage import Stage
    from orders.domain.customer_id import CustomerId
    from orders.domain.order import Order

_STREAM: Final = timedelta(hours=24)
_QUEUE: Final = timedelta(days=4)
_DEAD_LETTERS: Final = timedelta(days=14)

Kept = dict[str, tuple[timedelta | None, str]]
"""For how long at most, None for good, and in what."""

KEPT: Final[Kept] = {
    "idempotency records": (
        timedelta(hours=24),
        "responses to keyed requests; DynamoDB deletes them within days",
    ),
    "stream": (_STREAM, "the rows as they were"),
    "queues": (_STREAM + _QUEUE, "events that are not yet consumed"),
    "dead-letter queues": (_STREAM + _QUEUE + _DEAD_LETTERS, "events that nothing could process"),
    "point-in-time recovery": (timedelta(days=35), "the table as it was"),
}
"""What keeps the customer after `forget`."""

ACCESS_LOG: Final = "/aws/http-api/"
"""Followed by the stack's name, the log group of API Gateway."""

_UNPAID: Final = timedelta(days=15)
"""The daily task cancels what is PENDING for 14 days, which removes the payment token."""


@app.command(epilog=examples("forget cus_42", "forget cus_42 --stage prod --yes --json"))
@needs(
    Role.ERASER,
    {
        "cloudformation:DescribeStacks": "the stack",
        "dynamodb:Query": "the table",
        "dynamodb:GetItem": "the table",
        "dynamodb:Scan": "the index",
        "dynamodb:PutItem": "the table",
        "dynamodb:DeleteItem": "the table",
        "logs:DescribeLogGroups": "*",
        **RECORDS,
    },
)
def forget(
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id.")],
    stage_name: StageName = None,
    *,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Erase a person: the customer's id, item names, metadata and reasons, in orders and events.

    Amounts, statuses and times stay. It prints what still names them, and until when.

    See docs/privacy.md for what to do first.
    """
    customer_id = read_customer(customer)
    stage, terminal = find_stage(stage_name), Terminal(as_json=as_json)
    with terminal.progress() as progress:
        progress.add_task("Searching", total=None)
        found = find_orders(stage, customer_id)
    if not found:
        raise NothingToDo("No order names this customer: there is nothing to forget.")
    access_log = _access_log(stage)
    still_open = sum(found.values())
    if still_open:
        terminal.note("Staff can still ship the open orders, without a customer and item names.")
    terminal.confirm(
        f"Forget this customer on {stage.name} (orders: {len(found)}, open: {still_open})? "
        "This can't be undone.",
        yes=yes,
    )
    with recorded(stage, "forget") as counts, terminal.progress() as progress:
        counts |= {"forgotten": 0, "left": len(found), "paymentTokensLeft": 0}
        task = progress.add_task("Orders", total=len(found))
        for order in _forget_all(stage, terminal, customer_id, found, counts):
            counts["forgotten"] += 1
            counts["paymentTokensLeft"] += order.payment_token is not None
            progress.advance(task)
            if as_json:
                terminal.json({"orderId": order.order_id, "status": order.status})
    terminal.print(f"Forgotten (orders: {counts['forgotten']}). What still names the customer:")
    left = _left(stage.now(), counts["paymentTokensLeft"], access_log)
    terminal.rows(left, {"place": 22, "until": 24, "holds": 0})


def _forget_all(
    stage: Stage,
    terminal: Terminal,
    customer_id: CustomerId,
    orders: Iterable[str],
    counts: dict[str, int],
) -> Iterator[Order]:
    """Each order as it was, once it is forgotten; then those that were placed meanwhile.

    `counts["left"]` is the number of orders that are not forgotten.

    Raises:
        Problem: some orders can't be forgotten; all others were.
    """
    failed: set[str] = set()
    remaining = [*orders]
    while remaining:
        counts["left"] = len(failed) + len(remaining)
        for text in remaining:
            try:
                order = forget_order(stage, customer_id, text)
            except (MalformedRow, TryAgain) as error:
                late = f"order {text} kept changing, or AWS did not respond in time"
                terminal.note(f"Not forgotten: {late if isinstance(error, TryAgain) else error}.")
                failed.add(text)
                continue
            counts["left"] -= 1
            if order:
                yield order
        remaining = [one for one in listed_orders(stage, customer_id) if one not in failed]
    if failed:
        raise Problem(
            f"Orders not forgotten: {len(failed)}. Mend or restore them (see "
            "docs/runbook.md#orders-unreadable), then run it again."
        )


def _access_log(stage: Stage) -> Kept:
    """Nothing if there is none."""
    name = f"{ACCESS_LOG}{stage.stack}"
    groups = stage.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    days = {group["logGroupName"]: group.get("retentionInDays") for group in groups}
    if name not in days:
        return {}
    time = None if days[name] is None else timedelta(days=days[name])
    return {"access log": (time, "source addresses of their requests")}


def _left(now: datetime, payment_tokens: int, access_log: Kept) -> Iterator[dict[str, str | None]]:
    """What still names the customer, and until when at most; None: for good."""
    kept: Kept = {}
    if payment_tokens:
        kept["orders"] = _UNPAID, f"payment tokens, until paid or canceled: {payment_tokens}"
    for place, (time, holds) in (kept | KEPT | access_log).items():
        until = None if time is None else timestamps.to_text(now + time)
        yield {"place": place, "until": until, "holds": holds}
