"""POST /orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from orders.application.create_order import CreateOrder
from orders.functions.wiring import Wiring
from orders.http.bodies import NewOrderBody, order_json
from orders.http.endpoint import endpoint
from orders.http.idempotency import outcome_response, parse_key, scoped_key, stored
from orders.http.preconditions import etag
from orders.http.problems import PaymentsNotConfigured
from orders.http.request import JSON
from orders.http.response import Response
from orders.http.validation import validated
from orders.telemetry import bind_order, count

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.application.idempotency import StoredResponse
    from orders.domain.order import Order
    from orders.http.request import Request


def route(wiring: Wiring) -> Callable[[Request], Response]:
    create = CreateOrder(wiring.orders, wiring.clock, wiring.ids)
    claims, public_address = wiring.claims, wiring.public_address
    takes_tokens = wiring.payments != "none"

    def handle(request: Request) -> Response:
        caller = claims.identify(request)
        parsed = request.json((JSON,))
        request.query(())
        bare_key = parse_key(request)
        body = validated(parsed, NewOrderBody)
        if body.payment_token is not UNSET and not takes_tokens:
            raise PaymentsNotConfigured
        key = scoped_key(bare_key, caller, "create", body)
        address = request.base_address(public_address)

        def render(order: Order) -> StoredResponse:
            location = f"{address}/orders/{order.order_id}"
            headers = {"ETag": etag(order.version), "Location": location}
            return stored(Response(201, order_json(order), headers))

        outcome = create(caller, body.to_domain(), key, render)
        if outcome.order:
            bind_order(outcome.order.order_id)
            count("OrdersCreated")
        return outcome_response(outcome)

    return handle


handler = endpoint(route(Wiring()))
