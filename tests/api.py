"""The HTTP API over fakes: requests as API Gateway makes them, through the routes' own code."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from examples import CUS_42, MUGS
from fakes import FakeClock, FakeIds, InMemoryOrders, InMemoryReports
from orders.application.change_status import ChangeStatus
from orders.application.create_order import CreateOrder
from orders.application.get_daily_report import GetDailyReport
from orders.application.get_order import GetOrder
from orders.application.get_order_timeline import GetOrderTimeline
from orders.application.list_customer_orders import ListCustomerOrders
from orders.application.list_orders_by_status import ListOrdersByStatus
from orders.functions import (
    create_order,
    get_daily_report,
    get_order,
    get_order_timeline,
    health,
    list_customer_orders,
    list_orders_by_status,
    not_found,
    update_order,
)
from orders.http.caller import Claims
from orders.http.endpoint import endpoint
from orders.http.routes import ROUTES

Event = dict[str, Any]

REQUEST_ID: Final = "JKJaXmPLvHcESHA="
CUSTOMER_CLAIMS: Final = {"sub": CUS_42, "token_use": "access", "username": "jane.doe"}
OTHER_CLAIMS: Final = {"sub": "cus_7", "token_use": "access"}
STAFF_CLAIMS: Final = {"sub": "ann", "cognito:groups": "[ops staff]", "token_use": "access"}
MERGE_PATCH: Final = "application/merge-patch+json"
CUSTOMERS_ORDERS: Final = f"/customers/{CUS_42}/orders"


def order_body(**changes: object) -> dict[str, object]:
    """What a client sends for three mugs."""
    return {"customerId": CUS_42, "currency": "USD", "items": [item_body()]} | changes


def item_body(**changes: object) -> dict[str, object]:
    return {
        "sku": MUGS.sku,
        "name": MUGS.name,
        "quantity": MUGS.quantity,
        "unitAmount": MUGS.unit_amount,
    } | changes


@dataclass(frozen=True)
class Answer:
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

    def __init__(self, public_address: str = "", claims: Claims | None = None) -> None:
        self.orders = InMemoryOrders()
        self.reports = InMemoryReports()
        self.clock = FakeClock()
        who = claims or Claims("sub", "cognito:groups", "staff")
        create = CreateOrder(self.orders, self.clock, FakeIds())
        lists = ListCustomerOrders(self.orders), who, public_address
        queue = ListOrdersByStatus(self.orders), who, public_address
        timeline = GetOrderTimeline(self.orders), who, public_address
        self.handlers = {
            "create-order": endpoint(create_order.route(create, who, public_address)),
            "get-order": endpoint(get_order.route(GetOrder(self.orders), who)),
            "update-order": endpoint(
                update_order.route(ChangeStatus(self.orders, self.clock), who)
            ),
            "list-customer-orders": endpoint(list_customer_orders.route(*lists)),
            "list-orders-by-status": endpoint(list_orders_by_status.route(*queue)),
            "get-order-timeline": endpoint(get_order_timeline.route(*timeline)),
            "get-daily-report": endpoint(get_daily_report.route(GetDailyReport(self.reports), who)),
            "health": health.handler,
            "not-found": not_found.handler,
        }

    def send(self, event: Event) -> Answer:
        """Hand the event to the function of its route, as API Gateway would."""
        function = next(
            (route.function for route in ROUTES if route.key == event["routeKey"]), "not-found"
        )
        answer = self.handlers[function](event, None)
        assert json.loads(json.dumps(answer)) == answer, "Lambda serialises it"
        assert set(answer) == {"statusCode", "headers", "body", "isBase64Encoded"}
        assert answer["headers"]["X-Request-Id"] == REQUEST_ID
        answer["body"].encode()
        return Answer(answer["statusCode"], answer["headers"], answer["body"])

    def get(self, target: str, claims: Event | None = CUSTOMER_CLAIMS, **headers: str) -> Answer:
        return self.send(request("GET", target, claims=claims, headers=headers))

    def post(
        self, body: object = None, claims: Event | None = CUSTOMER_CLAIMS, **headers: str
    ) -> Answer:
        """POST /orders; `body` is sent as JSON, or as it is if it is text."""
        sent = order_body() if body is None else body
        return self.send(request("POST", "/orders", sent, claims=claims, headers=headers))

    def patch(
        self, order_id: str, body: object, claims: Event | None = STAFF_CLAIMS, **headers: str
    ) -> Answer:
        """As a merge patch, which API Gateway hands over in base64."""
        headers = {"content_type": MERGE_PATCH} | headers
        target = f"/orders/{order_id}"
        return self.send(request("PATCH", target, body, claims=claims, headers=headers))

    def follow(self, link: str, claims: Event | None = CUSTOMER_CLAIMS) -> Answer:
        """GET an absolute address, if it is this API's."""
        parts = urlsplit(link)
        assert f"{parts.scheme}://{parts.netloc}" == "https://api.example.com"
        return self.get(f"{parts.path}?{parts.query}", claims)


def request(
    method: str,
    target: str,
    body: object = None,
    *,
    claims: Event | None = CUSTOMER_CLAIMS,
    headers: dict[str, str] | None = None,
) -> Event:
    """An event of payload format 2.0. Header names may be written as Python names.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    path, _, query = target.partition("?")
    key, parameters = _match(method, path)
    sent = {"accept": "*/*", "host": "api.example.com", "user-agent": "curl/8.5.0"}
    if body is not None:
        sent["content-type"] = "application/json"
    sent |= {name.replace("_", "-"): value for name, value in (headers or {}).items()}
    context: Event = {
        "accountId": "123456789012",
        "apiId": "0bde5000",
        "domainName": "api.example.com",
        "domainPrefix": "api",
        "http": {
            "method": method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.1",
            "userAgent": "curl/8.5.0",
        },
        "requestId": REQUEST_ID,
        "routeKey": key,
        "stage": "$default",
        "time": "23/Nov/2026:12:00:00 +0000",
        "timeEpoch": 1_795_435_200_000,
    }
    if claims is not None:
        context["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
    event: Event = {
        "version": "2.0",
        "routeKey": key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": sent,
        "requestContext": context,
        "isBase64Encoded": False,
    }
    if query:
        pairs: dict[str, str] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            pairs[name] = f"{pairs[name]},{value}" if name in pairs else value
        event["queryStringParameters"] = pairs
    if parameters:
        event["pathParameters"] = parameters
    if body is not None:
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        is_text = isinstance(text, str) and sent["content-type"] == "application/json"
        event["body"] = text if is_text else base64.b64encode(_bytes(text)).decode()
        event["isBase64Encoded"] = not is_text
    return event


def at_stage(event: Event, stage: str) -> Event:
    """The event as it comes from a stage whose name is part of the address."""
    path = f"/{stage}{event['rawPath']}"
    context = event["requestContext"]
    http = context["http"] | {"path": path}
    return event | {"rawPath": path, "requestContext": context | {"stage": stage, "http": http}}


def query_string(**parameters: str) -> str:
    return "?" + urlencode(parameters)


def path_part(text: str) -> str:
    return quote(text, safe="")


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _match(method: str, path: str) -> tuple[str, dict[str, str]]:
    for route in ROUTES:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path)
        found = re.fullmatch(pattern, path)
        if found and route.method == method:
            return route.key, found.groupdict()
    return "$default", {}
