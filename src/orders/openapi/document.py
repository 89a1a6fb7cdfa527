"""The OpenAPI 3.1 document of the HTTP API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import orders
from orders.http.routes import ROUTES
from orders.openapi.error_responses import SHARED
from orders.openapi.operations import OPERATIONS
from orders.openapi.parameters import HEADERS
from orders.openapi.schemas import schema_components
from orders.openapi.webhooks import webhooks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders.http.routes import Route
    from orders.openapi.schemas import Node

VERSION: Final = Path(orders.__file__).with_name("VERSION").read_text(encoding="utf-8").strip()

_DESCRIPTION: Final = """\
**Callers.** Send an access token of the configured OIDC issuer: `Authorization: Bearer <token>`.
Customers see, list and create their own orders; staff see and change all orders.

**The caller sets the prices.** There is no catalog: the platform trusts whoever holds a customer's
token to state what an item costs. Put a shop in front of it that sets or checks the prices.

**Money** is an integer in the currency's minor unit: `1999` is 19.99 USD, 1999 JPY or 1.999 BHD.
Fractions, even `100.0`, are rejected, never rounded.

**Retries** are safe with an `Idempotency-Key`. A rejected request does not use up its key.

**Concurrent changes** never overwrite each other. To change only the version that you have seen,
send the order's `ETag` as `If-Match`. `If-Match` and `If-None-Match` work on every operation whose
responses have an `ETag`.

**`HEAD`** works wherever `GET` does: the same status and headers, without the body.

**Lists** return `nextCursor` and a `Link` to the next page; exactly at the end `nextCursor` is null
and `Link` is absent.

**Events** are sent to an SQS queue and, if the stage has one, to an SNS topic. The webhooks below
describe them. An HTTPS endpoint that subscribes to the topic with raw message delivery receives
such requests, as `text/plain` unless its delivery policy says otherwise; any other subscriber
receives their bodies as messages.

**Errors** are problem details (RFC 9457), `application/problem+json`. `type` identifies the error
and never changes, such as `/docs#order-not-found`; the docs page explains each type. `instance` is
the request's id, also in `X-Request-Id`. Errors that API Gateway returns itself, before a function
sees the request, have its own form, `{"message": "..."}`: 401, 429 and some 413, 500 and 503. An
unknown path returns 404 `route-not-found`, a method that a path doesn't support 405
`method-not-allowed`.
"""


def openapi_document(address: str, routes: Sequence[Route] = ROUTES) -> Node:
    """The document of the API at this address, which may be relative to the document's own."""
    paths: Node = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = OPERATIONS[route.key]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Order platform",
            "version": VERSION,
            "summary": "Place orders, follow them and change their status.",
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": address}],
        "security": [{"accessToken": []}],
        "tags": [
            {"name": "Orders", "description": "Place, read and change orders."},
            {"name": "Events", "description": "Follow what happens to all orders."},
            {"name": "Reports", "description": "Read the daily reports."},
            {"name": "About", "description": "The API itself; no token needed."},
        ],
        "paths": paths,
        "webhooks": webhooks(),
        "components": {
            "schemas": schema_components(),
            "headers": HEADERS,
            "responses": SHARED,
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token of the configured OIDC issuer.",
                }
            },
        },
    }
