"""The floor makes the calls that ours makes, and answers as ours does, for its one order."""

from __future__ import annotations

import runpy
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.floor import bare, rows
from benchmarks.function_process import LAMBDA_ENVIRONMENT, HandlerRaised
from benchmarks.systems import OURS, Running, System
from benchmarks.tests.rivals import Names, comparable, sender, sender_to
from gateway import STAFF_CLAIMS, request
from local_stack import ROOT
from orders.domain import timestamps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.tests.rivals import Response
    from gateway import Event

BOTH = pytest.mark.parametrize("floor", ["bare_call", "signed_request"], indirect=True)
BARE_CALL = pytest.mark.parametrize("floor", ["bare_call"], indirect=True)

PAGE = request("GET", f"/customers/{rows.CUSTOMER}/orders")


@pytest.fixture(scope="module")
def floor(request: pytest.FixtureRequest) -> Iterator[Running]:
    """One of the floor's modules, by its name."""
    handlers = dict.fromkeys(OURS.handlers, f"benchmarks.floor.{request.param}:handler")
    with Running(replace(OURS, name=request.param, handlers=handlers)) as running:
        yield running


def post(*, keyed: bool = False) -> Event:
    """With a key that was never used, or without one."""
    headers = {"idempotency_key": secrets.token_hex(8)} if keyed else {}
    return request("POST", "/orders", rows.REQUEST, headers=headers)


def get(order_id: str) -> Event:
    return request("GET", f"/orders/{order_id}")


def pay(order_id: str) -> Event:
    return request("PATCH", f"/orders/{order_id}", {"status": "PAID"}, claims=STAFF_CLAIMS)


def made(running: Running) -> str:
    return str(running.send(post())["orderId"])


def asked(running: Running, event: Event) -> tuple[Response, dict[str, int]]:
    """The answer, and the calls that were made for it."""
    with running.database.measuring(running.tables):
        response = sender_to(running)(event)
    return response, running.database.counts


class TestCalls:
    @BOTH
    @pytest.mark.parametrize("keyed", [False, True], ids=["plain", "keyed"])
    def test_a_create_is_one_transaction(
        self, ours: Running, floor: Running, *, keyed: bool
    ) -> None:
        response, calls = asked(floor, post(keyed=keyed))
        expected, ours_made = asked(ours, post(keyed=keyed))

        assert calls == ours_made == {"TransactWriteItems": 1}
        assert comparable(response, Names({})) == comparable(expected, Names({}))

    @BOTH
    def test_a_get_is_one_call(self, ours: Running, floor: Running) -> None:
        response, calls = asked(floor, get(made(floor)))
        expected, ours_made = asked(ours, get(made(ours)))

        assert calls == ours_made == {"GetItem": 1}
        assert comparable(response, Names({})) == comparable(expected, Names({}))

    @BARE_CALL
    def test_a_page_is_one_query(self, ours: Running, floor: Running) -> None:
        response, calls = asked(floor, PAGE)
        expected, ours_made = asked(ours, PAGE)

        assert calls == ours_made == {"Query": 1}
        assert response.status == expected.status
        assert set(response.json) == set(expected.json)

    @BARE_CALL
    def test_an_update_is_two_calls(self, ours: Running, floor: Running) -> None:
        response, calls = asked(floor, pay(made(floor)))
        expected, ours_made = asked(ours, pay(made(ours)))

        assert calls == ours_made == {"GetItem": 1, "TransactWriteItems": 1}
        assert comparable(response, Names({})) == comparable(expected, Names({}))

    @BOTH
    def test_each_create_makes_another_order(self, floor: Running) -> None:
        ids = {made(floor) for _ in range(3)}

        assert len(ids) == 3


class TestSignature:
    @pytest.mark.parametrize("token", ["", "FwoGZXIvYXdzEXAMPLE"])
    def test_it_is_the_one_that_botocore_makes(
        self, monkeypatch: pytest.MonkeyPatch, token: str
    ) -> None:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
        body, target = b'{"TableName":"orders"}', "DynamoDB_20120810.GetItem"
        credentials = Credentials("testing", "testing", token or None)
        expected = AWSRequest("POST", "https://example.com/", {"X-Amz-Target": target}, data=body)
        SigV4Auth(credentials, "dynamodb", "ap-southeast-1").add_auth(expected)
        instant = timestamps.from_text(expected.headers["X-Amz-Date"])
        for name, value in LAMBDA_ENVIRONMENT.items():
            monkeypatch.setenv(name, value)

        headers = runpy.run_path(str(ROOT / "benchmarks" / "floor" / "sigv4.py"))["headers"]
        lines = headers("example.com", target, body, instant.timestamp()).splitlines()
        signed = dict(line.split(":", 1) for line in lines)

        ours = signed["authorization"].replace(",", ", ")
        assert ours == expected.headers["Authorization"]
        assert signed.get("x-amz-security-token", "") == token

    def test_a_refused_call_is_an_error(self) -> None:
        handlers = {"get-order": "benchmarks.floor.signed_request:handler"}
        without_table = System("floor", handlers, lambda *_: {"TABLE_NAME": "missing"})

        with (
            Running(without_table) as running,
            pytest.raises(HandlerRaised, match="ResourceNotFoundException"),
        ):
            running.send(get("any"))


def test_the_bare_handler_answers_always_the_same() -> None:
    assert sender(bare.handler)(PAGE) == sender(bare.handler)(post())
