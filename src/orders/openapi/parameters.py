"""Parameters of requests and headers of responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orders.domain.customer_id import CUSTOMER_ID_PATTERN
from orders.domain.events import EVENT_TYPES
from orders.domain.status import FIRST_STATUS
from orders.http.listing import (
    DEFAULT_FEED_LIMIT,
    DEFAULT_LIMIT,
    FEED_PARAMETERS,
    MAX_FEED_LIMIT,
    MAX_LIMIT,
    ORDER_LIST_PARAMETERS,
)
from orders.http.preconditions import TAGS
from orders.openapi import examples
from orders.openapi.schemas import reference

if TYPE_CHECKING:
    from orders.openapi.schemas import Node

_HEX: Final = "[0-9A-Fa-f]"
ORDER_ID_PATTERN: Final = (
    f"^(?:{_HEX}{{8}}-{_HEX}{{4}}-7{_HEX}{{3}}-[89ABab]{_HEX}{{3}}-{_HEX}{{12}}"
    "|-*(?:[0-9A-TV-Za-tv-z]-*){13})$"
)
IDEMPOTENCY_KEY_PATTERN: Final = (
    r'^(?:[!#-+\--~][!-+\--~]{0,254}|"(?:[!#-\[\]-~]|\\["\\]){1,255}")$'
)
ENTITY_TAGS_PATTERN: Final = rf"^(?:\*|{TAGS})$".replace(r"\x80-\xff", "")
"""Without non-ASCII characters, which the functions accept and no client should send."""


def _path(name: str, description: str, schema: Node, example: str) -> Node:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string"} | schema,
        "example": example,
    }


def _query(name: str, description: str, schema: Node) -> Node:
    """An optional parameter has its examples in the schema: a viewer would send one beside it."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _limit(maximum: int, default: int) -> Node:
    schema = {"type": "integer", "minimum": 1, "maximum": maximum, "default": default}
    return _query("limit", "Maximum number of items per page.", schema)


def _instant(name: str, description: str, example: str) -> Node:
    description += (
        " RFC 3339; encode the `+` of an offset as `%2B`. Finer than a millisecond, it is rounded"
        " up; second 60 counts as second 0 of the next minute."
    )
    return _query(
        name, description, {"type": "string", "format": "date-time", "examples": [example]}
    )


def _header(name: str, description: str, schema: Node) -> Node:
    string = {"type": "string"} | schema
    return {"name": name, "in": "header", "description": description, "schema": string}


ORDER_ID: Final = _path(
    "orderId",
    "The order's id or number, in upper or lower case; the number with or without hyphens, `O` read"
    " as 0, `I` and `L` as 1. Any other text returns 404.",
    {"pattern": ORDER_ID_PATTERN},
    examples.ORDER_ID,
)
CUSTOMER_ID: Final = _path(
    "customerId",
    "The customer's id, percent-encoded where necessary.",
    {"pattern": CUSTOMER_ID_PATTERN},
    examples.CUSTOMER_ID,
)
DATE: Final = _path(
    "date",
    "A UTC day. Any other text returns 404.",
    {"format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
    examples.DAY.isoformat(),
)
LIMIT: Final = _limit(MAX_LIMIT, DEFAULT_LIMIT)
CURSOR: Final = _query(
    "cursor",
    "`nextCursor` of the previous page. Path, sort and filters must be the same; `limit` and"
    " `consistent` may differ.",
    {"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": 200},
)
STATUS: Final = _query("status", "Only orders in this status.", reference("OrderStatus"))
CONSISTENT: Final = _query(
    "consistent",
    "`true` reads the table itself, so that the list includes an order just created; otherwise the"
    " list lags by milliseconds.",
    {"type": "boolean", "default": False},
)
_SORT: Final = _query(
    "sort",
    "Newest first, or oldest first.",
    {"type": "string", "enum": ["-createdAt", "createdAt"], "default": "-createdAt"},
)
_CREATED_FROM: Final = _instant(
    "createdFrom", "Only orders created at this instant or later.", "2026-11-23T00:00:00Z"
)
_CREATED_TO: Final = _instant(
    "createdTo", "Only orders created before this instant.", "2026-11-24T00:00:00Z"
)
_OF_ORDER_LISTS: Final = {
    parameter["name"]: parameter
    for parameter in (LIMIT, CURSOR, _SORT, _CREATED_FROM, _CREATED_TO, STATUS)
}
ORDER_LIST: Final = [_OF_ORDER_LISTS[name] for name in ORDER_LIST_PARAMETERS]
QUEUE: Final = [
    {**parameter, "required": True, "example": FIRST_STATUS} if parameter is STATUS else parameter
    for parameter in ORDER_LIST
]
"""The parameters of the list of all orders in one status, which is required."""

CUSTOMERS_LIST: Final = [CUSTOMER_ID, *ORDER_LIST, CONSISTENT]
TIMELINE: Final = [ORDER_ID, LIMIT, CURSOR]
_OF_FEED: Final = {
    "limit": _limit(MAX_FEED_LIMIT, DEFAULT_FEED_LIMIT),
    "cursor": CURSOR,
    "recordedFrom": _instant(
        "recordedFrom", "Only events recorded at this instant or later.", "2026-11-23T00:00:00Z"
    ),
    "recordedTo": _instant(
        "recordedTo", "Only events recorded before this instant.", "2026-11-24T00:00:00Z"
    ),
    "type": _query(
        "type", "Only events of this type.", {"type": "string", "enum": list(EVENT_TYPES)}
    ),
}
FEED: Final = [_OF_FEED[name] for name in FEED_PARAMETERS]

IDEMPOTENCY_KEY: Final = _header(
    "Idempotency-Key",
    "Makes the request safe to retry for 24 hours: the same key with the same request returns the"
    " first response, marked `Idempotent-Replayed: true`. 1 to 255 visible ASCII characters, bare"
    " and without a comma, or as a quoted string; both spellings are the same key.",
    {"pattern": IDEMPOTENCY_KEY_PATTERN, "examples": ["9f1c6a52-3b1e-4c55-8d0e-6a7f0c1b2d3e"]},
)
_TAGS: Final = {"pattern": ENTITY_TAGS_PATTERN, "examples": ['"1"']}
IF_MATCH: Final = _header(
    "If-Match",
    "The `ETag` that the change is based on; 412 if the order has changed since.",
    _TAGS,
)
UNLESS_MATCH: Final = _header(
    "If-None-Match", "412 if the order has one of these `ETag`s; `*` always returns 412.", _TAGS
)
"""If-None-Match of a write."""

IF_MATCH_OF_READ: Final = _header("If-Match", "412 if the current `ETag` is none of these.", _TAGS)
IF_NONE_MATCH: Final = _header(
    "If-None-Match",
    "The `ETag` that the client has; 304 if it is still current.",
    {"examples": ['"1"']},
)


def _text(description: str, example: str) -> Node:
    return {"description": description, "schema": {"type": "string"}, "example": example}


HEADERS: Final[Node] = {
    "ETag": {
        "description": "The order's version, which identifies the body. Send it as `If-Match` to"
        " change only this version, as `If-None-Match` to ask whether there is a newer one.",
        "schema": {"type": "string", "pattern": '^"[1-9][0-9]*"$'},
        "required": True,
        "example": '"1"',
    },
    "PageETag": {
        "description": "Changes with the content.",
        "schema": {"type": "string"},
        "required": True,
    },
    "Location": {
        "description": "The new order's address.",
        "schema": {"type": "string", "format": "uri"},
        "required": True,
        "example": f"https://api.example.com/orders/{examples.ORDER_ID}",
    },
    "Link": {
        "description": 'The next page (`rel="next"`); absent on the last one.',
        "schema": {"type": "string"},
        "example": f"<https://api.example.com/orders?status={FIRST_STATUS}&cursor={examples.CURSOR}>;"
        ' rel="next"',
    },
    "Idempotent-Replayed": {
        "description": "Present if this repeats the first response.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "X-Request-Id": _text(
        "The request's id, in every log line about it. Every response of a function"
        " has it; those of the gateway itself don't.",
        examples.REQUEST_ID,
    ),
    "Retry-After": {
        "description": "Seconds to wait.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 1,
    },
    "Allow": _text("The methods that the path supports.", "GET, HEAD, PATCH"),
    "Accept": _text("The media type that the route accepts.", "application/json"),
    "Accept-Encoding": _text(
        "Present if the request had a `Content-Encoding`, which it must not have.", "identity"
    ),
    "Accept-Patch": _text(
        "The media types that the route accepts.", "application/merge-patch+json, application/json"
    ),
    "WWW-Authenticate": _text("The authentication scheme that the API expects.", "Bearer"),
    "Cache-Control": _text(
        "Orders are private to the caller and must be revalidated before reuse.",
        "private, no-cache",
    ),
}


def headers(*names: str, **renamed: str) -> Node:
    """References to the components; `ETag="PageETag"` sends one under another's name."""
    components = {name: name for name in names} | renamed
    return {
        name: {"$ref": f"#/components/headers/{component}"}
        for name, component in components.items()
    }
