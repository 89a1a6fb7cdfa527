"""Which changes of the interface break clients: each case changes one thing that there is today."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Final

import pytest

from interface_changes import Place, Way, changes_of, changes_of_api, expanded
from orders.domain.status import OrderStatus

Json = dict[str, Any]
Steps = tuple[str, ...]
"""The way to a value in the document."""
Case = tuple[str, Steps, object]
"""What is found, and the change: another value, or GONE."""

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENT: Final[Json] = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
PAGE: Final = (ROOT / "docs" / "versions.md").read_text(encoding="utf-8")
GONE: Final = object()


def schema(name: str, member: str = "", *further: str) -> Steps:
    members = ("properties", member) if member else ()
    return ("components", "schemas", name, *members, *further)


def route(key: str, *further: str) -> Steps:
    method, path = key.split()
    return ("paths", path, method.lower(), *further)


def parameter(key: str, name: str, *further: str) -> Steps:
    return (*route(key, "parameters"), name, *further)


def changed(document: Json, path: Steps, value: object) -> Json:
    """The document with another value there; a step into a list is an element's name."""
    result = copy.deepcopy(document)
    *steps, last = path
    there: Any = result
    for step in steps:
        there = (
            next(e for e in there if e["name"] == step) if isinstance(there, list) else there[step]
        )
    if isinstance(there, list):
        there[:] = [each for each in there if each["name"] != last]
        there += [] if value is GONE else [value]
    elif value is GONE:
        del there[last]
    else:
        there[last] = value
    return result


PATCH: Final = "PATCH /orders/{orderId}"
GET: Final = "GET /orders/{orderId}"
PROBLEM_TYPE: Final = (
    "content",
    "application/problem+json",
    "schema",
    "properties",
    "type",
    "enum",
)
STATUSES: Final = schema("OrderStatus", "", "enum")

BREAKING: Final[dict[str, list[Case]]] = {
    "event type is gone": [
        ("routes: `GET /events` is gone", ("paths", "/events"), GONE),
        (f"routes: `{PATCH}` is gone", route(PATCH), GONE),
        (
            "GET /orders: `sort` is gone from the query parameters",
            parameter("GET /orders", "sort"),
            GONE,
        ),
        ("Order in responses: `orderNumber` is gone", schema("Order", "orderNumber"), GONE),
        ("OrderItem in requests: `name` is gone", schema("OrderItem", "name"), GONE),
        (
            f"{GET}, 200: `ETag` is gone from the headers",
            route(GET, "responses", "200", "headers", "ETag"),
            GONE,
        ),
        (
            f"{PATCH}: `application/json` is gone in requests",
            route(PATCH, "requestBody", "content", "application/json"),
            GONE,
        ),
        (f"{GET}: `304` is no longer a response", route(GET, "responses", "304"), GONE),
        ("servers: `/` is gone", ("servers",), [{"url": "/v2"}]),
    ],
    "a value of an enumeration is gone": [
        ("OrderStatus in requests, status: `SHIPPED` is gone", STATUSES, ["PENDING", "PAID"]),
        (
            "Order in responses, status: `PAID` is gone",
            schema("Order", "status", "enum"),
            ["PENDING", "SETTLED", "SHIPPED", "CANCELED"],
        ),
        (
            f"{GET}, 404, type: `/docs#order-not-found` is gone",
            route(GET, "responses", "404", *PROBLEM_TYPE),
            ["/docs#no-order"],
        ),
    ],
    "a request must hold what it didn't have to": [
        ("GET /events: `type` must be sent", parameter("GET /events", "type", "required"), True),
        (
            "GET /events: `shop` must be sent",
            parameter("GET /events", "shop"),
            {"name": "shop", "in": "query", "required": True, "schema": {}},
        ),
        (
            "NewOrder in requests: `metadata` must be sent",
            schema("NewOrder", "", "required"),
            [*DOCUMENT["components"]["schemas"]["NewOrder"]["required"], "metadata"],
        ),
        ("routes: `GET /health` needs a token", route("GET /health", "security"), GONE),
        (
            "routes: `GET /events` needs another token",
            ("components", "securitySchemes", "accessToken", "scheme"),
            "basic",
        ),
        (
            "routes: `GET /events` needs another token",
            route("GET /events", "security"),
            [{"accessToken": ["events"]}],
        ),
        (
            "routes: `GET /events` needs another token",
            route("GET /events", "security"),
            [{"accessToken": [], "key": []}],
        ),
        (
            "GET /orders: `shop` must be sent",
            ("paths", "/orders", "parameters"),
            [{"name": "shop", "in": "query", "required": True, "schema": {}}],
        ),
        (
            "routes: `GET /health` needs a body",
            route("GET /health", "requestBody"),
            {"required": True, "content": {}},
        ),
    ],
    "a request has a narrower limit, or another default": [
        (
            "GET /orders: `limit` has 50 as its maximum, not 100",
            parameter("GET /orders", "limit", "schema", "maximum"),
            50,
        ),
        (
            "NewOrder in requests: `items` has 10 as its maxItems, not 100",
            schema("NewOrder", "items", "maxItems"),
            10,
        ),
        (
            "OrderItem in requests: `quantity` has 5 as its minimum, not 1",
            schema("OrderItem", "quantity", "minimum"),
            5,
        ),
        (
            "StatusChange in requests: `reason` has 3 as its minLength, not None",
            schema("StatusChange", "reason", "minLength"),
            3,
        ),
        (
            "NewOrder in requests: `metadata` has 100 as its maxLength, not 500",
            schema("NewOrder", "metadata", "additionalProperties", "maxLength"),
            100,
        ),
        (
            "GET /orders: `createdFrom` takes only today",
            parameter("GET /orders", "createdFrom", "schema", "enum"),
            ["today"],
        ),
        (
            "GET /orders: `limit` means 50 where it isn't sent, not 20",
            parameter("GET /orders", "limit", "schema", "default"),
            50,
        ),
    ],
    "a type or format is another, or a field of a response can be null or absent": [
        (
            "Order in responses: `amount` can now be string",
            schema("Order", "amount", "type"),
            "string",
        ),
        (
            "Order in responses: `version` can now be number",
            schema("Order", "version", "type"),
            "number",
        ),
        (
            "Order in responses: `customerId` can now be null",
            schema("Order", "customerId", "type"),
            ["string", "null"],
        ),
        (
            "OrderPage in responses: `nextCursor` can now be integer",
            schema("OrderPage", "nextCursor", "anyOf"),
            [{"type": "string"}, {"type": "integer"}, {"type": "null"}],
        ),
        (
            "DailyReport in responses: `revenue` can now be string",
            schema("DailyReport", "revenue", "additionalProperties", "type"),
            "string",
        ),
        (
            (
                "OrderSummary in responses: `items` can now be array or boolean or integer or "
                "null or number or string"
            ),
            schema("OrderPage", "items", "items"),
            GONE,
        ),
        (
            "Order in responses: `orderId` is no longer uuid",
            schema("Order", "orderId", "format"),
            GONE,
        ),
        (
            "Order in responses: `metadata` may be absent",
            schema("Order", "", "required"),
            [
                each
                for each in DOCUMENT["components"]["schemas"]["Order"]["required"]
                if each != "metadata"
            ],
        ),
        (
            "NewOrder in requests: `amount` can no longer be integer",
            schema("NewOrder", "amount", "type"),
            "string",
        ),
        (
            "OrderStatus in requests: `status` must be uuid",
            schema("OrderStatus", "", "format"),
            "uuid",
        ),
        (
            f"{GET}, 200: `ETag` may be absent",
            ("components", "headers", "ETag", "required"),
            GONE,
        ),
    ],
    "a request that succeeds has another status code": [
        (
            "GET /health: `202` is a new success",
            route("GET /health", "responses", "202"),
            {"description": "Later."},
        ),
    ],
}

UNCERTAIN: Final[list[Case]] = [
    (
        "NewOrder in requests: `currency` had '^[A-Z]{3}$' as its pattern, and has '^[A-Z]{4}$'",
        schema("NewOrder", "currency", "pattern"),
        "^[A-Z]{4}$",
    ),
    (
        "StatusChange in requests: `reason` had None as its if, and has {'maxLength': 9}",
        schema("StatusChange", "reason", "if"),
        {"maxLength": 9},
    ),
]

EXPECTED: Final[list[Case]] = [
    # a part of the page's sentence, and the change
    ("new routes", ("paths", "/shops"), {"get": {"responses": {}}}),
    ("new optional request fields", schema("NewOrder", "gift"), {"type": "string"}),
    (
        "query parameters",
        parameter("GET /events", "shop"),
        {"name": "shop", "in": "query", "schema": {"type": "string"}},
    ),
    (
        "a request that is valid today stays valid",
        route("GET /events", "security"),
        [{"key": []}, {"accessToken": []}],
    ),
    ("new members in responses", schema("Order", "gift"), {"type": "string"}),
    ("new statuses and transitions", STATUSES, [*map(str, OrderStatus), "DELIVERED"]),
    ("new statuses", schema("Order", "status", "enum"), [*map(str, OrderStatus), "DELIVERED"]),
    ("error codes", route(GET, "responses", "410"), {"description": "Gone."}),
    ("wider limits", schema("NewOrder", "items", "maxItems"), 1000),
    ("wider limits", schema("OrderItem", "name", "minLength"), GONE),
    ("larger maximum pages", parameter("GET /orders", "limit", "schema", "maximum"), 1000),
    ("descriptions", schema("Order", "amount", "description"), "Money."),
    (
        "a member that is null today may be null",
        schema("OrderPage", "nextCursor", "anyOf"),
        [{"type": "string"}],
    ),
]


def found(path: Steps, value: object) -> list[tuple[str, bool]]:
    old, new = DOCUMENT, changed(DOCUMENT, path, value)
    assert old != new
    return [(str(each), each.is_certain) for each in changes_of_api(old, new)]


@pytest.mark.parametrize(
    ("kind", "finding", "path", "value"),
    [(kind, *case) for kind, cases in BREAKING.items() for case in cases],
)
def test_a_change_that_breaks_clients_is_found(
    kind: str, finding: str, path: Steps, value: object
) -> None:
    assert (finding, True) in found(path, value)
    assert kind in PAGE


@pytest.mark.parametrize(("finding", "path", "value"), UNCERTAIN)
def test_a_change_that_nobody_can_judge_is_said_to_be_uncertain(
    finding: str, path: Steps, value: object
) -> None:
    assert (finding, False) in found(path, value)


@pytest.mark.parametrize(("kind", "path", "value"), EXPECTED)
def test_a_change_that_clients_must_expect_is_no_finding(
    kind: str, path: Steps, value: object
) -> None:
    assert found(path, value) == []
    assert kind in PAGE


def test_every_kind_that_the_page_names_has_a_case() -> None:
    (listed,) = [part for part in PAGE.split("\n\n") if part.startswith("- a route")]
    assert len(listed.splitlines()) == len(BREAKING)


def test_the_same_interface_has_no_changes() -> None:
    assert list(changes_of_api(DOCUMENT, copy.deepcopy(DOCUMENT))) == []


EVENT: Final[Json] = json.loads(
    (ROOT / "schemas" / "events" / "ORDER_PAID.json").read_text(encoding="utf-8")
)
DATA: Final = ("properties", "data", "properties")


@pytest.mark.parametrize(
    ("finding", "path", "value"),
    [
        ("`amount` is gone", (*DATA, "amount"), GONE),
        ("`subject` can now be integer", ("$defs", "orderId", "type"), "integer"),
        ("`ORDER_PAID` is gone", ("properties", "type", "const"), "ORDER_SETTLED"),
        (None, (*DATA, "shop"), {"type": "string"}),
        (None, (*DATA, "previousStatus"), {"enum": ["PENDING", "AUTHORIZED"]}),
    ],
)
def test_an_event_keeps_its_fields_and_texts(
    finding: str | None, path: Steps, value: object
) -> None:
    new = expanded(changed(EVENT, path, value))
    changes = changes_of(expanded(EVENT), new, Place("event", "ORDER_PAID"), Way.RESPONSE)
    assert [str(each).partition(": ")[2] for each in changes][:1] == ([finding] if finding else [])
