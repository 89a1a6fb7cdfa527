"""PATCH /orders/{orderId}."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.application.change_status import ChangeStatus, StatusChange
from orders.domain.reasons import require_callers_own
from orders.functions.wiring import Wiring
from orders.http.bodies import StatusChangeBody, or_none, order_json
from orders.http.endpoint import endpoint
from orders.http.idempotency import outcome_response, parse_key, scoped_key, stored
from orders.http.paths import order_id_of
from orders.http.preconditions import etag, write_condition
from orders.http.request import JSON, MERGE_PATCH
from orders.http.response import Response
from orders.http.validation import validated
from orders.telemetry import bind_order, count

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.application.idempotency import StoredResponse
    from orders.domain.order import Order
    from orders.http.request import Request


def route(wiring: Wiring) -> Callable[[Request], Response]:
    change_status = ChangeStatus(wiring.orders, wiring.clock)
    claims = wiring.claims

    def handle(request: Request) -> Response:
        caller = claims.identify(request)
        parsed = request.json((MERGE_PATCH, JSON))
        request.query(())
        bare_key = parse_key(request)
        expects = write_condition(request)
        body = validated(parsed, StatusChangeBody)
        reason = or_none(body.reason)
        if reason is not None:
            require_callers_own(reason)
        order_id = order_id_of(request)
        bind_order(order_id)
        key = scoped_key(bare_key, caller, "update", body, about=order_id)
        change = StatusChange(
            order_id=order_id,
            status=body.status,
            reason=reason,
            expects=expects,
        )
        outcome = change_status(caller, change, key, _render)
        if outcome.order:
            count("StatusChanges")
        return outcome_response(outcome)

    return handle


def _render(order: Order) -> StoredResponse:
    return stored(Response(200, order_json(order), {"ETag": etag(order.version)}))


handler = endpoint(route(Wiring()))
