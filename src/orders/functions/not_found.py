"""Whatever no route answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.http.endpoint import endpoint
from orders.http.problems import MethodNotAllowed, RouteNotFound
from orders.http.response import Response
from orders.http.routes import allowed_methods

if TYPE_CHECKING:
    from orders.http.request import Request


def _handle(request: Request) -> Response:
    if request.is_preflight:
        # The gateway adds the CORS headers, where origins are configured. Where none are, their
        # absence is the refusal: a browser asks for a success besides.
        return Response(204)
    if allowed := allowed_methods(request.path):
        raise MethodNotAllowed(allowed)
    raise RouteNotFound


handler = endpoint(_handle)
