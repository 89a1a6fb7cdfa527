"""One sentence about an order: what state it is in, and what it waits for."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Final

from orderctl.order_facts import EVENTS_QUEUE, STREAM_QUEUE
from orderctl.times import span
from orders.adapters.dynamodb import keys
from orders.adapters.mock_inventory import RESERVED
from orders.adapters.mock_payments import ChargeState
from orders.application.expire_stale_orders import STALE_AFTER
from orders.application.settle_payment import FREE
from orders.domain.customer_id import forgotten_customer
from orders.domain.events import CUSTOMER_FORGOTTEN
from orders.domain.order import FIRST_VERSION
from orders.domain.order_number import order_number
from orders.domain.status import FIRST_STATUS, GIVING_BACK, OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from orderctl.logs import LogLine
    from orderctl.order_facts import DeadLetter, Facts, OrderRows
    from orders.domain.events import OrderEvent
    from orders.domain.order import Order

_SETTLEMENT: Final = "settle-payments"
_PUBLISHER: Final = "publish-order-events"

_DONE: Final = "event processed"
_FAILED: Final = "event not processed"
_GIVEN_UP: Final = "event given up"
"""What settle-payments logs at the end of a run."""

_OFF: Final = frozenset({"Disabled", "Disabling"})
_LIVE: Final = frozenset({ChargeState.CHARGED, ChargeState.UNDECIDED})
"""Money that was taken, or may have been."""
_EXPIRY_RUNS_EVERY: Final = timedelta(days=1)
_REASON_LENGTH: Final = 60


def describe(facts: Facts, now: datetime, command: Callable[[str], str]) -> str:
    """Texts that somebody else wrote, such as a reason, are in it as they are.

    `command` makes of a subcommand what to type on the order's stage.
    """
    order = facts.rows.order
    clauses = [
        *(_without_order(facts, now) if order is None else _status(facts, order, now)),
        *(() if order is None else _settlement(facts, order, now, command)),
        *_publication(facts),
        *(() if order is None else _history(facts, order)),
        *(f"{one.cause}" for one in facts.rows.unreadable if one.sort_key != keys.DETAIL),
        *([f"not read: {', '.join(sorted(facts.unread))}"] if facts.unread else ()),
    ]
    return "; ".join(clauses) + "."


def _without_order(facts: Facts, now: datetime) -> Iterator[str]:
    unreadable = [one for one in facts.rows.unreadable if one.sort_key == keys.DETAIL]
    if unreadable:
        yield f"{unreadable[0].cause}: see docs/runbook.md#orders-unreadable"
    elif not any(facts.rows):
        yield "There is no such order, only dead letters that name it"
    else:
        yield "The order's own row is missing: see docs/runbook.md#restoring-data"
    if facts.rows.events:
        last = facts.rows.events[-1]
        yield f"by its last event it is {last.status} since {_when(last.recorded_at, now)}"
    yield from (f"settlement was given up: {one.cause}" for one in _letters(facts, EVENTS_QUEUE))


def _status(facts: Facts, order: Order, now: datetime) -> Iterator[str]:
    events = {one.version: one for one in facts.rows.events}
    changed = order.version
    while changed in events and events[changed].type == CUSTOMER_FORGOTTEN:
        changed -= 1
    event = events.get(changed)
    since = order.updated_at if event is None else event.recorded_at
    who = "" if event is None or changed == FIRST_VERSION else f", by {_actor(event)}"
    why = "" if order.reason is None else f': "{_short(order.reason)}"'
    yield f"{order.status} since {_when(since, now)}{who}{why}"
    if order.customer_id == forgotten_customer(order.order_id):
        yield "its customer was forgotten"
    if not isinstance(order.status, OrderStatus):
        yield "only a later release knows what that means"
    elif order.status is FIRST_STATUS and not order.pays_by_token:
        yield "it has no payment token, and waits for somebody to mark it PAID"
        yield _expiry(order, now)
    elif order.status is FIRST_STATUS:
        return
    elif order.allowed_transitions:
        yield f"it waits to become {order.allowed_transitions[0]}"
    else:
        yield "that is final"


def _expiry(order: Order, now: datetime) -> str:
    expires = order.created_at + STALE_AFTER
    if now > expires + _EXPIRY_RUNS_EVERY:
        return (
            f"it should have expired on {expires:%Y-%m-%d}, and expire-stale-orders did not do it"
        )
    return f"expires on {expires:%Y-%m-%d}"


def _settlement(
    facts: Facts, order: Order, now: datetime, command: Callable[[str], str]
) -> Iterator[str]:
    """What it has to do about the payment, and how far it is."""
    left = list(_left_over(facts.rows, order))
    if left:
        yield " and ".join(left)
    if order.status is FIRST_STATUS:
        has_work = order.payment_token is not None
    else:
        has_work = bool(left) and order.pays_by_token and _gives_back(order)
    if left and not has_work:
        yield "no function mends that"
    letters = _letters(facts, EVENTS_QUEUE)
    if letters:
        causes = ", ".join(dict.fromkeys(one.cause for one in letters))
        yield f"settlement was given up: {causes}"
        number = order_number(order.order_id)
        yield f"remove the cause, then `{command(f'dead-letters redrive --order {number}')}`"
        return
    yield from _progress(facts, order, now, command, has_work=has_work)


def _gives_back(order: Order) -> bool:
    """Whether the order may keep neither charge nor reservation."""
    return order.status in GIVING_BACK or order.charge_id is None


def _left_over(rows: OrderRows, order: Order) -> Iterator[str]:
    """How charge and reservation differ from what the order's status means."""
    if not isinstance(order.status, OrderStatus):
        return
    if order.pays_by_token and order.status is FIRST_STATUS:
        if order.payment_token is None:
            yield "it lost its payment token"
        if rows.charge and rows.charge.state != ChargeState.UNDECIDED:
            yield f"its charge is {rows.charge.state} already"
    elif _gives_back(order):
        if rows.charge and rows.charge.state in _LIVE:
            yield f"its charge is still {rows.charge.state}"
        if rows.reservation == RESERVED:
            yield "its items are still RESERVED"
    else:
        yield from _missing(rows, order)


def _missing(rows: OrderRows, order: Order) -> Iterator[str]:
    """What an order that was paid by token lacks."""
    charge = rows.charge
    if order.charge_id != FREE:
        if charge is None or charge.state != ChargeState.CHARGED:
            state = charge.state if charge else "missing"
            yield f"it was paid by token, but its charge is {state}"
        elif charge.charge_id != order.charge_id:
            yield f"its charge is {charge.charge_id}, not {order.charge_id}"
        elif (charge.amount, charge.currency) != (order.amount, order.currency):
            yield f"{charge.amount} {charge.currency} (minor unit) were charged"
    if rows.reservation != RESERVED:
        yield f"its reservation is {rows.reservation or 'missing'}"


def _progress(
    facts: Facts, order: Order, now: datetime, command: Callable[[str], str], *, has_work: bool
) -> Iterator[str]:
    """By the logs, as no message is looked at that settle-payments will receive."""
    runs = [one for one in facts.log.lines if _message(one) in {_DONE, _FAILED, _GIVEN_UP}]
    failures = _failures(runs)
    if failures and _message(failures[-1]) == _GIVEN_UP:
        last = failures[-1]
        yield f"settlement gave up {_ago(last.at, now)}, with {last.fields.get('cause')}"
        yield "its dead letter is gone, or another reader holds it for some minutes"
        return
    if failures:
        last = failures[-1]
        yield (
            f"settlement failed {_times(len(failures))}, last with {last.fields.get('cause')} "
            f"{_ago(last.at, now)}"
        )
    if not (has_work or failures):
        return
    if facts.triggers.get(_SETTLEMENT) in _OFF:
        yield f"{_SETTLEMENT} is paused: `{command(f'resume {_SETTLEMENT}')}`"
    elif failures:
        pause = failures[-1].fields.get("pause_seconds")
        next_try = failures[-1].at + timedelta(seconds=pause if isinstance(pause, int) else 0)
        yield "next try is due" if next_try <= now else f"next try in {span(next_try - now)}"
    elif runs and runs[-1].at >= order.updated_at:
        number = order_number(order.order_id)
        again = command(f"replay --order {number}")
        yield f"settlement ran and left it so: `{again}` runs it again"
    elif not _letters(facts, STREAM_QUEUE):
        yield from _waiting_event(facts, order, command)


def _waiting_event(facts: Facts, order: Order, command: Callable[[str], str]) -> Iterator[str]:
    event_id = f"{order.order_id}/{order.version}"
    published = any(
        _message(one) == "event published" and one.fields.get("event_id") == event_id
        for one in facts.log.lines
    )
    if published:
        yield "its event is in the queue, and was not processed yet"
    elif facts.triggers.get(_PUBLISHER) in _OFF:
        yield f"its event waits: {_PUBLISHER} is paused: `{command(f'resume {_PUBLISHER}')}`"
    elif "log" not in facts.unread:
        yield "its event was not published yet, by the logs"


def _publication(facts: Facts) -> Iterator[str]:
    for one in _letters(facts, STREAM_QUEUE):
        yield f"{one.about} was not published: {one.cause}"


def _history(facts: Facts, order: Order) -> Iterator[str]:
    """An event that is missing, and an order that is behind its events."""
    versions = {one.version for one in facts.rows.events}
    versions |= {
        int(one.sort_key.removeprefix(keys.EVENT))
        for one in facts.rows.unreadable
        if one.sort_key.removeprefix(keys.EVENT).isdecimal()
    }
    first_missing = next(one for one in count(FIRST_VERSION) if one not in versions)
    if first_missing <= order.version:
        yield f"its event of version {first_missing} is missing"
    if versions and max(versions) > order.version:
        yield (
            f"its row is at version {order.version} and its last event at {max(versions)}, so it "
            "can't be changed: see docs/runbook.md#restoring-data"
        )


def _failures(runs: Sequence[LogLine]) -> Sequence[LogLine]:
    """The runs since the last one that succeeded."""
    since = max((i for i, one in enumerate(runs, 1) if _message(one) == _DONE), default=0)
    return runs[since:]


def _message(line: LogLine) -> object:
    return line.fields.get("message")


def _letters(facts: Facts, queue: str) -> list[DeadLetter]:
    return [one for one in facts.dead_letters if one.queue == queue]


def _actor(event: OrderEvent) -> str:
    return event.actor.name.removeprefix("system:")


def _short(text: str) -> str:
    return text if len(text) <= _REASON_LENGTH else f"{text[:_REASON_LENGTH]}…"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _when(instant: datetime, now: datetime) -> str:
    """The time, with the date if that is not today's."""
    date = "" if instant.date() == now.date() else f"{instant:%Y-%m-%d} "
    return f"{date}{instant:%H:%M} UTC"


def _ago(instant: datetime, now: datetime) -> str:
    return f"{span(max(now - instant, timedelta()))} ago"
