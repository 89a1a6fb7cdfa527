"""Errors as the gateway and the functions together report them.

`deployment.check_response` looks at the form of every error that any test meets.
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from orders.http.routes import ROUTES, allowed_methods
from proof import oracle
from proof.oracle import Audience
from system.deployment import problem_type

if TYPE_CHECKING:
    from system.deployment import Caller, Deployment

MAX_BODY = 256 * 1024
PATHS = sorted({route.path for route in ROUTES})
GETS = [route for route in ROUTES if route.method == "GET"]


@pytest.mark.parametrize("path", PATHS)
def test_a_405_lists_the_allowed_methods(deployment: Deployment, path: str) -> None:
    path = path.replace("{", "").replace("}", "")
    allowed = allowed_methods(path)
    for method in {"POST", "PUT", "PATCH", "DELETE"}.difference(allowed):
        refused = deployment.nobody.http.request(method, path)
        assert (refused.status_code, problem_type(refused)) == (405, "method-not-allowed")
        assert refused.headers["allow"] == ", ".join(allowed)


@pytest.mark.parametrize("path", ["/", "/order", *(f"{path}/no/route" for path in PATHS)])
def test_an_unknown_path_is_a_404(deployment: Deployment, path: str) -> None:
    refused = deployment.nobody.http.get(path)
    assert (refused.status_code, problem_type(refused)) == (404, "route-not-found")


def test_head_gets_the_headers_of_get(
    deployment: Deployment, customer: Caller, staff: Caller
) -> None:
    known = customer.path_parameters()
    compared = {"content-type", "etag", "cache-control", "vary", "content-encoding"}
    for route in GETS:
        path = route.path.format(**known)
        got, head = staff.http.get(path), staff.http.head(path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        for name in compared & got.headers.keys():
            assert head.headers[name] == got.headers[name], path
        is_open = oracle.ROUTES[route.key].audience is Audience.EVERYONE
        assert (deployment.nobody.http.head(path).status_code == 401) is not is_open
    path = f"/orders/{known['orderId']}"
    assert customer.http.head(path, headers={"If-Match": '"99"'}).status_code == 412
    assert customer.http.head(path, headers={"If-None-Match": '"1",'}).status_code == 304


def test_a_body_may_have_256_kibibytes(customer: Caller) -> None:
    small = b'{"customerId": "'
    headers = {"Content-Type": "application/json"}
    read = customer.http.post("/orders", content=small.ljust(MAX_BODY), headers=headers)
    assert (read.status_code, problem_type(read)) == (400, "malformed-request")


def test_a_refused_body_names_the_form_that_is_accepted(customer: Caller) -> None:
    order_id, text = customer.place()["orderId"], {"Content-Type": "text/plain"}
    patch = customer.http.patch(f"/orders/{order_id}", content="{}", headers=text)
    assert patch.headers["accept-patch"] == "application/merge-patch+json, application/json"

    body = gzip.compress(json.dumps(customer.order()).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    refused = customer.http.post("/orders", content=body, headers=headers)
    assert (refused.status_code, problem_type(refused)) == (415, "unsupported-media-type")
    assert refused.headers["accept-encoding"] == "identity"
