"""Sends again what a dead letter holds, or names."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from orderctl.app import Problem
from orderctl.sending import consumers, queue_name
from orders.adapters.dynamodb import keys, rows
from orders.adapters.sqs import MAX_ENTRIES, NEVER_TAKEN, event_body
from orders.application.errors import MalformedRow
from orders.domain import timestamps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderctl.dead_letters import Message
    from orderctl.stage import Stage
    from orders.adapters.dynamodb.rows import Row
    from orders.domain.events import OrderEvent

AROUND_ARRIVAL: Final = timedelta(minutes=1)
"""An event arrives in the stream later than it was recorded, by no more than a write takes; and
earlier, by as much as the clock that recorded it, or the change before it, was ahead."""

_NEVER_TAKEN: Final = NEVER_TAKEN | {"MissingParameter"}
"""SQS's errors of the message itself. After any other one, the next message would fail as well.

A FIFO queue finds a parameter missing: the group, which a copy doesn't keep.
"""


class Stays(Exception):
    """Why a message has to stay in its dead-letter queue, in ids and codes alone."""


def send_copy(stage: Stage, message: Message, destination: str) -> int:
    """Send a dead event to the queue that it came from; returns 1.

    What the event's row says is sent, or, where there is no such row, the message as it is: the
    customer may have been forgotten since it died.

    Raises:
        Stays.
    """
    row = stage.table.get(message.event_key) if message.event_key else None
    try:
        body = event_body(rows.event_from(row)) if row else message.body
        stage.client("sqs").send_message(
            QueueUrl=destination,
            MessageBody=body,
            MessageAttributes={
                name: value for name, value in message.attributes.items() if name != "cause"
            },
        )
    except MalformedRow as error:
        raise Stays(str(error)) from error
    except ClientError as error:
        if (code := error.response["Error"]["Code"]) in _NEVER_TAKEN:
            raise Stays(f"{queue_name(destination)} refuses it: {code}") from error
        raise
    return 1


def send_events(stage: Stage, message: Message) -> int:
    """Send the events that were not published to all consumers; returns their number.

    Of a record that was set aside it is the record's, of a batch all of the batch's time. One that
    can't be sent holds up no other.

    Raises:
        Stays: the message names no event, or one can't be sent.
        Problem: the queue or the topic takes nothing at present.
    """
    publishers = consumers(stage)
    found = _rows_of(stage, message)
    sent = 0
    faults: dict[str, None] = {}
    while some := list(islice(found, MAX_ENTRIES)):
        events: list[OrderEvent] = []
        for row in some:
            try:
                events.append(rows.event_from(row))
            except MalformedRow as error:
                faults[str(error)] = None
        refused: set[int] = set()
        for name, publisher in publishers.items():
            unsent = publisher.publish(events)
            if unsent.unavailable:
                raise Problem(f"{name} takes no events at present. Try again later.")
            for index in sorted(unsent.refused):
                faults[f"{name} refuses event {events[index].event_id}"] = None
            refused |= set(unsent.refused)
        sent += len(events) - len(refused)
    if faults:
        raise Stays("; ".join(faults))
    if not sent:
        raise Stays("the table has no event of it")
    return sent


def _rows_of(stage: Stage, message: Message) -> Iterator[Row]:
    """Raises Stays: the message names neither an event nor a batch."""
    if message.batch:
        first, last = _arrival(message)
        for shard in range(keys.SHARDS):
            yield from stage.table.query(
                keys.feed_partition(shard), first, last, index=stage.orders.index
            )
    elif message.event_key:
        row = stage.table.get(message.event_key)
        yield from [row] if row else []
    else:
        raise Stays("it names neither an event nor a batch")


def _arrival(message: Message) -> tuple[str, str]:
    """The part of the feed that a batch's events are in, as sort keys. Raises Stays."""
    try:
        first, last = (
            timestamps.from_text(message.batch[f"approximateArrivalOf{place}Record"])
            for place in ("First", "Last")
        )
        return (
            timestamps.to_text(first - AROUND_ARRIVAL),
            timestamps.to_text(last + AROUND_ARRIVAL),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Stays("it doesn't say when its records arrived") from error
