"""Idempotency keys: one effect per key, and the first response again."""

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


def assert_repeats(response: httpx.Response, first: httpx.Response) -> None:
    assert "idempotent-replayed" not in first.headers
    assert response.headers["idempotent-replayed"] == "true"
    assert (response.status_code, response.content) == (first.status_code, first.content)
    assert response.headers["etag"] == first.headers["etag"]
    assert response.headers.get("location") == first.headers.get("location")


def test_a_repeated_create_gets_the_first_response_even_after_the_order_changed(
    customer: Caller, staff: Caller, key: str
) -> None:
    body = customer.order(metadata={"a": "1", "b": "2"})
    first = customer.post(body, key=key)
    order_id = first.json()["orderId"]
    assert staff.patch(order_id, "PAID").status_code == 200

    spelled_otherwise = customer.http.post(
        "/orders",
        content=json.dumps(dict(reversed(body.items())), indent=3),
        headers={"Content-Type": "application/json", "Idempotency-Key": f'"{key}"'},
    )

    assert_repeats(customer.post(body, key=key), first)
    assert_repeats(spelled_otherwise, first)
    assert customer.get(order_id).json()["version"] == 2


def test_a_key_cannot_be_used_for_another_request(customer: Caller, key: str) -> None:
    assert customer.post(customer.order(), key=key).status_code == 201
    other = customer.post(customer.order(currency="EUR"), key=key)
    assert (other.status_code, problem_type(other)) == (422, "idempotency-key-reused")


def test_a_key_belongs_to_its_caller_and_operation(
    customer: Caller, other_customer: Caller, key: str
) -> None:
    mine = customer.post(customer.order(), key=key)
    theirs = other_customer.post(other_customer.order(), key=key)
    canceled = customer.patch(mine.json()["orderId"], "CANCELED", key=key)

    assert theirs.status_code == 201
    assert theirs.json()["orderId"] != mine.json()["orderId"]
    assert (canceled.status_code, canceled.json()["status"]) == (200, "CANCELED")
    assert "idempotent-replayed" not in canceled.headers


def test_a_refused_request_does_not_use_the_key_up(
    customer: Caller, staff: Caller, key: str
) -> None:
    assert customer.post(customer.order(items=[]), key=key).status_code == 422
    placed = customer.post(customer.order(), key=key)
    assert placed.status_code == 201
    assert "idempotent-replayed" not in placed.headers

    order_id = placed.json()["orderId"]
    assert staff.patch(order_id, "SHIPPED", key=f"{key}-ship").status_code == 409
    assert staff.patch(order_id, "PAID").status_code == 200
    shipped = staff.patch(order_id, "SHIPPED", key=f"{key}-ship")
    assert (shipped.status_code, shipped.json()["status"]) == (200, "SHIPPED")


def test_a_repeated_update_gets_the_first_response(
    customer: Caller, staff: Caller, key: str
) -> None:
    order_id = customer.place()["orderId"]
    paid = staff.patch(order_id, "PAID", key=key)
    assert staff.patch(order_id, "SHIPPED").status_code == 200

    assert_repeats(staff.patch(order_id, "PAID", key=key), paid)
    reused = staff.patch(customer.place()["orderId"], "PAID", key=key)
    assert (reused.status_code, problem_type(reused)) == (422, "idempotency-key-reused")


def test_an_update_that_changed_nothing_is_repeated_too(
    customer: Caller, staff: Caller, key: str
) -> None:
    order_id = customer.place()["orderId"]
    nothing = staff.patch(order_id, "PENDING", key=key)
    assert (nothing.status_code, nothing.headers["etag"]) == (200, '"1"')
    assert staff.patch(order_id, "PAID").status_code == 200

    assert_repeats(staff.patch(order_id, "PENDING", key=key), nothing)
