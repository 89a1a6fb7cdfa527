"""GET /events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.application.list_events import ListEvents
from orders.functions.wiring import Wiring
from orders.http.bodies import EventPageBody, to_json
from orders.http.cursor import encode_cursor
from orders.http.endpoint import endpoint
from orders.http.listing import FEED_PARAMETERS, feed_request, page_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.http.request import Request
    from orders.http.response import Response


def route(wiring: Wiring) -> Callable[[Request], Response]:
    list_events = ListEvents(wiring.orders, wiring.clock, wiring.feed_delay)
    claims, public_address = wiring.claims, wiring.public_address

    def handle(request: Request) -> Response:
        caller = claims.identify(request)
        query = request.query(FEED_PARAMETERS)
        scope, feed = feed_request(query)
        page = list_events(caller, feed)
        cursor = encode_cursor(scope, page.next_position or "")
        events = [event.to_cloud_event() for event in page.items]
        return page_response(
            to_json(EventPageBody(events, cursor)),
            f"{request.base_address(public_address)}/events",
            query,
            cursor,
        )

    return handle


handler = endpoint(route(Wiring()))
