"""The fallback for every other request: 404, or 405 if the path supports other methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.functions.settings import Settings
from orders.http.endpoint import endpoint
from orders.http.problems import MethodNotAllowed, RouteNotFound
from orders.http.response import Response
from orders.http.routes import allowed_methods, deployed_routes

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.http.request import Request


def route(settings: Settings) -> Callable[[Request], Response]:
    base = settings.public_address.partition("://")[2].partition("/")[2].strip("/")
    base_path = f"/{base}" if base else ""
    routes = deployed_routes(desk=settings.has_desk)

    def handle(request: Request) -> Response:
        if request.is_preflight:
            # The gateway adds the CORS headers if origins are configured. If not, their absence
            # refuses the request; the browser expects a success status either way.
            return Response(204)
        if allowed := allowed_methods(request.path_below(base_path), routes):
            raise MethodNotAllowed(allowed)
        raise RouteNotFound

    return handle


handler = endpoint(route(Settings()))
