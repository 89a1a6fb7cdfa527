"""Every route, and the function that serves it. serverless.yml is tested against this table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Route(NamedTuple):
    """`path` has its parameters in braces, as API Gateway writes them."""

    method: str
    path: str
    function: str

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def methods(self) -> tuple[str, ...]:
        """HEAD works wherever GET does (RFC 9110, section 9.1)."""
        return ("GET", "HEAD") if self.method == "GET" else (self.method,)

    @property
    def keys(self) -> tuple[str, ...]:
        """API Gateway has a route for each method."""
        return tuple(f"{method} {self.path}" for method in self.methods)


DESK: Final = "desk"
ROUTES: Final = (
    Route("POST", "/orders", "create-order"),
    Route("GET", "/orders", "list-orders-by-status"),
    Route("GET", "/orders/{orderId}", "get-order"),
    Route("PATCH", "/orders/{orderId}", "update-order"),
    Route("GET", "/orders/{orderId}/timeline", "get-order-timeline"),
    Route("GET", "/customers/{customerId}/orders", "list-customer-orders"),
    Route("GET", "/events", "list-events"),
    Route("GET", "/reports/daily/{date}", "get-daily-report"),
    Route("GET", "/health", "health"),
    Route("GET", "/openapi.json", "api-docs"),
    Route("GET", "/docs", "api-docs"),
    Route("GET", "/desk", DESK),
)


def deployed_routes(*, desk: bool) -> Sequence[Route]:
    """The routes of a stage, which may have no staff desk."""
    return [route for route in ROUTES if desk or route.function != DESK]


def allowed_methods(path: str, routes: Sequence[Route] = ROUTES) -> list[str]:
    """The methods of the routes that match the path."""
    return sorted(
        method
        for route in routes
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route.path)), path)
        for method in route.methods
    )
