"""Errors: each is a problem with a type of its own, and the request's id.

`deployment.check_answer` looks at the form of every error that any test meets.
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from system.deployment import problem_type

if TYPE_CHECKING:
    from system.deployment import Caller, Deployment

MAX_BODY = 256 * 1024


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/orders", "GET, HEAD, POST"),
        ("DELETE", "/orders/1", "GET, HEAD, PATCH"),
        ("POST", "/customers/1/orders", "GET, HEAD"),
        ("PATCH", "/orders/1/timeline", "GET, HEAD"),
        ("POST", "/reports/daily/2026-11-23", "GET, HEAD"),
        ("POST", "/health", "GET, HEAD"),
        ("DELETE", "/docs", "GET, HEAD"),
    ],
)
def test_a_route_names_its_methods_to_any_other(
    deployment: Deployment, method: str, path: str, allowed: str
) -> None:
    refused = deployment.nobody.http.request(method, path)
    assert (refused.status_code, problem_type(refused)) == (405, "method-not-allowed")
    assert refused.headers["allow"] == allowed


@pytest.mark.parametrize("path", ["/", "/order", "/orders/1/lines", "/customers/1", "/reports"])
def test_other_paths_lead_nowhere(deployment: Deployment, path: str) -> None:
    refused = deployment.nobody.http.get(path)
    assert (refused.status_code, problem_type(refused)) == (404, "route-not-found")


def test_head_is_answered_wherever_get_is(customer: Caller, staff: Caller) -> None:
    order_id = customer.place()["orderId"]
    paths = [
        "/health",
        "/docs",
        "/openapi.json",
        f"/orders/{order_id}",
        f"/orders/{order_id}/timeline",
        f"/customers/{customer.id}/orders",
        "/orders?status=PENDING",
        "/reports/daily/1999-01-01",
        "/nowhere",
    ]
    answered = {"content-type", "etag", "cache-control", "vary", "content-encoding"}
    for path in paths:
        got, head = staff.http.get(path), staff.http.head(path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        for name in answered & got.headers.keys():
            assert head.headers[name] == got.headers[name], path
    assert customer.http.head(paths[3], headers={"If-Match": '"99"'}).status_code == 412
    assert customer.http.head(paths[3], headers={"If-None-Match": '"1",'}).status_code == 304


def test_head_needs_a_token_where_get_does(deployment: Deployment) -> None:
    http = deployment.nobody.http
    assert http.head("/health").status_code == 200
    for path in ("/orders/1", "/orders?status=PENDING", "/reports/daily/1999-01-01"):
        assert http.head(path).status_code == 401


def test_a_body_may_have_256_kibibytes(customer: Caller) -> None:
    small = b'{"customerId": "'
    headers = {"Content-Type": "application/json"}
    read = customer.http.post("/orders", content=small.ljust(MAX_BODY), headers=headers)
    assert (read.status_code, problem_type(read)) == (400, "malformed-request")


def test_an_update_of_another_media_type_is_told_which_to_send(customer: Caller) -> None:
    order_id, text = customer.place()["orderId"], {"Content-Type": "text/plain"}
    patch = customer.http.patch(f"/orders/{order_id}", content="{}", headers=text)
    assert patch.headers["accept-patch"] == "application/merge-patch+json, application/json"


def test_an_encoded_body_is_told_to_come_plain(customer: Caller) -> None:
    body = gzip.compress(json.dumps(customer.order()).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    refused = customer.http.post("/orders", content=body, headers=headers)
    assert (refused.status_code, problem_type(refused)) == (415, "unsupported-media-type")
    assert refused.headers["accept-encoding"] == "identity"


def test_every_field_at_fault_is_pointed_at(customer: Caller) -> None:
    mug = {"sku": "MUG-01", "name": "Mug", "quantity": 1, "unitAmount": 100.0}
    for changes, pointer in (
        ({"items": [mug]}, "/items/0/unitAmount"),
        ({"items": []}, "/items"),
        ({"currency": "XXX"}, "/currency"),
        ({"amount": 1}, "/amount"),
        ({"colour": "red"}, "/colour"),
    ):
        refused = customer.post(customer.order(**changes))
        assert (refused.status_code, problem_type(refused)) == (422, "validation-failed")
        assert refused.json()["errors"][0]["pointer"] == pointer


def test_a_stale_precondition_fails(customer: Caller) -> None:
    order_id = customer.place()["orderId"]
    refused = customer.patch(order_id, "CANCELED", if_match='"7"')
    assert (refused.status_code, problem_type(refused)) == (412, "precondition-failed")
    assert customer.get(order_id).json()["status"] == "PENDING"
