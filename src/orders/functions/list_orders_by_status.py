"""GET /orders?status=PENDING."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.application.list_orders_by_status import ListOrdersByStatus
from orders.functions.wiring import Wiring
from orders.http.endpoint import endpoint
from orders.http.listing import ORDER_LIST_PARAMETERS, order_listing, parse_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.http.request import Request
    from orders.http.response import Response


def route(wiring: Wiring) -> Callable[[Request], Response]:
    list_orders = ListOrdersByStatus(wiring.orders)
    claims, public_address = wiring.claims, wiring.public_address

    def handle(request: Request) -> Response:
        caller = claims.identify(request)
        query = request.query(ORDER_LIST_PARAMETERS)
        status = parse_status(query.get("status", ""))
        listing = order_listing(query, "/orders", "status")
        page = list_orders(caller, status, listing.page)
        return listing.response(page, request.base_address(public_address))

    return handle


handler = endpoint(route(Wiring()))
