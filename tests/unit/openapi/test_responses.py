"""What the functions answer is what the document says that they answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from api import Api
from gateway import (
    CUSTOMER_CLAIMS,
    CUSTOMERS_ORDERS,
    OTHER_CLAIMS,
    STAFF_CLAIMS,
    order_body,
    request,
)
from orders.application.errors import TryAgain
from orders.domain.daily_report import DailyReport
from orders.domain.status import OrderStatus
from orders.openapi.document import openapi_document

if TYPE_CHECKING:
    from api import Response
    from gateway import Event

DOCUMENT: dict[str, Any] = json.loads(json.dumps(openapi_document("/")))
ORDER = "/orders/{orderId}"
TIMELINE = "/orders/{orderId}/timeline"
UNKNOWN_ORDER = "/orders/01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"
DAY = date(2026, 11, 23)


@dataclass(frozen=True)
class Case:
    """A request, and what it leads to: a problem's name, or nothing where it succeeds.

    `{orderId}` in the target stands for an order of the customer's that is PENDING.
    """

    method: str
    target: str
    status: int
    problem: str = ""
    body: object = None
    claims: Event | None = field(default_factory=lambda: STAFF_CLAIMS)
    headers: dict[str, str] = field(default_factory=dict)


def post(status: int, problem: str = "", body: object = None, **more: Any) -> Case:  # noqa: ANN401 - Case's
    return Case("POST", "/orders", status, problem, order_body() if body is None else body, **more)


def patch(status: int, problem: str = "", body: object = None, **more: Any) -> Case:  # noqa: ANN401 - Case's
    target = more.pop("target", ORDER)
    return Case("PATCH", target, status, problem, body or {"status": "PAID"}, **more)


def get(target: str, status: int, problem: str = "", **more: Any) -> Case:  # noqa: ANN401 - Case's
    return Case("GET", target, status, problem, **more)


USED_KEY = {"idempotency-key": "used"}
CASES = [
    post(201),
    post(201, headers=USED_KEY),
    post(400, "malformed-request", "{"),
    post(400, "invalid-idempotency-key", headers={"idempotency-key": "a b"}),
    post(401, "unauthenticated", claims=None),
    post(403, "forbidden", claims=OTHER_CLAIMS),
    post(413, "payload-too-large", '"' + "x" * 300_000 + '"'),
    post(415, "unsupported-media-type", headers={"content-type": "text/plain"}),
    post(415, "unsupported-media-type", headers={"content-encoding": "gzip"}),
    post(422, "validation-failed", order_body(currency="XXX")),
    post(422, "payments-not-configured", order_body(paymentToken="tok_approve")),
    post(422, "idempotency-key-reused", order_body(currency="EUR"), headers=USED_KEY),
    get("/orders?status=PENDING", 200),
    get("/orders?status=PENDING&limit=1", 200),
    get("/orders?status=SHIPPED", 200),
    get("/orders", 400, "malformed-request"),
    get("/orders?status=PENDING&cursor=x", 400, "invalid-cursor"),
    get("/orders?status=PENDING", 401, "unauthenticated", claims=None),
    get("/orders?status=PENDING", 403, "forbidden", claims=CUSTOMER_CLAIMS),
    get(ORDER, 200),
    get(ORDER, 304, headers={"if-none-match": '"1"'}),
    get(ORDER, 412, "precondition-failed", headers={"if-match": '"7"'}),
    get(ORDER, 400, "malformed-request", headers={"if-match": "7"}),
    get(f"{ORDER}?expand=items", 400, "malformed-request"),
    get(ORDER, 401, "unauthenticated", claims=None),
    get(ORDER, 404, "order-not-found", claims=OTHER_CLAIMS),
    patch(200),
    patch(200, body={"status": "PENDING"}, headers={"if-match": '"1"', "idempotency-key": "used"}),
    patch(400, "malformed-request", headers={"if-match": "1"}),
    patch(400, "invalid-idempotency-key", headers={"idempotency-key": '"'}),
    patch(401, "unauthenticated", claims=None),
    patch(403, "forbidden", claims=CUSTOMER_CLAIMS),
    patch(404, "order-not-found", target=UNKNOWN_ORDER),
    patch(409, "illegal-transition", body={"status": "SHIPPED"}),
    patch(412, "precondition-failed", headers={"if-match": '"7"'}),
    patch(412, "precondition-failed", headers={"if-none-match": "*"}),
    patch(413, "payload-too-large", body='"' + "x" * 300_000 + '"'),
    patch(415, "unsupported-media-type", headers={"content-type": "text/plain"}),
    patch(415, "unsupported-media-type", headers={"content-encoding": "br"}),
    patch(422, "validation-failed", body={"status": None}),
    patch(422, "idempotency-key-reused", body={"status": "CANCELED"}, headers=USED_KEY),
    get(TIMELINE, 200),
    get(f"{TIMELINE}?limit=0", 400, "malformed-request"),
    get(f"{TIMELINE}?cursor=x", 400, "invalid-cursor"),
    get(TIMELINE, 401, "unauthenticated", claims=None),
    get(TIMELINE, 404, "order-not-found", claims=OTHER_CLAIMS),
    get(CUSTOMERS_ORDERS, 200),
    get(f"{CUSTOMERS_ORDERS}?limit=1&consistent=true", 200),
    get(f"{CUSTOMERS_ORDERS}?createdFrom=yesterday", 400, "malformed-request"),
    get(f"{CUSTOMERS_ORDERS}?cursor=x", 400, "invalid-cursor"),
    get(CUSTOMERS_ORDERS, 401, "unauthenticated", claims=None),
    get(CUSTOMERS_ORDERS, 403, "forbidden", claims=OTHER_CLAIMS),
    get("/events", 200),
    get("/events?limit=1&type=ORDER_CREATED", 200),
    get("/events?type=ORDER_SHIPPED", 200),
    get("/events?recordedFrom=yesterday", 400, "malformed-request"),
    get("/events?cursor=x", 400, "invalid-cursor"),
    get("/events", 401, "unauthenticated", claims=None),
    get("/events", 403, "forbidden", claims=CUSTOMER_CLAIMS),
    get("/reports/daily/2026-11-23", 200),
    get("/reports/daily/2026-11-23?of=all", 400, "malformed-request"),
    get("/reports/daily/2026-11-23", 401, "unauthenticated", claims=None),
    get("/reports/daily/2026-11-23", 403, "forbidden", claims=CUSTOMER_CLAIMS),
    get("/reports/daily/2026-11-24", 404, "report-not-found"),
    get("/health", 200),
]


def run(case: Case) -> tuple[str, Response]:
    """The route's key and the response, of an API that holds two orders and a report.

    It has no payment gateway.
    """
    api = Api("https://api.example.com", takes_tokens=False)
    order_id = api.post(claims=STAFF_CLAIMS, idempotency_key="used").json["orderId"]
    api.post()
    api.patch(order_id, {"status": "PENDING"}, idempotency_key="used")
    api.reports.put(
        DailyReport(
            day=DAY,
            generated_at=datetime(2026, 11, 24, tzinfo=UTC),
            orders={"USD": {OrderStatus.PENDING: 2}},
            revenue={},
            cancellation_reasons={"expired": 1},
            left_out=1,
        )
    )
    api.clock.advance(minutes=2)
    event = request(
        case.method,
        case.target.format(orderId=order_id),
        case.body,
        claims=case.claims,
        headers=case.headers,
    )
    return event["routeKey"], api.send(event)


def documented(key: str) -> dict[str, Any]:
    method, _, path = key.partition(" ")
    operation: dict[str, Any] = DOCUMENT["paths"][path][method.lower()]
    return {status: _resolved(response) for status, response in operation["responses"].items()}


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    _, _, kind, name = node["$ref"].split("/")
    resolved: dict[str, Any] = DOCUMENT["components"][kind][name]
    return resolved


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.method} {case.target} {case.status} {case.problem}"
)
def test_a_response_is_as_documented(case: Case) -> None:
    key, response = run(case)

    assert response.status == case.status
    assert not case.problem or response.problem == case.problem
    described = documented(key)[str(response.status)]
    headers = {name: _resolved(header) for name, header in described["headers"].items()}
    assert response.headers.keys() - {"Content-Type", "Cache-Control"} <= headers.keys()
    assert {
        name for name, header in headers.items() if header.get("required")
    } <= response.headers.keys()
    for name in response.headers.keys() & headers.keys():
        value = response.headers[name]
        kind = headers[name]["schema"]["type"]
        _check(int(value) if kind == "integer" else value, headers[name]["schema"])
    if response.status == 304:
        assert (response.text, "content" in described) == ("", False)
    else:
        _check(response.json, described["content"][response.headers["Content-Type"]]["schema"])


def _check(value: object, schema: dict[str, Any]) -> None:
    Draft202012Validator(
        schema | {"components": DOCUMENT["components"]},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    ).validate(value)


def test_a_replay_is_marked_as_documented() -> None:
    _, response = run(post(201, headers=USED_KEY))
    assert response.headers["Idempotent-Replayed"] == "true"


def test_a_store_that_is_out_of_reach_is_documented() -> None:
    api = Api()

    def unreachable(_: object) -> None:
        raise TryAgain

    api.orders.get = unreachable  # type: ignore[method-assign, assignment]  # a store that fails
    response = api.get(UNKNOWN_ORDER)
    assert response.problem == "try-again"
    assert response.headers.keys() >= {"Retry-After"}
    _check(
        response.json,
        documented("GET /orders/{orderId}")["503"]["content"]["application/problem+json"]["schema"],
    )


def test_every_documented_response_is_given() -> None:
    """Those of a fault, here or in the gateway, are left out."""
    given = {(run(case)[0], case.status, case.problem) for case in CASES}
    faults = {"429", "500", "503"}
    promised = {
        (f"{method.upper()} {path}", int(status), problem)
        for path, item in DOCUMENT["paths"].items()
        for method in item
        for status, response in documented(f"{method.upper()} {path}").items()
        for problem in response.get("content", {}).get(
            "application/problem+json", {"examples": [""]}
        )["examples"]
        if status not in faults and path not in {"/docs", "/openapi.json"}
    }
    assert given == promised
