"""`events`: the feed, as it was and as it goes on."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from orderctl.amounts import shown
from orderctl.app import AsJson, Problem, Role, StageName, app, examples, needs
from orderctl.feed import READS_FEED, feed_delay, walk
from orderctl.stage import find_stage
from orderctl.terminal import Terminal, visible
from orderctl.times import time_option
from orders.domain import timestamps
from orders.domain.events import EVENT_TYPES
from orders.domain.order_number import order_number

if TYPE_CHECKING:
    from orders.domain.events import OrderEvent

_HOUR: Final = timedelta(hours=1)
_POLL_SECONDS: Final = 1.0
_WIDTH: Final = max(map(len, EVENT_TYPES))

EventType = StrEnum("EventType", {name: name for name in EVENT_TYPES})  # type: ignore[misc]  # derived


@app.command(epilog=examples("events --follow", "events --type ORDER_PAID --from yesterday --json"))
@needs(Role.READER, READS_FEED)
def events(
    *,
    event_type: Annotated[
        EventType | None,
        typer.Option(
            "--type",
            case_sensitive=False,
            metavar="TYPE",
            help=f"Only this type: {', '.join(EVENT_TYPES)}.",
        ),
    ] = None,
    since: Annotated[
        datetime | None,
        time_option("--from", "--since", what="Recorded then or later. Default: 1h."),
    ] = None,
    until: Annotated[
        datetime | None, time_option("--to", "--until", what="Recorded before then.")
    ] = None,
    stage_name: StageName = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is recorded, until Ctrl-C.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show events in the order in which they were recorded; with --json as they are published.

    Events show when they are so old that none can come before them any more: after a minute, on
    the local stack after 5 seconds.
    """
    stage, terminal = find_stage(stage_name), Terminal(as_json=as_json)
    delay = feed_delay(stage)
    end = stage.now()
    since = since or end - _HOUR
    position, count, unreadable = "", 0, 0
    with suppress(KeyboardInterrupt):
        while True:
            complete = stage.now() - delay
            end = complete if until is None else min(until, complete)
            for found in walk(stage.orders, position, since, end):
                position, event = found
                if event is None:
                    unreadable += 1  # it is logged on standard error
                elif event_type in {None, event.type}:
                    count += 1
                    _show(event, terminal)
            sys.stdout.flush()
            if not follow or end == until:
                break
            time.sleep(_POLL_SECONDS)
    if unreadable:
        raise Problem(f"Events that can't be read, and are left out: {unreadable}. See above.")
    if count == 0:
        terminal.note(f"No such event up to {timestamps.to_text(end)}.")


def _show(event: OrderEvent, terminal: Terminal) -> None:
    if terminal.as_json:
        terminal.json(event.to_cloud_event())
        return
    amount = shown(event.amount, event.currency)
    parts = [
        timestamps.to_text(event.recorded_at),
        f"{event.type:<{_WIDTH}}",
        order_number(event.order_id),
        f"{amount:>12}",
        event.customer_id,
        *([] if event.reason is None else [f"({event.reason})"]),
    ]
    terminal.print(visible("  ".join(parts)))
