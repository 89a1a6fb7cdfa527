"""POST /orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from orders.adapters.system import RandomIds, SystemClock
from orders.application.create_order import CreateOrder
from orders.application.idempotency import StoredResponse
from orders.functions import wiring
from orders.http.bodies import NewOrderBody, order_json
from orders.http.endpoint import endpoint
from orders.http.idempotency_key import parse_key, scoped_key
from orders.http.order_responses import response_response
from orders.http.preconditions import etag
from orders.http.problems import PaymentsNotConfigured
from orders.http.request import JSON
from orders.http.validation import validated
from orders.telemetry import about_order, count

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.domain.order import Order
    from orders.http.caller import Claims
    from orders.http.request import Request
    from orders.http.response import Response


def route(
    create: CreateOrder, claims: Claims, public_address: str, *, takes_tokens: bool
) -> Callable[[Request], Response]:
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
            return StoredResponse(201, order_json(order), etag(order.version), location)

        outcome = create(caller, body.to_domain(), key, render)
        if outcome.order:
            about_order(outcome.order.order_id)
            count("OrdersCreated")
        return response_response(outcome)

    return handle


handler = endpoint(
    route(
        CreateOrder(wiring.orders(wiring.table()), SystemClock(), RandomIds()),
        wiring.claims(),
        wiring.public_address(),
        takes_tokens=wiring.payments() != "none",
    )
)
