"""GET /orders/{orderId}."""

from __future__ import annotations

import pytest

from api import Api
from examples import placed_order
from gateway import OTHER_CLAIMS, STAFF_CLAIMS, path_part
from proof.order_number import order_number

AN_ID = "01978c5e-7a1b-7c3e-9f00-3d1f6a2b4c5d"


@pytest.fixture
def api() -> Api:
    return Api()


def test_the_order_comes_with_its_etag(api: Api) -> None:
    made = api.post()
    response = api.get(f"/orders/{made.json['orderId']}")
    assert (response.status, response.text) == (200, made.text)
    assert response.headers == {
        "Content-Type": "application/json",
        "Cache-Control": "private, no-cache",
        "ETag": '"1"',
        "X-Request-Id": "JKJaXmPLvHcESHA=",
    }


def test_a_client_that_has_the_version_gets_no_body(api: Api) -> None:
    order_id = api.post().json["orderId"]
    response = api.get(f"/orders/{order_id}", if_none_match='"1"')
    assert (response.status, response.text, response.headers["ETag"]) == (304, "", '"1"')
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "Content-Type" not in response.headers
    api.patch(order_id, {"status": "PAID"})
    assert api.get(f"/orders/{order_id}", if_none_match='"1"').status == 200


@pytest.mark.parametrize("header", ['"99"', 'W/"1"', '"2",'])
def test_a_client_that_requires_another_version_is_refused(api: Api, header: str) -> None:
    order_id = api.post().json["orderId"]
    response = api.get(f"/orders/{order_id}", if_match=header)
    assert (response.status, response.problem) == (412, "precondition-failed")
    assert api.get(f"/orders/{order_id}", if_match='"1",', if_none_match='"2"').status == 200


def test_an_unreadable_precondition_is_refused_before_the_order_is_read(api: Api) -> None:
    assert api.get(f"/orders/{AN_ID}", if_match="1").problem == "malformed-request"
    assert api.get(f"/orders/{AN_ID}", if_match='"1"').problem == "order-not-found"


def test_an_order_is_found_by_its_number_and_by_its_id_in_any_case(api: Api) -> None:
    made = api.post()
    order_id, number = made.json["orderId"], made.json["orderNumber"]
    for spelling in (order_id.upper(), number, number.lower(), number.replace("-", "")):
        assert api.get(f"/orders/{spelling}").text == made.text


def test_the_404_of_a_mistyped_order_number_says_so(api: Api) -> None:
    number = api.post().json["orderNumber"]
    mistyped = number[:-1] + ("1" if number[-1] == "0" else "0")
    for spelling in (mistyped, mistyped.lower(), mistyped.replace("-", ""), number[:-1] + "U"):
        response = api.get(f"/orders/{spelling}")
        assert (response.status, response.problem) == (404, "order-not-found")
        assert response.json["detail"] == "This order number has a typing error."
    unknown = api.get(f"/orders/{order_number(placed_order().order_id)}")
    assert (unknown.status, unknown.json["detail"]) == (404, "There is no such order.")


@pytest.mark.parametrize(
    "order_id",
    [
        *(AN_ID, AN_ID.upper(), AN_ID.replace("-", ""), path_part(f"{AN_ID}#DETAIL")),
        *("1", "null", "x" * 1000, "%FF%FE", "%00", ".."),
        *("0000-0000-0000-0", "0000-0000-0000-1", "0000-0000-0000-U"),
    ],
)
def test_an_unknown_or_invalid_order_id_is_not_found(api: Api, order_id: str) -> None:
    response = api.get(f"/orders/{order_id}", STAFF_CLAIMS)
    assert (response.status, response.problem) == (404, "order-not-found")


def test_another_customers_order_looks_like_one_that_does_not_exist(api: Api) -> None:
    order_id = api.post().json["orderId"]
    foreign = api.get(f"/orders/{order_id}", OTHER_CLAIMS)
    assert (foreign.status, foreign.json) == (404, api.get(f"/orders/{AN_ID}", OTHER_CLAIMS).json)
