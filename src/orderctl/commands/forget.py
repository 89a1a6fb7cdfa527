"""`forget`: takes a customer out of their orders and events, for good."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer

from orderctl.app import AsJson, NothingToDo, Problem, Role, StageName, Yes, app, examples, needs
from orderctl.forgetting import customer_rows, forget_order
from orderctl.operations import RECORDS, recorded
from orderctl.stage import find_stage, read_customer
from orderctl.terminal import Terminal
from orders.application.errors import MalformedRow
from orders.domain import timestamps
from orders.domain.status import transitions_from

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from orderctl.stage import Stage
    from orders.domain.customer_id import CustomerId
    from orders.domain.order import Order

_STREAM: Final = timedelta(hours=24)
_QUEUE: Final = timedelta(days=4)
_DEAD_LETTERS: Final = timedelta(days=14)

KEPT: Final = {
    "idempotency records": (
        timedelta(hours=24),
        "responses to keyed requests; DynamoDB deletes them within days",
    ),
    "stream": (_STREAM, "the rows as they were"),
    "queues": (_STREAM + _QUEUE, "events that are not yet consumed"),
    "dead-letter queues": (_STREAM + _QUEUE + _DEAD_LETTERS, "events that nothing could process"),
    "point-in-time recovery": (timedelta(days=35), "the table as it was"),
}
"""What keeps the customer after `forget`: for how long at most, and in what."""

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
    found = Counter(
        bool(transitions_from(str(row.get("status")))) for row in customer_rows(stage, customer_id)
    )
    if not found:
        raise NothingToDo("No order names this customer: there is nothing to forget.")
    access_log_kept = _access_log_kept(stage)
    if found[True]:
        terminal.note("Staff can still ship the open orders, without a customer and item names.")
    terminal.confirm(
        f"Forget this customer on {stage.name} (orders: {found.total()}, open: {found[True]})? "
        "This can't be undone.",
        yes=yes,
    )
    with recorded(stage, "forget") as counts, terminal.progress() as progress:
        counts |= {"forgotten": 0, "paymentTokensLeft": 0}
        task = progress.add_task("Orders", total=found.total())
        for order in _forget_all(stage, terminal, customer_id):
            counts["forgotten"] += 1
            counts["paymentTokensLeft"] += order.payment_token is not None
            progress.advance(task)
            if as_json:
                terminal.json({"orderId": order.order_id, "status": order.status})
    terminal.print(f"Forgotten (orders: {counts['forgotten']}). What still names the customer:")
    left = _left(stage.now(), counts["paymentTokensLeft"], access_log_kept)
    terminal.rows(left, {"place": 22, "until": 24, "holds": 0})


def _forget_all(stage: Stage, terminal: Terminal, customer_id: CustomerId) -> Iterator[Order]:
    """Each order as it was, once it is forgotten. Walks the list until nothing is left to forget.

    Raises:
        Problem: some orders can't be read; all others were forgotten.
    """
    unreadable: set[str] = set()
    is_changed = True
    while is_changed:
        is_changed = False
        for row in customer_rows(stage, customer_id):
            try:
                order = forget_order(stage, customer_id, row)
            except MalformedRow as error:
                if row["sk"] not in unreadable:
                    terminal.note(f"Not forgotten: {error}.")
                unreadable.add(row["sk"])
                continue
            is_changed = True
            if order:
                yield order
    if unreadable:
        raise Problem(
            f"Orders not forgotten: {len(unreadable)}. Mend or restore them (see "
            "docs/runbook.md#orders-unreadable), then run it again."
        )


def _access_log_kept(stage: Stage) -> timedelta | None:
    """For how long; None if for good."""
    name = f"{ACCESS_LOG}{stage.stack}"
    groups = stage.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    days = {group["logGroupName"]: group.get("retentionInDays") for group in groups}[name]
    return None if days is None else timedelta(days=days)


def _left(
    now: datetime, payment_tokens: int, access_log_kept: timedelta | None
) -> Iterator[dict[str, str | None]]:
    """What still names the customer, and until when at most; None: for good."""
    kept: dict[str, tuple[timedelta | None, str]] = {}
    if payment_tokens:
        kept["orders"] = _UNPAID, f"payment tokens, until paid or canceled: {payment_tokens}"
    kept |= KEPT
    kept["access log"] = access_log_kept, "source addresses of their requests"
    for place, (time, holds) in kept.items():
        until = None if time is None else timestamps.to_text(now + time)
        yield {"place": place, "until": until, "holds": holds}
