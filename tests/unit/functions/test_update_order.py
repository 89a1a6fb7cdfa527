"""PATCH /orders/{orderId}."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from api import Api
from examples import placed_order
from gateway import (
    CUSTOMER_CLAIMS,
    MERGE_PATCH,
    OTHER_CLAIMS,
    STAFF_CLAIMS,
    order_body,
    request,
)
from orders.domain.status import OrderStatus
from proof.oracle import PLATFORM_REASONS, STATUSES, TRANSITIONS, customer_may_request

if TYPE_CHECKING:
    from api import Response

EVERY_MOVE = pytest.mark.parametrize(("current", "target"), [*product(STATUSES, STATUSES)])


class Shop(Api):
    """With one order, in any status."""

    def __init__(self, status: str = "PENDING") -> None:
        super().__init__()
        order = replace(placed_order(), status=OrderStatus(status))
        self.order_id = order.order_id
        self.orders.orders[order.order_id] = order

    def change(
        self, body: object, claims: dict[str, Any] | None = STAFF_CLAIMS, **headers: str
    ) -> Response:
        return self.patch(self.order_id, body, claims, **headers)

    @property
    def version(self) -> int:
        return self.orders.orders[self.order_id].version


@pytest.fixture
def shop() -> Shop:
    return Shop()


class TestResponse:
    def test_the_response_is_the_order_as_it_is_now(self, shop: Shop) -> None:
        shop.clock.advance(seconds=1)
        before = shop.get(f"/orders/{shop.order_id}").json
        response = shop.change({"status": "PAID", "reason": "by transfer"})
        assert (response.status, response.text) == (200, shop.get(f"/orders/{shop.order_id}").text)
        assert response.json == before | {
            "status": "PAID",
            "version": 2,
            "allowedTransitions": [*TRANSITIONS["PAID"]],
            "updatedAt": "2026-11-23T12:00:01.123Z",
        }
        assert response.headers == {
            "Content-Type": "application/json",
            "Cache-Control": "private, no-cache",
            "ETag": '"2"',
            "X-Request-Id": "JKJaXmPLvHcESHA=",
        }
        assert shop.orders.orders[shop.order_id].reason == "by transfer"


class TestTransitions:
    @EVERY_MOVE
    def test_staff_make_the_transitions_of_the_contract(self, current: str, target: str) -> None:
        shop = Shop(current)
        before = shop.orders.orders[shop.order_id]
        response = shop.change({"status": target})
        if target in TRANSITIONS[current]:
            assert (response.status, response.json["status"]) == (200, target)
            assert response.headers["ETag"] == '"2"'
            return
        if current == target:
            assert (response.status, response.headers["ETag"]) == (200, '"1"')
        else:
            assert (response.status, response.problem) == (409, "illegal-transition")
            assert response.json["currentStatus"] == current
            assert response.json["allowedTransitions"] == [*TRANSITIONS[current]]
        assert shop.orders.orders[shop.order_id] is before

    @EVERY_MOVE
    def test_a_customer_makes_those_that_are_theirs(self, current: str, target: str) -> None:
        response = Shop(current).change({"status": target}, CUSTOMER_CLAIMS)
        assert response.status == (200 if customer_may_request(target, of=current) else 403)


class TestBody:
    @pytest.mark.parametrize(
        "media_type",
        [
            *(MERGE_PATCH, "application/json", MERGE_PATCH.upper()),
            *(f"{MERGE_PATCH}; charset=utf-8", f" {MERGE_PATCH} ;x=y"),
        ],
    )
    def test_both_media_types_are_read_however_they_are_written(
        self, shop: Shop, media_type: str
    ) -> None:
        target = f"/orders/{shop.order_id}"
        event = request("PATCH", target, {"status": "PAID"}, claims=STAFF_CLAIMS)
        event["headers"]["content-type"] = media_type
        assert shop.send(event).status == 200
        assert shop.change({"status": "PAID"}, content_type=media_type.strip()).status == 200

    @pytest.mark.parametrize(
        "media_type", ["", "text/plain", "application/json-patch+json", "application/xml"]
    )
    def test_any_other_media_type_is_refused_with_those_to_send(
        self, shop: Shop, media_type: str
    ) -> None:
        response = shop.change({"status": "PAID"}, content_type=media_type)
        assert (response.status, response.problem) == (415, "unsupported-media-type")
        assert response.headers["Accept-Patch"] == "application/merge-patch+json, application/json"

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            *(({}, "/status"), ({"reason": "why"}, "/status")),
            *(({"status": value}, "/status") for value in (None, "paid", "NO_SUCH", 1, ["PAID"])),
            *(
                ({"status": "PAID", "reason": value}, "/reason")
                for value in (None, 5, "r" * 501, *sorted(PLATFORM_REASONS))
            ),
            *(({"status": "PAID", name: 1}, f"/{name}") for name in ("amount", "version")),
            *(([], ""), ("null", ""), ("[]", ""), ('"PAID"', "")),
        ],
    )
    @pytest.mark.parametrize("claims", [STAFF_CLAIMS, CUSTOMER_CLAIMS])
    def test_an_invalid_field_is_pointed_at_before_the_order_is_read(
        self, shop: Shop, body: object, pointer: str, claims: dict[str, Any]
    ) -> None:
        assert shop.change(body, claims).pointer == pointer
        assert shop.patch("1", body, claims).pointer == pointer
        assert shop.orders.calls == []

    @pytest.mark.parametrize(
        "reason",
        [
            *("", "r" * 500, "\U0001f600" * 500, "\uffff\ufffe\x00"),
            *("Expired", "expired ", "expired\n", "it expired", "other"),
        ],
    )
    def test_any_text_but_the_platforms_own_is_a_reason(self, shop: Shop, reason: str) -> None:
        assert shop.change({"status": "CANCELED", "reason": reason}).status == 200
        assert shop.orders.orders[shop.order_id].reason == reason


class TestPreconditions:
    @pytest.mark.parametrize(
        ("headers", "status", "problem"),
        [
            ({"if_match": '"7", "1"'}, 200, ""),
            ({"if_match": '"2"'}, 412, "precondition-failed"),
            ({"if_match": "1"}, 400, "malformed-request"),
            ({"if_none_match": '"", "7"', "if_match": '"1",'}, 200, ""),
            ({"if_none_match": 'W/"1"'}, 412, "precondition-failed"),
            ({"if_none_match": "1"}, 400, "malformed-request"),
        ],
    )
    @pytest.mark.parametrize("target", ["PAID", "PENDING"])
    def test_a_change_and_a_no_op_are_made_only_under_their_preconditions(
        self, shop: Shop, target: str, headers: dict[str, str], status: int, problem: str
    ) -> None:
        response = shop.change({"status": target}, STAFF_CLAIMS, **headers)
        assert response.status == status
        assert not problem or response.problem == problem
        assert shop.version == (2 if (status, target) == (200, "PAID") else 1)

    def test_a_replay_is_subject_to_none(self, shop: Shop) -> None:
        first = shop.change({"status": "PAID"}, idempotency_key="k")
        for header, tags in (("if_none_match", "*"), ("if_match", '"1"')):
            key = {"idempotency_key": "k", header: tags}
            again = shop.change({"status": "PAID"}, STAFF_CLAIMS, **key)
            assert (again.status, again.text) == (200, first.text)


def test_of_several_faults_the_first_in_the_contracts_order_is_told() -> None:
    """A request with every fault, which are mended one by one."""
    shop = Shop("SHIPPED")
    pending = {"status": "PENDING"}
    used: dict[str, Any] = {"idempotency_key": "used", "if_match": '"9"'}
    new: dict[str, Any] = {"idempotency_key": "new", "if_match": '"9"'}
    assert shop.change({"status": "SHIPPED"}, idempotency_key="used").status == 200
    large = "{" + " " * (256 * 1024)
    unknown = {"status": "PENDING", "unknown": 1}
    text: dict[str, Any] = {"content_type": "text/plain"}
    responses = [
        (shop.change(large, None, **text, **used), 401, "unauthenticated"),
        (shop.change(large, **text, **used), 415, "unsupported-media-type"),
        (shop.change(large, **used), 413, "payload-too-large"),
        (shop.change("{", **used), 400, "malformed-request"),
        (shop.change(unknown, idempotency_key=" "), 400, "invalid-idempotency-key"),
        (shop.change(unknown, if_match="9"), 400, "malformed-request"),
        (shop.change(unknown, if_none_match="9"), 400, "malformed-request"),
        (shop.change(unknown, **used), 422, "validation-failed"),
        (shop.change(pending, **used), 422, "idempotency-key-reused"),
        (shop.change(pending, OTHER_CLAIMS, **new), 404, "order-not-found"),
        (shop.change(pending, CUSTOMER_CLAIMS, **new), 403, "forbidden"),
        (shop.change(pending, **new), 412, "precondition-failed"),
        (shop.change(pending, if_none_match="*"), 412, "precondition-failed"),
        (shop.change(pending, idempotency_key="new"), 409, "illegal-transition"),
    ]
    for response, status, problem in responses:
        assert (response.status, response.problem) == (status, problem)
    assert shop.change({"status": "SHIPPED"}, idempotency_key="new").status == 200


class TestIdempotencyKey:
    @pytest.mark.parametrize("status", ["PAID", "PENDING"])
    def test_a_retry_gets_the_first_response_byte_for_byte(self, shop: Shop, status: str) -> None:
        """Whatever happened to the order since; a no-op is remembered too."""
        first = shop.change({"status": status}, idempotency_key="k")
        shop.change({"status": "CANCELED"})
        second = shop.change({"status": status}, idempotency_key="k")
        assert (second.status, second.text) == (200, first.text)
        assert second.headers == first.headers | {"Idempotent-Replayed": "true"}
        del shop.orders.orders[shop.order_id]
        assert shop.change({"status": status}, idempotency_key="k").text == first.text

    def test_the_same_change_by_another_spelling_of_the_id_is_the_same_request(
        self, shop: Shop
    ) -> None:
        first = shop.change({"status": "PAID"}, idempotency_key="k")
        for spelling in (first.json["orderNumber"], first.json["orderId"].upper()):
            again = shop.patch(spelling, {"status": "PAID"}, idempotency_key="k")
            assert (again.status, again.text) == (200, first.text)
            assert again.headers["Idempotent-Replayed"] == "true"

    def test_another_order_or_another_body_is_another_request(self, shop: Shop) -> None:
        shop.change({"status": "PAID"}, idempotency_key="k")
        other = shop.post().json["orderId"]
        for response in (
            shop.patch(other, {"status": "PAID"}, idempotency_key="k"),
            shop.change({"status": "PAID", "reason": ""}, idempotency_key="k"),
            shop.change({"status": "CANCELED"}, idempotency_key="k"),
        ):
            assert response.problem == "idempotency-key-reused"


def test_a_create_and_an_update_may_use_the_same_key() -> None:
    shop = Shop()
    assert shop.post(order_body(), STAFF_CLAIMS, idempotency_key="k").status == 201
    changed = shop.change({"status": "PAID"}, idempotency_key="k")
    assert (changed.status, changed.json["status"]) == (200, "PAID")
    assert "Idempotent-Replayed" not in changed.headers
