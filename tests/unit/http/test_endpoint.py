"""What is logged of a request that no response was found for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gateway import request
from orders.application.errors import NewerRow, TryAgain
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


def test_a_row_of_a_later_release_is_logged_by_its_name(output: Callable[[], str]) -> None:
    def handle(_: Request) -> Response:
        raise NewerRow("order ORDER#1 DETAIL is of a later release")

    assert endpoint(handle)(request("GET", "/health"), None)["statusCode"] == 503
    line = json.loads(output().splitlines()[0])
    assert (line["level"], line["message"]) == ("ERROR", "row of a later release")
    assert line["cause"] == "order ORDER#1 DETAIL is of a later release"


def test_an_error_that_is_its_own_cause_is_logged_once(output: Callable[[], str]) -> None:
    def handle(_: Request) -> Response:
        error = LookupError()
        raise error from error

    assert endpoint(handle)(request("GET", "/health"), None)["statusCode"] == 500
    line = json.loads(output().splitlines()[0])
    assert [link["exception"] for link in line["error"]] == ["LookupError"]


def test_an_unexpected_error_is_logged_with_its_frames_and_without_values(
    output: Callable[[], str],
) -> None:
    def look_up(key: str) -> Response:
        responses: dict[str, Response] = {}
        try:
            return responses[key]
        except KeyError as error:
            raise LookupError("sEcReT") from error

    def handle(_: Request) -> Response:
        return look_up("sEcReT")

    endpoint(handle)(request("GET", "/health"), None)
    written = output()
    line = json.loads(written.splitlines()[0])
    assert (line["level"], line["message"]) == ("ERROR", "internal error")
    error, cause = line["error"]
    assert (error["exception"], cause["exception"]) == ("LookupError", "KeyError")
    number = look_up.__code__.co_firstlineno
    assert error["frames"][-1] == f"{__file__}:{number + 5} look_up"
    assert [frame.rpartition(" ")[2] for frame in error["frames"]] == [
        "handler",
        "handle",
        "look_up",
    ]
    assert cause["frames"] == [f"{__file__}:{number + 3} look_up"]
    assert "sEcReT" not in written
