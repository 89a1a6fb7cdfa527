"""What is read of an event that lacks something."""

from __future__ import annotations

import pytest

from orders.http.request import Request

EVENTS: list[dict[str, object]] = [{}, {"pathParameters": None, "body": None}]


def test_without_a_stage_an_event_is_of_the_default_one() -> None:
    request = Request({"rawPath": "/orders", "requestContext": {"domainName": "a.example"}})
    assert request.path_below("") == "/orders"
    assert request.base_address("") == "https://a.example"


@pytest.mark.parametrize("event", EVENTS)
def test_a_parameter_that_the_path_lacks_is_empty(event: dict[str, object]) -> None:
    assert Request(event).path_parameter("orderId") == ""


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("is_base64", [False, True])
def test_a_body_that_is_missing_is_empty(event: dict[str, object], *, is_base64: bool) -> None:
    assert Request(event | {"isBase64Encoded": is_base64})._content() == b""
