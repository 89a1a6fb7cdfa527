"""`show`: all about one order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from orderctl.amounts import shown
from orderctl.app import AsJson, Problem, Role, StageName, app, examples, needs
from orderctl.dead_letters import PEEKS
from orderctl.logs import READS_LOGS
from orderctl.order_facts import gather_facts
from orderctl.order_state import describe
from orderctl.stage import find_stage, read_order
from orderctl.terminal import Terminal, visible
from orders.domain import timestamps
from orders.domain.order_number import order_number
from orders.http.bodies import OrderBody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from orderctl.logs import LogLine
    from orderctl.order_facts import Charge, DeadLetter, Facts, OrderRows, UnreadableRow
    from orders.domain.events import OrderEvent
    from orders.domain.order import OrderItem

Json = dict[str, Any]

_NEEDS: Final = {
    "dynamodb:Query": "the table",
    **PEEKS,
    **READS_LOGS,
    "logs:StartQuery": "the functions' log groups and the operations' log group",
}

_NOT_SHOWN: Final = frozenset(
    {"level", "message", "timestamp", "order_id", "order_number", "service", "version"}
    | {"request_id", "cold_start", "xray_trace_id", "_aws"}
)
"""Among the details of a log line: in a column of its own, in every line the same, or long."""

OrderName = Annotated[str, typer.Argument(metavar="ORDER", help="An order's id or number.")]


@app.command(epilog=examples("show 1JN1-4SFY-ZRFG-G", "show 1jn14sfyzrfgg --stage prod --json"))
@needs(Role.READER, _NEEDS)
def show(order: OrderName, stage_name: StageName = None, *, as_json: AsJson = False) -> None:
    """Show all about one order: its state, events, payment, dead letters and log lines.

    Its first line says what state the order is in, and what it waits for. With --json: state (that
    line), orderId, orderNumber, order (as in the API; null if its row is missing or can't be read),
    payment (byToken, tokenHeld, chargeId, charge, reservation), events, deadLetters, log (each line
    with its source), logIsComplete, unreadableRows, triggers (function and state), and unread (why
    dead letters, log or triggers could not be read; then the exit code is 1).
    """
    stage, terminal = find_stage(stage_name), Terminal(as_json=as_json)
    order_id = read_order(order)
    facts = gather_facts(stage, order_id)
    if facts is None:
        raise Problem(
            f"There is no order {order_number(order_id)} ({order_id}) on {stage.name}. "
            "Check --stage."
        )
    state = describe(facts, datetime.now(UTC), stage.command)
    if as_json:
        terminal.json(_document(facts, state))
    else:
        _print(terminal, facts, state)
    if facts.unread:
        whys = "; ".join(f"{name}: {why}" for name, why in sorted(facts.unread.items()))
        raise Problem(f"Not read, and left out: {whys}")


def _document(facts: Facts, state: str) -> Json:
    rows = facts.rows
    return {
        "state": state,
        "orderId": facts.order_id,
        "orderNumber": order_number(facts.order_id),
        "order": rows.order and msgspec.to_builtins(OrderBody.of(rows.order)),
        "payment": _payment(rows),
        "events": [_event(one) for one in rows.events],
        "deadLetters": [_dead_letter(one) for one in facts.dead_letters],
        "log": [{"source": one.source, **one.fields} for one in facts.log.lines],
        "logIsComplete": facts.log.is_complete,
        "unreadableRows": [_unreadable(one) for one in rows.unreadable],
        "triggers": facts.triggers,
        "unread": facts.unread,
    }


def _payment(rows: OrderRows) -> Json:
    order, charge = rows.order, rows.charge
    return {
        "byToken": order and order.pays_by_token,
        "tokenHeld": order and order.payment_token is not None,
        "chargeId": order and order.charge_id,
        "charge": charge
        and {
            "state": charge.state,
            "chargeId": charge.charge_id,
            "amount": charge.amount,
            "currency": charge.currency,
            "attempts": charge.attempts,
        },
        "reservation": rows.reservation,
    }


def _event(event: OrderEvent) -> Json:
    actor = event.actor
    return {
        "version": event.version,
        "type": event.type,
        "status": event.status,
        "recordedAt": timestamps.to_text(event.recorded_at),
        "actor": actor.name if actor.staff_id is None else f"{actor.name} {actor.staff_id}",
        "reason": event.reason,
    }


def _dead_letter(letter: DeadLetter) -> Json:
    return {
        "queue": letter.queue,
        "about": letter.about,
        "cause": letter.cause,
        "sentAt": timestamps.to_text(letter.sent_at),
        "receives": letter.receives,
    }


def _unreadable(row: UnreadableRow) -> Json:
    return {"sk": row.sort_key, "cause": row.cause, "attributes": row.attributes}


def _print(terminal: Terminal, facts: Facts, state: str) -> None:
    rows = facts.rows
    terminal.print(f"{visible(state)}\n")
    for name, value in _summary(facts):
        terminal.print(f"{name:<13}{visible(value)}")
    if rows.order:
        _section(terminal, "Items", map(_item(rows.order.currency), rows.order.items))
    _section(terminal, "Events", map(_event, rows.events))
    _section(terminal, "Rows that can't be read", map(_unreadable, rows.unreadable))
    _section(terminal, "Dead letters", map(_dead_letter, facts.dead_letters))
    _section(terminal, "Log", map(_log_line, facts.log.lines))
    if not facts.log.is_complete and "log" not in facts.unread:
        terminal.note("There are more log lines than could be read.")


def _section(terminal: Terminal, title: str, items: Iterable[Json]) -> None:
    """A table with the columns of the first item; nothing if there is none."""
    listed = list(items)
    if listed:
        terminal.print(f"\n{title}")
        terminal.rows(listed, dict.fromkeys(listed[0], 0))


def _summary(facts: Facts) -> Iterator[tuple[str, str]]:
    order, charge = facts.rows.order, facts.rows.charge
    yield "Order", f"{order_number(facts.order_id)} ({facts.order_id})"
    if order:
        yield "Customer", order.customer_id
        yield "Amount", shown(order.amount, order.currency)
        yield "Version", str(order.version)
        for name, value in order.metadata.items():
            yield "Metadata", f"{name}: {value}"
    if order and order.pays_by_token:
        yield "Token", "gone: settled" if order.payment_token is None else "held"
    if charge:
        yield "Charge", ", ".join(_charge(charge))
    if facts.rows.reservation:
        yield "Reservation", facts.rows.reservation


def _charge(charge: Charge) -> Iterator[str]:
    """A charge that was voided before it was made has a state alone."""
    yield charge.state
    if charge.amount is not None:
        yield shown(charge.amount, charge.currency)
    if charge.charge_id is not None:
        yield str(charge.charge_id)
    if charge.attempts is not None:
        yield f"attempts: {charge.attempts}"


def _item(currency: str) -> Callable[[OrderItem], Json]:
    def item(one: OrderItem) -> Json:
        return {
            "quantity": one.quantity,
            "sku": one.sku,
            "name": one.name,
            "each": shown(one.unit_amount, currency),
        }

    return item


def _log_line(line: LogLine) -> Json:
    details = {name: value for name, value in line.fields.items() if name not in _NOT_SHOWN}
    return {
        "time": timestamps.to_text(line.at),
        "source": line.source,
        "level": line.fields.get("level"),
        "message": line.fields.get("message"),
        "details": ", ".join(f"{name}: {_brief(value)}" for name, value in details.items()),
    }


def _brief(value: object) -> object:
    """Of an exception and its causes only their names, and where each was raised."""
    links = value if isinstance(value, list) else []
    if not links or not all(isinstance(one, dict) and one.get("frames") for one in links):
        return value
    return " from ".join(f"{one.get('exception')} at {one['frames'][-1]}" for one in links)
