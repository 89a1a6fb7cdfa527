"""GET /health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.functions.settings import Settings
from orders.http.bodies import HealthBody, to_json
from orders.http.endpoint import endpoint
from orders.http.response import Response
from orders.telemetry import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.http.request import Request


def route(_settings: Settings) -> Callable[[Request], Response]:
    def handle(_request: Request) -> Response:
        return Response(
            200,
            to_json(HealthBody("ok", VERSION)),
            {"Content-Type": "application/json", "Cache-Control": "no-store"},
        )

    return handle


handler = endpoint(route(Settings()))
