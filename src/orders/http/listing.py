"""Lists: their query parameters, cursors and links."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlencode

from orders.application.list_events import FeedRequest
from orders.application.paging import PageRequest
from orders.domain import timestamps
from orders.domain.events import EVENT_TYPES
from orders.domain.order_id import IdRange
from orders.domain.status import OrderStatus
from orders.http.bodies import order_page_json
from orders.http.cursor import decode_cursor, encode_cursor, order_position
from orders.http.problems import MalformedRequest
from orders.http.response import JSON_HEADERS, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders.application.paging import Page
    from orders.domain.order import OrderSummary
    from orders.domain.order_id import OrderId

DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 100
ORDER_LIST_PARAMETERS: Final = ("limit", "cursor", "sort", "createdFrom", "createdTo", "status")

DEFAULT_FEED_LIMIT: Final = 100
MAX_FEED_LIMIT: Final = 1000
FEED_PARAMETERS: Final = ("limit", "cursor", "recordedFrom", "recordedTo", "type")
_LAST_MILLISECOND: Final = 253_402_300_799_999
"""Of the year 9999, the last year that RFC 3339 can write."""

_DIRECTIONS: Final = {"-createdAt": True, "createdAt": False}
_LIMIT: Final = re.compile(r"[0-9]{1,4}")
_RFC_3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(?:\.(\d{1,3})(\d{0,57}))?"
    r"([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


class Listing(NamedTuple):
    """One page request to one list.

    `scope` identifies the list: route, partition, direction and filters.
    """

    path: str
    scope: tuple[str, ...]
    query: Mapping[str, str]
    page: PageRequest

    def response(self, page: Page[OrderSummary, OrderId], base_address: str) -> Response:
        position = page.next_position
        cursor = None if position is None else encode_cursor(self.scope, position)
        body = order_page_json(page.items, cursor)
        return page_response(body, f"{base_address}{self.path}", self.query, cursor)


def order_listing(query: Mapping[str, str], path: str, partition: str) -> Listing:
    """A list of orders, at the position of the query's cursor.

    Raises:
        MalformedRequest, InvalidCursor.
    """
    sort = query.get("sort", "-createdAt")
    if sort not in _DIRECTIONS:
        raise MalformedRequest("sort must be createdAt or -createdAt.")
    ids = IdRange.all()
    if "createdFrom" in query:
        ids = ids.created_from(_millisecond("createdFrom", query["createdFrom"]))
    if "createdTo" in query:
        ids = ids.created_before(_millisecond("createdTo", query["createdTo"]))
    page = PageRequest(limit=parse_limit(query), ids=ids, newest_first=_DIRECTIONS[sort])
    scope = (partition, sort, query.get("status", ""), f"{ids.first:x}", f"{ids.last:x}")
    if "cursor" in query:
        position = order_position(scope, query["cursor"])
        page = page._replace(ids=page.remaining_after(position))
    return Listing(path, scope, query, page)


def feed_request(query: Mapping[str, str]) -> tuple[tuple[str, ...], FeedRequest]:
    """The feed at the position of the query's cursor, and the scope of its cursors.

    Raises:
        MalformedRequest, InvalidCursor.
    """
    event_type = query.get("type")
    if event_type not in {None, *EVENT_TYPES}:
        raise MalformedRequest(f"type must be one of {', '.join(EVENT_TYPES)}.")
    bounds = (
        _recorded("recordedFrom", query, 0),
        _recorded("recordedTo", query, _LAST_MILLISECOND),
    )
    since, until = map(timestamps.from_milliseconds, bounds)
    scope = ("events", event_type or "", *map(str, bounds))
    return scope, FeedRequest(
        # Any text is a position: a later release's row may have a key that this one can't read.
        after=decode_cursor(scope, query["cursor"]) if "cursor" in query else "",
        since=since,
        until=until,
        type=event_type,
        limit=parse_limit(query, default=DEFAULT_FEED_LIMIT, most=MAX_FEED_LIMIT),
    )


def _recorded(name: str, query: Mapping[str, str], default: int) -> int:
    """A bound of the feed. Nothing was recorded before 1970. Raises MalformedRequest."""
    bound = _millisecond(name, query[name]) if name in query else default
    return min(max(bound, 0), _LAST_MILLISECOND)


def page_response(
    body: str, address: str, query: Mapping[str, str], cursor: str | None
) -> Response:
    """A page, with a link to the next one if there is one."""
    if cursor is None:
        return Response(200, body, JSON_HEADERS)
    target = f"{address}?{urlencode({**query, 'cursor': cursor})}"
    return Response(200, body, JSON_HEADERS | {"Link": f'<{target}>; rel="next"'})


def parse_limit(
    query: Mapping[str, str], default: int = DEFAULT_LIMIT, most: int = MAX_LIMIT
) -> int:
    """Raises MalformedRequest."""
    text = query.get("limit", str(default))
    if _LIMIT.fullmatch(text) is None or not 1 <= int(text) <= most:
        raise MalformedRequest(f"limit must be a whole number from 1 to {most}.")
    return int(text)


def parse_status(text: str) -> OrderStatus:
    """Raises MalformedRequest."""
    try:
        return OrderStatus(text)
    except ValueError as error:
        raise MalformedRequest(f"status must be one of {', '.join(OrderStatus)}.") from error


def parse_flag(name: str, text: str) -> bool:
    """Raises MalformedRequest."""
    if text not in {"true", "false"}:
        raise MalformedRequest(f"{name} must be true or false.")
    return text == "true"


def _millisecond(name: str, text: str) -> int:
    """Milliseconds since the epoch; a finer instant is rounded up.

    Second 60, RFC 3339's leap second, counts as second 0 of the next minute, in any minute: the
    platform keeps no table of leap seconds.

    Raises:
        MalformedRequest.
    """
    detail = f"{name} must be an RFC 3339 timestamp such as 2026-11-23T04:36:00Z; encode + as %2B."
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise MalformedRequest(detail)
    day, minute, second, thousandths, finer, offset = match.groups("")
    leap = second == "60"
    try:
        instant = datetime.fromisoformat(
            f"{day}T{minute}:{'59' if leap else second}{offset.upper()}"
        )
    except ValueError as error:
        raise MalformedRequest(detail) from error
    milliseconds = 1000 * leap + int(thousandths.ljust(3, "0")) + (int(f"0{finer}") > 0)
    return timestamps.to_milliseconds(instant) + milliseconds
