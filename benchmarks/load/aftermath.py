"""What the stack knows after a load: rows, events, and what the functions say of each request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from benchmarks.load.counting import Change, Left
from local_stack import STACK, StackError
from orders.adapters.dynamodb import keys
from orders.http.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proof.proxy import PassOn, Request, Response
    from proof.stack import Platform

PUBLISHER: Final = "publish-order-events"
_MOST_LINES: Final = 10_000
"""What the emulator answers at most, without a token for the rest."""


class OwnTime(NamedTuple):
    """What a function logged of a request."""

    milliseconds: float
    cold_start: bool
    """It was the process's first request."""


class SentEvents:
    """A proxy's treatment that changes nothing, and remembers what the queue took.

    It stands between the publisher and the queue, where no client waits.
    """

    def __init__(self) -> None:
        """Nothing was sent yet."""
        self.events: list[Change] = []

    async def __call__(self, request: Request, pass_on: PassOn) -> Response:
        """Pass a call on."""
        response = await pass_on(request)
        if request.operation == "SendMessageBatch" and response.status == 200:  # noqa: PLR2004 - OK
            taken = {entry["Id"] for entry in json.loads(response.body).get("Successful", ())}
            for entry in json.loads(request.body)["Entries"]:
                if entry["Id"] in taken:
                    order_id, _, version = json.loads(entry["MessageBody"])["id"].partition("/")
                    self.events.append(Change(order_id, int(version)))
        return response


def look(platform: Platform, events: Sequence[Change]) -> Left:
    """Return what lies in the table and in the queues, beside the events that were sent."""
    rows = platform.rows()
    return Left(
        orders={row["orderId"]: row["version"] for row in rows if row["sk"] == "DETAIL"},
        listed=[row["orderId"] for row in rows if row["pk"].startswith("CUSTOMER#")],
        timeline=[
            Change(row["pk"].removeprefix("ORDER#"), row["version"])
            for row in rows
            if row["sk"].startswith(keys.EVENT)
        ],
        events=list(events),
        dead_letters=platform.count_dead_letters(),
    )


def own_times(platform: Platform, since: float) -> dict[str, OwnTime]:
    """Return what the functions say that each request took since then (epoch), by request id."""
    return {
        line["request_id"]: OwnTime(line["duration_ms"], line["cold_start"])
        for function in sorted({route.function for route in ROUTES})
        for line in _log_lines(platform, function, since)
    }


def _log_lines(platform: Platform, function: str, since: float) -> Iterator[Any]:
    """Yield one line of each request, as CloudWatch Logs has them."""
    logs = platform.stack.client("logs", attempts=3)
    group = f"/aws/lambda/{STACK}-{function}"
    try:
        events = logs.filter_log_events(
            logGroupName=group, filterPattern="duration_ms", startTime=int(since * 1000)
        )["events"]
    except logs.exceptions.ResourceNotFoundException:
        return  # the function was not called yet
    if len(events) == _MOST_LINES:
        raise StackError(f"{group} has more lines than the emulator hands out.")
    yield from (json.loads(event["message"]) for event in events)
