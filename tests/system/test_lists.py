"""Lists through the deployed API: their order, their pages, and links that can be followed."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from proof import oracle
from system.deployment import at_once

if TYPE_CHECKING:
    from system.deployment import Caller, Deployment, Json

ORDERS = 12


@pytest.fixture(scope="module")
def shopper(deployment: Deployment) -> Caller:
    return deployment.new_customer()


@pytest.fixture(scope="module")
def orders(shopper: Caller, staff: Caller) -> list[Json]:
    """The shopper's orders, oldest first; every third one is PAID."""
    placed = [shopper.place(currency="CHF") for _ in range(ORDERS)]
    for paid in placed[::3]:
        staff.patch(paid["orderId"], "PAID").raise_for_status()
    return placed


def ids(items: list[Json]) -> list[str]:
    return [item["orderId"] for item in items]


def walked(pages: list[list[Json]]) -> list[str]:
    return ids(list(chain.from_iterable(pages)))


def walk(caller: Caller, address: str, **parameters: Any) -> list[list[Json]]:  # noqa: ANN401 - query
    """All pages, by following the links as they are given."""
    pages = []
    response = caller.http.get(address, params=parameters or None)
    while True:
        page = response.raise_for_status().json()
        pages.append(page["items"])
        assert ("next" in response.links) == (page["nextCursor"] is not None)
        if "next" not in response.links:
            return pages
        assert len(pages) < 100, "a walk without an end"
        response = caller.http.get(response.links["next"]["url"])


@pytest.mark.parametrize("consistent", ["true", "false"])
@pytest.mark.parametrize(("sort", "step"), [("createdAt", 1), ("-createdAt", -1)])
@pytest.mark.parametrize(("limit", "sizes"), [(5, [5, 5, 2]), (6, [6, 6])])
def test_following_the_links_meets_every_order_once(  # noqa: PLR0913, PLR0917 - a line of the table
    shopper: Caller,
    orders: list[Json],
    sort: str,
    step: int,
    consistent: str,
    limit: int,
    sizes: list[int],
) -> None:
    path = f"/customers/{shopper.id}/orders"
    pages = walk(shopper, path, limit=limit, sort=sort, consistent=consistent)
    assert [len(page) for page in pages] == sizes
    assert walked(pages) == ids(orders)[::step]
    newest = pages[0][0] if step == -1 else pages[-1][-1]
    assert newest == {name: orders[-1][name] for name in oracle.SUMMARY_FIELDS & orders[-1].keys()}


def test_a_consistent_list_shows_the_order_just_made(deployment: Deployment) -> None:
    somebody = deployment.new_customer()
    for _ in range(3):
        order = somebody.place()
        listed = somebody.http.get(f"/customers/{somebody.id}/orders?consistent=true&limit=1")
        assert ids(listed.json()["items"]) == [order["orderId"]]


def test_a_customers_list_can_be_filtered_by_status_and_time(
    shopper: Caller, orders: list[Json]
) -> None:
    path = f"/customers/{shopper.id}/orders"
    window = {"createdFrom": orders[2]["createdAt"], "createdTo": orders[9]["createdAt"]}

    assert walked(walk(shopper, path, status="PAID", limit=3)) == ids(orders[::3])[::-1]
    assert walked(walk(shopper, path, limit=4, **window)) == ids(orders[2:9])[::-1]
    both = walk(shopper, path, status="PAID", limit=1, **window)
    assert walked(both) == ids(orders[3:9:3])[::-1]


@pytest.mark.parametrize(("sort", "step"), [("createdAt", 1), ("-createdAt", -1)])
def test_the_list_of_a_status_merges_its_shards_in_order(
    deployment: Deployment, staff: Caller, orders: list[Json], sort: str, step: int
) -> None:
    pending = [order for number, order in enumerate(orders) if number % 3]
    pages = walk(
        staff, "/orders", status="PENDING", limit=3, sort=sort, createdFrom=orders[0]["createdAt"]
    )
    found = walked(pages)

    assert all(len(page) == 3 for page in pages[:-1])
    assert [one for one in found if one in ids(orders)] == ids(pending)[::step]
    assert found == sorted(found)[::step]
    assert max(Counter(found).values()) == 1
    shards = {deployment.rows(one)["DETAIL"]["gsi1pk"]["S"] for one in ids(pending)}
    assert len(shards) > 1, "orders of one shard prove nothing"


def test_a_timeline_has_pages_too(customer: Caller, staff: Caller) -> None:
    order_id = customer.place()["orderId"]
    for status in ("PAID", "SHIPPED"):
        staff.patch(order_id, status).raise_for_status()

    pages = walk(customer, f"/orders/{order_id}/timeline", limit=2)
    assert [[event["version"] for event in page] for page in pages] == [[1, 2], [3]]


def test_a_walk_skips_nothing_while_orders_are_made(shopper: Caller, orders: list[Json]) -> None:
    path = f"/customers/{shopper.id}/orders"
    first = shopper.http.get(path, params={"limit": 4})
    at_once(lambda _: shopper.place(), 4)
    rest = walk(shopper, first.links["next"]["url"])
    assert ids(first.json()["items"]) + walked(rest) == ids(orders)[::-1]
