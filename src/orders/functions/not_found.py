"""Whatever no route answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.http.endpoint import endpoint
from orders.http.problems import MethodNotAllowed, RouteNotFound
from orders.http.routes import allowed_methods

if TYPE_CHECKING:
    from orders.http.request import Request
    from orders.http.response import Response


def _handle(request: Request) -> Response:
    if allowed := allowed_methods(request.path):
        raise MethodNotAllowed(allowed)
    raise RouteNotFound


handler = endpoint(_handle)
