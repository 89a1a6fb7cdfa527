"""The feed of events: what is in it, and from when on it is complete."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from orderctl.stage import Stage
    from orders.adapters.dynamodb.repository import DynamoDbOrders
    from orders.application.paging import Found
    from orders.domain.events import OrderEvent

PAGE: Final = 1000

READS_DELAY: Final = {
    "cloudformation:DescribeStacks": "the stack",
    "lambda:GetFunctionConfiguration": "the feed's function",
}
READS_FEED: Final = READS_DELAY | {"dynamodb:Query": "the index"}
"""The rights for it."""


def feed_delay(stage: Stage) -> timedelta:
    """The age from which the feed is complete: as the stage's own feed has it."""
    configuration = stage.client("lambda").get_function_configuration(
        FunctionName=f"{stage.stack}-list-events"
    )
    return timedelta(seconds=int(configuration["Environment"]["Variables"]["FEED_DELAY_SECONDS"]))


def walk(
    orders: DynamoDbOrders, after: str, since: datetime, until: datetime
) -> Iterator[Found[OrderEvent, str]]:
    """All events after a position, as `OrderRepository.list_events` has them, page by page."""
    while True:
        found = orders.list_events(after, since, until, PAGE)
        yield from found
        if len(found) < PAGE:
            return
        after = found[-1].position
