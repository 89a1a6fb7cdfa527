"""Whether anything was lost or doubled: responses, rows, timelines and events, held together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

TRY_AGAIN: Final = frozenset({0, 502, 503, 504})
"""No response, the gateway's own errors, and what asks the client to retry."""

PERCENTILES: Final = (50, 95, 99)
CREATE: Final = "POST /orders"
UPDATE: Final = "PATCH /orders/{orderId}"


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What a client got for one request."""

    route: str
    status: int
    """0 where no response came."""
    key: str | None = None
    """Idempotency-Key of a create or update; the same one when it is retried."""
    order_id: str | None = None
    version: int = 0
    """The order's, as the response to its create or update has it."""
    paid_by_platform: bool = False
    """The order was created with a token, so the platform moves it to PAID by itself."""

    @property
    def failed(self) -> bool:
        """No request of the load should be refused."""
        return not 200 <= self.status < 300  # noqa: PLR2004 - what HTTP calls success


class Left(NamedTuple):
    """What a load left behind. Events are named ORDER/VERSION."""

    orders: dict[str, int]
    """The version of each order, by the orders' own rows."""
    listed: Sequence[str]
    """The orders that have a row in their customer's list."""
    timeline: Sequence[str]
    """Events that have a row."""
    published: Sequence[str]
    """Events that the publisher says it sent."""
    dead_letters: int

    @property
    def events(self) -> list[str]:
        """Every event that there must be."""
        return [
            f"{order}/{version}"
            for order, newest in self.orders.items()
            for version in range(1, newest + 1)
        ]


def faults(responses: Sequence[Response], left: Left) -> list[str]:
    """What was lost or doubled; nothing where all agree.

    A request without a response may have been carried out or not; everything else is exact. An
    event may be published again: at least once is the promise.
    """
    return [
        *_orders(responses, left),
        *_differences("a customer's list has", left.orders.keys(), left.listed),
        *_differences("a timeline has", left.events, left.timeline),
        *_differences("the queue got", left.events, set(left.published)),
        *([f"{left.dead_letters} dead letters"] if left.dead_letters else []),
    ]


def _orders(responses: Sequence[Response], left: Left) -> Iterator[str]:
    """Compare the orders with what their clients were told."""
    told: dict[str | None, int] = {}
    for response in responses:
        if response.version:
            # Nobody but the platform changes an order that the platform charges.
            version = response.version + response.paid_by_platform
            told[response.order_id] = max(version, told.get(response.order_id, 0))
    unknown = Counter(_unanswered(responses, UPDATE).values())
    for order, version in told.items():
        found = left.orders.get(str(order))
        if found is None:
            yield f"order {order} was created, and is not in the table"
        elif not version <= found <= version + unknown[order]:
            yield f"order {order} has version {found} in the table, {version} by its responses"
    strangers, possible = left.orders.keys() - told.keys(), len(_unanswered(responses, CREATE))
    if len(strangers) > possible:
        yield f"the table has {len(strangers)} orders that nobody was told of, {possible} may be"


def _unanswered(responses: Sequence[Response], route: str) -> dict[str | None, str | None]:
    """The orders of the route's requests that got no response in any attempt, by key."""
    answered = {one.key for one in responses if one.status not in TRY_AGAIN}
    return {
        one.key: one.order_id for one in responses if one.route == route and one.key not in answered
    }


def _differences(where: str, expected: Iterable[str], found: Iterable[str]) -> Iterator[str]:
    """Each of the expected is there once, and nothing else is."""
    wanted, there = Counter(expected), Counter(found)
    for one in wanted - there:
        yield f"{where} no {one}"
    for one in there - wanted:
        times = f"{there[one]} times" if one in wanted else "which never was"
        yield f"{where} {one}, {times}"
