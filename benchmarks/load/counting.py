"""Whether anything was lost or doubled: answers, rows, events and timelines, held together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.load.responses import CREATE, UPDATE

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from benchmarks.load.responses import Response


class Change(NamedTuple):
    """A version of an order: its creation, or a change of its status."""

    order_id: str
    version: int

    def __str__(self) -> str:
        """Return the id of the change's event."""
        return f"{self.order_id}/{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What a load left behind."""

    orders: dict[str, int]
    """The version of each order, by the orders' own rows."""
    listed: Sequence[str]
    """The orders that have a row in their customer's list."""
    timeline: Sequence[Change]
    """The timelines' entries."""
    events: Sequence[Change]
    """What the publisher says that it sent."""
    dead_letters: int
    """Messages in the dead-letter queues."""

    def without(self, orders: Iterable[str]) -> Left:
        """Leave out the orders of an earlier load."""
        old = frozenset(orders)
        return Left(
            orders={order: version for order, version in self.orders.items() if order not in old},
            listed=[order for order in self.listed if order not in old],
            timeline=[entry for entry in self.timeline if entry.order_id not in old],
            events=[event for event in self.events if event.order_id not in old],
            dead_letters=self.dead_letters,
        )

    @property
    def changes(self) -> list[Change]:
        """Every version that an order has had."""
        return [
            Change(order, version)
            for order, newest in self.orders.items()
            for version in range(1, newest + 1)
        ]


def counts(responses: Sequence[Response], left: Left) -> dict[str, int]:
    """Return the numbers that must agree, by their names in the table."""
    done = _done(responses)
    created = {response.order_id: response for response in done if response.route == CREATE}
    return {
        "orders answered with 201": len(created),
        "orders whose creation never got its response": len(_unanswered(responses, CREATE)),
        "orders in the table": len(left.orders),
        "orders in their customer's list": len(left.listed),
        "status changes answered with 200": len({response.key for response in done}) - len(created),
        "status changes that never got their response": len(_unanswered(responses, UPDATE)),
        "status changes by the platform itself": sum(
            one.paid_by_platform for one in created.values()
        ),
        "status changes in the table": len(left.changes) - len(left.orders),
        "events": len(set(left.events)),
        "events sent again": len(left.events) - len(set(left.events)),
        "timeline entries": len(left.timeline),
        "dead letters": left.dead_letters,
    }


def faults(responses: Sequence[Response], left: Left) -> list[str]:
    """Say what was lost or doubled; nothing where all agree.

    What never got its response may have been done or not; all else is exact. An event may be sent
    again: at least once is the promise.
    """
    return [
        *_orders(responses, left),
        *_differences("a customer's list has", left.orders.keys(), left.listed),
        *_differences("a timeline has", left.changes, left.timeline),
        *_differences("the queue got", left.changes, set(left.events)),
        *([f"{left.dead_letters} dead letters"] if left.dead_letters else []),
    ]


def _orders(responses: Sequence[Response], left: Left) -> Iterator[str]:
    """Hold the orders against what their clients were told."""
    told: dict[str | None, int] = {}
    for response in _done(responses):
        # Nobody but the platform changes an order that the platform charges.
        version = response.version + response.paid_by_platform
        told[response.order_id] = max(version, told.get(response.order_id, 0))
    unknown = Counter(_unanswered(responses, UPDATE).values())
    for order, version in told.items():
        found = left.orders.get(str(order))
        if found is None:
            yield f"order {order} was answered, and is not in the table"
        elif not version <= found <= version + unknown[order]:
            yield f"order {order} has version {found} in the table, {version} by its responses"
    strangers, possible = left.orders.keys() - told.keys(), len(_unanswered(responses, CREATE))
    if len(strangers) > possible:
        yield f"the table has {len(strangers)} orders that nobody was told of, {possible} may be"


def _done(responses: Iterable[Response]) -> list[Response]:
    """Return the responses of what was created and changed; a replay is one too."""
    return [response for response in responses if response.version]


def _unanswered(responses: Sequence[Response], route: str) -> dict[str | None, str | None]:
    """Return the orders of the route's requests that no attempt got a response for, by key."""
    answered = {response.key for response in responses if not response.unknown}
    return {
        response.key: response.order_id
        for response in responses
        if response.route == route and response.key not in answered
    }


def _differences(
    where: str, expected: Iterable[Hashable], found: Iterable[Hashable]
) -> Iterator[str]:
    """Each of the expected is there once, and nothing else is."""
    wanted, there = Counter(expected), Counter(found)
    for one in wanted - there:
        yield f"{where} no {one}"
    for one in there - wanted:
        times = f"{there[one]} times" if one in wanted else "which never was"
        yield f"{where} {one}, {times}"
