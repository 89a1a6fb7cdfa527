"""GET /health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders.http.bodies import HealthBody, to_json
from orders.http.endpoint import endpoint
from orders.http.response import Response

if TYPE_CHECKING:
    from orders.http.request import Request


def _handle(_request: Request) -> Response:
    return Response(
        200,
        to_json(HealthBody("ok")),
        {"Content-Type": "application/json", "Cache-Control": "no-store"},
    )


handler = endpoint(_handle)
