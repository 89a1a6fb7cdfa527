"""The HTTP API over fakes: requests as API Gateway makes them, through the routes' own code."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fakes import FakeClock, FakeIds, InMemoryOrders, InMemoryReports
from gateway import CUSTOMER_CLAIMS, MERGE_PATCH, REQUEST_ID, STAFF_CLAIMS, order_body, request
from orders.functions import api_docs, desk
from orders.functions.wiring import Wiring
from orders.http.claims import Claims
from orders.http.endpoint import endpoint
from orders.http.pages import Page
from orders.http.routes import ROUTES
from proof.oracle import FEED_DELAY

if TYPE_CHECKING:
    from types import ModuleType

    from gateway import Event


PAGE_HTML = (
    "<!doctype html><title>Ordres à voir</title>"
    '<script id="settings" type="application/json">{}</script>'
)
PAGE = Page(
    content_security_policy="default-src 'none'",
    etag='"abc"',
    gzip=base64.b64encode(gzip.compress(PAGE_HTML.encode())).decode(),
)


def module_of(function: str) -> ModuleType:
    return import_module(f"orders.functions.{function.replace('-', '_')}")


@dataclass(frozen=True)
class Response:
    """What a client gets; header names are looked up as they were written."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was sent
        return json.loads(self.text)

    @property
    def problem(self) -> str:
        """The last part of the problem's type."""
        assert self.headers["Content-Type"] == "application/problem+json"
        assert self.json["status"] == self.status
        return str(self.json["type"]).rpartition("#")[2]

    @property
    def pointer(self) -> str:
        """The field at fault."""
        assert (self.status, self.problem) == (422, "validation-failed")
        (error,) = self.json["errors"]
        assert error["detail"]
        return str(error["pointer"])


class Api:
    """Every route over one set of fakes."""

    def __init__(
        self, public_address: str = "", claims: Claims | None = None, *, takes_tokens: bool = True
    ) -> None:
        self.orders = InMemoryOrders()
        self.reports = InMemoryReports()
        self.clock = FakeClock()
        wiring = Wiring()
        vars(wiring).update(
            orders=self.orders,
            reports=self.reports,
            clock=self.clock,
            ids=FakeIds(),
            claims=claims or Claims("sub", "cognito:groups", "staff"),
            public_address=public_address,
            payments="mock" if takes_tokens else "none",
            feed_delay=FEED_DELAY,
        )
        self.handlers = {
            function: endpoint(module_of(function).route(wiring))
            for function in {"not-found", *(route.function for route in ROUTES)}
        }
        for page in (api_docs, desk):
            name = page.__name__.rpartition(".")[2].replace("_", "-")
            self.handlers[name] = endpoint(page.route(wiring, lambda: PAGE))

    def send(self, event: Event) -> Response:
        """Hand the event to the function of its route, as API Gateway would."""
        function = next(
            (route.function for route in ROUTES if event["routeKey"] in route.keys), "not-found"
        )
        response = self.handlers[function](event, None)
        assert json.loads(json.dumps(response)) == response, "Lambda serialises it"
        assert set(response) == {"statusCode", "headers", "body", "isBase64Encoded"}
        assert response["headers"]["X-Request-Id"] == REQUEST_ID
        is_compressed = "Content-Encoding" in response["headers"] and response["body"] != ""
        assert response["isBase64Encoded"] is is_compressed
        response["body"].encode()
        return Response(response["statusCode"], response["headers"], response["body"])

    def get(self, target: str, claims: Event | None = CUSTOMER_CLAIMS, **headers: str) -> Response:
        return self.send(request("GET", target, claims=claims, headers=headers))

    def head(self, target: str, claims: Event | None = CUSTOMER_CLAIMS, **headers: str) -> Response:
        return self.send(request("HEAD", target, claims=claims, headers=headers))

    def post(
        self, body: object = None, claims: Event | None = CUSTOMER_CLAIMS, **headers: str
    ) -> Response:
        """POST /orders; `body` is sent as JSON, or as it is if it is text."""
        sent = order_body() if body is None else body
        return self.send(request("POST", "/orders", sent, claims=claims, headers=headers))

    def patch(
        self, order_id: str, body: object, claims: Event | None = STAFF_CLAIMS, **headers: str
    ) -> Response:
        """As a merge patch, which API Gateway hands over in base64."""
        headers = {"content_type": MERGE_PATCH} | headers
        target = f"/orders/{order_id}"
        return self.send(request("PATCH", target, body, claims=claims, headers=headers))

    def follow(self, link: str, claims: Event | None = CUSTOMER_CLAIMS) -> Response:
        """GET an absolute address, if it is this API's."""
        parts = urlsplit(link)
        assert f"{parts.scheme}://{parts.netloc}" == "https://api.example.com"
        return self.get(f"{parts.path}?{parts.query}", claims)
