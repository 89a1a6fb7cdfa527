"""What happened in a run: each call that a client made, and what was found afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]

STAFF: Final = "staff"
"""The caller of every call with a token of staff."""


OPERATOR: Final = "operator"
"""The caller of AWS that no function is."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request as its client saw it. A retry is a call of its own.

    `start` and `end` are seconds since the run began, by one monotonic clock. `status` is None
    where no response came: the request may have taken effect, may still take effect, or not.
    """

    id: int
    client: str
    """The worker that made the call; it makes one at a time."""
    caller: str
    """The customer's id, or `staff`."""
    method: str
    path: str
    query: dict[str, str] = {}
    key: str | None = None
    """Idempotency-Key."""
    if_match: str | None = None
    body: Json | None = None
    walk: str | None = None
    """The walk through a list that this page belongs to; its pages follow by `id`."""
    start: float
    end: float
    status: int | None
    headers: dict[str, str] = {}
    """Of the response, their names in lower case."""
    text: str = ""
    """The response's body as it came."""


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """One row's change, as the table's stream tells it, in the order of the commits."""

    pk: str
    sk: str
    old: Json | None
    new: Json | None


class Strike(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that struck a request, on the clients' clock."""

    at: float
    until: float
    caller: str
    """The function whose call to AWS was struck, or the client."""
    operation: str
    """AWS's action, or the HTTP method."""
    fault: str


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One command of the operator, as it was typed; `--yes` and `--json` are left out."""

    arguments: list[str]
    start: float
    end: float
    """On the clients' clock."""
    code: int
    """Its exit code; less than 0 if it was killed."""
    output: str
    said: str
    """Its last line on standard error."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run once it has settled: faults over, queues empty, dead letters redriven."""

    seed: int
    began: float
    """Seconds since 1970 when the clients' clock began."""
    feed_delay: float
    """The seconds that an event is old when the feed shows it."""
    calls: list[Call]
    rows: list[Json]
    """Every row of the table, in plain values."""
    commits: list[Commit]
    published: list[Json]
    """Events that the queue took from the publisher, in order; one that was sent again stands here
    again."""
    dead_letters: list[Json]
    """What is left in the two dead-letter queues: `queue` and `body`."""
    reports: list[Json]
    """Daily reports of the run's days, as `GET /reports/daily/{date}` returns them."""
    commands: list[Command] = []
    replayed: list[Json] = []
    """Events that the queue took from the operator, in order."""
    strikes: list[Strike] = []
    settled: float | None = None
    """When the run had settled, on the clients' clock: calls that began later are last reads."""

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1))
