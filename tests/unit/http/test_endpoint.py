"""What is logged of a request that could not be answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gateway import request
from orders.domain.errors import TryAgain
from orders.http.endpoint import endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders.http.request import Request
    from orders.http.response import Response


@pytest.mark.parametrize(
    ("cause", "named"), [(ConnectionError(), "ConnectionError"), (None, "races")]
)
def test_a_request_to_be_tried_again_is_logged_with_its_cause(
    output: Callable[[], str], cause: Exception | None, named: str
) -> None:
    def handle(_: Request) -> Response:
        raise TryAgain from cause

    endpoint(handle)(request("GET", "/health"), None)
    line = json.loads(output().splitlines()[0])
    assert (line["level"], line["message"], line["cause"]) == ("WARNING", "try again", named)


def test_an_error_that_is_none_of_the_callers_is_logged_with_its_trace(
    output: Callable[[], str],
) -> None:
    def handle(_: Request) -> Response:
        raise LookupError

    endpoint(handle)(request("GET", "/health"), None)
    line = json.loads(output().splitlines()[0])
    assert (line["level"], line["message"]) == ("ERROR", "internal error")
    assert "raise LookupError" in line["exception"]
