"""POST /orders."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from api import Api
from gateway import (
    CUSTOMER_CLAIMS,
    OTHER_CLAIMS,
    STAFF_CLAIMS,
    at_stage,
    item_body,
    order_body,
    request,
)
from orders.domain.order_id import created_at, parse_order_id
from proof.oracle import FIRST_STATUS, ITEM, ORDER, REQUIRED, TRANSITIONS, amount_of, as_sent
from proof.order_number import order_number

if TYPE_CHECKING:
    from collections.abc import Mapping

SKUS = [
    *("CLE-056621/6", "BANK CHARGES", "S&M", "AZaz09._-", "a#b", "ä", "１", "#", "%2F", "=1+1"),
    *("a\u00a0b", "a\u2028b", "\u200f\u05d0", "\ufeffa", "\u200b", '"', "\\", "<b>"),
]
NOT_SKUS = [
    *(" ", " a", "a ", "a b ", "a\u00a0", "\u2003a", "\u2028", "a\u2029", "\u3000a", " \t "),
    *(f"a{control}b" for control in "\0\t\n\r\x1f\x7f\x80\x85\x9f"),
    *("\0", "\na", "a\n", "a\x85"),
]
SENT = [
    order_body(),
    *(order_body(**{name: value}) for name, field in ORDER.items() for value in field.sent),
    *(
        order_body(items=[item_body(), item_body(**{name: value})])
        for name, field in ITEM.items()
        for value in field.sent
    ),
]


Change = dict[str, object]


def one(**item: object) -> Change:
    """An order of one such item."""
    return {"items": [item_body(**item)]}


def each(name: str, *values: object) -> list[Change]:
    return [{name: value} for value in values]


@pytest.fixture
def api() -> Api:
    return Api()


def shown(sent: Mapping[str, Any], order_id: str) -> dict[str, Any]:
    """A new order as the contract wants it shown."""
    return as_sent(sent, ORDER) | {
        "orderId": order_id,
        "orderNumber": order_number(order_id),
        "customerId": sent["customerId"],
        "items": [as_sent(item, ITEM) for item in sent["items"]],
        "amount": amount_of(sent["items"]),
        "status": FIRST_STATUS,
        "version": 1,
        "allowedTransitions": [*TRANSITIONS[FIRST_STATUS]],
        "createdAt": "2026-11-23T12:00:00.123Z",
        "updatedAt": "2026-11-23T12:00:00.123Z",
    }


class TestResponse:
    @pytest.mark.parametrize("body", [*SENT, *(order_body(**one(sku=sku)) for sku in SKUS)])
    def test_the_response_is_the_order_as_it_was_sent(
        self, api: Api, body: dict[str, object]
    ) -> None:
        response = api.post(body)
        order_id = parse_order_id(response.json["orderId"])
        assert order_id
        assert (response.status, response.json) == (201, shown(body, order_id))
        assert created_at(order_id) == api.clock.now()
        assert order_id in api.orders.orders

    def test_the_headers_name_version_and_address(self, api: Api) -> None:
        response = api.post()
        assert response.headers == {
            "Content-Type": "application/json",
            "Cache-Control": "private, no-cache",
            "ETag": '"1"',
            "Location": f"https://api.example.com/orders/{response.json['orderId']}",
            "X-Request-Id": "JKJaXmPLvHcESHA=",
        }
        assert api.follow(response.headers["Location"] + "?").text == response.text

    def test_the_address_includes_the_stage_that_was_called(self, api: Api) -> None:
        response = api.send(at_stage(request("POST", "/orders", order_body()), "v1"))
        assert response.headers["Location"].startswith("https://api.example.com/v1/orders/")

    def test_the_address_is_the_public_one_where_it_is_configured(self) -> None:
        response = Api("https://shop.example/api/").post()
        assert response.headers["Location"].startswith("https://shop.example/api/orders/")

    def test_the_payment_token_is_kept_and_never_shown(self, api: Api) -> None:
        response = api.post(order_body(paymentToken="tok_secret"))
        assert (response.status, "tok_secret" in response.text) == (201, False)
        (order,) = api.orders.orders.values()
        assert (order.payment_token, order.pays_by_token) == ("tok_secret", True)

    def test_an_order_without_a_payment_token_is_not_paid_by_one(self, api: Api) -> None:
        api.post()
        (order,) = api.orders.orders.values()
        assert (order.payment_token, order.pays_by_token) == (None, False)

    def test_staff_order_for_any_customer(self, api: Api) -> None:
        assert api.post(claims=STAFF_CLAIMS).json["customerId"] == "cus_42"


ACCEPTED: list[Change] = [
    *each("items", [item_body()] * 100),
    *(one(quantity=1), one(quantity=1_000_000), one(unitAmount=0)),
    one(quantity=1, unitAmount=10**12),
    one(quantity=1_000, unitAmount=10**12) | {"amount": 10**15},
    one(quantity=1_000_000, unitAmount=10**9),
    {"currency": "IDR"} | one(quantity=1, unitAmount=2_000_000_000),
    *(one(sku="S"), one(sku="s" * 64), one(sku="\U0001f600" * 64)),
    *(one(name="n"), one(name="\U0001f600" * 200)),
    *each("customerId", "auth0|5f7c", "a:b@c.d+e_f-G9", "c" * 128),
    *each("metadata", {str(n): "v" for n in range(20)}, {"k" * 40: ""}, {"k": "v" * 500}),
    *each("paymentToken", "t" * 200),
    *each("currency", "JPY"),
    *each("amount", 5997),
]
REFUSED: dict[str, list[Change]] = {
    "/items": [
        *each("items", [item_body()] * 101, [], None, {"0": item_body()}),
        *each("items", [item_body(quantity=1_000_000, unitAmount=10**12)] * 100),
        one(quantity=1_001, unitAmount=10**12),
    ],
    "/items/1": each("items", [item_body(), "mug"]),
    "/items/1/sku": each("items", [item_body(), item_body(sku="")]),
    "/items/0/sku": [one(sku=sku) for sku in ("\U0001f600" * 65, *NOT_SKUS)],
    "/items/0/unheardOf": [one(unheardOf=1)],
    "/items/1/x` - at `$.y": each("items", [item_body(), item_body(**{"x` - at `$.y": 1})]),
    "/customerId": each("customerId", "c" * 129, "", "a#b", "a b", "a\n", "a/b"),
    "/metadata": each("metadata", *({str(n): x for n in range(21)} for x in ("v", 1)), None, []),
    "/metadata/": each("metadata", {"": "v"}),
    "/metadata/k": each("metadata", *({"k": x} for x in ("v" * 501, 1, None, {"deep": "v"}))),
    "/metadata/" + "k" * 41: each("metadata", {"k" * 41: ""}),
    "/metadata/" + "k" * 100: each("metadata", {"k" * 101: ""}),
    "/metadata/a~1b": each("metadata", {"good": "v", "a/b": []}),
    "/metadata/a~0b": each("metadata", {"a~b": True}),
    "/metadata/`": each("metadata", {"`": 1}),
    "/paymentToken": each("paymentToken", "t" * 201, "", None),
    "/amount": each("amount", 5996, 5998, 0, -5997, 10**15 + 1, None),
    "/status": each("status", FIRST_STATUS),
    "/orderId": each("orderId", "1"),
    "/a~1b~0c": each("a/b~c", 1),
    "/back`tick": each("back`tick", 1),
    "/x` - at `$.items[0].sku": each("x` - at `$.items[0].sku", 1),
}


BEYOND = [
    *((pointer, change) for pointer, changes in REFUSED.items() for change in changes),
    *((f"/{name}", {name: value}) for name, field in ORDER.items() for value in field.refused),
    *(
        (f"/items/0/{name}", one(**{name: value}))
        for name, field in ITEM.items()
        for value in field.refused
    ),
]


class TestFields:
    @pytest.mark.parametrize("change", ACCEPTED)
    def test_a_value_at_its_limit_is_accepted(self, api: Api, change: Change) -> None:
        assert api.post(order_body(**change), STAFF_CLAIMS).status == 201

    @pytest.mark.parametrize(("pointer", "change"), BEYOND)
    def test_a_value_beyond_its_limit_is_pointed_at(
        self, api: Api, pointer: str, change: Change
    ) -> None:
        assert api.post(order_body(**change), STAFF_CLAIMS).pointer == pointer
        assert api.orders.orders == {}

    @pytest.mark.parametrize("name", [*order_body()])
    def test_a_required_field_is_missed(self, api: Api, name: str) -> None:
        body = order_body()
        del body[name]
        assert api.post(body).pointer == f"/{name}"

    @pytest.mark.parametrize("name", [n for n, f in ITEM.items() if f.default is REQUIRED])
    def test_a_required_field_of_an_item_is_missed(self, api: Api, name: str) -> None:
        item = item_body()
        del item[name]
        assert api.post(order_body(items=[item])).pointer == f"/items/0/{name}"

    def test_a_wrong_amount_returns_the_correct_total(self, api: Api) -> None:
        problem = api.post(order_body(amount=1)).json
        assert problem["errors"] == [{"pointer": "/amount", "detail": "The items total 5997."}]
        assert problem["detail"] == "The items total 5997."


def with_text(name: str, text: str) -> str:
    """An order's JSON with this text, as it is, for the value of a field."""
    of_item = name in ITEM
    body = order_body(**one(**{name: "HERE"}) if of_item else {name: "HERE"})
    return json.dumps(body).replace('"HERE"', text)


class TestNumbers:
    @pytest.mark.parametrize(
        "text",
        [
            *("100.0", "100.5", "1e2", "1E2", "0.1", '"100"', "true", "false", "null", "[]", "{}"),
            *("-1", "1000000000000001", "9223372036854775808", "1" + "0" * 100, "-" + "9" * 30),
        ],
    )
    @pytest.mark.parametrize("field", ["unitAmount", "quantity", "amount"])
    def test_only_a_whole_number_in_range_is_accepted_and_none_is_rounded(
        self, api: Api, field: str, text: str
    ) -> None:
        place = "/items/0/" if field in ITEM else "/"
        assert api.post(with_text(field, text)).pointer == place + field
        assert api.orders.orders == {}

    @pytest.mark.parametrize(
        "text", ["NaN", "Infinity", "1e400", "1_000", "01", "0x10", "+1", "1."]
    )
    def test_a_number_that_json_does_not_have_is_malformed(self, api: Api, text: str) -> None:
        assert api.post(with_text("amount", text)).problem == "malformed-request"


def test_of_several_faults_the_first_in_the_contracts_order_is_told(api: Api) -> None:
    """A request with every fault, which are mended one by one."""
    key: dict[str, Any] = {"idempotency_key": "used"}
    assert api.post(order_body(currency="SGD"), **key).status == 201
    unknown = order_body(unknown=1)
    large = json.dumps(unknown) + " " * (256 * 1024)
    responses = [
        (api.post(large, None, content_type="text/plain", **key), 401, "unauthenticated"),
        (api.post(large, content_type="text/plain", **key), 415, "unsupported-media-type"),
        (api.post(large, **key), 413, "payload-too-large"),
        (api.post("{", idempotency_key="a b"), 400, "malformed-request"),
        (api.post(unknown, idempotency_key="a b"), 400, "invalid-idempotency-key"),
        (api.post(unknown, **key), 422, "validation-failed"),
        (api.post(order_body(amount=1), **key), 422, "validation-failed"),
        (api.post(order_body(customerId="x"), **key), 422, "idempotency-key-reused"),
        (api.post(claims=OTHER_CLAIMS, idempotency_key="new"), 403, "forbidden"),
    ]
    for response, status, problem in responses:
        assert (response.status, response.problem) == (status, problem)
    assert len(api.orders.orders) == 1


class TestIdempotencyKey:
    def test_a_retry_gets_the_first_response_byte_for_byte(self, api: Api) -> None:
        first = api.post(idempotency_key="k")
        api.patch(first.json["orderId"], {"status": "PAID"})
        api.clock.advance(hours=1)
        second = api.post(idempotency_key="k")
        assert (second.status, second.text) == (201, first.text)
        assert second.headers == first.headers | {"Idempotent-Replayed": "true"}
        assert len(api.orders.orders) == 1

    def test_members_order_white_space_and_headers_make_no_other_request(self, api: Api) -> None:
        api.post(order_body(metadata={"a": "1", "b": "2"}), idempotency_key="k")
        body = dict(reversed(order_body(metadata={"b": "2", "a": "1"}).items()))
        response = api.post(
            json.dumps(body, indent=8),
            idempotency_key="k",
            content_type="application/json; charset=utf-8",
            user_agent="another",
        )
        assert response.headers["Idempotent-Replayed"] == "true"

    def test_a_refused_request_does_not_use_up_its_key(self, api: Api) -> None:
        assert api.post(order_body(amount=1), idempotency_key="k").status == 422
        assert "Idempotent-Replayed" not in api.post(idempotency_key="k").headers
        assert len(api.orders.orders) == 1


class TestWithoutAPaymentGateway:
    @pytest.fixture
    def api(self) -> Api:
        return Api(takes_tokens=False)

    @pytest.mark.parametrize("unit_amount", [0, 1999])
    def test_a_payment_token_is_refused(self, api: Api, unit_amount: int) -> None:
        body = order_body(**one(unitAmount=unit_amount), paymentToken="tok_approve")
        response = api.post(body)
        assert (response.status, response.problem) == (422, "payments-not-configured")
        detail = "No payment gateway is configured; omit this field."
        assert response.json["errors"] == [{"pointer": "/paymentToken", "detail": detail}]
        assert api.orders.orders == {}

    def test_other_orders_are_taken_and_other_faults_told(self, api: Api) -> None:
        assert api.post().status == 201
        assert api.post(order_body(paymentToken="")).pointer == "/paymentToken"

    def test_the_refusal_comes_before_a_used_key_and_before_whose_order_it_is(
        self, api: Api
    ) -> None:
        api.post(idempotency_key="k")
        with_token = order_body(paymentToken="tok_approve")
        for claims in (CUSTOMER_CLAIMS, OTHER_CLAIMS):
            response = api.post(with_token, claims, idempotency_key="k")
            assert response.problem == "payments-not-configured"
