"""One effect per idempotency key; every retry gets the first response."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple, NewType

from orders.application.errors import IdempotencyKeyReused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from orders.domain.order import Order

KEPT_FOR: Final = timedelta(hours=24)


StoredResponse = NewType("StoredResponse", str)
"""The response to the first request, in a form that only `orders.http.idempotency` reads."""


class IdempotencyRecord(NamedTuple):
    """What a key was used for. `fingerprint` identifies the request, `record_id` the key.

    `expires_at` is in whole seconds since the epoch.
    """

    record_id: str
    fingerprint: str
    response: StoredResponse
    expires_at: int


class IdempotencyKey(NamedTuple):
    """A caller's key for one operation, with the fingerprint of the request that carries it.

    `record_id` is made of caller, operation and key: the scope of the key.
    """

    record_id: str
    fingerprint: str

    def remember(self, response: StoredResponse, now: datetime) -> IdempotencyRecord:
        expires_at = ceil((now + KEPT_FOR).timestamp())
        return IdempotencyRecord(self.record_id, self.fingerprint, response, expires_at)

    def replay(self, record: IdempotencyRecord | None, now: datetime) -> Outcome | None:
        """The first response; None if the key is unused or its record has expired.

        Raises:
            IdempotencyKeyReused: the key was used for another request.
        """
        if record is None or record.expires_at <= now.timestamp():
            return None
        if record.fingerprint != self.fingerprint:
            raise IdempotencyKeyReused
        return Outcome(record.response, replayed=True)


class Outcome(NamedTuple):
    """A response and its origin. `order` is the order as written; None if nothing was written."""

    response: StoredResponse
    replayed: bool = False
    order: Order | None = None


if TYPE_CHECKING:
    Render = Callable[[Order], StoredResponse]
    """Renders the response before the write: its record is part of the order's transaction."""
