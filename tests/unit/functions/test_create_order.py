from __future__ import annotations

import json
from typing import Any

import pytest

from api import Api
from gateway import CUSTOMER_CLAIMS, OTHER_CLAIMS, STAFF_CLAIMS, at_stage, item_body, order_body
from gateway import request as api_request
from orders.domain.order_id import created_at, parse_order_id
from orders.http.bodies import SKU_RULE
from proof.order_number import order_number


@pytest.fixture
def api() -> Api:
    return Api()


class TestTheResponse:
    def test_is_the_order(self, api: Api) -> None:
        response = api.post(order_body(metadata={"channel": "web"}))
        assert response.status == 201
        body = response.json
        order_id = parse_order_id(body.pop("orderId"))
        assert order_id in api.orders.orders
        assert created_at(order_id) == api.clock.now()
        assert body.pop("orderNumber") == order_number(order_id)
        assert body == {
            "customerId": "cus_42",
            "status": "PENDING",
            "amount": 5997,
            "currency": "USD",
            "items": [{"sku": "MUG-01", "name": "Mug", "quantity": 3, "unitAmount": 1999}],
            "metadata": {"channel": "web"},
            "version": 1,
            "allowedTransitions": ["PAID", "CANCELED"],
            "createdAt": "2026-11-23T12:00:00.123Z",
            "updatedAt": "2026-11-23T12:00:00.123Z",
        }

    def test_has_its_headers(self, api: Api) -> None:
        response = api.post()
        assert response.headers == {
            "Content-Type": "application/json",
            "Cache-Control": "private, no-cache",
            "ETag": '"1"',
            "Location": f"https://api.example.com/orders/{response.json['orderId']}",
            "X-Request-Id": "JKJaXmPLvHcESHA=",
        }

    def test_names_a_place_where_the_order_is(self, api: Api) -> None:
        response = api.post()
        found = api.follow(response.headers["Location"] + "?")
        assert found.json == response.json

    def test_never_holds_the_payment_token(self, api: Api) -> None:
        response = api.post(order_body(paymentToken="tok_secret"))
        assert response.status == 201
        assert "tok_secret" not in response.text
        (order,) = api.orders.orders.values()
        assert order.payment_token == "tok_secret"

    def test_without_a_payment_token_the_order_is_not_paid_by_one(self, api: Api) -> None:
        api.post()
        (order,) = api.orders.orders.values()
        assert (order.payment_token, order.pays_by_token) == (None, False)

    def test_names_the_stage_where_it_is_part_of_the_address(self, api: Api) -> None:
        event = at_stage(api_request("POST", "/orders", order_body()), "v1")
        location = api.send(event).headers["Location"]
        assert location.startswith("https://api.example.com/v1/orders/")

    def test_names_the_public_address_where_one_is_configured(self) -> None:
        location = Api("https://shop.example/api/").post().headers["Location"]
        assert location.startswith("https://shop.example/api/orders/")


LIMITS: list[tuple[dict[str, object], str | None]] = [
    ({"items": [item_body()] * 100}, None),
    ({"items": [item_body()] * 101}, "/items"),
    ({"items": []}, "/items"),
    ({"items": [item_body(quantity=1)]}, None),
    ({"items": [item_body(quantity=0)]}, "/items/0/quantity"),
    ({"items": [item_body(quantity=80_995)]}, None),
    ({"items": [item_body(quantity=1_000_000)]}, None),
    ({"items": [item_body(quantity=1_000_001)]}, "/items/0/quantity"),
    ({"items": [item_body(unitAmount=0)]}, None),
    ({"items": [item_body(unitAmount=-1)]}, "/items/0/unitAmount"),
    ({"currency": "IDR", "items": [item_body(quantity=1, unitAmount=2_000_000_000)]}, None),
    ({"items": [item_body(quantity=1, unitAmount=10**12)]}, None),
    ({"items": [item_body(quantity=1, unitAmount=10**12 + 1)]}, "/items/0/unitAmount"),
    ({"items": [item_body(quantity=1_000, unitAmount=10**12)], "amount": 10**15}, None),
    ({"items": [item_body(quantity=1_001, unitAmount=10**12)]}, "/items"),
    ({"items": [item_body(quantity=1_000_000, unitAmount=10**9)]}, None),
    ({"items": [item_body(quantity=1_000_000, unitAmount=10**12)] * 100}, "/items"),
    ({"items": [item_body(), item_body(sku="S")]}, None),
    ({"items": [item_body(), item_body(sku="")]}, "/items/1/sku"),
    ({"items": [item_body(sku="s" * 64)]}, None),
    ({"items": [item_body(sku="s" * 65)]}, "/items/0/sku"),
    ({"items": [item_body(sku="\U0001f600" * 64)]}, None),
    ({"items": [item_body(sku="\U0001f600" * 65)]}, "/items/0/sku"),
    ({"items": [item_body(name="n")]}, None),
    ({"items": [item_body(name="")]}, "/items/0/name"),
    ({"items": [item_body(name="\U0001f600" * 200)]}, None),
    ({"items": [item_body(name="n" * 201)]}, "/items/0/name"),
    ({"customerId": "c" * 129}, "/customerId"),
    ({"customerId": ""}, "/customerId"),
    ({"customerId": "a#b"}, "/customerId"),
    ({"customerId": "a b"}, "/customerId"),
    ({"customerId": "a\n"}, "/customerId"),
    ({"customerId": "a/b"}, "/customerId"),
    ({"metadata": {}}, None),
    ({"metadata": {str(n): "v" for n in range(20)}}, None),
    ({"metadata": {str(n): "v" for n in range(21)}}, "/metadata"),
    ({"metadata": {"k" * 40: ""}}, None),
    ({"metadata": {"k" * 41: ""}}, "/metadata/" + "k" * 41),
    ({"metadata": {"k" * 101: ""}}, "/metadata/" + "k" * 100),
    ({"metadata": {"": "v"}}, "/metadata/"),
    ({"metadata": {"k": "v" * 500}}, None),
    ({"metadata": {"k": "v" * 501}}, "/metadata/k"),
    ({"metadata": {"k": 1}}, "/metadata/k"),
    ({"metadata": {"k": None}}, "/metadata/k"),
    ({"metadata": {"k": {"deep": "v"}}}, "/metadata/k"),
    ({"metadata": {"good": "v", "a/b": []}}, "/metadata/a~1b"),
    ({"metadata": {"a~b": True}}, "/metadata/a~0b"),
    ({"metadata": {"`": 1}}, "/metadata/`"),
    ({"metadata": {str(n): n for n in range(21)}}, "/metadata"),
    ({"metadata": None}, "/metadata"),
    ({"metadata": []}, "/metadata"),
    ({"paymentToken": "t" * 200}, None),
    ({"paymentToken": "t" * 201}, "/paymentToken"),
    ({"paymentToken": ""}, "/paymentToken"),
    ({"paymentToken": None}, "/paymentToken"),
    ({"currency": "JPY"}, None),
    ({"currency": "usd"}, "/currency"),
    ({"currency": "ZZZ"}, "/currency"),
    ({"currency": "USD\n"}, "/currency"),
    ({"currency": None}, "/currency"),
    ({"amount": 5997}, None),
    ({"amount": 5996}, "/amount"),
    ({"amount": 5998}, "/amount"),
    ({"amount": 0}, "/amount"),
    ({"amount": -5997}, "/amount"),
    ({"amount": 10**15 + 1}, "/amount"),
    ({"amount": None}, "/amount"),
    ({"status": "PAID"}, "/status"),
    ({"orderId": "1"}, "/orderId"),
    ({"a/b~c": 1}, "/a~1b~0c"),
    ({"back`tick": 1}, "/back`tick"),
    ({"x` - at `$.items[0].sku": 1}, "/x` - at `$.items[0].sku"),
    ({"items": [item_body(), item_body(**{"x` - at `$.y": 1})]}, "/items/1/x` - at `$.y"),
    ({"items": [item_body(price=1)]}, "/items/0/price"),
    ({"items": [item_body(), "mug"]}, "/items/1"),
    ({"items": {"0": item_body()}}, "/items"),
    ({"items": None}, "/items"),
]


class TestTheFields:
    @pytest.mark.parametrize(("change", "pointer"), LIMITS)
    def test_are_held_to_their_limits_at_both_sides(
        self, api: Api, change: dict[str, object], pointer: str | None
    ) -> None:
        response = api.post(order_body(**change), STAFF_CLAIMS)
        if pointer is None:
            assert response.status == 201
        else:
            assert response.pointer == pointer
            assert api.orders.orders == {}

    @pytest.mark.parametrize(
        "sku",
        [
            *("CLE-056621/6", "BANK CHARGES", "S&M", "AZaz09._-", "a#b", "ä", "１", "#", "%2F"),
            *(
                "a\u00a0b",
                "a\u2028b",
                "\u200f\u05d0",
                "\ufeffa",
                "\u200b",
                '"',
                "\\",
                "<b>",
                "=1+1",
            ),
        ],
    )
    def test_a_sku_may_be_what_shops_have(self, api: Api, sku: str) -> None:
        response = api.post(order_body(items=[item_body(sku=sku)]))
        assert (response.status, response.json["items"][0]["sku"]) == (201, sku)

    @pytest.mark.parametrize("space", [" ", "\u00a0", "\u2003", "\u2028", "\u2029", "\u3000"])
    def test_a_sku_has_no_white_space_at_its_ends(self, api: Api, space: str) -> None:
        for sku in (space, f"{space}a", f"a{space}", f"a {space}"):
            response = api.post(order_body(items=[item_body(sku=sku)]))
            assert response.pointer == "/items/0/sku"
            assert response.json["detail"] == SKU_RULE

    @pytest.mark.parametrize(
        "control", ["\0", "\t", "\n", "\r", "\x1f", "\x7f", "\x80", "\x85", "\x9f"]
    )
    def test_a_sku_has_no_control_character(self, api: Api, control: str) -> None:
        for sku in (control, f"{control}a", f"a{control}b", f"a{control}"):
            assert api.post(order_body(items=[item_body(sku=sku)])).pointer == "/items/0/sku"

    def test_customer_ids_may_have_the_characters_of_issuers(self, api: Api) -> None:
        for customer_id in ("auth0|5f7c", "a:b@c.d+e_f-G9", "c" * 128):
            assert api.post(order_body(customerId=customer_id), STAFF_CLAIMS).status == 201

    @pytest.mark.parametrize("name", ["customerId", "currency", "items"])
    def test_that_are_required_are_missed(self, api: Api, name: str) -> None:
        body = order_body()
        del body[name]
        assert api.post(body).pointer == f"/{name}"

    @pytest.mark.parametrize("name", ["sku", "name", "quantity", "unitAmount"])
    def test_that_an_item_requires_are_missed(self, api: Api, name: str) -> None:
        item = item_body()
        del item[name]
        assert api.post(order_body(items=[item])).pointer == f"/items/0/{name}"

    def test_a_wrong_total_is_told(self, api: Api) -> None:
        problem = api.post(order_body(amount=1)).json
        assert problem["errors"] == [{"pointer": "/amount", "detail": "The items total 5997."}]
        assert problem["detail"] == "The items total 5997."


NO_AMOUNTS = [
    *("100.0", "100.5", "1e2", "1E2", "0.1", '"100"', "true", "false", "null", "[]", "{}"),
    *("-1", "1000000000000001", "9223372036854775808", "1" + "0" * 100, "-" + "9" * 30),
]
NO_NUMBERS = ["NaN", "Infinity", "1e400", "1_000", "01", "0x10", "+1", "1.", "1" * 5000]


class TestMoney:
    @pytest.mark.parametrize("text", NO_AMOUNTS)
    @pytest.mark.parametrize("field", ["unitAmount", "quantity", "amount"])
    def test_that_is_no_whole_number_in_range_is_refused_and_never_rounded(
        self, api: Api, field: str, text: str
    ) -> None:
        body = order_body() if field == "amount" else order_body(items=[item_body()])
        target: Any = body if field == "amount" else body["items"]
        (target if field == "amount" else target[0])[field] = "HERE"
        response = api.post(json.dumps(body).replace('"HERE"', text))
        assert response.pointer == ("/amount" if field == "amount" else f"/items/0/{field}")
        assert api.orders.orders == {}

    @pytest.mark.parametrize(
        "text", ["NaN", "Infinity", "1e400", "1_000", "01", "0x10", "+1", "1."]
    )
    def test_that_is_no_json_number_is_not_read(self, api: Api, text: str) -> None:
        body = json.dumps(order_body(amount="HERE")).replace('"HERE"', text)
        assert api.post(body).problem == "malformed-request"


class TestTheOrderOfChecks:
    def test_is_that_of_the_contract(self, api: Api) -> None:
        """A request with every fault; one after the other is put right."""
        key: dict[str, Any] = {"idempotency_key": "used"}
        assert api.post(order_body(currency="SGD"), **key).status == 201
        mine: dict[str, Any] = {"claims": OTHER_CLAIMS}
        padded = json.dumps(order_body(unknown=1)) + " " * (256 * 1024)
        no_field = order_body(unknown=1)
        steps = [
            (api.post(padded, None, content_type="text/plain", **key), "unauthenticated"),
            (api.post(padded, content_type="text/plain", **key), "unsupported-media-type"),
            (api.post(padded, **key), "payload-too-large"),
            (api.post("{", idempotency_key="a b"), "malformed-request"),
            (api.post(no_field, idempotency_key="a b"), "invalid-idempotency-key"),
            (api.post(no_field, **key), "validation-failed"),
            (api.post(order_body(amount=1), **key), "validation-failed"),
            (api.post(order_body(customerId="x"), **key), "idempotency-key-reused"),
            (api.post(order_body(), idempotency_key="new", **mine), "forbidden"),
        ]
        assert [response.problem for response, _ in steps] == [problem for _, problem in steps]
        statuses = [response.status for response, _ in steps]
        assert statuses == [401, 415, 413, 400, 400, 422, 422, 422, 403]
        assert len(api.orders.orders) == 1


class TestWhoMayOrder:
    def test_a_customer_for_themselves_only(self, api: Api) -> None:
        response = api.post(claims=OTHER_CLAIMS)
        assert (response.status, response.problem) == (403, "forbidden")
        assert api.orders.orders == {}

    def test_staff_for_everyone(self, api: Api) -> None:
        assert api.post(claims=STAFF_CLAIMS).json["customerId"] == "cus_42"


class TestIdempotency:
    def test_a_repetition_gets_the_first_response_byte_for_byte(self, api: Api) -> None:
        first = api.post(idempotency_key="k")
        api.patch(first.json["orderId"], {"status": "PAID"})
        api.clock.advance(hours=1)
        second = api.post(idempotency_key="k")
        assert (second.status, second.text) == (201, first.text)
        assert second.headers == first.headers | {"Idempotent-Replayed": "true"}
        assert len(api.orders.orders) == 1

    def test_a_quoted_key_is_the_bare_one(self, api: Api) -> None:
        assert "Idempotent-Replayed" not in api.post(idempotency_key='"k"').headers
        assert api.post(idempotency_key="k").headers["Idempotent-Replayed"] == "true"

    def test_form_does_not_make_another_request(self, api: Api) -> None:
        """Nor do headers."""
        api.post(order_body(metadata={"a": "1", "b": "2"}), idempotency_key="k")
        again = json.dumps(
            dict(reversed(order_body(metadata={"b": "2", "a": "1"}).items())), indent=8
        )
        response = api.post(
            again,
            idempotency_key="k",
            content_type="application/json; charset=utf-8",
            user_agent="another",
        )
        assert response.headers["Idempotent-Replayed"] == "true"

    def test_another_request_with_the_key_is_refused(self, api: Api) -> None:
        api.post(idempotency_key="k")
        response = api.post(order_body(currency="SGD"), idempotency_key="k")
        assert (response.status, response.problem) == (422, "idempotency-key-reused")

    def test_keys_are_each_callers_own(self, api: Api) -> None:
        api.post(idempotency_key="k")
        assert api.post(claims=STAFF_CLAIMS, idempotency_key="k").status == 201
        assert len(api.orders.orders) == 2

    def test_a_create_and_an_update_may_have_the_same_key(self, api: Api) -> None:
        order_id = api.post(claims=STAFF_CLAIMS, idempotency_key="k").json["orderId"]
        response = api.patch(order_id, {"status": "PAID"}, idempotency_key="k")
        assert response.status == 200
        assert "Idempotent-Replayed" not in response.headers

    def test_a_refused_request_does_not_use_its_key_up(self, api: Api) -> None:
        assert api.post(order_body(amount=1), idempotency_key="k").status == 422
        assert api.post(idempotency_key="k").status == 201

    def test_a_key_sent_twice_makes_no_order(self, api: Api) -> None:
        """API Gateway joins the two with a comma; sent once, it would be another key."""
        assert api.post(idempotency_key="k,k").problem == "invalid-idempotency-key"
        assert api.orders.orders == {}
        assert api.post(idempotency_key="k").status == 201

    @pytest.mark.parametrize("key", ["", "a b", '"', '""', "k" * 256, "ключ"])
    def test_what_is_no_key_is_refused(self, api: Api, key: str) -> None:
        response = api.post(idempotency_key=key)
        assert (response.status, response.problem) == (400, "invalid-idempotency-key")


class TestWithoutAPaymentGateway:
    @pytest.fixture
    def api(self) -> Api:
        return Api(takes_tokens=False)

    @pytest.mark.parametrize("unit_amount", [0, 1999])
    def test_a_payment_token_is_refused(self, api: Api, unit_amount: int) -> None:
        items = [item_body(unitAmount=unit_amount)]
        response = api.post(order_body(items=items, paymentToken="tok_approve"))
        assert (response.status, response.problem) == (422, "payments-not-configured")
        assert [error["pointer"] for error in response.json["errors"]] == ["/paymentToken"]
        assert api.orders.orders == {}

    def test_all_else_is_as_ever(self, api: Api) -> None:
        assert api.post().status == 201
        assert api.post(order_body(paymentToken="")).pointer == "/paymentToken"

    def test_it_is_told_before_a_used_key_and_before_whose_order_it_is(self, api: Api) -> None:
        api.post(idempotency_key="k")
        with_token = order_body(paymentToken="tok_approve")
        for claims in (CUSTOMER_CLAIMS, OTHER_CLAIMS):
            response = api.post(with_token, claims, idempotency_key="k")
            assert response.problem == "payments-not-configured"


class TestTheQuery:
    def test_has_no_parameters(self, api: Api) -> None:
        event = api_request("POST", "/orders?dry-run=true", order_body(), claims=CUSTOMER_CLAIMS)
        assert api.send(event).problem == "malformed-request"
