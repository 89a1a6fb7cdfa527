"""`replay`: events sent again from their rows, under their own ids."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from orderctl.app import AsJson, NothingToDo, Problem, Role, StageName, Yes, app, examples, needs
from orderctl.aws import EXPLAINED, explain
from orderctl.event_rows import Range, rows_of_order
from orderctl.feed import READS_DELAY, feed_delay
from orderctl.operations import RECORDS, recorded
from orderctl.sending import Progress, Sender, SendingClient, consumers, queue_name
from orderctl.stage import find_stage, read_order
from orderctl.terminal import Terminal
from orderctl.times import time_option
from orders.adapters.dynamodb import rows
from orders.adapters.sqs import SqsEventPublisher
from orders.application.errors import MalformedRow
from orders.application.paging import Found
from orders.domain import timestamps
from orders.domain.events import EVENT_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from orderctl.stage import Stage
    from orders.adapters.dynamodb.rows import Row
    from orders.application.ports import EventPublisher
    from orders.domain.events import OrderEvent

_RATE: Final = 100
"""Events a second; settle-payments takes about twice as many beside its own."""


def _event_type(text: str) -> str:
    if text not in EVENT_TYPES:
        raise typer.BadParameter(f"{text} isn't a valid type: use one of {', '.join(EVENT_TYPES)}.")
    return text


def _position(text: str) -> str:
    try:
        timestamps.from_text(text.partition("#")[0])
    except ValueError as error:
        raise typer.BadParameter(f"{text} is not a position that replay printed.") from error
    return text


@app.command(
    epilog=examples(
        "replay --order 1JN1-4SFY-ZRFG-G",
        "replay --since 2026-11-01 --to shipping-events --rate 500 --stage prod",
    )
)
@needs(
    Role.OPERATOR,
    {
        **READS_DELAY,
        "dynamodb:Query": "the table and the index",
        "sqs:GetQueueUrl": "any queue",
        "sqs:SendMessage": "any queue",
        "sns:Publish": "the events topic",
        **RECORDS,
    },
)
def replay(
    *,
    order: Annotated[
        str | None, typer.Option(metavar="ORDER", help="All events of an order, by id or number.")
    ] = None,
    since: Annotated[
        datetime | None, time_option("--since", what="Events recorded at this time or later.")
    ] = None,
    until: Annotated[
        datetime | None,
        time_option("--until", what="Events recorded before this time. Default: now."),
    ] = None,
    event_type: Annotated[
        str | None,
        typer.Option(
            "--type",
            parser=_event_type,
            metavar="TYPE",
            help=f"Only events of this type: {', '.join(EVENT_TYPES)}.",
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="QUEUE",
            help="Only to this queue, by name or URL, instead of to all consumers.",
        ),
    ] = None,
    rate: Annotated[int, typer.Option(min=1, help="Events a second, at most.")] = _RATE,
    after: Annotated[
        str | None,
        typer.Option(
            parser=_position, metavar="POSITION", help="Continue after a position of --since."
        ),
    ] = None,
    stage_name: StageName = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send events again, with the same ids and bodies.

    To all consumers, or to the one queue of a new consumer. Consumers ignore what they know.
    """
    if (order is None) == (since is None):
        raise typer.BadParameter("Give either --order or --since.")
    if since is None and (until or event_type or after):
        raise typer.BadParameter("--until, --type and --after go with --since.")
    stage, terminal = find_stage(stage_name), Terminal(as_json=as_json)
    targets = _targets(stage, to)
    job = (
        _of_order(stage, str(order))
        if since is None
        else _of_range(stage, terminal, Range(since, until or stage.now(), event_type, after or ""))
    )
    if not job.number:
        raise NothingToDo(f"No event was recorded {job.what}.")
    terminal.note(
        f"Consumers ignore the events that they know. At {rate} a second, sending takes at least "
        f"{timedelta(seconds=job.number // rate)}."
    )
    events = f"{job.number} event{'s' if job.number > 1 else ''} {job.what}"
    terminal.confirm(f"Send {events} to {' and '.join(targets)} on {stage.name}?", yes=yes)

    job.options["--to"] = to
    progress = Progress(after or "")
    stopped = _send(
        stage, terminal, job, Sender([*targets.values()], rate, terminal.note), progress
    )
    result = asdict(progress)
    if stopped:
        options = {"--after": since and progress.position, "--rate": rate, "--stage": stage_name}
        given = [(name, str(value)) for name, value in (job.options | options).items() if value]
        flags = ["--yes"] * yes + ["--json"] * as_json
        command = ["./orderctl", "replay", *chain.from_iterable(given), *flags]
        result["continue"] = shlex.join(command)
    if as_json:
        terminal.json(result)
    if stopped:
        raise Problem(
            f"{stopped} Sent: {progress.sent} of {job.number}. Continue with: {result['continue']}"
        )
    terminal.print(f"Sent: {progress.sent} of {job.number}.")
    if progress.refused:
        raise Problem(f"Events that can't be sent, and are named above: {progress.refused}.")


class _Job(NamedTuple):
    """Which events to send. `options` name them on the command line."""

    what: str
    number: int
    rows: Iterable[Row]
    options: dict[str, object]


def _of_order(stage: Stage, text: str) -> _Job:
    order_id = read_order(text)
    found = rows_of_order(stage, order_id)
    if not found:
        raise Problem(f"There is no order {order_id} on {stage.name}: check the id and --stage.")
    return _Job(f"of order {order_id}", len(found), found, {"--order": order_id})


def _of_range(stage: Stage, terminal: Terminal, wanted: Range) -> _Job:
    """What is too young for the feed is not sent: an older event may still appear before it."""
    latest = stage.now() - feed_delay(stage)
    if wanted.until > latest:
        wanted = wanted._replace(until=latest)
        terminal.note(f"Events since {timestamps.to_text(latest)} are left to the publisher.")
    since, until = map(timestamps.to_text, (wanted.since, wanted.until))
    options: dict[str, object] = {
        "--since": since,
        "--until": until,
        "--type": wanted.type,
        "--after": wanted.after,
    }
    what = f"from {wanted.after or since} to {until}"
    if wanted.type:
        what = f"of type {wanted.type} {what}"
    return _Job(what, wanted.count(stage), wanted.rows(stage), options)


def _targets(stage: Stage, queue: str | None) -> dict[str, EventPublisher]:
    """What the events are sent to, by its name. Raises Problem: there is no such queue."""
    if queue is None:
        return consumers(stage)
    sqs = stage.client("sqs")
    url = queue
    if "://" not in queue:
        try:
            url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        except sqs.exceptions.QueueDoesNotExist as error:
            raise Problem(f"There is no queue {queue} on {stage.name}: check --to.") from error
    return {queue_name(url): SqsEventPublisher(SendingClient(sqs), url)}


def _send(
    stage: Stage, terminal: Terminal, job: _Job, sender: Sender, progress: Progress
) -> str | None:
    """Why it stopped before the end; None if it did not."""
    which = {name.removeprefix("--"): value for name, value in job.options.items() if value}
    try:
        with recorded(stage, "replay", **which) as counts, terminal.progress() as bar:
            task = bar.add_task("Sending", total=job.number)
            try:
                found = _readable(job.rows, terminal.note)
                sender.send(found, progress, lambda number: bar.advance(task, number))
            finally:
                counts.update(asdict(progress))
    except KeyboardInterrupt:
        return "Interrupted."
    except EXPLAINED as error:
        return explain(error)
    return None


def _readable(
    found: Iterable[Row], note: Callable[[str], None]
) -> Iterator[Found[OrderEvent, str]]:
    """The events at their positions. An unreadable row is told of."""
    for row in found:
        try:
            yield Found(row["gsi1sk"], rows.event_from(row))
        except MalformedRow as error:
            note(f"An event can't be sent: {error}.")
            yield Found(row["gsi1sk"], None)
