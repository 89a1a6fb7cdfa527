"""What the routes of one order share: its id from the path, and the response of a write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.domain.errors import MistypedOrderNumber, OrderNotFound
from orders.domain.order_number import looks_like_order_number, read_order_id
from orders.http.response import JSON_HEADERS, Response
from orders.telemetry import count

if TYPE_CHECKING:
    from orders.application.idempotency import Outcome
    from orders.domain.order_id import OrderId
    from orders.http.request import Request


def find_order_id(request: Request) -> OrderId | None:
    """The id that the path names, by itself or by its number."""
    return read_order_id(request.path_parameter("orderId"))


def order_id_of(request: Request) -> OrderId:
    """Likewise.

    Raises:
        OrderNotFound, MistypedOrderNumber: the path names no order.
    """
    order_id = find_order_id(request)
    if order_id is None:
        mistyped = looks_like_order_number(request.path_parameter("orderId"))
        raise MistypedOrderNumber if mistyped else OrderNotFound
    return order_id


def response_response(outcome: Outcome) -> Response:
    """The response, marked if it is the first one again."""
    response = outcome.response
    headers = JSON_HEADERS | {"ETag": response.etag}
    if response.location:
        headers["Location"] = response.location
    if outcome.replayed:
        headers["Idempotent-Replayed"] = "true"
        count("Replays")
    return Response(response.status, response.body, headers)
