"""The typical rival answers the same requests as our functions do, where both promise the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.tests.rivals import play, sender_to
from gateway import CUSTOMER_CLAIMS, OTHER_CLAIMS, STAFF_CLAIMS, item_body, order_body, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.systems import Running
    from benchmarks.tests.rivals import Play, Response
    from gateway import Event

MISSING = "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"
KEY = "a-key"

CASES: dict[str, Callable[[str], Play]] = {}


def case(play: Callable[[str], Play]) -> Callable[[str], Play]:
    """Register requests to be compared; they get a customer whom no other case has."""
    CASES[play.__name__] = play
    return play


def post(customer: str, key: str | None = None, **changes: object) -> Event:
    body = order_body(customerId=customer) | changes
    headers = {} if key is None else {"idempotency_key": key}
    return request("POST", "/orders", body, claims=customer_claims(customer), headers=headers)


def get(order_id: str, claims: Event | None) -> Event:
    return request("GET", f"/orders/{order_id}", claims=claims)


def patch(
    order_id: str, body: object, claims: Event | None = STAFF_CLAIMS, **headers: str
) -> Event:
    return request("PATCH", f"/orders/{order_id}", body, claims=claims, headers=headers)


def page(customer: str, query: str = "", claims: Event | None = None) -> Event:
    who = claims or customer_claims(customer)
    return request("GET", f"/customers/{customer}/orders{query}", claims=who)


def customer_claims(customer: str) -> Event:
    return CUSTOMER_CLAIMS | {"sub": customer}


def order_id_of(response: Response) -> str:
    return str(response.json["orderId"])


@case
def a_create_and_a_get(customer: str) -> Play:
    created = yield post(customer)
    yield get(order_id_of(created), customer_claims(customer))
    yield get(order_id_of(created), STAFF_CLAIMS)


@case
def all_that_an_order_can_have(customer: str) -> Play:
    items = [
        item_body(),
        item_body(sku="S&M TEE/02", name="Tee – größe M", quantity=1, unitAmount=0),
    ]
    created = yield post(
        customer,
        currency="JPY",
        items=items,
        metadata={"channel": "web", "a": "é"},
        amount=5997,
        paymentToken="tok_approve",
    )
    yield get(order_id_of(created), customer_claims(customer))


@case
def a_hundred_lines(customer: str) -> Play:
    yield post(customer, items=[item_body(sku=f"S-{number}") for number in range(100)])


@case
def staff_orders_for_a_customer(customer: str) -> Play:
    yield request("POST", "/orders", order_body(customerId=customer), claims=STAFF_CLAIMS)


@case
def a_replayed_create(customer: str) -> Play:
    created = yield post(customer, KEY, metadata={"b": "1", "a": "2"})
    yield patch(order_id_of(created), {"status": "PAID"})
    yield post(customer, KEY, metadata={"a": "2", "b": "1"})
    yield post(customer, "another-key", metadata={"b": "1", "a": "2"})
    yield page(customer)


@case
def a_key_used_for_another_order(customer: str) -> Play:
    yield post(customer, KEY)
    yield post(customer, KEY, currency="EUR")
    yield post(customer, KEY)


@case
def a_key_used_by_two_callers(customer: str) -> Play:
    yield post(customer, KEY)
    yield post(f"{customer}_2", KEY)


@case
def a_key_used_for_two_operations(customer: str) -> Play:
    created = yield post(customer, KEY)
    yield patch(
        order_id_of(created),
        {"status": "CANCELED"},
        customer_claims(customer),
        idempotency_key=KEY,
    )


@case
def a_refusal_does_not_use_the_key_up(customer: str) -> Play:
    created = yield post(customer)
    order_id = order_id_of(created)
    key = f"{customer}-{KEY}"
    yield patch(order_id, {"status": "SHIPPED"}, idempotency_key=key)
    yield patch(order_id, {"status": "PAID"})
    yield patch(order_id, {"status": "SHIPPED"}, idempotency_key=key)
    yield patch(order_id, {"status": "SHIPPED"}, idempotency_key=key)


@case
def a_life(customer: str) -> Play:
    created = yield post(customer)
    order_id = order_id_of(created)
    yield patch(order_id, {"status": "PAID", "reason": "transfer"}, if_match='"1"')
    yield patch(order_id, {"status": "PAID"})
    yield patch(order_id, {"status": "SHIPPED"}, if_match='"1"')
    yield patch(order_id, {"status": "SHIPPED"}, if_match="*")
    yield get(order_id, STAFF_CLAIMS)


@case
def a_replayed_update(customer: str) -> Play:
    created = yield post(customer)
    order_id, key = order_id_of(created), f"{customer}-{KEY}"
    yield patch(order_id, {"status": "PAID"}, idempotency_key=key)
    yield patch(order_id, {"status": "SHIPPED"})
    yield patch(order_id, {"status": "PAID"}, idempotency_key=key)
    yield patch(order_id, {"status": "PAID", "reason": "again"}, idempotency_key=key)


@case
def every_pair_of_statuses(customer: str) -> Play:
    statuses = {"PENDING": (), "PAID": ("PAID",), "SHIPPED": ("PAID", "SHIPPED")}
    for way in (*statuses.values(), ("CANCELED",)):
        for status in ("PENDING", "PAID", "SHIPPED", "CANCELED"):
            created = yield post(customer)
            for step in (*way, status):
                yield patch(order_id_of(created), {"status": step})


@case
def customers_cancel_what_is_pending(customer: str) -> Play:
    for way in ((), ("PAID",), ("CANCELED",)):
        for status in ("PENDING", "PAID", "SHIPPED", "CANCELED"):
            created = yield post(customer)
            for step in way:
                yield patch(order_id_of(created), {"status": step})
            yield patch(order_id_of(created), {"status": status}, customer_claims(customer))


@case
def orders_of_somebody_else(customer: str) -> Play:
    created = yield post(customer)
    yield get(order_id_of(created), OTHER_CLAIMS)
    yield patch(order_id_of(created), {"status": "CANCELED"}, OTHER_CLAIMS)
    yield page(customer, claims=OTHER_CLAIMS)
    yield request("POST", "/orders", order_body(customerId=customer), claims=OTHER_CLAIMS)


@case
def orders_that_are_not_there(customer: str) -> Play:
    yield get(MISSING, customer_claims(customer))
    yield get("no-id", STAFF_CLAIMS)
    yield patch(MISSING, {"status": "PAID"})


@case
def callers_who_are_nobody(customer: str) -> Play:
    created = yield post(customer)
    for claims in (None, {}, {"sub": ""}, {"sub": customer, "token_use": "id"}):
        yield get(order_id_of(created), claims)


@case
def who_is_staff(customer: str) -> Play:
    created = yield post(customer)
    for groups in ("staff", ["staff"], ["ops", "staff"], ["nonstaff"], []):
        yield get(order_id_of(created), {"sub": "ann", "cognito:groups": groups})


@case
def a_walk_through_a_list(customer: str) -> Play:
    for quantity in range(1, 6):
        yield post(customer, items=[item_body(quantity=quantity)])
    yield page(customer)
    first = yield page(customer, "?limit=2")
    second = yield page(customer, f"?limit=2&cursor={first.json['nextCursor']}")
    yield page(customer, f"?limit=2&cursor={second.json['nextCursor']}")
    yield page(customer, "?limit=100", STAFF_CLAIMS)


@case
def an_empty_list(customer: str) -> Play:
    yield page(customer)


@case
def parameters_that_make_no_sense(customer: str) -> Play:
    for query in ("?limit=0", "?limit=101", "?limit=x", "?limit=", "?cursor=abc", "?cursor=W10="):
        yield page(customer, query)


@case
def headers_that_make_no_sense(customer: str) -> Play:
    yield post(customer, "a key")
    yield post(customer, "k" * 256)
    yield post(customer, "k" * 255)
    sent = {"content_type": "text/plain"}
    yield request("POST", "/orders", order_body(), claims=CUSTOMER_CLAIMS, headers=sent)


@case
def bodies_that_are_no_order(customer: str) -> Play:
    items: list[dict[str, Any]] = [
        {"quantity": 0},
        {"quantity": 100.0},
        {"quantity": "3"},
        {"quantity": True},
        {"unitAmount": -1},
        {"unitAmount": 19.99},
        {"sku": ""},
        {"sku": "a\n"},
        {"name": ""},
        {"name": "n" * 201},
        {"colour": "red"},
    ]
    for change in items:
        yield post(customer, items=[item_body(**change)])
    orders: list[dict[str, Any]] = [
        {"items": []},
        {"items": [item_body()] * 101},
        {"items": None},
        {"currency": "XXX"},
        {"currency": "usd"},
        {"amount": 1},
        {"amount": 5997.0},
        {"amount": "5997"},
        {"metadata": {"a": 1}},
        {"metadata": {"": "a"}},
        {"metadata": {"k" * 41: "a"}},
        {"metadata": {str(number): "" for number in range(21)}},
        {"paymentToken": ""},
        {"paymentToken": "t" * 201},
        {"status": "PAID"},
        {"customerId": "a#b"},
    ]
    for change in orders:
        yield post(customer, **change)
    for body in ("{", "[]", '"text"'):
        yield request("POST", "/orders", body, claims=customer_claims(customer))
    for missing in ("customerId", "currency", "items"):
        body_without = {k: v for k, v in order_body().items() if k != missing}
        yield request("POST", "/orders", body_without, claims=CUSTOMER_CLAIMS)


@case
def bodies_that_are_no_change(customer: str) -> Play:
    created = yield post(customer)
    for body in (
        {},
        {"status": None},
        {"status": "paid"},
        {"status": 1},
        {"status": "PAID", "amount": 1},
        {"status": "PAID", "reason": "r" * 501},
        {"status": "PAID", "reason": 1},
    ):
        yield patch(order_id_of(created), body)


@pytest.mark.parametrize("name", CASES)
def test_the_typical_rival_answers_as_our_functions_do(
    ours: Running, typical_running: Running, name: str
) -> None:
    customer = f"cus_{name}"
    theirs, own = (
        play(CASES[name](customer), sender_to(running)) for running in (typical_running, ours)
    )
    assert theirs == own
