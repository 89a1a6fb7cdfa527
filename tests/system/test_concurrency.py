"""Concurrent requests: one effect, and every caller gets its outcome."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from system.deployment import at_once, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from system.deployment import Caller, Deployment

CALLS = 32


def patiently(send: Callable[[], httpx.Response]) -> httpx.Response:
    """Retry while the response is a 503, which asks for a retry."""
    return eventually(send, lambda response: response.status_code != 503)


@pytest.fixture(autouse=True, scope="module")
def warm(deployment: Deployment) -> None:
    """Start the processes first, so that the calls really are concurrent."""
    deployment.warm(CALLS)


def test_32_concurrent_creates_with_one_key_create_one_order(deployment: Deployment) -> None:
    customer = deployment.new_customer()
    order = customer.order()

    def post(_: int) -> httpx.Response:
        return patiently(lambda: customer.post(order, key="the-only-one"))

    responses = at_once(post, CALLS)

    assert Counter(response.status_code for response in responses) == {201: CALLS}
    first = responses[0]
    assert {response.text for response in responses} == {first.text}
    assert {response.headers["location"] for response in responses} == {first.headers["location"]}
    assert {response.headers["etag"] for response in responses} == {'"1"'}
    replayed = Counter(response.headers.get("idempotent-replayed") for response in responses)
    assert replayed == {"true": CALLS - 1, None: 1}
    listed = customer.http.get(f"/customers/{customer.id}/orders?consistent=true").json()
    assert [one["orderId"] for one in listed["items"]] == [first.json()["orderId"]]
    assert deployment.details_of(customer.id) == [first.json()["orderId"]]


def test_of_32_concurrent_updates_of_one_version_one_wins(
    deployment: Deployment, staff: Caller
) -> None:
    with deployment.held_queue() as queue:
        order_id = staff.place(customerId="cus_42")["orderId"]

        def patch(number: int) -> httpx.Response:
            status = ("PAID", "CANCELED")[number % 2]
            return patiently(lambda: staff.patch(order_id, status, if_match='"1"'))

        responses = at_once(patch, CALLS)
        messages = deployment.published(queue, order_id)

    assert Counter(response.status_code for response in responses) == {200: 1, 412: CALLS - 1}
    (won,) = (response.json() for response in responses if response.status_code == 200)
    assert staff.get(order_id).json() == won
    assert won["version"] == 2
    assert [(e["version"], e["status"]) for e in staff.timeline(order_id)] == [
        (1, "PENDING"),
        (2, won["status"]),
    ]
    events = [json.loads(message["Body"]) for message in messages]
    assert [(event["id"], event["type"]) for event in events] == [
        (f"{order_id}/1", "ORDER_CREATED"),
        (f"{order_id}/2", f"ORDER_{won['status']}"),
    ]
