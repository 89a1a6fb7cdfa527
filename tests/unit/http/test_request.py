"""What is read of an event that lacks something."""

from __future__ import annotations

import pytest

from orders.http.request import Request


def test_without_a_stage_a_request_is_of_the_default_one() -> None:
    request = Request({"rawPath": "/orders", "requestContext": {"domainName": "a.example"}})
    assert request.path_below("") == "/orders"
    assert request.path_below("/orders") == "/"
    assert request.base_address("") == "https://a.example"


@pytest.mark.parametrize("event", [{}, {"pathParameters": None}])
def test_a_parameter_that_the_path_lacks_is_empty(event: dict[str, object]) -> None:
    assert Request(event).path_parameter("orderId") == ""
