"""What a path names: an order, by its id or its number, or a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.application.errors import OrderNotFound
from orders.domain.customer_id import CUSTOMER_ID_PATTERN, parse_customer_id
from orders.domain.order_number import looks_like_order_number, read_order_id
from orders.http.problems import MalformedRequest, MistypedOrderNumber

if TYPE_CHECKING:
    from orders.domain.customer_id import CustomerId
    from orders.domain.order_id import OrderId
    from orders.http.request import Request


def find_order_id(request: Request) -> OrderId | None:
    """The path's order, or None where the text is neither an id nor a number."""
    return read_order_id(request.path_parameter("orderId"))


def order_id_of(request: Request) -> OrderId:
    """The path's order. Raises OrderNotFound, MistypedOrderNumber."""
    order_id = find_order_id(request)
    if order_id is None:
        mistyped = looks_like_order_number(request.path_parameter("orderId"))
        raise MistypedOrderNumber if mistyped else OrderNotFound
    return order_id


def customer_id_of(request: Request) -> CustomerId:
    """The path's customer. Raises MalformedRequest."""
    customer_id = parse_customer_id(request.path_parameter("customerId"))
    if customer_id is None:
        raise MalformedRequest(f"A customer id must match {CUSTOMER_ID_PATTERN}.")
    return customer_id
