"""GET /orders/{orderId}/timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.application.get_order_timeline import GetOrderTimeline
from orders.functions.wiring import Wiring
from orders.http.bodies import TimelineEventBody, TimelinePageBody, to_json
from orders.http.cursor import encode_cursor, version_position
from orders.http.endpoint import endpoint
from orders.http.listing import page_response, parse_limit
from orders.http.paths import find_order_id, order_id_of
from orders.telemetry import bind_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.http.request import Request
    from orders.http.response import Response


def route(wiring: Wiring) -> Callable[[Request], Response]:
    get_timeline = GetOrderTimeline(wiring.orders)
    claims, public_address = wiring.claims, wiring.public_address

    def handle(request: Request) -> Response:
        caller = claims.identify(request)
        query = request.query(("limit", "cursor"))
        limit = parse_limit(query)
        scope = ("timeline", find_order_id(request) or "")
        after = version_position(scope, query["cursor"]) if "cursor" in query else 0
        order_id = order_id_of(request)
        bind_order(order_id)
        page = get_timeline(caller, order_id, after_version=after, limit=limit)
        position = page.next_position
        cursor = None if position is None else encode_cursor(scope, str(position))
        events = [TimelineEventBody.of(event, caller) for event in page.items]
        return page_response(
            to_json(TimelinePageBody(events, cursor)),
            f"{request.base_address(public_address)}/orders/{order_id}/timeline",
            query,
            cursor,
        )

    return handle


handler = endpoint(route(Wiring()))
