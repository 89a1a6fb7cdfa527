"""Errors: each is a problem with a type of its own, and the request's id.

`deployment.check_answer` looks at the form of every error that any test meets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from system.deployment import problem_type

if TYPE_CHECKING:
    from system.deployment import Caller, Deployment

MAX_BODY = 256 * 1024


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/orders", "GET, POST"),
        ("DELETE", "/orders/1", "GET, PATCH"),
        ("POST", "/customers/1/orders", "GET"),
        ("PATCH", "/orders/1/timeline", "GET"),
        ("POST", "/reports/daily/2026-11-23", "GET"),
        ("POST", "/health", "GET"),
        ("DELETE", "/docs", "GET"),
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


def test_a_body_may_have_256_kibibytes(customer: Caller) -> None:
    small = b'{"customerId": "'
    json = {"Content-Type": "application/json"}
    read = customer.http.post("/orders", content=small.ljust(MAX_BODY), headers=json)
    assert (read.status_code, problem_type(read)) == (400, "malformed-request")


def test_an_update_of_another_media_type_is_told_which_to_send(customer: Caller) -> None:
    order_id, text = customer.place()["orderId"], {"Content-Type": "text/plain"}
    patch = customer.http.patch(f"/orders/{order_id}", content="{}", headers=text)
    assert patch.headers["accept-patch"] == "application/merge-patch+json, application/json"


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
