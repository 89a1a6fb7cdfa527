"""GET /events."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from orders.adapters.system import SystemClock
from orders.application.list_events import ListEvents
from orders.environment import optional
from orders.functions import wiring
from orders.http.bodies import EventPageBody, to_json
from orders.http.cursor import encode_cursor
from orders.http.endpoint import endpoint
from orders.http.listing import FEED_PARAMETERS, feed_request, page_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.http.claims import Claims
    from orders.http.request import Request
    from orders.http.response import Response


def route(
    list_events: ListEvents, claims: Claims, public_address: str
) -> Callable[[Request], Response]:
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


handler = endpoint(
    route(
        ListEvents(
            wiring.orders(wiring.table()),
            SystemClock(),
            timedelta(seconds=int(optional("FEED_DELAY_SECONDS", "60"))),
        ),
        wiring.claims(),
        wiring.public_address(),
    )
)
