"""GET /customers/{customerId}/orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from orders.application.list_customer_orders import ListCustomerOrders
from orders.functions.wiring import Wiring
from orders.http.endpoint import endpoint
from orders.http.listing import ORDER_LIST_PARAMETERS, order_listing, parse_flag, parse_status
from orders.http.paths import customer_id_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.http.request import Request
    from orders.http.response import Response

PARAMETERS: Final = (*ORDER_LIST_PARAMETERS, "consistent")


def route(wiring: Wiring) -> Callable[[Request], Response]:
    list_orders = ListCustomerOrders(wiring.orders)
    claims, public_address = wiring.claims, wiring.public_address

    def handle(request: Request) -> Response:
        caller = claims.identify(request)
        query = request.query(PARAMETERS)
        customer_id = customer_id_of(request)
        path = f"/customers/{quote(customer_id, safe='')}/orders"
        listing = order_listing(query, path, f"customer {customer_id}")
        page = list_orders(
            caller,
            customer_id,
            listing.page,
            status=parse_status(query["status"]) if "status" in query else None,
            consistent=parse_flag("consistent", query.get("consistent", "false")),
        )
        return listing.response(page, request.base_address(public_address))

    return handle


handler = endpoint(route(Wiring()))
