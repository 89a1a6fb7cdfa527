"""Requests as API Gateway hands them to a function, in payload format 2.0."""

from __future__ import annotations

import base64
import json
import re
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from examples import CUS_42, MUGS
from orders.http.routes import ROUTES
from proof.oracle import ITEM, required, smallest_order

Event = dict[str, Any]

REQUEST_ID: Final = "JKJaXmPLvHcESHA="
CUSTOMER_CLAIMS: Final = {"sub": CUS_42, "token_use": "access", "username": "jane.doe"}
OTHER_CLAIMS: Final = {"sub": "cus_7", "token_use": "access"}
STAFF_CLAIMS: Final[Event] = {
    "sub": "ann",
    "cognito:groups": ["ops", "staff"],
    "token_use": "access",
}
MERGE_PATCH: Final = "application/merge-patch+json"
CUSTOMERS_ORDERS: Final = f"/customers/{CUS_42}/orders"


def order_body(**changes: object) -> dict[str, object]:
    """What a client sends for three mugs: the required fields and no other."""
    return smallest_order(CUS_42) | {"items": [item_body()]} | changes


def item_body(**changes: object) -> dict[str, object]:
    return required(ITEM) | {"quantity": MUGS.quantity} | changes


def request(
    method: str,
    target: str,
    body: object = None,
    *,
    claims: Event | None = CUSTOMER_CLAIMS,
    headers: dict[str, str] | None = None,
) -> Event:
    """An event of payload format 2.0, with a token of the claims, which the authorizer verified.

    Header names may be written as Python names.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    path, _, query = target.partition("?")
    key, parameters = _match(method, path)
    sent = {"accept": "*/*", "host": "api.example.com", "user-agent": "curl/8.5.0"}
    if body is not None:
        sent["content-type"] = "application/json"
    if claims is not None:
        sent["authorization"] = bearer(claims)
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
        context["authorizer"] = authorizer(claims)
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


def bearer(claims: object) -> str:
    """The Authorization header of a caller with these claims."""
    return f"Bearer {token(claims)}"


def authorizer(claims: Event) -> Event:
    """What the gateway says of a token that it verified."""
    rendered = {name: _rendered(claim) for name, claim in claims.items()}
    return {"jwt": {"claims": rendered, "scopes": None}}


def token(claims: object) -> str:
    """A JWT as an issuer makes it, but for its signature."""
    return token_of(json.dumps(claims).encode())


def token_of(payload: bytes) -> str:
    """The same with any bytes for its payload."""
    parts = (json.dumps({"alg": "RS256", "kid": "one"}).encode(), payload, bytes(256))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _rendered(claim: object) -> str:
    """A claim as the gateway's authorizer hands it over: lists lose their elements' bounds."""
    if isinstance(claim, list):
        return f"[{' '.join(map(_rendered, claim))}]"
    return claim if isinstance(claim, str) else json.dumps(claim)


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
        if found and method in route.methods:
            return f"{method} {route.path}", found.groupdict()
    return "$default", {}
