"""What a problem's `detail` says to whoever has to mend the request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from api import Api
from api_document import PROBLEM, responses_of
from examples import placed_order
from gateway import (
    CUSTOMER_CLAIMS,
    CUSTOMERS_ORDERS,
    OTHER_CLAIMS,
    STAFF_CLAIMS,
    item_body,
    order_body,
    request,
)
from orders.application.errors import OrderNotFound, TryAgain
from orders.domain.events import EVENT_TYPES
from orders.domain.status import OrderStatus
from orders.http.bodies import SKU_RULE
from orders.http.listing import ORDER_LIST_PARAMETERS
from orders.http.problems import RouteNotFound, problem_response

if TYPE_CHECKING:
    from gateway import Event

ORDER = placed_order()
PATH = f"/orders/{ORDER.order_id}"
INSTANT = "must be an RFC 3339 timestamp such as 2026-11-23T04:36:00Z; encode + as %2B."
PAID = "/orders?status=PAID"
KNOWN = ", ".join(sorted([*ORDER_LIST_PARAMETERS, "consistent"]))
USED: dict[str, Any] = {"idempotency_key": "used"}


def get(target: str, claims: Event | None = STAFF_CLAIMS) -> Event:
    return request("GET", target, claims=claims)


def post(claims: Event = CUSTOMER_CLAIMS, /, *, body: object = None, **headers: str) -> Event:
    return request("POST", "/orders", body or order_body(), claims=claims, headers=headers)


def patch(status: str, claims: Event = STAFF_CLAIMS, **headers: str) -> Event:
    return request("PATCH", PATH, {"status": status}, claims=claims, headers=headers)


def documented(key: str, slug: str) -> str:
    """The detail of the problem in the API's document."""
    for response in responses_of(key).values():
        if slug in response.get("content", {}).get(PROBLEM, {"examples": ()})["examples"]:
            return str(response["content"][PROBLEM]["examples"][slug]["value"]["detail"])
    raise LookupError(slug)


DETAILS: list[tuple[Event, str]] = [
    (get(PAID, None), "Send an access token as a bearer token."),
    (get(PAID, STAFF_CLAIMS | {"token_use": "id"}), "This is not an access token."),
    (get(PAID, {"sub": "a#b"}), "The token's claim 'sub' is not a customer id."),
    (get(PAID, CUSTOMER_CLAIMS), documented("GET /orders", "forbidden")),
    (post(OTHER_CLAIMS), documented("POST /orders", "forbidden")),
    (patch("PAID", CUSTOMER_CLAIMS), documented("PATCH /orders/{orderId}", "forbidden")),
    (get("/customers/a%23b/orders"), r"A customer id must match ^[A-Za-z0-9._\-|:@+]{1,128}$."),
    (get("/orders/1"), "There is no such order."),
    (get("/reports/daily/2026-11-22"), "There is no report for that day."),
    (get("/nowhere"), "There is no such route."),
    (request("DELETE", "/orders"), "This path does not support this method."),
    (get("/orders"), f"status must be one of {', '.join(OrderStatus)}."),
    (get(f"{PAID}&limit=0"), "limit must be a whole number from 1 to 100."),
    (get(f"{PAID}&sort=amount"), "sort must be createdAt or -createdAt."),
    (get(f"{PAID}&createdFrom=noon"), f"createdFrom {INSTANT}"),
    (get(f"{PAID}&createdTo=2026-13-01T00:00:00Z"), f"createdTo {INSTANT}"),
    (get(f"{CUSTOMERS_ORDERS}?consistent=1"), "consistent must be true or false."),
    (get("/events?limit=1001"), "limit must be a whole number from 1 to 1000."),
    (get("/events?type=PAID"), f"type must be one of {', '.join(EVENT_TYPES)}."),
    (get("/events?recordedTo=noon"), f"recordedTo {INSTANT}"),
    (
        get(f"{PAID}&cursor=x"),
        "Send a cursor exactly as this list returned it, with the same other parameters.",
    ),
    (
        get(f"{CUSTOMERS_ORDERS}?{'x' * 41}=1"),
        f"Unknown query parameter '{'x' * 40}'; this route accepts: {KNOWN}.",
    ),
    (get(f"{PATH}?a=1"), "Unknown query parameter 'a'; this route accepts: none."),
    (post(body="{"), "The body could not be parsed as JSON."),
    (post() | {"body": "%", "isBase64Encoded": True}, "The body is not valid base64."),
    (post(content_type="text/plain"), "Send application/json."),
    (
        patch("PAID", content_type="text/plain"),
        "Send application/merge-patch+json or application/json.",
    ),
    (post(body=" " * 262_145), "The body may have at most 262144 bytes."),
    (
        post(idempotency_key="a b"),
        (
            "Send one key of 1 to 255 visible ASCII characters, bare and without a comma, or as a"
            " quoted string."
        ),
    ),
    (
        post(body=order_body(currency="SGD"), **USED),
        "This Idempotency-Key was used for a different request.",
    ),
    (post(body=order_body(currency="XXX")), "This is not an ISO 4217 currency code."),
    (post(body=order_body(amount=1)), "The items total 5997."),
    (patch("PAID", if_match="1"), 'If-Match must be * or a list of entity tags such as "1".'),
    (patch("PAID", if_match='"7"'), "The order is at version 1."),
    (
        patch("PAID", if_none_match="1"),
        'If-None-Match must be * or a list of entity tags such as "1".',
    ),
    (patch("PAID", if_none_match="*"), "The order is at version 1."),
    (
        request("GET", PATH, claims=STAFF_CLAIMS, headers={"if_match": '"7"'}),
        'The current ETag is "1".',
    ),
    (post(content_encoding="gzip"), "Send the body without a Content-Encoding."),
    (post(body=order_body(items=[item_body(sku=" a")])), SKU_RULE),
    (post(body=order_body(unheardOf=1)), "Unknown field."),
    (post(body=order_body(metadata={"a": 1})), "Expected str, got int."),
    (post(body=order_body(metadata={"k" * 41: ""})), "Expected a key of length <= 40."),
    (patch("paid" * 1000), f"Expected one of {', '.join(OrderStatus)}."),
    (
        request("PATCH", PATH, {"status": "CANCELED", "reason": "expired"}),
        "This reason is reserved for the platform.",
    ),
    (patch("SHIPPED"), "An order that is PENDING cannot become SHIPPED."),
]


@pytest.mark.parametrize(("event", "detail"), DETAILS, ids=[detail[:20] for _, detail in DETAILS])
def test_the_detail_says_what_to_mend(event: Event, detail: str) -> None:
    api = Api()
    api.orders.orders[ORDER.order_id] = ORDER
    api.post(**USED)
    response = api.send(event)
    assert response.problem
    assert response.json["detail"] == detail


def test_the_detail_of_a_503_says_to_try_again() -> None:
    problem = json.loads(problem_response(TryAgain(), "1").body)
    assert problem["detail"] == "The request could not be completed in time. Try again."


@pytest.mark.parametrize("kind", [OrderNotFound, RouteNotFound])
def test_an_error_says_the_same_where_it_is_printed(
    kind: type[OrderNotFound | RouteNotFound],
) -> None:
    error = kind()
    assert str(error) == error.detail
