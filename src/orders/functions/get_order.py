"""GET /orders/{orderId}."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.application.get_order import GetOrder
from orders.functions.wiring import Wiring
from orders.http.bodies import order_json
from orders.http.endpoint import endpoint
from orders.http.paths import order_id_of
from orders.http.preconditions import etag, read_condition
from orders.http.response import JSON_HEADERS, PRIVATE, Response
from orders.telemetry import bind_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.http.request import Request


def route(wiring: Wiring) -> Callable[[Request], Response]:
    get, claims = GetOrder(wiring.orders), wiring.claims

    def handle(request: Request) -> Response:
        caller = claims.identify(request)
        request.query(())
        client_has = read_condition(request)
        order = get(caller, order_id_of(request))
        bind_order(order.order_id)
        tag = {"ETag": etag(order.version)}
        if client_has(tag["ETag"]):
            return Response(304, headers=PRIVATE | tag)
        return Response(200, order_json(order), JSON_HEADERS | tag)

    return handle


handler = endpoint(route(Wiring()))
