"""Retries with a key through the deployed API: one effect, and the first response again."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import pytest

from system.deployment import problem_type

if TYPE_CHECKING:
    import httpx

    from system.deployment import Caller


@pytest.fixture
def key() -> str:
    """One that was never used."""
    return secrets.token_hex(16)


def assert_replays(response: httpx.Response, first: httpx.Response) -> None:
    assert "idempotent-replayed" not in first.headers
    assert response.headers["idempotent-replayed"] == "true"
    assert (response.status_code, response.content) == (first.status_code, first.content)
    assert response.headers["etag"] == first.headers["etag"]
    assert response.headers.get("location") == first.headers.get("location")


def test_a_retried_create_gets_the_first_response_even_after_the_order_changed(
    customer: Caller, other_customer: Caller, staff: Caller, key: str
) -> None:
    assert customer.post(customer.order(items=[]), key=key).status_code == 422, "and uses no key up"
    body = customer.order(metadata={"a": "1", "b": "2"})
    first = customer.post(body, key=key)
    order_id = first.json()["orderId"]
    assert staff.patch(order_id, "PAID").status_code == 200

    spelled_otherwise = customer.http.post(
        "/orders",
        content=json.dumps(dict(reversed(body.items())), indent=3),
        headers={"Content-Type": "application/json", "Idempotency-Key": f'"{key}"'},
    )

    assert_replays(customer.post(body, key=key), first)
    assert_replays(spelled_otherwise, first)
    assert customer.get(order_id).json()["version"] == 2
    reused = customer.post(customer.order(currency="EUR"), key=key)
    assert (reused.status_code, problem_type(reused)) == (422, "idempotency-key-reused")
    theirs = other_customer.post(other_customer.order(), key=key)
    assert theirs.status_code == 201
    assert theirs.json()["orderId"] != order_id


@pytest.mark.parametrize("status", ["PAID", "PENDING"])
def test_a_retried_update_gets_the_first_response(
    customer: Caller, staff: Caller, key: str, status: str
) -> None:
    """Of a no-op too."""
    order_id = customer.place()["orderId"]
    assert staff.patch(order_id, "SHIPPED", key=key).status_code == 409, "and uses no key up"
    first = staff.patch(order_id, status, key=key)
    assert first.status_code == 200
    assert staff.patch(order_id, "CANCELED").status_code == 200

    assert_replays(staff.patch(order_id, status, key=key), first)
    reused = staff.patch(customer.place()["orderId"], status, key=key)
    assert (reused.status_code, problem_type(reused)) == (422, "idempotency-key-reused")
