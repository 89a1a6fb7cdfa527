"""All that is known about one order: its rows, the dead letters about it, and its log lines."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from orderctl.aws import EXPLAINED, explain
from orderctl.commands.triggers import list_triggers
from orderctl.dead_letters import described, find_queues, peek
from orderctl.logs import LogLines, function_groups, read_lines
from orders.adapters.dynamodb import keys, rows
from orders.application.errors import MalformedRow
from orders.domain import order_id as order_ids
from orders.http.bodies import OrderBody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from orderctl.dead_letters import DeadLetterQueue
    from orderctl.stage import Stage
    from orders.adapters.dynamodb.rows import Row
    from orders.domain.events import OrderEvent
    from orders.domain.order import Order
    from orders.domain.order_id import OrderId

Result = TypeVar("Result")

EVENTS_QUEUE: Final = "order-events-dlq"
STREAM_QUEUE: Final = "order-stream-dlq"
_LOOK_SECONDS: Final = 5


class Charge(NamedTuple):
    """`amount` is in the currency's minor unit; None in each field that its row does not have."""

    state: str
    charge_id: str | None
    amount: int | None
    currency: str | None
    attempts: int | None


class UnreadableRow(NamedTuple):
    """`attributes` are names alone: a value could be the payment token."""

    sort_key: str
    cause: str
    attributes: Sequence[str]


class DeadLetter(NamedTuple):
    """`about` is what the message names beside the order, in codes."""

    queue: str
    sent_at: datetime
    receives: int
    about: str
    cause: str


class OrderRows(NamedTuple):
    """The rows of an order's partition. `events` are in the order of their versions."""

    order: Order | None = None
    events: Sequence[OrderEvent] = ()
    charge: Charge | None = None
    reservation: str | None = None
    """Its state."""
    unreadable: Sequence[UnreadableRow] = ()


class Facts(NamedTuple):
    """`triggers` are AWS's states of the functions' triggers, such as `Enabled`.

    `unread` says why what could not be read is empty: `dead letters`, `log` or `triggers`.
    """

    order_id: OrderId
    rows: OrderRows
    dead_letters: Sequence[DeadLetter]
    log: LogLines
    triggers: Mapping[str, str]
    unread: Mapping[str, str]


def gather_facts(stage: Stage, order_id: OrderId) -> Facts | None:
    """None if there is neither a row nor a dead letter of the order.

    The rest is told although the dead letters, the log or the triggers can't be read.
    """
    unread: dict[str, str] = {}

    def read(name: str, source: Callable[[], Result], otherwise: Result) -> Result:
        try:
            return source()
        except EXPLAINED as error:
            unread[name] = explain(error)
            return otherwise

    with ThreadPoolExecutor() as threads:
        letters = threads.submit(dead_letters_of, stage, order_id)
        partition = keys.detail(order_id)["pk"]
        found = read_rows(stage.table.query(partition, "!", "~", consistent=True))
        if not any(found) and not letters.result():
            return None
        log = threads.submit(_log_of, stage, order_id)
        return Facts(
            order_id,
            found,
            read("dead letters", letters.result, []),
            read("log", log.result, LogLines((), is_complete=False)),
            read("triggers", lambda: _triggers(stage), {}),
            unread,
        )


def _log_of(stage: Stage, order_id: OrderId) -> LogLines:
    groups = [*function_groups(stage), stage.outputs["OperationsLogGroupName"]]
    since = min(order_ids.created_at(order_id), datetime.now(UTC))
    return read_lines(stage, groups, order_id, since)


def _triggers(stage: Stage) -> Mapping[str, str]:
    return {
        stage.short_name(one["FunctionArn"]): one["State"]
        # Of a function's triggers, one that is off counts.
        for one in sorted(list_triggers(stage), key=lambda one: one["State"] != "Enabled")
    }


def read_rows(found: Iterable[Row]) -> OrderRows:
    """What the rows of an order's partition hold. Those that can't be read are named."""
    events: list[OrderEvent] = []
    unreadable: list[UnreadableRow] = []
    others: dict[str, Any] = {}
    for row in found:
        sort_key = row["sk"]
        try:
            if sort_key.startswith(keys.EVENT):
                events.append(rows.event_from(row))
            elif sort_key in _READERS:
                name, read = _READERS[sort_key]
                others[name] = read(row)
        except MalformedRow as error:
            unreadable.append(UnreadableRow(sort_key, str(error), sorted(row)))
    return OrderRows(events=events, unreadable=unreadable, **others)


@rows.reads("order")
def _order_from(row: Row) -> Order:
    order = rows.order_from(row)
    OrderBody.of(order)  # also items and metadata have to be what the API can show
    return order


@rows.reads("charge")
def _charge_from(row: Row) -> Charge:
    return Charge(
        _state(row), *(row.get(name) for name in ("chargeId", "amount", "currency", "attempts"))
    )


@rows.reads("reservation")
def _reservation_from(row: Row) -> str:
    return _state(row)


def _state(row: Row) -> str:
    if not isinstance(row["state"], str):
        raise TypeError
    return str(row["state"])


_READERS: Final[Mapping[str, tuple[str, Callable[[Row], object]]]] = {
    keys.DETAIL: ("order", _order_from),
    keys.CHARGE: ("charge", _charge_from),
    keys.RESERVATION: ("reservation", _reservation_from),
}


def dead_letters_of(stage: Stage, order_id: OrderId) -> list[DeadLetter]:
    """The messages of all dead-letter queues that name the order; they stay there.

    Of a queue with thousands, those that are seen in a few seconds.
    """
    with ThreadPoolExecutor() as threads:
        found = threads.map(partial(_dead_letters_in, stage, order_id), find_queues(stage))
        return [letter for letters in found for letter in letters]


def _dead_letters_in(stage: Stage, order_id: OrderId, queue: DeadLetterQueue) -> list[DeadLetter]:
    found = []
    deadline = time.monotonic() + _LOOK_SECONDS
    with contextlib.closing(peek(stage, queue, lambda _message: True)) as messages:
        for one in messages:
            if one.order_id == order_id:
                about = described(one)
                found.append(DeadLetter(queue.name, one.sent_at, one.receives, about, one.cause))
            if time.monotonic() > deadline:
                break
    return found
