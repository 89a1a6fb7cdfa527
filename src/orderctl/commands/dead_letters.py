"""`dead-letters list`, `redrive` and `delete`: what consumers and the publisher gave up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from orderctl.app import AsJson, NothingToDo, Problem, Role, StageName, Yes, app, examples, needs
from orderctl.dead_letters import AT_ONCE, PEEKS, Held, described, find_queues, peek
from orderctl.operations import RECORDS, recorded
from orderctl.redrive import Stays, send_copy, send_events
from orderctl.sending import consumers, queue_name
from orderctl.stage import find_stage, read_order
from orderctl.terminal import Terminal
from orderctl.times import span
from orders.domain import timestamps
from orders.domain.order_number import order_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderctl.dead_letters import DeadLetterQueue, Message
    from orderctl.stage import Stage

group: Final = typer.Typer(
    help="List, send again or delete what consumers and the publisher gave up.",
    no_args_is_help=True,
)
app.add_typer(group, name="dead-letters")

_DELETES: Final = {**PEEKS, "sqs:DeleteMessage": "the dead-letter queues", **RECORDS}
_REDRIVES: Final = {
    **_DELETES,
    "dynamodb:GetItem": "the table",
    "dynamodb:Query": "the index",
    "sns:Publish": "the events topic",
    "sqs:SendMessage": "the queues",
}

QueueName = Annotated[
    str | None,
    typer.Option("--queue", metavar="QUEUE", help="Only of this one, such as order-events-dlq."),
]
Order = Annotated[
    str | None, typer.Option("--order", metavar="ORDER", help="Only of this order: id or number.")
]
MessageId = Annotated[
    str | None, typer.Option("--message", metavar="ID", help="Only this one, as in the list.")
]


@group.command(
    "list",
    epilog=examples(
        "dead-letters list --stage prod", "dead-letters list --order 1JN1-4SFY-ZRFG-G --json"
    ),
)
@needs(Role.READER, PEEKS)
def list_messages(
    queue: QueueName = None,
    order: Order = None,
    message: MessageId = None,
    stage_name: StageName = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the messages of the dead-letter queues and their causes. They stay there."""
    selection = _select(find_stage(stage_name), queue, order, message)
    terminal = Terminal(as_json=as_json)
    widths = {"message": 36, "orderNumber": 16, "about": 24, "age": 8, "cause": 16}
    if not sum(
        terminal.rows(_listed(selection, one, terminal), widths) for one in selection.queues
    ):
        raise selection.nothing_found()


@group.command(
    epilog=examples(
        "dead-letters redrive", "dead-letters redrive --queue order-events-dlq --stage prod"
    )
)
@needs(Role.OPERATOR, _REDRIVES)
def redrive(
    queue: QueueName = None,
    order: Order = None,
    message: MessageId = None,
    stage_name: StageName = None,
    *,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send dead letters again. Each is deleted once its events were sent."""
    selection = _select(find_stage(stage_name), queue, order, message)
    _change(selection, Terminal(as_json=as_json), _REDRIVE, yes=yes)


@group.command(
    epilog=examples(
        "dead-letters delete --order 1JN1-4SFY-ZRFG-G",
        "dead-letters delete --queue order-events-dlq --stage prod",
    )
)
@needs(Role.OPERATOR, _DELETES)
def delete(
    queue: QueueName = None,
    order: Order = None,
    message: MessageId = None,
    stage_name: StageName = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All dead letters.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Delete dead letters for good. They are never processed."""
    if every is any((queue, order, message)):
        raise typer.BadParameter("Give --queue, --order or --message, or else --all.")
    selection = _select(find_stage(stage_name), queue, order, message)
    _change(selection, Terminal(as_json=as_json), _DELETE, yes=yes)


class _Selection(NamedTuple):
    """Which messages a command is about."""

    stage: Stage
    queues: list[DeadLetterQueue]
    filters: dict[str, str]
    """`order` and `message`, where they are given."""

    def wants(self, message: Message) -> bool:
        return self.filters.items() <= {"order": message.order_id, "message": message.id}.items()

    def nothing_found(self) -> Exception:
        names = " and ".join(queue.name for queue in self.queues)
        if hidden := sum(queue.hidden for queue in self.queues):
            return Problem(
                f"Nothing to be seen in {names}, but {_counted(hidden, 'message')} held by another "
                "run, or by one that was killed. Try again in 5 minutes."
            )
        what = "".join(f" of {name} {text}" for name, text in self.filters.items())
        return NothingToDo(f"No dead letters{what} on {self.stage.name}: see {names}.")


def _select(stage: Stage, queue: str | None, order: str | None, message: str | None) -> _Selection:
    """Raises Problem: there is no such stage or queue; typer.BadParameter: no such order number."""
    queues = find_queues(stage)
    chosen = [one for one in queues if queue in {None, one.name, queue_name(one.url)}]
    if not chosen:
        names = ", ".join(one.name for one in queues)
        raise Problem(f"{queue} isn't a dead-letter queue of the stack. These are: {names}.")
    filters = {} if order is None else {"order": str(read_order(order))}
    return _Selection(stage, chosen, filters | ({} if message is None else {"message": message}))


def _listed(
    selection: _Selection, queue: DeadLetterQueue, terminal: Terminal
) -> Iterator[dict[str, Any]]:
    now = datetime.now(UTC)
    for number, message in enumerate(peek(selection.stage, queue, selection.wants)):
        if number == 0:
            terminal.print(queue.name)
        yield {
            "queue": queue.name,
            "message": message.id,
            "order": message.order_id,
            "orderNumber": message.order_id and order_number(message.order_id),
            "about": described(message),
            "cause": message.cause,
            "sentAt": timestamps.to_text(message.sent_at),
            "receives": message.receives,
            **({} if terminal.as_json else {"age": span(max(now - message.sent_at, timedelta()))}),
        }


class _Action(NamedTuple):
    name: str
    result: str
    apply: Callable[[Stage, DeadLetterQueue, Message], int]
    """Done before a message is deleted; returns how many events were sent. Raises Stays."""
    consequence: Callable[[Stage, DeadLetterQueue], str]


def _send(stage: Stage, queue: DeadLetterQueue, message: Message) -> int:
    if queue.is_of_publisher:
        return send_events(stage, message)
    if queue.source is None:
        raise Stays("no queue takes it again")
    return send_copy(stage, message, queue.source)


def _consequence_of_redrive(stage: Stage, queue: DeadLetterQueue) -> str:
    if queue.is_of_publisher:
        return f"events sent to {' and '.join(consumers(stage))} from their rows, then deleted"
    if queue.source is None:
        return "left there, as no queue takes it again; mend the consumer, then delete it"
    return f"sent back to {queue_name(queue.source)}, then deleted"


def _consequence_of_delete(stage: Stage, queue: DeadLetterQueue) -> str:
    if queue.is_of_publisher:
        return f"deleted; consumers get these events only if you `{stage.command('replay')}` them"
    return "deleted unprocessed; an order whose payment it was to settle stays as it is"


_REDRIVE: Final = _Action("redrive", "redriven", _send, _consequence_of_redrive)
_DELETE: Final = _Action("delete", "deleted", lambda *_: 0, _consequence_of_delete)


class _Found(NamedTuple):
    """What is in a queue when the operator is asked, by its id. Nothing else is touched.

    For what is sent again in vain comes back, as another message, and would do so without end.
    """

    queue: DeadLetterQueue
    messages: frozenset[str]


def _change(selection: _Selection, terminal: Terminal, action: _Action, *, yes: bool) -> None:
    """Raises NothingToDo, Problem."""
    found = [one for queue in selection.queues if (one := _count(selection, queue, terminal))]
    if not found:
        raise selection.nothing_found()
    for one in found:
        messages = _counted(len(one.messages), "message")
        terminal.note(
            f"{one.queue.name}, {messages}: {action.consequence(selection.stage, one.queue)}."
        )
    total = _counted(sum(len(one.messages) for one in found), "message")
    terminal.confirm(f"{action.name.capitalize()} {total} on {selection.stage.name}?", yes=yes)
    left = sum(_apply(selection, one, terminal, action) for one in found)
    if left:
        see = selection.stage.command("dead-letters list")
        raise Problem(f"{_counted(left, 'message')} left. See `{see}`.")


def _count(selection: _Selection, queue: DeadLetterQueue, terminal: Terminal) -> _Found | None:
    messages = set()
    with terminal.progress() as progress:
        task = progress.add_task(f"Counting {queue.name}", total=None)
        for message in peek(selection.stage, queue, selection.wants):
            messages.add(message.id)
            progress.advance(task)
    return _Found(queue, frozenset(messages)) if messages else None


def _apply(selection: _Selection, found: _Found, terminal: Terminal, action: _Action) -> int:
    """Returns how many messages are left."""
    stage, queue = selection.stage, found.queue
    with recorded(
        stage, f"dead-letters {action.name}", queue=queue.name, **selection.filters
    ) as counts:
        counts |= {"sent": 0, "deleted": 0, "stayed": 0}
        lock = Lock()

        def process(message: Message) -> None:
            try:
                events = action.apply(stage, queue, message)
                held.delete(message)
                result = {"sent": events, "deleted": 1}
                why = None
            except Stays as stays:
                result, why = {"stayed": 1}, str(stays)
            with lock:
                for name, number in result.items():
                    counts[name] += number
                _report(terminal, queue, message, action.result, why)
                progress.advance(task)

        with (
            terminal.progress() as progress,
            Held(stage, queue) as held,
            ThreadPoolExecutor(AT_ONCE) as threads,
        ):
            task = progress.add_task(queue.name, total=len(found.messages))
            for batch in held.batches():
                list(threads.map(process, [one for one in batch if one.id in found.messages]))
    deleted: int = counts["deleted"]
    stayed: int = counts["stayed"]
    done = f"{queue.name}: {_counted(deleted, 'message')} deleted"
    if action is _REDRIVE:
        done += f" after {_counted(counts['sent'], 'event')} sent"
    terminal.print(f"{done}; {stayed} stayed.")
    if elsewhere := len(found.messages) - deleted - stayed:
        terminal.note(f"{queue.name}: another run holds, or has taken, {elsewhere} of them.")
    return stayed + elsewhere


def _report(
    terminal: Terminal, queue: DeadLetterQueue, message: Message, result: str, why: str | None
) -> None:
    """One line for scripts; for people only where the message stays."""
    if terminal.as_json:
        item = {"queue": queue.name, "message": message.id, "order": message.order_id}
        terminal.json(item | ({"result": "stayed", "why": why} if why else {"result": result}))
    elif why:
        order = f", order {message.order_id}" if message.order_id else ""
        terminal.print(f"Stays: {message.id}{order}, {described(message)}: {why}")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
