"""GET /openapi.json and GET /docs."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from orders.functions.settings import Settings
from orders.http.endpoint import endpoint
from orders.http.pages import CACHE, built_page, page_response, unless_known
from orders.http.response import Response
from orders.http.routes import deployed_routes
from orders.openapi.document import openapi_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.http.pages import Page
    from orders.http.request import Request


@cache
def docs_page() -> Page:
    return built_page("docs")


def route(
    settings: Settings, read_page: Callable[[], Page] = docs_page
) -> Callable[[Request], Response]:
    public_address = settings.public_address
    routes = deployed_routes(desk=settings.has_desk)

    def handle(request: Request) -> Response:
        if request.route.endswith(" /docs"):
            return page_response(request, read_page())
        document = openapi_document(request.base_address(public_address), routes)
        content = msgspec.json.encode(document)
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        headers = {"ETag": etag, "Content-Type": "application/json"} | CACHE
        return unless_known(request, Response(200, content.decode(), headers))

    return handle


handler = endpoint(route(Settings()))
