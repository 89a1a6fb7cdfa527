from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from api import Api
from examples import placed_order
from gateway import CUSTOMER_CLAIMS, MERGE_PATCH, OTHER_CLAIMS, STAFF_CLAIMS, order_body, request
from orders.application.errors import TryAgain
from orders.domain.status import TRANSITIONS, OrderStatus

if TYPE_CHECKING:
    from api import Response

ALLOWED = {status.value: [*map(str, reached)] for status, reached in TRANSITIONS.items()}


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


@pytest.fixture
def shop() -> Shop:
    return Shop()


class TestTheResponse:
    def test_is_the_order_as_it_is_now(self, shop: Shop) -> None:
        shop.clock.advance(seconds=1)
        response = shop.change({"status": "PAID", "reason": "by transfer"})
        assert response.status == 200
        assert response.json == shop.get(f"/orders/{shop.order_id}").json
        assert response.json["status"] == "PAID"
        assert response.json["version"] == 2
        assert response.json["allowedTransitions"] == ["SHIPPED", "CANCELED"]
        assert response.json["updatedAt"] == "2026-11-23T12:00:01.123Z"
        assert response.headers == {
            "Content-Type": "application/json",
            "Cache-Control": "private, no-cache",
            "ETag": '"2"',
            "X-Request-Id": "JKJaXmPLvHcESHA=",
        }

    def test_does_not_hold_the_reason_which_is_the_timelines(self, shop: Shop) -> None:
        assert "by transfer" not in shop.change({"status": "PAID", "reason": "by transfer"}).text
        assert shop.orders.orders[shop.order_id].reason == "by transfer"


class TestMoves:
    @pytest.mark.parametrize(("current", "target"), list(itertools.product(ALLOWED, ALLOWED)))
    def test_staff_make_those_of_the_table(self, current: str, target: str) -> None:
        shop = Shop(current)
        response = shop.change({"status": target})
        if target in ALLOWED[current]:
            assert (response.status, response.json["status"]) == (200, target)
            assert response.headers["ETag"] == '"2"'
        elif current == target:
            assert (response.status, response.headers["ETag"]) == (200, '"1"')
        else:
            assert (response.status, response.problem) == (409, "illegal-transition")
            assert response.json["currentStatus"] == current
            assert response.json["allowedTransitions"] == ALLOWED[current]

    @pytest.mark.parametrize(("current", "target"), list(itertools.product(ALLOWED, ALLOWED)))
    def test_a_customer_cancels_what_is_pending(self, current: str, target: str) -> None:
        shop = Shop(current)
        response = shop.change({"status": target}, CUSTOMER_CLAIMS)
        allowed = target == "CANCELED" and current in {"PENDING", "CANCELED"}
        assert response.status == (200 if allowed else 403)

    def test_the_same_status_again_changes_nothing(self, shop: Shop) -> None:
        before = shop.orders.orders[shop.order_id]
        response = shop.change({"status": "PENDING", "reason": "again"})
        assert (response.status, response.json["version"]) == (200, 1)
        assert shop.orders.orders[shop.order_id] is before


class TestTheBody:
    @pytest.mark.parametrize("media_type", [MERGE_PATCH, "application/json"])
    def test_may_be_of_both_media_types(self, shop: Shop, media_type: str) -> None:
        assert shop.change({"status": "PAID"}, content_type=media_type).status == 200

    @pytest.mark.parametrize(
        "media_type",
        ["APPLICATION/MERGE-PATCH+JSON", f"{MERGE_PATCH}; charset=utf-8", f" {MERGE_PATCH} ;x=y"],
    )
    def test_may_name_its_media_type_in_any_way(self, shop: Shop, media_type: str) -> None:
        body = {"status": "PAID"}
        event = request("PATCH", f"/orders/{shop.order_id}", body, claims=STAFF_CLAIMS)
        event["headers"]["content-type"] = media_type
        assert shop.send(event).status == 200

    @pytest.mark.parametrize(
        "media_type", ["", "text/plain", "application/json-patch+json", "application/xml"]
    )
    def test_of_another_media_type_is_told_which_to_send(self, shop: Shop, media_type: str) -> None:
        response = shop.change({"status": "PAID"}, content_type=media_type)
        assert (response.status, response.problem) == (415, "unsupported-media-type")
        assert response.headers["Accept-Patch"] == "application/merge-patch+json, application/json"

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({}, "/status"),
            ({"reason": "why"}, "/status"),
            ({"status": None}, "/status"),
            ({"status": "paid"}, "/status"),
            ({"status": "REFUNDED"}, "/status"),
            ({"status": 1}, "/status"),
            ({"status": ["PAID"]}, "/status"),
            ({"status": "PAID", "reason": None}, "/reason"),
            ({"status": "PAID", "reason": 5}, "/reason"),
            ({"status": "PAID", "reason": "r" * 501}, "/reason"),
            ({"status": "PAID", "amount": 1}, "/amount"),
            ({"status": "PAID", "version": 1}, "/version"),
            ([], ""),
            ("null", ""),
            ("[]", ""),
            ('"PAID"', ""),
        ],
    )
    def test_with_a_field_at_fault_is_refused(self, shop: Shop, body: object, pointer: str) -> None:
        assert shop.change(body).pointer == pointer
        assert shop.orders.orders[shop.order_id].version == 1

    @pytest.mark.parametrize("reason", ["", "r" * 500, "\U0001f600" * 500, "\uffff\ufffe\x00"])
    def test_may_give_a_reason(self, shop: Shop, reason: str) -> None:
        assert shop.change({"status": "PAID", "reason": reason}).status == 200
        assert shop.orders.orders[shop.order_id].reason == reason


class TestIfMatch:
    @pytest.mark.parametrize("header", ['"1"', '"7", "1"', "*"])
    def test_that_names_the_version_lets_it_pass(self, shop: Shop, header: str) -> None:
        assert shop.change({"status": "PAID"}, if_match=header).status == 200

    @pytest.mark.parametrize("header", ['"2"', 'W/"1"', '""'])
    def test_that_does_not_is_a_failed_precondition(self, shop: Shop, header: str) -> None:
        response = shop.change({"status": "PAID"}, if_match=header)
        assert (response.status, response.problem) == (412, "precondition-failed")
        assert response.json["detail"] == "The order is at version 1."
        assert shop.orders.orders[shop.order_id].version == 1

    def test_holds_for_the_same_status_too(self, shop: Shop) -> None:
        assert shop.change({"status": "PENDING"}, if_match='"2"').status == 412

    def test_that_is_no_tag_is_malformed(self, shop: Shop) -> None:
        assert shop.change({"status": "PAID"}, if_match="1").problem == "malformed-request"


class TestIfNoneMatch:
    @pytest.mark.parametrize("header", ["*", '"1"', 'W/"1"', '"7", "1",'])
    def test_that_names_the_version_is_a_failed_precondition(self, shop: Shop, header: str) -> None:
        for status in ("PAID", "PENDING"):
            response = shop.change({"status": status}, if_none_match=header)
            assert (response.status, response.problem) == (412, "precondition-failed")
        assert shop.orders.orders[shop.order_id].version == 1

    @pytest.mark.parametrize("header", ['"2"', '"", "7"'])
    def test_that_does_not_lets_it_pass(self, shop: Shop, header: str) -> None:
        assert shop.change({"status": "PAID"}, if_none_match=header, if_match='"1",').status == 200

    @pytest.mark.parametrize("header", ["1", "", '*, "1"'])
    def test_that_is_no_tag_is_malformed(self, shop: Shop, header: str) -> None:
        response = shop.change({"status": "PAID"}, if_none_match=header)
        assert response.problem == "malformed-request"
        assert shop.orders.orders[shop.order_id].version == 1

    def test_does_not_stop_a_replay(self, shop: Shop) -> None:
        shop.change({"status": "PAID"}, idempotency_key="k")
        again = shop.change({"status": "PAID"}, idempotency_key="k", if_none_match="*")
        assert again.headers["Idempotent-Replayed"] == "true"


class TestThePlatformsReasons:
    @pytest.mark.parametrize("reason", ["expired", "out-of-stock", "payment-declined"])
    @pytest.mark.parametrize("claims", [STAFF_CLAIMS, CUSTOMER_CLAIMS])
    def test_are_nobody_elses(self, shop: Shop, reason: str, claims: dict[str, Any]) -> None:
        for status in ("CANCELED", "PAID", "PENDING"):
            response = shop.change({"status": status, "reason": reason}, claims)
            assert response.pointer == "/reason"
        assert shop.orders.calls == []

    def test_are_refused_before_the_order_is_looked_for(self, shop: Shop) -> None:
        assert shop.patch("1", {"status": "PAID", "reason": "expired"}).pointer == "/reason"

    @pytest.mark.parametrize("reason", ["Expired", "expired ", "expired\n", "it expired", "other"])
    def test_are_these_texts_alone(self, shop: Shop, reason: str) -> None:
        assert shop.change({"status": "CANCELED", "reason": reason}).status == 200


class TestTheOrderOfChecks:
    def test_is_that_of_the_contract(self) -> None:
        """A request with every fault; one after the other is put right."""
        shop = Shop("SHIPPED")
        pending = {"status": "PENDING"}
        used: dict[str, Any] = {"idempotency_key": "used", "if_match": '"9"'}
        new: dict[str, Any] = {"idempotency_key": "new", "if_match": '"9"'}
        assert shop.change({"status": "SHIPPED"}, idempotency_key="used").status == 200
        large = "{" + " " * (256 * 1024)
        unknown = {"status": "PENDING", "unknown": 1}
        text: dict[str, Any] = {"content_type": "text/plain"}
        customer: dict[str, Any] = {"claims": CUSTOMER_CLAIMS}
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
            (shop.change(pending, **customer, **new), 403, "forbidden"),
            (shop.change(pending, **new), 412, "precondition-failed"),
            (shop.change(pending, if_none_match="*"), 412, "precondition-failed"),
            (shop.change(pending, idempotency_key="new"), 409, "illegal-transition"),
        ]
        for response, status, problem in responses:
            assert (response.status, response.problem) == (status, problem)
        assert shop.change({"status": "SHIPPED"}, idempotency_key="new").status == 200

    def test_a_replay_comes_before_all_that_depends_on_the_order(self, shop: Shop) -> None:
        first = shop.change({"status": "PAID"}, idempotency_key="k")
        del shop.orders.orders[shop.order_id]
        second = shop.change({"status": "PAID"}, idempotency_key="k", if_match='"1"')
        assert (second.status, second.text) == (200, first.text)


class TestIdempotency:
    def test_a_repetition_gets_the_first_response_byte_for_byte(self, shop: Shop) -> None:
        first = shop.change({"status": "PAID"}, idempotency_key="k")
        shop.change({"status": "SHIPPED"})
        second = shop.change({"status": "PAID"}, idempotency_key="k")
        assert second.text == first.text
        assert second.headers == first.headers | {"Idempotent-Replayed": "true"}

    def test_the_same_change_by_the_orders_number_is_the_same_request(self, shop: Shop) -> None:
        first = shop.change({"status": "PAID"}, idempotency_key="k")
        for spelling in (first.json["orderNumber"], first.json["orderId"].upper()):
            again = shop.patch(spelling, {"status": "PAID"}, idempotency_key="k")
            assert (again.status, again.text) == (200, first.text)
            assert again.headers["Idempotent-Replayed"] == "true"

    def test_a_no_op_is_repeated_too(self, shop: Shop) -> None:
        first = shop.change({"status": "PENDING"}, idempotency_key="k")
        shop.change({"status": "PAID"})
        second = shop.change({"status": "PENDING"}, idempotency_key="k")
        assert (second.text, second.headers["ETag"]) == (first.text, '"1"')
        assert second.headers["Idempotent-Replayed"] == "true"

    def test_the_same_change_of_another_order_is_another_request(self, shop: Shop) -> None:
        other = shop.post(order_body()).json["orderId"]
        shop.change({"status": "PAID"}, idempotency_key="k")
        response = shop.patch(other, {"status": "PAID"}, idempotency_key="k")
        assert response.problem == "idempotency-key-reused"

    def test_a_reason_is_part_of_the_request(self, shop: Shop) -> None:
        shop.change({"status": "PAID"}, idempotency_key="k")
        response = shop.change({"status": "PAID", "reason": ""}, idempotency_key="k")
        assert response.problem == "idempotency-key-reused"


@pytest.mark.parametrize(
    "order_id", ["1", "x" * 300, "%00", "01978c5e7a1b7c3e9f003d1f6a2b4c5d", "5VH7-9TDM-FW7P-2"]
)
def test_an_id_that_is_none_is_not_found(shop: Shop, order_id: str) -> None:
    response = shop.patch(order_id, {"status": "PAID"}, idempotency_key="k")
    assert (response.status, response.problem) == (404, "order-not-found")
    assert shop.orders.calls == []


def test_a_store_out_of_reach_is_told_with_when_to_try_again(shop: Shop) -> None:
    def fail() -> None:
        raise TryAgain

    shop.orders.before_write = fail
    response = shop.change({"status": "PAID"})
    assert (response.status, response.problem) == (503, "try-again")
    assert response.headers["Retry-After"] == "1"
