"""What a response must be, in the contract's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_ID: Final = "JKJaXmPLvHcESHA="
ADDRESS: Final = "https://api.example.com"
JSON: Final = {"Content-Type": "application/json", "Cache-Control": "private, no-cache"}


TIMELINE: Final = "GET /orders/{orderId}/timeline"
FEED: Final = "GET /events"
OF_CUSTOMER: Final = "GET /customers/{customerId}/orders"
OF_STATUS: Final = "GET /orders"


@dataclass(frozen=True, slots=True)
class Listing:
    """What makes a list this one and no other: a cursor of it fits no other list."""

    route: str
    """One of the four above."""
    partition: str = ""
    newest_first: bool = True
    status: str | None = None
    type: str | None = None
    since: int | None = None
    until: int | None = None
    """Milliseconds since the epoch; `since` is part of the window, `until` is not."""


@dataclass(frozen=True, slots=True)
class NextPage:
    """Where a list goes on; `position` is None at its end."""

    listing: Listing
    position: str | int | None


@dataclass(frozen=True, slots=True)
class Expected:
    """`headers` are all but X-Request-Id and Link; `body` is without the details of problems.

    `text_of` names an order and its version: all responses with it have the same text.
    """

    status: int
    headers: Mapping[str, str]
    body: Any = None
    text_of: tuple[str, int] | None = None
    next_page: NextPage | None = field(default=None)


def problem(
    status: int, slug: str, headers: Mapping[str, str] | None = None, **members: object
) -> Expected:
    """A problem detail; its `detail` and those of its `errors` may be any text."""
    return Expected(
        status,
        {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
        | dict(headers or {}),
        {
            "type": f"/docs#{slug}",
            "title": slug.replace("-", " ").capitalize(),
            "status": status,
            "instance": REQUEST_ID,
            **members,
        },
    )


NO_ORDER: Final = problem(404, "order-not-found")
NO_REPORT: Final = problem(404, "report-not-found")
FORBIDDEN: Final = problem(403, "forbidden")
INVALID_CURSOR: Final = problem(400, "invalid-cursor")
KEY_REUSED: Final = problem(422, "idempotency-key-reused")
STALE: Final = problem(412, "precondition-failed")
